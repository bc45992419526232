"""Documents that people write: strict reading of YAML and JSON, and the meters described in them."""

from metering.documents.errors import DocumentError
from metering.documents.texts import load_text

__all__ = ["DocumentError", "load_text"]

"""Who may come in with an API key, for what, and how fast. The door and the API behind it both ask here."""

from metering.admission.keys import CREDENTIAL_TTL_S, AdmissionRefused, Key, KeyUnknown, ScopeMissing, of
from metering.admission.rates import TooFast, charge

__all__ = [
    "CREDENTIAL_TTL_S",
    "AdmissionRefused",
    "Key",
    "KeyUnknown",
    "ScopeMissing",
    "TooFast",
    "charge",
    "of",
]

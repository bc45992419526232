"""The admin of the fact side: all of it is read-only but for keys and webhook sources."""

from metering.admin import batch, key, meter, webhook  # noqa: F401  each registers its models

"""The admin of the price side, and the people who may log in."""

from billing.admin import (  # noqa: F401  each registers its models
    customer,
    invoice,
    plan,
    seller,
    staff,
    subscription,
    tax,
)

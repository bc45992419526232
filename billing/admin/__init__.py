"""The admin of the price side, and the people who may log in."""

from billing.admin import customer, invoice, plan, seller, staff, subscription  # noqa: F401  each registers its models

"""Quantities become amounts: plans, subscriptions, rating, invoices."""

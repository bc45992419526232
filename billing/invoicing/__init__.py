"""Writes invoices: drafted from live usage, finalized with a number, and from then on frozen.

Locks are always taken in the order customer, subscription, plan, invoice, counter.
"""

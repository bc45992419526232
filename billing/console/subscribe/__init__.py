"""Puts a customer on a plan."""

"""A meter is created by its document."""

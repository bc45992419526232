"""A plan is created and published by its document."""

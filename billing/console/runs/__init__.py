"""The page of invoice runs."""

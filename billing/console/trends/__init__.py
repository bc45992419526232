"""The page of prices over time."""

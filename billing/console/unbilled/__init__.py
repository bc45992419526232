"""The page of usage that no invoice has."""

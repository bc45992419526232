"""The page on which a model’s needs are estimated."""

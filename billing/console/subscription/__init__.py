"""The page of a subscription, and what can be done with it."""

"""One published version of a plan, for people and as its document."""

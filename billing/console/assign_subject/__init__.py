"""Says who pays for a subject's usage."""

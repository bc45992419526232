"""The shapes that all parts of the API share, wired by name in the settings."""

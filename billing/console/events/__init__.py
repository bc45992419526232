"""The events as they were accepted. They have a composite key, which the admin cannot show."""

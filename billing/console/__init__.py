"""Pages of the console that plain forms are not enough for: one folder a page."""

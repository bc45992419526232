"""The first page: a month's revenue, events and customers, and what needs a person."""

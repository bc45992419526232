"""Django's database engine for the embedded PostgreSQL: nothing starts before the first connection."""

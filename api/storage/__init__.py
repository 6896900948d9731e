"""Storage behind the ports of the workflows: one file a noun, SQLite or PostgreSQL."""

"""A database backend: Django's SQLite, with a quicker queue of writers."""

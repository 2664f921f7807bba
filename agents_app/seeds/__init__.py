"""What a new installation begins with: readable data, one module a table."""

"""How staff prove who they are: log-in, lock-out, second factor, and being asked again before sensitive work."""

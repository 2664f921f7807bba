"""The agents: one file each, listed in `registry`."""

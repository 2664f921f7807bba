"""Flow 8: segments, engagement, and what other services know of our contacts."""

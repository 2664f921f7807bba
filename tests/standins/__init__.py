"""Stand-ins for the providers' APIs: one HTTP server, and one small module for each provider.

They answer as the services' documents say, keep what they are told, and fail on demand. The code
under test speaks real HTTP to them.
"""

"""What comes in and goes out, in the console."""

from higherself.integrations.admin import connections, events, outbox, overview, replaying

__all__ = ["connections", "events", "outbox", "overview", "replaying"]

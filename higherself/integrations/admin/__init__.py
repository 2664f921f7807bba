"""What comes in and goes out, in the console."""

from higherself.integrations.admin import connections, events, outbox, overview, refused, replaying

__all__ = ["connections", "events", "outbox", "overview", "refused", "replaying"]

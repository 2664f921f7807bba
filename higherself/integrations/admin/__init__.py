"""What comes in and goes out, in the console."""

from higherself.integrations.admin import events

__all__ = ["events"]

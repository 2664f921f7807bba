"""The synchronisation in the console."""

from notion_sync.admin import bridge, conflicts, databases, home, ledgers, overview

__all__ = ["bridge", "conflicts", "databases", "home", "ledgers", "overview"]

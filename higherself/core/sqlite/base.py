"""Writers wait for each other in steps of a millisecond.

SQLite itself lets a writer that finds the file locked sleep ever longer, up to 100 ms at a time, while others come and
go in between: under load some wait for seconds. Here everybody who waits looks again at once, and all alike.
"""

from __future__ import annotations

import random
import sqlite3
import time
from typing import Any

from django.db.backends.sqlite3 import base

_STEP = (0.0005, 0.002)
_BUSY = 5  # SQLITE_BUSY; the lowest byte is the kind, the rest says more about it (sqlite.org/rescode.html)


class Cursor(base.SQLiteCursorWrapper):
    """Repeats a statement that found the file locked. Inside a transaction, which holds the lock, there is no need."""

    patience: float

    def execute(self, query: str, params: Any = None) -> Any:
        deadline = time.monotonic() + self.patience
        while True:
            try:
                return super().execute(query, params)
            except sqlite3.OperationalError as error:
                if self.connection.in_transaction or not _is_busy(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(random.uniform(*_STEP))  # noqa: S311 - spreads the writers, no secret


def _is_busy(error: sqlite3.OperationalError) -> bool:
    # Python tells the code since 3.11, before that only the text.
    code = getattr(error, "sqlite_errorcode", _BUSY if "database is locked" in str(error) else 0)
    return code & 0xFF == _BUSY


class DatabaseWrapper(base.DatabaseWrapper):
    """``OPTIONS["timeout"]`` stays what it is: how many seconds a writer waits before it gives up."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        self.patience = float(conn_params.get("timeout", 5.0))
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        cursor.patience = self.patience
        return cursor

"""The data file: SQLite in WAL mode, one transaction per request.

`synchronous=NORMAL` keeps every answered request through a crash or kill of the process; only a
power cut can lose the last moments.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from .relations import Relations

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS links (
    position INTEGER PRIMARY KEY, relation TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL,
    UNIQUE (relation, a, b)
);
"""

_ADD_LINK = "INSERT OR REPLACE INTO links (relation, a, b) VALUES (?, ?, ?)"
_DROP_LINK = "DELETE FROM links WHERE relation = ? AND a = ? AND b = ?"


class Store:
    def __init__(self, path: str) -> None:
        self.path = path
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=2)
        # Two sandboxes on one file would overwrite each other: the second one is refused.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        self._db.close()

    def meta(self, name: str) -> Any:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def objects(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind, body in self._db.execute("SELECT kind, body FROM objects ORDER BY number"):
            yield kind, json.loads(body)

    def links(self) -> Iterator[tuple[str, str, str]]:
        yield from self._db.execute("SELECT relation, a, b FROM links ORDER BY position")

    def save(
        self,
        objects: list[tuple[str, str, dict[str, Any], int]],
        meta: dict[str, Any],
        relations: Relations,
        removed: list[str],
    ) -> None:
        """Writes (id, kind, body, number) rows, settings and changed links in one transaction."""
        rows = [(i, k, json.dumps(b, separators=(",", ":")), n) for i, k, b, n in objects]
        run = self._db
        run.execute("BEGIN IMMEDIATE")
        try:
            run.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)", rows)
            run.executemany("DELETE FROM objects WHERE id = ?", [(i,) for i in removed])
            for name, value in meta.items():
                run.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))
            self._save_links(relations)
        except BaseException:
            run.execute("ROLLBACK")
            raise
        run.execute("COMMIT")

    def _save_links(self, relations: Relations) -> None:
        for present, relation, a, b in relations.changes:
            statement = _ADD_LINK if present else _DROP_LINK
            self._db.execute(statement, (relation, a, b))
        for relation in relations.dropped:
            self._db.execute("DELETE FROM links WHERE relation = ?", (relation,))
        relations.saved()

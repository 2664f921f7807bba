"""One scenario on one database, inside its environment: `python -m bench.inside SCENARIO BACKEND < options.json`."""

from __future__ import annotations

import json
import sys
from importlib import import_module

import django
from django.db import connection

from bench.options import Options
from bench.results import Result
from bench.stage import Stage


def main() -> None:
    scenario, backend = sys.argv[1:3]
    options = Options(**json.load(sys.stdin))
    django.setup()
    result = Result(scenario, backend)
    with Stage() as stage:
        # Found by name only now: the scenarios use models, which exist once Django is set up.
        import_module(f"bench.scenarios.{scenario}").measure(stage, options, result)
        result.database = durability()
    json.dump(result.as_dict(), sys.stdout)


def durability() -> dict[str, str]:
    """What this database does at a commit, as it says itself."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
            found = {"version": f"SQLite {cursor.fetchone()[0]}"}
            for name in ("journal_mode", "synchronous"):
                cursor.execute(f"PRAGMA {name}")
                found[name] = str(cursor.fetchone()[0])
            return found | {"synchronous": {"2": "FULL"}.get(found["synchronous"], found["synchronous"])}
        found = {}
        for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_sync_method"):
            cursor.execute(f"SHOW {name}")
            found[name] = str(cursor.fetchone()[0])
        return found


if __name__ == "__main__":
    main()

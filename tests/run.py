"""The whole suite on SQLite, then all that touches a database on PostgreSQL, where one answers. `make test` calls it.

With REQUIRE_POSTGRES=1 (as in continuous integration) a missing PostgreSQL is a failure.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from urllib.parse import urlsplit

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://root@127.0.0.1:5432/test")


def answers(url: str) -> bool:
    parts = urlsplit(url)
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((parts.hostname or "127.0.0.1", parts.port or 5432)) == 0


def suite(name: str, environment: dict[str, str], *arguments: str) -> int:
    print(f"\n=== The suite on {name} ===", flush=True)  # noqa: T201
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", *arguments, *sys.argv[1:]]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def main() -> int:
    failed = suite("SQLite", {"TEST_DATABASE_URL": ""})
    if failed:
        return failed
    if not answers(POSTGRES):
        required = os.environ.get("REQUIRE_POSTGRES") == "1"
        print(f"\nNo PostgreSQL answers at {POSTGRES}: this leg is {'required' if required else 'skipped'}.")  # noqa: T201
        return 1 if required else 0
    return suite("PostgreSQL", {"TEST_DATABASE_URL": POSTGRES, "TEST_DATABASE_ONLY": "1"}, "-m", "not e2e")


if __name__ == "__main__":
    sys.exit(main())

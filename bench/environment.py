"""The environment of a scenario: a database, ports and a directory of its own, and nothing of the user's."""

from __future__ import annotations

import os
import platform
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
TYPEFORM_SECRET = "bench-typeform-secret"
_FOREIGN = ("NOTION_", "TYPEFORM_", "DATABASE_URL", "REDIS_URL", "SENTRY_DSN", "TEST_DATABASE_URL")


def variables(directory: Path, database_url: str) -> dict[str, str]:
    """What the server reads. Everything else is the product's default, as a user gets it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    web, sandbox = free_ports(2)
    return kept | {
        "DJANGO_SETTINGS_MODULE": "higherself.settings",
        "HIGHERSELF_ENV_FILE": str(directory / "no.env"),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATABASE_URL": database_url,
        "VAR_DIR": str(directory),
        "SERVER_PORT": str(web),
        "SANDBOX_PORT": str(sandbox),
        "TYPEFORM_WEBHOOK_SECRET": TYPEFORM_SECRET,
        "TEAM_EMAILS": "team@example.org",
        "EMAIL_URL": "dummymail://",
        "PYTHONWARNINGS": "ignore",
    }


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


@contextmanager
def database(backend: str, directory: Path, server: str) -> Iterator[str]:
    """The address of a new, empty database, which is gone afterwards (the SQLite file goes with its directory)."""
    if backend == "sqlite":
        yield f"sqlite:///{directory / 'bench.sqlite3'}"
        return
    name = f"bench_higherself_{os.getpid()}_{secrets.token_hex(3)}"
    _administer(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{server.rstrip('/')}/{name}"
    finally:
        _administer(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def postgres_problem(server: str) -> str:
    """Why PostgreSQL cannot be used; empty when it can."""
    try:
        _administer(server, sql.SQL("SELECT 1"))
    except psycopg.Error as error:
        return f"no PostgreSQL at {server}: {error}".strip()
    return ""


def _administer(server: str, statement: sql.Composable) -> None:
    with psycopg.connect(f"{server.rstrip('/')}/postgres", autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement)


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    names = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in names if line.startswith("model name")), "")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {
        "processor": model or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_at_start": round(load, 2),
    }

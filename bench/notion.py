"""A Notion full of contacts, written straight into the sandbox's data file: over HTTP that would take longer than all
that is measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from notion_sync.sandbox import Sandbox

CONTACTS, ENTITIES = "Contacts & Profiles", "Business Entities Registry"
# Older than any overlap of an incremental query.
BUILT = "2026-01-05T10:00:00Z"
A_MINUTE = 1000
CHANGED = "2026-01-06T10:00:00Z"


def contact(number: int) -> dict[str, Any]:
    """Twelve properties in use, with all that the server would add to a page: there is nothing to write back."""
    return {
        "Full Name": f"Robin Sample {number}",
        "Contact ID": f"CTCT-BENCH{number:07d}",
        "Email": f"robin.{number}@example.com",
        "Phone": f"+4416329{number:07d}",
        "Contact Type": "Lead",
        "Status": "Active Lead",
        "Tags": ["Newsletter", "Retreat"][: 1 + number % 2],
        "Email Opt-in": number % 3 == 0,
        "Date Added": "2026-01-05T09:30:00.000+00:00",
        "Engagement Score": 0,
        "Quality Level": "Unknown",
        "City": ["Lisbon", "Porto", "Faro"][number % 3],
    }


def entity(number: int) -> dict[str, Any]:
    """All of the twelve properties that the smallest of the databases has of its own."""
    return {
        "Name": f"Branch {number}",
        "Entity Key": f"branch-{number:07d}",
        "Entity Type": "WELLNESS_CENTER",
        "API Keys Reference": f"BRANCH_{number}",
        "Integration Status": "Active",
        "Website": f"https://branch-{number}.example.com",
        "Sender Email": f"hello@branch-{number}.example.com",
        "Time Zone": "Europe/Lisbon",
        "Customer Analysis": "{}",
    }


# What one row of a database is made of, and the property that a person edits.
MADE = {CONTACTS: (contact, "City"), ENTITIES: (entity, "API Keys Reference")}


@contextmanager
def opened(path: Path, moment: str) -> Iterator[Sandbox]:
    """The data file in this process, with the clock at a moment. No other sandbox may have it open."""
    sandbox = Sandbox(data=str(path), token=None)
    sandbox.clock.set(moment)
    try:
        yield sandbox
    finally:
        sandbox.close()


def fill(path: Path, first: int, count: int, title: str = CONTACTS) -> None:
    """Adds rows, numbered from ``first``. A thousand share a minute, as in a workspace that grew."""
    made, _ = MADE[title]
    with opened(path, BUILT) as sandbox:
        source = sandbox.data_source_id(title)
        _in_one_transaction(sandbox)
        sandbox.clock.advance(60 * (first // A_MINUTE))
        for number in range(first, first + count):
            sandbox.person.create(source, made(number))
            if number % A_MINUTE == A_MINUTE - 1:
                sandbox.clock.advance(60)


def change(path: Path, count: int, value: str, title: str = CONTACTS) -> None:
    """A person edits one property of each of the first ``count`` pages."""
    _, edited = MADE[title]
    with opened(path, CHANGED) as sandbox:
        rows = sorted(sandbox.ws.rows[sandbox.data_source_id(title)].values(), key=lambda page: page.number)
        _in_one_transaction(sandbox)
        for page in rows[:count]:
            sandbox.person.update(page.id, {edited: value})


def _in_one_transaction(sandbox: Sandbox) -> None:
    """Nobody else is looking, so the file is written once, when the sandbox is closed, and not at every page."""
    commit = sandbox.ws.commit
    sandbox.ws.commit = lambda: None  # type: ignore[method-assign]
    close = sandbox.close

    def close_with_everything() -> None:
        sandbox.ws.commit = commit  # type: ignore[method-assign]
        close()

    sandbox.close = close_with_everything  # type: ignore[method-assign]

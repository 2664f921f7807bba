"""Draws the workflows that ship with the server into docs/flows.md, between the marks of each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents_app.workflow.definitions import SOURCES, load
from agents_app.workflow.diagram import mermaid

_PLACE = re.compile(r"<!-- diagram (?P<id>[A-Z-]+) -->\n.*?<!-- /diagram -->", re.DOTALL)


def drawn(text: str) -> str:
    """The text with every diagram as the definitions are now. Raises KeyError for a workflow that does not ship."""
    return _PLACE.sub(lambda found: block(found["id"]), text)


def block(workflow_id: str) -> str:
    picture = mermaid(load(workflow_id))
    return f"<!-- diagram {workflow_id} -->\n```mermaid\n{picture}```\n<!-- /diagram -->"


class Command(BaseCommand):
    help = "Shows the workflows' diagrams as Mermaid, or with --write brings those of docs/flows.md up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write docs/flows.md instead of showing")

    def handle(self, *_args: Any, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "flows.md"
        if not options["write"]:
            self.stdout.write("\n\n".join(block(workflow_id) for workflow_id in SOURCES))
            return
        try:
            before = page.read_text(encoding="utf-8")
            after = drawn(before)
        except (OSError, KeyError) as error:
            raise CommandError(f"docs/flows.md was not drawn: {error!r}") from error
        page.write_text(after, encoding="utf-8")
        self.stdout.write("docs/flows.md was up to date." if after == before else "docs/flows.md is up to date now.")

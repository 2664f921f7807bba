from __future__ import annotations

import json
import sys
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from rich.console import Console
from rich.table import Table

from agents_app.services import integrations
from higherself.integrations import checks
from higherself.integrations.checks import Check


class Command(BaseCommand):
    help = (
        "Asks each service whether it lets us in, and writes the answer to the API Integrations Catalog. "
        "Exit 0: nothing is wrong with what is configured; 1: some refused us or could not be reached; 2: cannot run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("providers", nargs="*", metavar="PROVIDER", help="only these; by default all")
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = sorted(set(options["providers"]) - set(checks.slugs()))
        if unknown:
            known = ", ".join(checks.slugs())
            raise CommandError(f"No service is called {', '.join(unknown)}. There are {known}.", returncode=2)
        try:
            found = integrations.check_all(options["providers"])
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {error}", returncode=2) from error
        if options["format"] == "json":
            self.stdout.write(json.dumps({"integrations": {item.slug: _as_dict(item) for item in found}}))
        else:
            self._table(found)
        if any(item.failed for item in found):
            sys.exit(1)

    def _table(self, found: list[Check]) -> None:
        table = Table("Service", "Result", "What it means")
        for item in found:
            table.add_row(item.label, item.result.value, item.message)
        Console(file=cast("IO[str]", self.stdout), width=None if sys.stdout.isatty() else 160).print(table)


def _as_dict(found: Check) -> dict[str, str]:
    return {"result": found.result.value, "message": found.message, "at": found.at.isoformat()}

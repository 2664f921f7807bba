from __future__ import annotations

import sys
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from notion_sync.client import NotionApi
from notion_sync.management.stopping import stops_with_2
from notion_sync.mappings import MAPPINGS
from notion_sync.schema.binding import Binding, Difference
from notion_sync.schema.setup import check


class Command(BaseCommand):
    help = "Compares the databases in Notion with what the server expects. Exit 0 equal, 1 drift, 2 cannot reach."

    def handle(self, *args: Any, **options: Any) -> None:
        with stops_with_2(), NotionApi(patience=300) as api:
            found = check(api)
        rows = [row for key, binding in found.items() for row in _differences(key, binding)]
        for binding in found.values():
            if isinstance(binding, Binding):
                for prop, name in binding.renamed:
                    self.stdout.write(
                        f"{binding.mapping.title}: “{prop.name}” is called “{name}” there, which is fine."
                    )
        if rows:
            self._table(rows)
            self.stderr.write("`manage.py setup_notion` creates what is missing, and says what a person has to mend.")
            sys.exit(1)
        self.stdout.write(f"The {len(found)} databases are as expected.")

    def _table(self, rows: list[Difference]) -> None:
        table = Table("Database", "Property", "Difference")
        for row in rows:
            table.add_row(row.database, row.property, row.problem)
        Console(file=cast("IO[str]", self.stdout), width=None if sys.stdout.isatty() else 160).print(table)


def _differences(key: str, found: Binding | str) -> list[Difference]:
    if isinstance(found, Binding):
        return found.differences()
    return [Difference(MAPPINGS[key].title, "(the whole database)", found)]

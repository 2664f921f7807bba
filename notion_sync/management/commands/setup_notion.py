from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from notion_sync.client import NotionApi
from notion_sync.management.stopping import stops_with_2
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase
from notion_sync.schema.setup import Setup


class Command(BaseCommand):
    help = (
        "Creates what is missing of the 16 databases in Notion; deletes and retypes nothing; may be run again. Exit 0: "
        "complete; 1: something needs a person; 2: could not run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--parent", default="", metavar="PAGE_ID", help="the page to create the databases under")
        parser.add_argument("--dry-run", action="store_true", help="print the plan, and write nothing anywhere")
        parser.add_argument(
            "--recreate",
            action="append",
            default=[],
            choices=list(MAPPINGS),
            metavar="NAME",
            help="make a new database in place of one that is gone for good; may be repeated",
        )
        parser.add_argument("--write-env", metavar="FILE", help="write the 16 variables into this file")

    def handle(self, *args: Any, **options: Any) -> None:
        say = self.stdout.write if options["verbosity"] else (lambda _line: None)
        with stops_with_2(), NotionApi(patience=900) as api:
            plan = Setup(
                api, options["parent"], dry_run=options["dry_run"], recreate=options["recreate"], say=say
            ).run()
        if not plan.steps and not plan.problems:
            say("Nothing to do: the 16 databases are complete.")
        for problem in plan.problems:
            self.stderr.write(self.style.WARNING(f"Needs a person: {problem}"))
        if not options["dry_run"]:
            lines = env_lines()
            if options["write_env"]:
                write_env(Path(options["write_env"]), lines)
            for name, value in lines.items():
                say(f"{name}={value}")
        if plan.problems:
            sys.exit(1)


def env_lines() -> dict[str, str]:
    ids = dict(NotionDatabase.objects.values_list("key", "database_id"))
    return {name: ids.get(key, "") for key, name in settings.NOTION_DATABASE_VARIABLES.items()}


def write_env(path: Path, values: dict[str, str]) -> None:
    """Replaces these variables in an env file and leaves every other line as it is."""
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    left = dict(values)
    lines = []
    for line in old:
        name = line.lstrip("# ").split("=", 1)[0].strip()
        lines.append(f"{name}={left.pop(name)}" if name in left else line)
    lines += [f"{name}={value}" for name, value in left.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

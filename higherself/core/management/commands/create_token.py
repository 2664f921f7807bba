from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from higherself.core import tokens


class Command(BaseCommand):
    help = "Makes an API token and prints it once, as the last word of stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = "; ".join(f"{name}: {meaning}" for name, meaning in tokens.SCOPES.items())
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--scope", action="append", default=[], metavar="S", help=f"may be repeated. {scopes}")
        parser.add_argument("--days", type=int, help="expires after this many days (default: never)")

    def handle(self, *args: Any, name: str, scope: list[str], days: int | None, **options: Any) -> None:
        unknown = sorted(set(scope) - set(tokens.SCOPES))
        if unknown:
            raise CommandError(f"Unknown scope {', '.join(unknown)}. Known are: {', '.join(tokens.SCOPES)}.")
        if days is not None and days < 1:
            raise CommandError("--days takes a number of 1 or more.")
        if len(name) > 100:
            raise CommandError("The name may have 100 characters.")
        expires = timezone.now() + timedelta(days=days) if days else None
        self.stdout.write(f"{name}: {tokens.create(name, scope, expires)}")

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from higherself.core import tokens

# A hundred years.
MOST_DAYS = 36_525


class Command(BaseCommand):
    help = "Makes an API token and prints it once, as the last word of stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        scopes = "; ".join(f"{name}: {meaning}" for name, meaning in tokens.SCOPES.items())
        parser.add_argument("name", nargs="?", help="what the token is for")
        parser.add_argument(
            "--scope", action="extend", nargs="+", default=[], metavar="S", help=f"one or several. {scopes}"
        )
        parser.add_argument("--days", type=int, help="expires after this many days (default: never)")

    def handle(self, *args: Any, name: str | None, scope: list[str], days: int | None, **options: Any) -> None:
        if name is None and len(scope) > 1 and scope[-1] not in tokens.SCOPES:
            # `--scope S NAME`: an option that takes several words has taken the name, too.
            *scope, name = scope
        if not name:
            raise CommandError("Say what the token is for: create_token NAME.")
        unknown = sorted(set(scope) - set(tokens.SCOPES))
        if unknown:
            raise CommandError(f"Unknown scope {', '.join(unknown)}. Known are: {', '.join(tokens.SCOPES)}.")
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days takes a number from 1 to {MOST_DAYS}; without it the token does not expire.")
        if len(name) > 100:
            raise CommandError("The name may have 100 characters.")
        expires = timezone.now() + timedelta(days=days) if days else None
        self.stdout.write(f"{name}: {tokens.create(name, scope, expires)}")

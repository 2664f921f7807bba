from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.integrations import backfill
from higherself.integrations.management.commands.replay_events import moment
from higherself.integrations.registry import PROVIDERS


class Command(BaseCommand):
    help = "Fetches what a provider has had and puts it through the inbox; what is known already is recognised."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=list(PROVIDERS))
        parser.add_argument(
            "--since", metavar="ISO8601", help="from this date or time on (UTC if not said); default: the last run"
        )
        parser.add_argument("--dry-run", action="store_true", help="store nothing, say what would be new")

    def handle(self, *args: Any, **options: Any) -> None:
        slug, dry = options["provider"], options["dry_run"]
        since = moment(options["since"]) if options["since"] else None
        try:
            tally = backfill.run(slug, since=since, dry_run=dry, patient=True, told=self._tell)
        except (Permanent, Retryable, Conflict) as error:
            raise CommandError(str(error)) from error
        what = "would be new" if dry else "new"
        self.stdout.write(f"{slug}: {tally.fetched} fetched, {tally.new} {what}, {tally.known} known.")

    def _tell(self, tally: backfill.Tally) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{tally.fetched} fetched, {tally.new} new", ending="")

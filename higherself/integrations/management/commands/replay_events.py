from __future__ import annotations

import getpass
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from higherself.integrations import inbox
from higherself.integrations.models import InboundEvent
from higherself.integrations.registry import PROVIDERS


class Command(BaseCommand):
    help = "Has inbound events worked on again from the start. At least one filter is needed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", choices=list(PROVIDERS))
        parser.add_argument("--status", choices=InboundEvent.Status.values)
        parser.add_argument("--since", metavar="ISO", help="received at or after this date or time (UTC if not said)")
        parser.add_argument("--id", dest="ids", action="extend", nargs="+", metavar="UUID")

    def handle(self, *args: Any, **options: Any) -> None:
        filters: dict[str, Any] = {}
        if options["provider"]:
            filters["provider"] = options["provider"]
        if options["status"]:
            filters["status"] = options["status"]
        if options["since"]:
            filters["received_at__gte"] = moment(options["since"])
        if options["ids"]:
            filters["pk__in"] = [_uuid(text) for text in options["ids"]]
        if not filters:
            raise CommandError("Say which: --provider, --status, --since or --id. Nothing was replayed.")
        found = InboundEvent.objects.filter(**filters)
        total = found.count()
        count = inbox.replay(found, f"command ({getpass.getuser()})")
        self.stdout.write(f"{count} events will be worked on again.")
        if count < total:
            self.stdout.write(f"{total - count} are being worked on now and were left alone.")


def moment(text: str) -> Any:
    """A date or date-time of ISO 8601; UTC where no zone is given."""
    try:
        day = parse_date(text) if len(text) == 10 else None
        found = parse_datetime(text) if day is None else parse_datetime(f"{day.isoformat()}T00:00:00Z")
    except ValueError as error:
        raise CommandError(f"{text!r} is no date: {error}") from error
    if found is None:
        raise CommandError(f"{text!r} is no date or time such as 2026-11-23 or 2026-11-23T10:00:00Z.")
    return found if timezone.is_aware(found) else timezone.make_aware(found, timezone.get_fixed_timezone(0))


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no event id.") from error

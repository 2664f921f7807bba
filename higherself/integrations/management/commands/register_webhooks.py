from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.logs import redact
from higherself.integrations import registering
from higherself.integrations.registry import PROVIDERS


class Command(BaseCommand):
    help = "Registers this server's webhooks at a provider; run again, it changes only what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", choices=list(PROVIDERS))
        parser.add_argument(
            "--url", default=settings.PUBLIC_URL, help="where to send: the webhook's address, or this server's"
        )
        parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these forms, topics or events")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["url"]:
            raise CommandError("Say where to send: --url https://hub.example.com (or set PUBLIC_URL).")
        try:
            found = registering.register(options["provider"], options["url"], only=options["only"])
        except (Permanent, Retryable, Conflict) as error:
            raise CommandError(str(error)) from error
        for hook in found:
            self.stdout.write(f"{hook.change:<10} {hook.name}: {redact(hook.url)}")
        self.stdout.write(f"{len(found)} webhooks; {sum(hook.change != 'unchanged' for hook in found)} changed.")

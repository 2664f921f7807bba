from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notion_sync.models import WebhookToken


class Command(BaseCommand):
    help = "Prints the verification token that Notion has sent for a new webhook subscription."

    def handle(self, *args: Any, **options: Any) -> None:
        found = WebhookToken.objects.order_by("-received_at").first()
        if found is None:
            raise CommandError(
                "Notion has sent no token. Create a webhook subscription in the connection's settings in Notion, with "
                "this server's address followed by /webhooks/notion."
            )
        self.stdout.write(f"Received {found.received_at:%Y-%m-%d %H:%M} UTC. Paste it in Notion to confirm, and set:")
        self.stdout.write(f"NOTION_WEBHOOK_TOKEN={found.token}")

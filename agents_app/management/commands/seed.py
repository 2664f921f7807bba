"""`manage.py seed`: what a new installation begins with. Safe to run at any time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from agents_app.seeds.planting import plant


class Command(BaseCommand):
    help = "Creates the business entities, agents, workflows, templates and other rows that are missing. Rows that "
    help += "exist, also those that people have changed or removed, are left as they are."

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["verbosity"]:
            plant()
            return
        made = {name: count for name, count in plant().items() if count}
        if not made:
            self.stdout.write("Nothing was missing.")
        for name, count in made.items():
            self.stdout.write(f"{count} {name} created")

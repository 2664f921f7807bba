from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from higherself.core.access import second_factor


class Command(BaseCommand):
    help = "Takes a lost second factor away and ends the person's sessions; a new one is set up at the next log-in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = get_user_model()._default_manager.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username!r}.")
        second_factor.remove(user)
        self.stdout.write(f"The second factor of {username} is gone, and so are all sessions of this account.")

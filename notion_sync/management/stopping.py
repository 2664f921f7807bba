"""How the commands for Notion end when they could not run at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError

from higherself.core.errors import Permanent, Retryable

EXIT = 2


@contextmanager
def stops_with_2(prefix: str = "") -> Iterator[None]:
    """Ends the command with exit code 2 and one sentence where Notion or our own database cannot be worked with.

    1 says that a run has finished and left something for a person: a run that could not begin must not look like it.
    """
    try:
        yield
    except (Permanent, Retryable) as error:
        raise CommandError(f"{prefix}{error}", returncode=EXIT) from error
    except (OperationalError, InterfaceError, ProgrammingError) as error:
        # An unknown table is an OperationalError of SQLite and a ProgrammingError of PostgreSQL.
        first = next(iter(str(error).splitlines()), type(error).__name__)
        hint = "Is it running, does DATABASE_URL name it, and has `manage.py migrate` been run?"
        raise CommandError(f"{prefix}The database cannot be used: {first}. {hint}", returncode=EXIT) from error

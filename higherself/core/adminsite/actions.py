"""Things that staff can have done to records: from a list for many, from a record's page for one.

A record's buttons send a POST with the token of Django's protection against forged requests; links change nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from higherself.core.errors import Conflict, Permanent, Retryable

logger = logging.getLogger(__name__)

# So many records can be treated in one request; more is work for a background job.
MOST_AT_ONCE = 500
# What the function says, and how: an error stops nothing but itself.
Answer = str | tuple[int, str]


class Refused(Exception):
    """An action is not possible as things are; the message says why, and nothing was changed."""


def always(_obj: Any) -> bool:
    return True


@dataclass(frozen=True)
class RowAction:
    """``run`` gets the request and the records, does it, and returns a sentence about what it did.

    ``when`` says for which records a button is shown; `run` itself must refuse or skip the others. ``tone`` is
    ``primary``, ``plain`` or ``bad``; ``confirm`` is a question that is asked first. ``sensitive`` ones ask for the
    password again. ``permission`` is one of Django's four for these records (``change``), or the full name of another
    (``agents_app.decide_approval``).
    """

    name: str
    label: Any
    run: Callable[[HttpRequest, list[Any]], Answer]
    icon: str = ""
    tone: str = "plain"
    when: Callable[[Any], bool] = always
    bulk: bool = True
    button: bool = True
    permission: str = "change"
    confirm: Any = ""
    sensitive: bool = False


def perform(request: HttpRequest, action: RowAction, rows: Sequence[models.Model]) -> bool:
    """Runs an action and tells the person how it went; False when it did not."""
    try:
        answer = action.run(request, list(rows))
    except (Refused, Permanent, Conflict, Retryable, ValidationError) as error:
        text = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        messages.error(request, text)
        return False
    level, text = answer if isinstance(answer, tuple) else (messages.SUCCESS, answer)
    messages.add_message(request, level, text)
    return True


def who(request: HttpRequest) -> str:
    """The person as records and logs name them."""
    user: Any = request.user
    return (user.get_full_name() or user.get_username())[:150]

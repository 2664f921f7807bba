"""Who was erased does not come back by what services remember; only by what they do themselves, later.

The rule: what somebody did after the erasure (a form, a booking, an order, a sign-up) is theirs, and makes a new
contact with nothing of the old one. What happened before it, and what is merely told of them after it (figures,
changes, a deletion, a history that is read again), makes none.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from contacts.erasures import ErasedAddress, Erasure
from higherself.core.errors import Permanent

_SALT = "contacts.erased"
_NOBODY_SECONDS = 5.0
# Until when it is known that nobody was. In the process's own memory: no other service has to answer for a lead.
_nobody_until = [0.0]


class WasErased(Permanent):
    """What was told is about somebody who was erased, and no act of theirs since."""

    def __init__(self, row: ErasedAddress) -> None:
        text = _(
            "This is about somebody who was erased on %(day)s (%(id)s), and nothing that they have done since: it is "
            "not taken up again, and its content was taken away."
        )
        super().__init__(text % {"day": row.at.date().isoformat(), "id": row.erasure.erasure_id})


def digests(email: str) -> list[str]:
    """The address under the present key, then under former ones. The key is ``ERASURE_KEY`` where that is set: digests
    cannot be made anew, so it must stay when ``SECRET_KEY`` is replaced."""
    value = email.strip().lower()
    keys = [settings.ERASURE_KEY or settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(_SALT, value, secret=key, algorithm="sha256").hexdigest() for key in keys]


def remember(erasure: Erasure, emails: Iterable[str]) -> None:
    """Keeps the addresses' digests, so that they are known again."""
    look_again()
    transaction.on_commit(look_again)
    for email in emails:
        present, *former = digests(email)
        ErasedAddress.objects.filter(digest__in=former).delete()
        values = {"erasure": erasure, "at": erasure.at, "back_at": None, "back_by": ""}
        ErasedAddress.objects.update_or_create(digest=present, defaults=values)


def find(email: str) -> ErasedAddress | None:
    if not email.strip() or _nobody():
        return None
    return ErasedAddress.objects.filter(digest__in=digests(email)).select_related("erasure").first()


def _nobody() -> bool:
    """Whether nobody has ever been erased, as on most installations: looked up every few seconds, not for each lead.

    In the seconds after the very first erasure another process may not know of it yet.
    """
    if time.monotonic() < _nobody_until[0]:
        return True
    empty = not ErasedAddress.objects.exists()
    _nobody_until[0] = time.monotonic() + _NOBODY_SECONDS if empty else 0.0
    return empty


def look_again() -> None:
    """Forgets that there was nobody."""
    _nobody_until[0] = 0.0


def refused(email: str, *, at: datetime, own: bool, known: bool) -> ErasedAddress | None:
    """The erasure that stands against what was told of somebody; None where it may be taken up.

    ``at`` is when it happened; ``own`` says that they did it themselves; ``known``, that they are a contact (again).
    """
    row = find(email)
    if row is None or (at > row.at and (own or known)):
        return None
    return row


def admit(email: str, *, at: datetime, own: bool, known: bool, by: str) -> None:
    """Raises `WasErased` where something may not be taken up. Notes that somebody has come back by themselves."""
    row = find(email)
    if row is None:
        return
    if not (at > row.at and (own or known)):
        raise WasErased(row)
    if not known:
        came_back(row, by)


def came_back(row: ErasedAddress, by: str) -> None:
    ErasedAddress.objects.filter(pk=row.pk).update(back_at=timezone.now(), back_by=by[:200])

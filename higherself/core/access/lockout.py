"""Guessing passwords: after a few failures an account is closed for a while to the address that fails.

The lock is on the pair of account and address, so nobody who shares an address with a guesser (a proxy, an office) is
locked out with him. Guessing from many addresses closes the account to addresses that it was never entered from; the
person's own keep working.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import F, Sum
from django.utils import timezone

from higherself.core.access.models import LoginAttempt

# So many failures from anywhere within the time of one lock close an account to unknown addresses.
SPREAD = 10
# An address that has entered the account within so many days is not closed by what others fail at.
KNOWN_FOR = timedelta(days=30)


def account_of(username: str) -> str:
    """The account as it is noted. What is no account may be a password in the wrong box, so only its digest is."""
    name = username.strip()
    user = get_user_model()._default_manager.filter(username__iexact=name[:150]).values_list("username", flat=True)
    found = user.first()
    return found or f"unknown {hashlib.sha256(name.encode()).hexdigest()[:12]}"


def seconds_locked(username: str, address: str) -> int:
    """For how many seconds the account is still closed to this address; 0 when it is open."""
    account, now = account_of(username), timezone.now()
    own = LoginAttempt.objects.filter(account=account, address=address).first()
    if own is not None and own.locked_until is not None and own.locked_until > now:
        return max(1, round((own.locked_until - now).total_seconds()))
    if own is not None and own.succeeded_at is not None and own.succeeded_at > now - KNOWN_FOR:
        return 0
    return _spread_lock(account, now)


def _spread_lock(account: str, now: datetime) -> int:
    recent = LoginAttempt.objects.filter(account=account, failed_at__gt=now - _term())
    total = recent.aggregate(total=Sum("failures"))["total"] or 0
    if total < settings.LOGIN_ATTEMPTS * SPREAD:
        return 0
    newest = recent.order_by("-failed_at").values_list("failed_at", flat=True).first()
    return max(1, round((newest + _term() - now).total_seconds())) if newest else 0


def failed(username: str, address: str) -> None:
    """Notes a failure, and closes the account to the address when it is one too many."""
    account, now = account_of(username), timezone.now()
    attempt = LoginAttempt.objects.get_or_create(account=account, address=address)[0]
    rows = LoginAttempt.objects.filter(pk=attempt.pk)
    if attempt.failed_at is None or attempt.failed_at < now - _term():
        rows.update(failures=1, failed_at=now)
    else:
        rows.update(failures=F("failures") + 1, failed_at=now)
    rows.filter(failures__gte=settings.LOGIN_ATTEMPTS).update(locked_until=now + _term())


def succeeded(username: str, address: str) -> None:
    LoginAttempt.objects.update_or_create(
        account=account_of(username),
        address=address,
        defaults={"failures": 0, "locked_until": None, "succeeded_at": timezone.now()},
    )


def _term() -> timedelta:
    return timedelta(minutes=settings.LOGIN_LOCK_MINUTES)

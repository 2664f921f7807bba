"""Old rows are cleared away once a day, as far as the settings ask for it. What waits for a person is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.utils import timezone

from higherself.core import jobs
from higherself.core.models import ChangeSet, ImportRun, LoginAttempt

logger = logging.getLogger(__name__)

BATCH = 500
# More than this of one table waits for the next day: the clean-up must not hold up the night's other work.
MOST_A_DAY = 200_000


@dataclass(frozen=True)
class Rule:
    """``rows`` are those that may go once ``column`` is older than the days of ``setting``."""

    name: str
    setting: str
    column: str
    rows: Callable[[], models.QuerySet[Any]]


_rules: dict[str, Rule] = {}


def rule(name: str, *, setting: str, column: str, rows: Callable[[], models.QuerySet[Any]]) -> None:
    """Registers a table for the clean-up. ``setting`` is a key of ``settings.RETENTION_DAYS``; 0 keeps all."""
    _rules[name] = Rule(name, setting, column, rows)


@jobs.job("clean_up", at_hour=2)
def clean_up() -> dict[str, int]:
    """Deletes what is old enough, in small transactions; returns how many rows of each table."""
    done = {item.name: _clean(item) for item in _rules.values()}
    done["sessions"] = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
    gone = {name: number for name, number in done.items() if number}
    if gone:
        logger.info("cleared away: %s", ", ".join(f"{number} {name}" for name, number in gone.items()))
    return gone


def _clean(item: Rule) -> int:
    days = settings.RETENTION_DAYS[item.setting]
    if not days:
        return 0
    old = item.rows().filter(**{f"{item.column}__lt": timezone.now() - timedelta(days=days)})
    done = 0
    while done < MOST_A_DAY:
        keys = list(old.order_by(item.column).values_list("pk", flat=True)[:BATCH])
        if not keys:
            break
        with transaction.atomic():
            old.model._base_manager.filter(pk__in=keys).delete()
        done += len(keys)
    return done


rule("changes", setting="history", column="at", rows=ChangeSet.objects.all)
rule("log-in attempts", setting="logins", column="failed_at", rows=LoginAttempt.objects.all)
rule("imports", setting="imports", column="made_at", rows=lambda: ImportRun.objects.exclude(state__in=["waiting"]))

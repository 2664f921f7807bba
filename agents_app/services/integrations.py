"""The API Integrations Catalog tells what is really so: each service's last check, and who has fallen silent."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone

from agents_app.choices import TestResult
from agents_app.models import ApiIntegration
from higherself.core.errors import Permanent
from higherself.integrations import checks, silence
from higherself.integrations.checks import Check, Result
from higherself.integrations.registry import PROVIDERS


def platform_of(slug: str) -> str:
    """The service's name among the catalogue's platforms."""
    return f"{slug.upper()}_API"


def slug_of(row: ApiIntegration) -> str:
    """The service that a row is about; empty for one that this server does not know."""
    slug = row.api_platform.removesuffix("_API").lower()
    return slug if slug in PROVIDERS else ""


def can_check(row: ApiIntegration) -> bool:
    return slug_of(row) in checks.slugs()


def check(slug: str) -> Check:
    """Asks the service, and writes time and result to its rows. Not inside a transaction: it calls out."""
    found = checks.check(slug)
    write(found)
    return found


def check_row(row: ApiIntegration) -> Check:
    """As `check`, for a row of the catalogue. Raises `Permanent` where this server has no client for it."""
    if not can_check(row):
        raise Permanent(f"{row}: this server has no way of testing {row.api_platform or 'a row without a platform'}.")
    return check(slug_of(row))


def check_all(slugs: Iterable[str] = ()) -> list[Check]:
    return [check(slug) for slug in (slugs or checks.slugs())]


def write(found: Check) -> None:
    """A service that answers but has stopped sending is not well either: its rows say so."""
    result: str = found.result.value
    if found.result == Result.OK and any(item.provider == found.slug for item in silence.silent()):
        result = TestResult.SILENT
    _set(found.slug, result, last_tested=found.at)


def write_silence() -> int:
    """Marks the rows of those who have fallen silent, and takes the mark from those who send again."""
    quiet = {item.provider for item in silence.silent()}
    changed = 0
    for row in ApiIntegration.objects.live().filter(last_result__in=["", TestResult.OK, TestResult.SILENT]):
        slug = slug_of(row)
        if slug in quiet and row.last_result != TestResult.SILENT:
            changed += _set(slug, TestResult.SILENT)
        elif slug not in quiet and row.last_result == TestResult.SILENT:
            # Whether it is reached was never in doubt: silence stands only in the place of "OK" or of nothing.
            changed += _set(slug, TestResult.OK if row.last_tested else "")
    return changed


def _set(slug: str, result: str, **values: object) -> int:
    changed = 0
    for row in ApiIntegration.objects.live().filter(api_platform=platform_of(slug)):
        row.last_result = result
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=["last_result", *values])
        changed += 1
    return changed


def now_silent() -> list[str]:
    """A sentence for each service that should have sent something."""
    now = timezone.now()
    return [item.sentence(now) for item in silence.silent(now)]

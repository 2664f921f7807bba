"""System checks: a wrong set-up is named at the start, with what to do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register


@register()
def check_queue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """django-q2 runs a task twice when a retry comes before its time-out (B.1 of its documented behaviour)."""
    cluster = settings.Q_CLUSTER
    problems: list[CheckMessage] = []
    if cluster["retry"] < cluster["timeout"] + 120:
        problems.append(
            Error(
                f"Q_CLUSTER retry ({cluster['retry']} s) must exceed timeout ({cluster['timeout']} s) by 120 s.",
                hint="Otherwise the queue starts a job again while it still runs.",
                id="higherself.E001",
            )
        )
    if not cluster.get("ack_failures"):
        problems.append(
            Error(
                "Q_CLUSTER ack_failures must be on: our rows, not the queue, decide on retries.", id="higherself.E002"
            )
        )
    return problems


@register(deploy=True)
def check_public_host(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG or set(settings.ALLOWED_HOSTS) - {"localhost", "127.0.0.1", "[::1]"}:
        return []
    return [
        Warning(
            "ALLOWED_HOSTS names loopback hosts only: providers' webhooks will be refused.",
            hint="Set ALLOWED_HOSTS to the public host name.",
            id="higherself.W001",
        )
    ]


@register(deploy=True)
def check_second_factor(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.STAFF_SECOND_FACTOR == "required":
        return []
    return [
        Warning(
            "A password alone opens the console: STAFF_SECOND_FACTOR is optional.",
            hint="Set STAFF_SECOND_FACTOR=required; each member of staff sets up a code at the next log-in.",
            id="higherself.W002",
        )
    ]

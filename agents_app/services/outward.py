"""Calls to other services that an agent wants but can do without."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import models

from higherself.core.errors import Permanent
from higherself.integrations import outbox

logger = logging.getLogger(__name__)


def want(
    provider: str, operation: str, payload: Mapping[str, Any], *, dedupe_key: str, about: models.Model | None = None
) -> bool:
    """Puts the call into the outbox; False where this version of the server has no such call."""
    try:
        outbox.operation_of(provider, operation)
    except Permanent as reason:
        logger.warning("%s", reason)
        return False
    outbox.enqueue(provider, operation, payload, dedupe_key=dedupe_key, about=about)
    return True

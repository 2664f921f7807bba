from __future__ import annotations

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the jobs that were woken, in order, instead of the queue."""
    names: list[str] = []
    monkeypatch.setattr("higherself.core.jobs.wake", names.append)
    return names


@pytest.fixture(autouse=True)
def _fresh_cache() -> None:
    cache.clear()

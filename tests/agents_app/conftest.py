from __future__ import annotations

from collections.abc import Iterator

import pytest

from agents_app.services import catalog
from tests.seeds import planted


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """Each test has a database of its own, which the catalogue in memory must not outlive."""
    catalog.forget()
    yield
    catalog.forget()


@pytest.fixture
def seeded(db: None) -> None:
    planted()

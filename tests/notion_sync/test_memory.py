"""What a run has read is let go, so that it needs as much memory for many pages as for few."""

from __future__ import annotations

import gc
from collections.abc import Callable

import httpx
import pytest

from notion_sync.engine.counts import Counts
from notion_sync.engine.run import PULL, Progress
from notion_sync.sandbox import Sandbox

pytestmark = pytest.mark.django_db
ANSWERS, A_PAGE = 5, 100


class Watcher(Progress):
    """Counts Notion's answers that are still in memory, each time a batch has been worked on."""

    def __init__(self) -> None:
        self.kept: list[int] = []

    def advance(self, key: str, direction: str, rows: int) -> None:
        if direction == PULL:
            self.kept.append(sum(type(item) is httpx.Response for item in gc.get_objects()))


def test_answers_do_not_pile_up_while_a_database_is_read(
    notion: Sandbox, sync: Callable[..., Counts], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("notion_sync.engine.pull.AT_ONCE", A_PAGE)
    for number in range(ANSWERS * A_PAGE):
        notion.person.create("Contacts & Profiles", {"Full Name": f"Person {number}"})
    watcher = Watcher()
    gc.collect()

    sync(direction=PULL, keys=["contacts_profiles"], progress=watcher)

    assert watcher.kept == [watcher.kept[0]] * ANSWERS

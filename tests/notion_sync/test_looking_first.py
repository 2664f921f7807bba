"""A person edits the very property that we are about to change, after the run has read and before it writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from contacts.models import Contact
from notion_sync import actions
from notion_sync.client import NotionApi
from notion_sync.engine import push
from notion_sync.engine.counts import Counts
from notion_sync.engine.pull import Puller
from notion_sync.models import SyncConflict
from notion_sync.sandbox import Sandbox
from tests.factories import make_contact
from tests.notion_sync.test_reconcile import changed, page_of

Sync = Callable[..., Counts]
Meanwhile = Callable[[Callable[[], Any]], None]


@pytest.fixture
def before_the_push(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Has something done once, when the run knows what it will write and has written nothing yet."""

    def arrange(edit: Callable[[], Any]) -> None:
        changes, waiting = push.Pusher.changes, [edit]

        def and_then(self: push.Pusher, rows: Any) -> Any:
            found = changes(self, rows)
            if waiting and found:
                waiting.pop()()
            return found

        monkeypatch.setattr(push.Pusher, "changes", and_then)

    return arrange


@pytest.fixture
def contact(sync: Sync) -> Contact:
    """One whose city is about to go to Notion."""
    made = make_contact(city="Bath")
    sync()
    made.city = "York"
    made.save()
    return made


def test_the_persons_edit_stands_and_ours_is_a_conflict(
    notion: Sandbox, sync: Sync, contact: Contact, before_the_push: Meanwhile
) -> None:
    before_the_push(lambda: notion.person.update(page_of(contact), {"City": "Leeds"}))
    sync()
    contact.refresh_from_db()
    assert (contact.city, notion.values(page_of(contact))["City"]) == ("Leeds", "Leeds")
    assert SyncConflict.objects.get().local_value == "York"


def test_what_is_left_to_write_goes_along(
    notion: Sandbox, sync: Sync, contact: Contact, before_the_push: Meanwhile
) -> None:
    contact.company = "Analytical Engines"
    contact.save()
    before_the_push(lambda: notion.person.update(page_of(contact), {"City": "Leeds"}))
    sync()
    values = notion.values(page_of(contact))
    assert (values["City"], values["Company"]) == ("Leeds", "Analytical Engines")


def test_a_page_that_a_person_trashes_meanwhile_is_not_written(
    notion: Sandbox, sync: Sync, contact: Contact, before_the_push: Meanwhile
) -> None:
    before_the_push(lambda: notion.person.trash(page_of(contact)))
    assert changed(sync()) == {"contacts_profiles": {"trashed": 1}}
    assert Contact.objects.get().is_archived


@pytest.mark.parametrize("most", [20, 0], ids=["a short push", "a long push"])
@pytest.mark.parametrize("fault", ["unavailable", "gateway_timeout_saved", "rate_limited"])
def test_a_write_that_failed_is_not_repeated_over_an_edit(
    notion: Sandbox,
    sync: Sync,
    api: NotionApi,
    contact: Contact,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    most: int,
) -> None:
    monkeypatch.setattr(push, "LOOK_AT_EACH", most)
    notion.faults.add(fault, method="PATCH")
    edits = [lambda: notion.person.update(page_of(contact), {"City": "Leeds"})]
    wait = api.budget.acquire

    def wait_for_a_turn(*how: Any) -> None:
        wait(*how)
        if not len(notion.faults) and edits:
            edits.pop()()

    monkeypatch.setattr(api.budget, "acquire", wait_for_a_turn)
    sync()
    contact.refresh_from_db()
    assert (contact.city, notion.values(page_of(contact))["City"]) == ("Leeds", "Leeds")
    assert SyncConflict.objects.get().local_value == "York"


def test_a_page_costs_one_look_when_few_are_pushed_and_none_when_many_are(
    notion: Sandbox, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = [make_contact(city="Bath") for _ in range(3)]
    sync()
    looks = []
    for most in (3, 2):
        monkeypatch.setattr(push, "LOOK_AT_EACH", most)
        for contact in contacts:
            contact.city += "!"
            contact.save()
        notion.requests.clear()
        sync()
        looks.append(sum(request.method == "GET" and "/pages/" in request.path for request in notion.requests))
    assert looks == [3, 0]


def test_push_now_looks_at_each_record_just_before_it_writes_it(
    notion: Sandbox, sync: Sync, api: NotionApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [make_contact(city="Bath") for _ in range(2)]
    sync()
    for row in rows:
        row.city = "York"
        row.save()
    push_rows = push.Pusher.push_rows

    def and_then(self: push.Pusher, pushed: Any) -> None:
        push_rows(self, pushed)
        if pushed == [rows[0]]:
            notion.person.update(page_of(rows[1]), {"City": "Leeds"})

    monkeypatch.setattr(push.Pusher, "push_rows", and_then)
    actions.push_now(rows)
    assert [notion.values(page_of(row))["City"] for row in rows] == ["York", "Leeds"]


def test_what_is_known_of_a_database_is_as_old_as_its_reading(
    notion: Sandbox, sync: Sync, contact: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, float] = {}
    known: dict[str, float] = {}
    incremental, run = Puller.incremental, push.Pusher.run

    def noting(self: Puller) -> bool:
        done = incremental(self)
        read[self.database.key] = time.monotonic()
        return done

    def asking(self: push.Pusher, until: Any) -> None:
        known[self.database.key] = self._read_at
        run(self, until)

    monkeypatch.setattr(Puller, "incremental", noting)
    monkeypatch.setattr(push.Pusher, "run", asking)
    sync()
    assert list(known) == ["contacts_profiles"]
    assert known["contacts_profiles"] < read["contacts_profiles"]


def test_a_page_that_cannot_be_reached_is_asked_for_and_not_written_to(
    notion: Sandbox, sync: Sync, contact: Contact
) -> None:
    page = page_of(contact)
    notion.unshare(page)
    contact.phone = "2"
    contact.save()
    sync(full=True)
    notion.requests.clear()

    sync()

    assert [request for request in notion.requests if request.method == "PATCH"] == []
    notion.share(page)
    assert changed(sync()) == {"contacts_profiles": {"pushed": 1}}
    assert notion.person.values(page)["Phone"] == "2"


def test_what_a_query_answered_a_moment_ago_is_looked_at_again(notion: Sandbox, sync: Sync) -> None:
    contact = make_contact(city="Bath")
    sync()
    page = page_of(contact)
    notion.person.update(page, {"Phone": "1"})
    sync()
    notion.settings.index_lag = 30
    notion.person.update(page, {"City": "Leeds"})
    Contact.objects.filter(pk=contact.pk).update(city="York")

    sync()

    contact.refresh_from_db()
    assert (contact.city, notion.person.values(page)["City"]) == ("Leeds", "Leeds")
    assert list(SyncConflict.objects.values_list("local_value", "notion_value")) == [("York", "Leeds")]

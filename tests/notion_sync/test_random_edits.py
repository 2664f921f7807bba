"""Random edits on both sides with random faults between: at rest both sides are equal, and nothing got lost."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from contacts.models import BusinessEntity, Contact
from higherself.core.errors import Retryable
from notion_sync.client import NotionApi
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import hold
from notion_sync.engine.run import Job, reconcile
from notion_sync.mappings import MAPPINGS
from notion_sync.models import NotionDatabase, NotionPage, SyncConflict
from notion_sync.sandbox import Sandbox

CONTACTS = "Contacts & Profiles"
KEYS = ["business_entities", "contacts_profiles"]
# Local field, property in Notion, and values that both sides can hold.
FIELDS = {
    "city": ("City", st.sampled_from(["Bath", "Leeds", "York", "", "Åre 🎨", "x" * 450])),
    "notes": ("Notes", st.sampled_from(["", "one", "two " * 600, "שלום"])),
    "phone": ("Phone", st.sampled_from(["", "+441632960961", "+441632960000"])),
    "tags": ("Tags", st.sampled_from([[], ["VIP"], ["New", "VIP"], ["Own tag"]])),
    "email_opt_in": ("Email Opt-in", st.booleans()),
    "country": ("Country", st.sampled_from(["", "Ireland", "Sweden"])),
}
FIELD = st.sampled_from(sorted(FIELDS))
# (kind, method): what may go wrong once with the next request of that method.
FAULTS = [
    *(("conflict", "PATCH"), ("internal_error", "PATCH"), ("bad_gateway", None), ("overload", None)),
    *(("rate_limited", None), ("unavailable_saved", "POST"), ("unavailable", "POST"), ("drop_after", None)),
    *(("drop_before", None), ("gateway_timeout_saved", None), ("gateway_timeout", None), ("internal_error", "POST")),
]


@pytest.mark.django_db
def test_both_sides_are_equal_at_rest_after_any_edits_and_faults(
    notion_template: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notion_sync.engine.push.SETTLING", timedelta(0))

    class Machine(TwoSides):
        template = notion_template

    Machine.TestCase.settings = settings(
        # RANDOM_EDITS=200 looks for longer, as one does after changing the engine.
        max_examples=int(os.environ.get("RANDOM_EDITS", "12")),
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    Machine.TestCase().runTest()


class TwoSides(RuleBasedStateMachine):
    template: Any
    rows = Bundle("rows")

    def __init__(self) -> None:
        super().__init__()
        path, databases = self.template
        self.folder = Path(tempfile.mkdtemp(prefix="two-sides-"))
        shutil.copy(path, self.folder / "notion.sqlite3")
        self.notion = Sandbox(data=str(self.folder / "notion.sqlite3"))
        self.notion.__enter__()
        self.settings = override_settings(NOTION_BASE_URL=self.notion.url, NOTION_API_TOKEN=self.notion.token)
        self.settings.enable()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        NotionDatabase.objects.bulk_create(NotionDatabase(**row) for row in databases)
        self.api = NotionApi(sleep=lambda _seconds: None, patience=5)
        # Values set here that Notion has not got yet, by row and field.
        self.ours: dict[tuple[int, str], Any] = {}
        self.theirs: dict[tuple[int, str], Any] = {}
        self.overruled: list[tuple[int, str, Any]] = []
        self.number = 0
        self.fields = dict(FIELDS)

    def teardown(self) -> None:
        try:
            self.at_rest()
        finally:
            self.api.close()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)
            self.settings.disable()
            self.notion.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    # -- edits --------------------------------------------------------------------------------------------------
    @initialize(target=rows)
    def begin(self) -> Any:
        made = [Contact.objects.create(full_name=f"First {n}", email=f"first{n}@example.org").pk for n in (1, 2)]
        self.settle()
        return multiple(*made)

    @rule(target=rows)
    def create_here(self) -> Any:
        self.number += 1
        return Contact.objects.create(full_name=f"Here {self.number}", email=f"here{self.number}@example.org").pk

    @rule(target=rows)
    def create_there(self) -> Any:
        self.number += 1
        email = f"there{self.number}@example.org"
        self.notion.person.create(CONTACTS, {"Full Name": f"There {self.number}", "Email": email})
        self.sync()
        return multiple(*Contact.objects.filter(email=email).values_list("pk", flat=True))

    @rule(target=rows)
    def create_on_both_sides(self) -> Any:
        self.number += 1
        email = f"both{self.number}@example.org"
        contact = Contact.objects.create(full_name=f"Both {self.number}", email=email)
        self.notion.person.create(CONTACTS, {"Full Name": f"Both {self.number}", "Email": email})
        return contact.pk

    @rule(row=rows, field=FIELD, data=st.data(), bulk=st.booleans())
    def edit_here(self, row: int, field: str, data: Any, bulk: bool) -> None:
        self.edit_here_to(row, field, data.draw(self.fields[field][1]), bulk=bulk)

    def edit_here_to(self, row: int, field: str, value: Any, *, bulk: bool) -> None:
        contact = Contact.objects.get(pk=row)
        if contact.is_archived or self.canonical(row, field) == value:
            return
        if bulk:
            Contact.objects.filter(pk=row).update(**{field: value})
        else:
            setattr(contact, field, value)
            contact.save(update_fields=[field])
        self.ours[row, field] = value

    @rule(row=rows, field=FIELD, data=st.data())
    def edit_there(self, row: int, field: str, data: Any) -> None:
        self.edit_there_to(row, field, data.draw(self.fields[field][1]))

    def edit_there_to(self, row: int, field: str, value: Any) -> None:
        page, name = self.page(row), self.fields[field][0]
        if page is None or self.notion.page(page)["in_trash"] or self.same(self.notion.values(page)[name], value):
            return
        self.notion.person.update(page, {name: value if value != "" else None})
        self.theirs[row, field] = value

    @rule(row=rows, field=FIELD, data=st.data())
    def edit_on_both_sides(self, row: int, field: str, data: Any) -> None:
        self.edit_here_to(row, field, data.draw(self.fields[field][1]), bulk=False)
        self.edit_there_to(row, field, data.draw(self.fields[field][1]))

    @rule(row=rows)
    def archive_here(self, row: int) -> None:
        self.settle()
        Contact.objects.get(pk=row).archive()
        self.settle()

    @rule(row=rows)
    def restore_here(self, row: int) -> None:
        self.settle()
        Contact.objects.get(pk=row).restore()
        self.settle()

    @rule(row=rows)
    def trash_there(self, row: int) -> None:
        self.settle()
        page = self.page(row)
        if page and not self.notion.page(page)["in_trash"]:
            self.notion.person.trash(page)
        self.settle()

    @rule(row=rows)
    def restore_there(self, row: int) -> None:
        self.settle()
        page = self.page(row)
        if page and self.notion.page(page)["in_trash"]:
            self.notion.person.restore(page)
        self.settle()

    @rule(row=rows, relate=st.booleans())
    def relate_here(self, row: int, relate: bool) -> None:
        entity = BusinessEntity.objects.first() or BusinessEntity.objects.create(name="The 7 Space")
        self.settle()
        contact = Contact.objects.get(pk=row)
        contact.business_entities.set([entity] if relate else [])

    @rule(name=st.sampled_from(["Town", "City of residence", "City"]))
    def rename_a_property(self, name: str) -> None:
        current = next(item["name"] for item in self.city_property())
        if current != name:
            self.notion.person.rename_property(CONTACTS, current, name)
            self.fields["city"] = (name, self.fields["city"][1])

    # -- faults and runs ----------------------------------------------------------------------------------------
    @rule(fault=st.sampled_from(FAULTS), skip=st.integers(0, 3))
    def something_goes_wrong(self, fault: tuple[str, str | None], skip: int) -> None:
        self.notion.faults.add(fault[0], method=fault[1], skip=skip)

    @rule()
    def pages_come_slowly_into_the_index(self) -> None:
        self.notion.expire_cursors()

    @rule(full=st.booleans())
    def run_once(self, full: bool) -> None:
        self.sync(full)

    def sync(self, full: bool = False) -> Counts | None:
        """One run. What both sides had changed to different values must stand in a conflict afterwards."""
        for key, value in self.ours.items():
            theirs = self.theirs.get(key, value)
            if not self.same(theirs, value) and self.is_news(*key, theirs) and self.is_news(*key, value):
                self.overruled.append((*key, value))
        try:
            counts = self.run(full)
        except Retryable:
            return None
        self.ours.clear()
        self.theirs.clear()
        return counts

    def run(self, full: bool) -> Counts:
        with hold() as held:
            assert held is not None
            return reconcile(self.api, Job(keys=KEYS, full=full, impatient=True), held, "test")

    def settle(self) -> None:
        """Runs without faults until nothing changes any more."""
        self.notion.faults.clear()
        for _ in range(5):
            counts = self.sync(full=True)
            if counts is not None and not counts.changed() and not counts.messages:
                return
        raise AssertionError(f"the two sides do not come to rest: {counts.messages if counts else 'no run'}")

    # -- what must hold -----------------------------------------------------------------------------------------
    @invariant()
    def no_row_has_two_pages(self) -> None:
        ids = [self.notion.values(page["id"])["Contact ID"] for page in self.notion.pages(CONTACTS)]
        filled = [one for one in ids if one]
        assert sorted(filled) == sorted(set(filled))

    def at_rest(self) -> None:
        self.settle()
        self.fields["city"] = (self.city_property()[0]["name"], self.fields["city"][1])
        live = {str(page["id"]) for page in self.notion.pages(CONTACTS)}
        tied = {self.page(pk) for pk in Contact.objects.live().values_list("pk", flat=True)}
        assert tied == live
        for contact in Contact.objects.live():
            values = self.notion.values(self.page(contact.pk) or "")
            for field, (name, _) in self.fields.items():
                assert self.same(values[name], getattr(contact, field)), (field, values[name], getattr(contact, field))
            assert values["Contact ID"] == contact.contact_id
            there = sorted(values["Business Entity"] or [])
            here = NotionPage.objects.filter(
                database_id="business_entities", object_id__in=contact.business_entities.values("pk")
            )
            assert there == sorted(here.values_list("page_id", flat=True))
        kept = list(SyncConflict.objects.values_list("object_id", "field", "local_value"))
        for row, field, value in self.overruled:
            assert (row, field, self.canonical_value(field, value)) in kept, (row, field, value)

    # -- helpers ------------------------------------------------------------------------------------------------
    def is_news(self, row: int, field: str, value: Any) -> bool:
        """An edit that was taken back before a run saw it is none, on either side."""
        tie = NotionPage.objects.get(database_id="contacts_profiles", object_id=row)
        return not self.same(tie.base.get(field), value)

    def page(self, row: int) -> str | None:
        tie = NotionPage.objects.filter(database_id="contacts_profiles", object_id=row).first()
        return tie.page_id if tie else None

    def city_property(self) -> list[dict[str, Any]]:
        wanted = NotionDatabase.objects.get(key="contacts_profiles").properties["city"]["id"]
        source = NotionDatabase.objects.get(key="contacts_profiles").data_source_id
        schema = self.api.data_source(source)["properties"]
        return [item for item in schema.values() if item["id"] == wanted]

    def canonical(self, row: int, field: str) -> Any:
        return getattr(Contact.objects.get(pk=row), field)

    @staticmethod
    def canonical_value(field: str, value: Any) -> Any:
        return MAPPINGS["contacts_profiles"].property(field).from_model(value)

    @staticmethod
    def same(one: Any, other: Any) -> bool:
        if isinstance(one, list) or isinstance(other, list):
            return sorted(one or []) == sorted(other or [])
        return (one or "") == (other or "")

"""Every registered model: its list, its add page and a record's page, for everybody who may and may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from agents_app.models import AgentRun, Notification, WorkflowTransition
from agents_app.services import catalog
from bookings.models import Booking, Order
from campaigns.segments import SegmentMembership
from contacts.erasures import ErasedAddress, Erasure, ErasurePlace
from contacts.ledger import ConsentChange, Interaction
from contacts.merges import ContactMerge
from contacts.models import PossibleDuplicate
from higherself.core.adminsite.search import search
from higherself.core.models import ApiToken, ChangeSet, Heartbeat, ImportRun, LoginAttempt
from higherself.integrations.models import (
    BackfillState,
    InboundEvent,
    OutboundCall,
    ProviderGate,
    Pulse,
    RefusedDelivery,
    RegisteredWebhook,
)
from notion_sync.mappings import MAPPINGS
from notion_sync.models import (
    Lease,
    NotionChange,
    NotionDatabase,
    NotionPage,
    PendingDelete,
    RequestBudget,
    SyncConflict,
    SyncRun,
    WebhookToken,
)
from tests import factories

pytestmark = pytest.mark.django_db
_numbers = count(1)


def _event(**given: Any) -> InboundEvent:
    number = next(_numbers)
    values = {
        "provider": "typeform",
        "delivery_key": f"d{number}",
        "body": b'{"a": 1}',
        "content_type": "application/json",
    }
    return InboundEvent.objects.create(**values | given)


def _tie(**given: Any) -> NotionPage:
    database = NotionDatabase.objects.get_or_create(key="contacts_profiles")[0]
    number = next(_numbers)
    return NotionPage.objects.create(database=database, object_id=10_000 + number, page_id=f"page-{number}", **given)


def _conflict(**given: Any) -> SyncConflict:
    tie = _tie()
    values = {"record": "Ada", "field": "phone", "property_name": "Phone", "local_value": "1", "notion_value": "2"}
    return SyncConflict.objects.create(page=tie, database=tie.database, object_id=tie.object_id, **values | given)


def _held(**given: Any) -> PendingDelete:
    tie = _tie()
    return PendingDelete.objects.create(page=tie, database=tie.database, record="Ada", **given)


def _database() -> NotionDatabase:
    return NotionDatabase.objects.create(key=f"extra_{next(_numbers)}", title="Extra", state="ok")


def _erasure() -> Erasure:
    return Erasure.objects.create(contact_ref=f"CTCT-{next(_numbers)}", actor="Olga")


def _log_entry() -> LogEntry:
    user = User.objects.get(username="owner")
    return LogEntry.objects.create(user=user, object_repr="x", action_flag=CHANGE, change_message="y")


def _queue_row(model: str, **values: Any) -> Any:
    return apps.get_model("django_q", model).objects.create(**values)


def _queue_task(name: str, success: bool) -> Any:
    now = timezone.now()
    number = next(_numbers)
    return _queue_row(
        name,
        id=f"t{number}",
        name=f"t{number}",
        func="f",
        started=now,
        stopped=now,
        success=success,
        args=(),
        kwargs={},
    )


MAKERS: dict[str, Callable[[], Any]] = {
    **{MAPPINGS[key].model._meta.label_lower: maker for key, maker in factories.MAKERS.items()},
    "agents_app.workflowtransition": factories.make_transition,
    "agents_app.notification": factories.make_notification,
    "bookings.booking": factories.make_booking,
    "bookings.order": factories.make_order,
    "bookings.orderline": factories.make_order_line,
    "agents_app.approval": factories.make_approval,
    "agents_app.contentitem": factories.make_content,
    "campaigns.segment": factories.make_segment,
    "agents_app.assistanswer": factories.make_assist_answer,
    "agents_app.agentrun": factories.make_agent_run,
    "integrations.inboundevent": _event,
    "integrations.outboundcall": lambda: OutboundCall.objects.create(
        provider="hubspot", operation="note.add", dedupe_key=f"k{next(_numbers)}"
    ),
    "integrations.refuseddelivery": lambda: RefusedDelivery.objects.create(
        provider="typeform",
        reason="wrong_proof",
        address=f"a{next(_numbers)}",
        hour=timezone.now(),
        first_at=timezone.now(),
        last_at=timezone.now(),
    ),
    "integrations.providergate": lambda: ProviderGate.objects.create(provider=f"p{next(_numbers)}"),
    "integrations.pulse": lambda: Pulse.objects.create(
        provider=f"p{next(_numbers)}", hours=[1, 2], seen_until=timezone.now()
    ),
    "integrations.backfillstate": lambda: BackfillState.objects.create(provider=f"p{next(_numbers)}"),
    "integrations.registeredwebhook": lambda: RegisteredWebhook.objects.create(
        provider="typeform", name=f"form{next(_numbers)}", url="https://hub.example.org/webhooks/typeform"
    ),
    "notion_sync.notiondatabase": _database,
    "notion_sync.notionpage": _tie,
    "notion_sync.syncrun": lambda: SyncRun.objects.create(
        trigger="test", direction="both", counts={"contacts_profiles": {"pulled": 2}}
    ),
    "notion_sync.syncconflict": _conflict,
    "notion_sync.pendingdelete": _held,
    "notion_sync.requestbudget": lambda: RequestBudget.objects.create(key=f"k{next(_numbers)}"),
    "notion_sync.lease": lambda: Lease.objects.create(name=f"l{next(_numbers)}"),
    "notion_sync.notionchange": lambda: NotionChange.objects.create(entity_id=f"e{next(_numbers)}", kind="changed"),
    "notion_sync.webhooktoken": lambda: WebhookToken.objects.create(token="t"),
    "core.heartbeat": lambda: Heartbeat.objects.create(name=f"h{next(_numbers)}", at=timezone.now()),
    "core.changeset": lambda: ChangeSet.objects.create(
        model="contacts.contact", record_id=next(_numbers), actor="Ada", changes={"phone": ["1", "2"]}
    ),
    "core.importrun": lambda: ImportRun.objects.create(model="contacts.contact", file_name="x.csv", state="ready"),
    "contacts.interaction": lambda: Interaction.objects.create(
        contact=factories.make_contact(), kind="post", source="circle", key=f"i{next(_numbers)}", at=timezone.now()
    ),
    "contacts.consentchange": lambda: ConsentChange.objects.create(
        contact=factories.make_contact(), channel="email", granted=True, source="typeform", key=f"c{next(_numbers)}"
    ),
    "campaigns.segmentmembership": lambda: SegmentMembership.objects.create(
        segment=factories.make_segment(), contact=factories.make_contact(), entered_at=timezone.now()
    ),
    "contacts.contactmerge": lambda: ContactMerge.objects.create(
        survivor=factories.make_contact(), merged=factories.make_contact()
    ),
    "contacts.possibleduplicate": lambda: PossibleDuplicate.objects.create(
        one=factories.make_contact(), other=factories.make_contact(), why="name"
    ),
    "contacts.erasure": _erasure,
    "contacts.erasureplace": lambda: ErasurePlace.objects.create(erasure=_erasure(), place="notion", label="Notion"),
    "contacts.erasedaddress": lambda: ErasedAddress.objects.create(erasure=_erasure(), digest=f"{next(_numbers)}"),
    "core.loginattempt": lambda: LoginAttempt.objects.create(account=f"a{next(_numbers)}", failures=2),
    "core.apitoken": lambda: ApiToken.objects.create(name="t", digest=f"d{next(_numbers)}"),
    "auth.user": lambda: User.objects.create(username=f"u{next(_numbers)}"),
    "auth.group": lambda: Group.objects.create(name=f"g{next(_numbers)}"),
    "admin.logentry": _log_entry,
    "django_q.schedule": lambda: _queue_row("Schedule", name=f"s{next(_numbers)}", func="f"),
    "django_q.success": lambda: _queue_task("Success", True),
    "django_q.failure": lambda: _queue_task("Failure", False),
    "django_q.ormq": lambda: _queue_row("OrmQ", key="q", payload="", lock=timezone.now()),
}
LABELS = sorted(MAKERS)


@pytest.fixture
def owner(client: Client) -> Client:
    user = User.objects.create_superuser("owner", "owner@example.org", "a-long-password")
    client.force_login(user)
    catalog.forget()
    return client


def _admin(label: str) -> Any:
    return admin.site._registry[apps.get_model(label)]


def _url(label: str, page: str, *args: Any) -> str:
    app, _dot, name = label.partition(".")
    # As the admin's own links do: "_ca" in a key would be read as a coded character.
    return reverse(f"admin:{app}_{name}_{page}", args=[quote(one) for one in args])


def _queries(client: Client, url: str) -> int:
    cache.clear()
    # Read anew just now, so that it does not come to be read anew in the middle.
    catalog.forget()
    catalog.current()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_every_model_is_registered_and_has_a_maker_here():
    ours = {"higherself", "contacts", "bookings", "campaigns", "community", "agents_app", "notion_sync"}
    models = {model._meta.label_lower for model in apps.get_models() if model.__module__.split(".")[0] in ours}
    registered = {model._meta.label_lower for model in admin.site._registry}

    # Recovery codes are digests, day figures sums, and copies marks of what was written: nobody looks at them. Saved
    # filters stand above their lists.
    assert models - registered == {"agents_app.copied", "core.dayfigures", "core.recoverycode", "core.savedfilter"}
    assert registered == set(MAKERS)


@pytest.mark.parametrize("label", LABELS)
def test_a_list_costs_the_same_number_of_queries_for_one_row_and_for_thirty(label: str, owner: Client):
    url = _url(label, "changelist")
    MAKERS[label]()
    one = _queries(owner, url)
    for _ in range(29):
        MAKERS[label]()

    assert _queries(owner, url) == one


@pytest.mark.parametrize("label", LABELS)
def test_a_record_opens(label: str, owner: Client):
    row = MAKERS[label]()

    answer = owner.get(_url(label, "change", row.pk))

    assert answer.status_code == 200


@pytest.mark.parametrize("label", LABELS)
def test_the_add_page_opens_unless_nobody_may_add(label: str, owner: Client):
    answer = owner.get(_url(label, "add"))

    allowed = _admin(label).has_add_permission(answer.wsgi_request)
    assert answer.status_code == (200 if allowed else 403)


@pytest.mark.parametrize("label", LABELS)
def test_strangers_are_sent_to_the_log_in_page(label: str, client: Client):
    answer = client.get(_url(label, "changelist"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("label", LABELS)
def test_searching_works(label: str, owner: Client):
    MAKERS[label]()
    if not _admin(label).search_fields:
        pytest.skip("this list has no search")

    assert owner.get(_url(label, "changelist"), {"q": "Ada 100%_'\""}).status_code == 200


@pytest.mark.parametrize("label", LABELS)
def test_each_filter_works(label: str, owner: Client):
    MAKERS[label]()
    url = _url(label, "changelist")
    page = owner.get(url).context["cl"]
    queries = [list(spec.choices(page))[-1]["query_string"] for spec in page.filter_specs]

    assert [query for query in queries if owner.get(url + query).status_code != 200] == []


@pytest.mark.parametrize("label", LABELS)
def test_each_sortable_column_sorts(label: str, owner: Client):
    MAKERS[label]()
    url = _url(label, "changelist")
    columns = len(owner.get(url).context["cl"].list_display)

    assert owner.get(url, {"o": ".".join(f"-{number}" for number in range(columns))}).status_code == 200


@pytest.mark.parametrize("label", LABELS)
def test_staff_without_rights_see_nothing_of_it(label: str, client: Client):
    client.force_login(User.objects.create_user("guest", password="a-long-password", is_staff=True))

    assert client.get(_url(label, "changelist")).status_code == 403


def test_the_list_of_a_long_table_stops_counting():
    from higherself.core.adminsite import paginator

    for _ in range(3):
        factories.make_contact()
    limit, paginator.COUNT_LIMIT = paginator.COUNT_LIMIT, 2
    try:
        pages = paginator.BoundedPaginator(apps.get_model("contacts.contact").objects.all(), 50)
        with CaptureQueriesContext(connection) as captured:
            assert (pages.count, pages.is_cut) == (2, True)
    finally:
        paginator.COUNT_LIMIT = limit

    assert "LIMIT 3" in captured[0]["sql"]


def test_home_opens_and_says_that_nothing_needs_a_person(owner: Client):
    page = owner.get(reverse("admin:index"))

    assert page.status_code == 200
    assert page.context["matters"] == []
    assert "Nothing. Everything that came in was dealt with." in page.content.decode()


def test_home_names_what_needs_a_person_and_leads_to_its_remedy(owner: Client):
    _event(status="quarantined", error="broken", next_attempt_at=None)
    _conflict()
    _held()
    _tie(error="refused")
    factories.make_task(due_date=timezone.now() - timedelta(hours=1))
    cache.clear()

    page = owner.get(reverse("admin:index"))

    assert {item.name: item.count for item in page.context["matters"]} == {
        "events": 1,
        "conflicts": 1,
        "deletes": 1,
        "failing": 1,
        "overdue": 1,
    }
    assert [item.name for item in page.context["matters"] if owner.get(item.url).context["cl"].result_count != 1] == []


def test_every_page_says_so_while_notion_is_unreachable(owner: Client):
    from notion_sync import budget

    RequestBudget.objects.create(key=budget.key_of(budget.token()), unreachable_since=timezone.now())
    cache.clear()

    for url in (reverse("admin:index"), _url("contacts.contact", "changelist"), _url("contacts.contact", "add")):
        assert "Notion is unreachable since" in owner.get(url).content.decode()


def test_the_search_box_finds_people_tasks_and_instances(owner: Client):
    factories.make_contact(full_name="Zebulon Q", email="zeb@example.org")
    factories.make_task(task_name="Call Zebulon")

    page = owner.get(reverse("admin:search"), {"s": "zebulon", "extended": "1"}).content.decode()

    assert ("Zebulon Q" in page, "Call Zebulon" in page) == (True, True)


def _box(client: Client, term: str) -> list[tuple[str, str]]:
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=client.session["_auth_user_id"])
    return [(item.title, item.description) for item in search(request, term)]


def test_the_search_box_finds_orders_and_bookings_by_person_and_by_number(owner: Client):
    maya = factories.make_contact(full_name="Maya Okafor", email="maya@example.org")
    Order.objects.create(system="WooCommerce", external_id="88", number="1042", contact=maya, status="processing")
    Order.objects.create(system="WooCommerce", external_id="89", number="1043")
    Booking.objects.create(system="Amelia", external_id="b-7", contact=maya, status="approved")
    order, booking = (
        ("WooCommerce 1042", "Order · Maya Okafor · processing"),
        ("Amelia b-7", "Booking · Maya Okafor · approved"),
    )

    assert _box(owner, "okafor")[1:] == [order, booking]
    assert _box(owner, "okafor")[0][1].startswith("Contact · maya@example.org")
    assert _box(owner, "#1042") == _box(owner, "1042") == [order]
    assert _box(owner, "b-7") == [booking]
    assert _box(owner, "104") == []


def test_the_search_box_asks_no_more_for_many_than_for_one(owner: Client):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            owner.get(reverse("admin:search"), {"s": "okafor", "extended": "1"})
        return len(queries)

    def one(number: int) -> None:
        person = factories.make_contact(full_name=f"Okafor {number}", email=f"o{number}@example.org")
        Order.objects.create(system="WooCommerce", external_id=str(number), contact=person)

    one(0)
    asked()
    first = asked()
    for number in range(1, 30):
        one(number)
    assert asked() == first


def test_a_button_is_refused_by_get_and_without_the_right(owner: Client):
    contact = factories.make_contact()
    url = reverse("admin:contacts_contact_do", args=[contact.pk, "archive"])
    viewer = Client()
    user = User.objects.create_user("viewer", password="a-long-password", is_staff=True)
    viewer.force_login(user)

    assert owner.get(url).status_code == 405
    assert viewer.post(url).status_code == 403
    assert owner.post(reverse("admin:contacts_contact_do", args=[contact.pk, "nonsense"])).status_code == 404
    contact.refresh_from_db()
    assert contact.archived_at is None


def test_a_button_needs_the_token_against_forged_requests():
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("strict", password="a-long-password"))
    contact = factories.make_contact()

    assert strict.post(reverse("admin:contacts_contact_do", args=[contact.pk, "archive"])).status_code == 403


@pytest.mark.parametrize("key", sorted(MAPPINGS))
def test_records_are_archived_restored_paused_and_resumed_and_never_deleted(key: str, owner: Client):
    row = factories.MAKERS[key]()
    label = row._meta.label_lower
    url = _url(label, "changelist")

    def act(name: str) -> None:
        answer = owner.post(f"{url}?archived=all", {"action": name, "_selected_action": [row.pk]})
        assert answer.status_code == 302
        row.refresh_from_db()

    act("archive")
    assert row.is_archived
    act("restore")
    assert not row.is_archived
    act("pause")
    assert row.sync_paused
    act("resume")
    assert not row.sync_paused
    assert owner.post(_url(label, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert LogEntry.objects.filter(object_id=str(row.pk)).count() == 4


def test_pausing_a_record_is_no_news_for_notion(owner: Client):
    contact = factories.make_contact()
    type(contact)._base_manager.filter(pk=contact.pk).update(local_change_at=None)

    owner.post(reverse("admin:contacts_contact_do", args=[contact.pk, "pause"]))

    contact.refresh_from_db()
    assert (contact.sync_paused, contact.local_change_at) == (True, None)


def test_archived_records_are_listed_only_when_asked_for(owner: Client):
    kept, gone = factories.make_contact(), factories.make_contact()
    gone.archive()
    url = _url("contacts.contact", "changelist")

    def listed(**query: str) -> set[int]:
        return {row.pk for row in owner.get(url, query).context["cl"].result_list}

    assert listed() == {kept.pk}
    assert listed(archived="only") == {gone.pk}
    assert listed(archived="all") == {kept.pk, gone.pk}


def test_a_revoked_token_is_shown_as_such(owner: Client):
    token = ApiToken.objects.create(name="robot", digest="x")

    owner.post(reverse("admin:core_apitoken_do", args=[token.pk, "revoke"]))

    token.refresh_from_db()
    assert token.revoked_at is not None
    assert ">revoked<" in owner.get(_url("core.apitoken", "changelist")).content.decode()


def test_a_schedule_is_run_now(owner: Client, django_capture_on_commit_callbacks: Any):
    schedule = _queue_row("Schedule", name="push_to_notion", func="f")
    queue = apps.get_model("django_q", "OrmQ")

    with django_capture_on_commit_callbacks(execute=True):
        owner.post(reverse("admin:django_q_schedule_do", args=[schedule.pk, "run_now"]))

    assert queue.objects.count() == 1


def test_models_that_only_the_server_writes_cannot_be_changed_here(owner: Client):
    for label in ("agents_app.agentrun", "integrations.inboundevent", "notion_sync.syncrun"):
        row = MAKERS[label]()
        assert owner.post(_url(label, "change", row.pk), {"x": "y"}).status_code == 403
    assert (AgentRun.objects.count(), Notification.objects.count(), WorkflowTransition.objects.count()) == (1, 0, 0)

"""Several workers at once, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from agents_app import dispatch, tasks
from agents_app.models import Task, WorkflowInstance
from agents_app.seeds.planting import plant
from agents_app.workflow import engine
from agents_app.workflow.engine import IllegalTransition
from contacts.models import Contact
from higherself.core import jobs
from higherself.integrations import inbox
from higherself.integrations.models import InboundEvent
from tests.agents_app.deliveries import WEBSITE, lead, store
from tests.factories import make_task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _seeds(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    # Here transactions commit, and no worker is there to be woken: late wake-ups would outlive the test's database.
    monkeypatch.setattr(jobs._Waker, "wake", lambda waker: None)
    plant()


def at_once(*actions: Callable[[], object]) -> None:
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=10)
            action()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [thread for thread in threads if thread.is_alive()] == []


def test_simultaneous_leads_of_one_new_person_are_one_contact():
    for number in range(3):
        store(lead("ADA@example.com" if number else "ada@example.com", token=f"t{number}"))
    store(WEBSITE, "website")
    events = inbox.claim(10, "test")
    assert len(events) == 4
    at_once(*[lambda event=event: dispatch.process(event) for event in events])
    assert [event.status for event in InboundEvent.objects.all()] == ["processed"] * 4
    assert Contact.objects.count() == 1
    # One for each source: the three forms of Typeform are one lead.
    assert sorted(WorkflowInstance.objects.values_list("source_system", flat=True)) == ["Typeform", "Website"]
    typeform = WorkflowInstance.objects.get(source_system="Typeform")
    assert typeform.history.filter(event="new_submission").count() == 2
    assert len(typeform.history_tail.splitlines()) == typeform.history.count()


def test_workers_share_the_inbox_and_lose_nothing():
    for number in range(12):
        store(lead(f"ada{number}@example.com", token=f"t{number}"))
    at_once(tasks.drain_inbox, tasks.drain_inbox, tasks.drain_inbox)
    tasks.drain_inbox()
    assert set(InboundEvent.objects.values_list("status", flat=True)) == {"processed"}
    assert (Contact.objects.count(), WorkflowInstance.objects.count(), Task.objects.count()) == (12, 12, 60)


def test_of_two_simultaneous_moves_each_is_legal_where_it_happens():
    store(lead())
    tasks.drain_inbox()
    instance = WorkflowInstance.objects.get()
    refused: list[str] = []

    def move(event: str) -> None:
        try:
            engine.advance(WorkflowInstance.objects.get(pk=instance.pk), event, actor=event)
        except IllegalTransition:
            refused.append(event)

    at_once(lambda: move("client_won"), lambda: move("declined"))
    instance.refresh_from_db()
    assert len(refused) == 1
    assert instance.current_state in {"converted", "closed_lost"}
    assert instance.history.count() == 3


def test_a_task_done_by_two_at_once_moves_the_workflow_once():
    store(lead())
    tasks.drain_inbox()
    instance = WorkflowInstance.objects.get()
    key = f"{instance.instance_id}:other:1"
    Task.objects.filter(task_key__endswith="follow_up_email:1").delete()
    task = make_task(related_workflow_instance=instance, task_key=key.replace("other", "follow_up_email"))
    Task.objects.filter(pk=task.pk).update(status="Done")
    at_once(*[lambda: dispatch.task_saved(Task.objects.get(pk=task.pk))] * 3)
    assert instance.history.filter(event="contact_made").count() == 1
    assert instance.history.filter(event="task_done").count() == 0

"""Writers of the SQLite file wait for each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import OperationalError, connections, transaction

from contacts.models import Contact

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("sqlite" not in settings.DATABASES["default"]["ENGINE"], reason="about SQLite"),
]


@pytest.fixture
def other_writer() -> Iterator[threading.Event]:
    """Somebody else holds the write lock until the event is set."""
    holds, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            holds.set()
            release.wait(30)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(30)
    yield release
    release.set()
    thread.join()


def test_a_writer_waits_until_the_other_one_is_done(other_writer: threading.Event) -> None:
    threading.Timer(0.2, other_writer.set).start()
    with transaction.atomic():
        Contact.objects.create(full_name="Ada")
    assert other_writer.is_set()
    assert Contact.objects.count() == 1


def test_a_single_statement_waits_as_well(other_writer: threading.Event) -> None:
    threading.Timer(0.2, other_writer.set).start()
    Contact.objects.create(full_name="Ada")
    assert other_writer.is_set()
    assert Contact.objects.count() == 1


def test_a_writer_gives_up_when_its_time_is_over(
    other_writer: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections["default"].ensure_connection()
    monkeypatch.setattr(connections["default"], "patience", 0.05)
    began = time.monotonic()
    with pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pass
    assert time.monotonic() - began >= 0.05


def test_readers_do_not_wait(other_writer: threading.Event) -> None:
    assert Contact.objects.count() == 0
    assert not other_writer.is_set()

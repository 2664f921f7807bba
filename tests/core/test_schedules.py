"""When the daily jobs run, as an Owner wishes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from higherself.core import jobs

pytestmark = pytest.mark.django_db
Schedule: Any = apps.get_model("django_q", "Schedule")
Staff = Callable[..., Client]


@pytest.fixture(autouse=True)
def _schedules() -> None:
    jobs.install_schedules()


def _row(name: str = "clean_up") -> Any:
    return Schedule.objects.get(name=name)


def _set(client: Client, name: str = "clean_up", **data: str) -> Any:
    return client.post(reverse("admin:schedule_time", args=[_row(name).pk]), data, follow=True)


def _page(client: Client, name: str = "clean_up") -> str:
    return client.get(reverse("admin:django_q_schedule_change", args=[_row(name).pk])).content.decode()


def test_an_owner_gives_a_daily_job_another_time(staff: Staff):
    owner = staff("Owner")
    assert "Every day at 02:07 (UTC)" in _page(owner)

    answer = _set(owner, at="22:45")

    assert jobs.daily_at("clean_up") == dt.time(22, 45)
    assert timezone.now() < _row().next_run <= timezone.now() + dt.timedelta(days=1)
    assert "Runs daily at 22:45" in answer.content.decode()
    assert LogEntry.objects.get().change_message.startswith("Runs daily at 22:45")
    assert "Every day at 22:45 (UTC)" in _page(owner)


def test_the_time_outlives_an_upgrade_and_the_next_run(staff: Staff):
    _set(staff("Owner"), at="22:45")
    jobs.install_schedules()
    assert jobs.daily_at("clean_up") == dt.time(22, 45)
    assert timezone.localtime(_row().calculate_next_run()).time() == dt.time(22, 45)


def test_it_goes_back_to_the_usual_time(staff: Staff):
    owner = staff("Owner")
    assert "Back to" not in _page(owner)
    _set(owner, at="22:45")
    assert "Back to 02:07" in _page(owner)
    _set(owner, usual="")
    assert jobs.daily_at("clean_up") == dt.time(2, 7)


def test_the_time_is_that_of_the_servers_clock_summer_and_winter(settings: Any, monkeypatch: pytest.MonkeyPatch):
    settings.TIME_ZONE = "Europe/Berlin"
    before = dt.datetime(2027, 3, 27, 8, 0, tzinfo=dt.timezone.utc)
    monkeypatch.setattr(timezone, "now", lambda: before)
    first = jobs.run_daily_at("clean_up", dt.time(6, 30))
    assert first.astimezone(dt.timezone.utc) == dt.datetime(2027, 3, 28, 4, 30, tzinfo=dt.timezone.utc)
    assert jobs.daily_at("clean_up") == dt.time(6, 30)


@pytest.mark.parametrize("at", ["", "25:00", "soon", "6"])
def test_what_is_no_time_changes_nothing(staff: Staff, at: str):
    answer = _set(staff("Owner"), at=at)
    assert "nothing was changed" in answer.content.decode()
    assert jobs.daily_at("clean_up") == dt.time(2, 7)


def test_a_job_of_every_minute_has_no_time_of_day(staff: Staff):
    owner, before = staff("Owner"), _row("sweep").next_run
    assert "Time of day" not in _page(owner, "sweep")
    for data in ({"at": "22:45"}, {"usual": ""}):
        assert "does not run daily" in _set(owner, "sweep", **data).content.decode()
    assert _row("sweep").next_run == before


@pytest.mark.parametrize("role", ["Operator", "Marketing", "Viewer"])
def test_only_an_owner_sets_times(staff: Staff, role: str):
    client = staff(role)
    assert _set(client, at="22:45").status_code == 403
    assert jobs.daily_at("clean_up") == dt.time(2, 7)
    if role == "Operator":
        assert "Set the time" not in _page(client)


def test_a_look_at_the_address_changes_nothing(staff: Staff):
    assert staff("Owner").get(reverse("admin:schedule_time", args=[_row().pk])).status_code == 405


def test_the_list_says_when(staff: Staff):
    page = staff("Owner").get(reverse("admin:django_q_schedule_changelist")).content.decode()
    assert "day at 2:07 a.m." in page
    assert "60 min" in page

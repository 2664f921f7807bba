"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client

from agents_app.services import catalog
from contacts import erased
from higherself.integrations import refusals
from notion_sync.client import NotionApi
from notion_sync.engine.counts import Counts
from notion_sync.engine.lease import hold
from notion_sync.engine.run import Job, reconcile
from notion_sync.models import NotionDatabase
from notion_sync.sandbox import Sandbox
from notion_sync.schema.setup import Setup
from tests.standins.server import StandIns
from tests.standins.services import SERVICES

# Folders with tests of a minute and more.
_LONG = frozenset({"crash", "month"})
_FIELDS = ("key", "title", "database_id", "data_source_id", "url", "properties", "state")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Minutes first, so that no worker waits for the other at the end.

    With TEST_DATABASE_ONLY, for the second database: what touches none cannot tell one from the other.
    """
    items.sort(key=lambda item: item.path.parent.name not in _LONG)
    if not os.environ.get("TEST_DATABASE_ONLY"):
        return
    left = [item for item in items if not _uses_a_database(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if _uses_a_database(item)]


def _uses_a_database(item: pytest.Item) -> bool:
    # Some start processes of their own, on the same kind of database.
    if item.get_closest_marker("django_db") or item.path.parent.name == "crash":
        return True
    return bool({"db", "transactional_db"} & set(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def _fresh_caches() -> Iterator[None]:
    """What a process remembers from one test must not reach the next."""
    catalog.forget()
    erased.look_again()
    yield
    refusals.forget()
    cache.clear()
    catalog.forget()


@pytest.fixture
def person() -> Callable[..., User]:
    """Makes somebody of the staff with a role; ``name`` tells two with one role apart."""

    def make(role: str, name: str = "") -> User:
        user = User.objects.create_user(name or role.lower(), password="a-long-password", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        # Permissions are remembered with the object: this one asks anew.
        return User.objects.get(pk=user.pk)

    return make


@pytest.fixture
def staff(person: Callable[..., User]) -> Callable[..., Client]:
    """Logs somebody with a role in."""

    def make(role: str, name: str = "") -> Client:
        client = Client()
        client.force_login(person(role, name))
        return client

    return make


@pytest.fixture(scope="session")
def notion_template(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any
) -> tuple[Path, list[dict[str, Any]]]:
    """A local Notion with the 16 databases, set up once: its data file, and what setup remembered of it."""
    from django.conf import settings
    from django.db import transaction

    path = tmp_path_factory.mktemp("notion") / "template.sqlite3"
    with Sandbox(data=str(path)) as sandbox, django_db_blocker.unblock():
        before = settings.NOTION_BASE_URL
        settings.NOTION_BASE_URL = sandbox.url
        with transaction.atomic():
            with NotionApi(auth=sandbox.token) as client:
                Setup(client, sandbox.root_page_id).run()
            rows = list(NotionDatabase.objects.values(*_FIELDS))
            transaction.set_rollback(True)
        settings.NOTION_BASE_URL = before
    return path, rows


@pytest.fixture
def notion(
    notion_template: tuple[Path, list[dict[str, Any]]], tmp_path: Path, settings: Any, db: None
) -> Iterator[Sandbox]:
    """A local Notion of this test's own, set up, with nothing in its databases."""
    path, rows = notion_template
    own = tmp_path / "notion.sqlite3"
    shutil.copy(path, own)
    NotionDatabase.objects.bulk_create(NotionDatabase(**row) for row in rows)
    with Sandbox(data=str(own)) as sandbox:
        settings.NOTION_BASE_URL = sandbox.url
        settings.NOTION_API_TOKEN = sandbox.token
        sandbox.requests.clear()
        yield sandbox


@pytest.fixture
def api(notion: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[NotionApi]:
    # The local Notion shows a new page at once, so there is nothing to wait for.
    monkeypatch.setattr("notion_sync.engine.push.SETTLING", timedelta(0))
    with NotionApi(sleep=lambda _seconds: None, patience=30) as client:
        yield client


@pytest.fixture
def sync(api: NotionApi) -> Callable[..., Counts]:
    """Reconciles as `manage.py sync_notion` does."""

    def run(**options: Any) -> Counts:
        with hold() as held:
            assert held is not None
            return reconcile(api, Job(impatient=True, **options), held, "test")

    return run


@pytest.fixture
def standins(settings: Any, db: None) -> Iterator[StandIns]:
    """The providers' APIs, each with the credentials that it takes; nothing exists there yet."""
    with StandIns([service() for service in SERVICES]) as server:
        settings.PROVIDERS = {**settings.PROVIDERS, **{slug: server.options(slug) for slug in server}}
        settings.PROVIDER_TIMEOUT_SECONDS = 20.0
        yield server

"""A fresh sandbox for each test, the SDK pointed at it, and a few shorthands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from notion_client import Client

from notion_sync.sandbox import Sandbox

NEWEST = "2026-03-11"


@pytest.fixture
def sb() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def sdk(sandbox: Sandbox, version: str = NEWEST, token: str | None = None) -> Client:
    return Client(
        client=httpx.Client(verify=False),  # plain http: spares each test the loading of certificates
        auth=token or sandbox.token,
        base_url=sandbox.url,
        notion_version=version,
        retry=False,
        log_level=logging.CRITICAL,
    )


@pytest.fixture
def client(sb: Sandbox) -> Iterator[Client]:
    made = sdk(sb)
    yield made
    made.close()


class Api:
    """Bare HTTP: bodies that the SDK would not send, answers with their status."""

    def __init__(self, sandbox: Sandbox, version: str | None = NEWEST) -> None:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        if version:
            headers["Notion-Version"] = version
        self.http = httpx.Client(base_url=f"{sandbox.url}/v1/", headers=headers, timeout=5, verify=False)

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.http.request(method, path, json=body, **options)

    def error(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
        answer = self(method, path, body, **options)
        shown = answer.json()
        assert shown["object"] == "error"
        assert shown["status"] == answer.status_code
        return answer.status_code, shown["code"], shown["message"]


@pytest.fixture
def api(sb: Sandbox) -> Iterator[Api]:
    made = Api(sb)
    yield made
    made.http.close()


@pytest.fixture
def api_for(sb: Sandbox) -> Iterator[Callable[[str | None], Api]]:
    """Bare HTTP with another version."""
    made: list[Api] = []

    def make(version: str | None) -> Api:
        made.append(Api(sb, version))
        return made[-1]

    yield make
    for api in made:
        api.http.close()


@pytest.fixture
def sdk_for(sb: Sandbox) -> Iterator[Callable[..., Client]]:
    """The SDK with another version or token."""
    made: list[Client] = []

    def make(version: str = NEWEST, token: str | None = None) -> Client:
        made.append(sdk(sb, version, token))
        return made[-1]

    yield make
    for client in made:
        client.close()


EVERY_TYPE: dict[str, Any] = {
    "Name": {"title": {}},
    "Text": {"rich_text": {}},
    "Number": {"number": {"format": "number"}},
    "Choice": {"select": {"options": [{"name": "Red", "color": "red"}, {"name": "Blue"}]}},
    "Tags": {"multi_select": {"options": [{"name": "A"}, {"name": "B"}]}},
    "State": {"status": {}},
    "Done": {"checkbox": {}},
    "When": {"date": {}},
    "Owner": {"people": {}},
    "Link": {"url": {}},
    "Mail": {"email": {}},
    "Phone": {"phone_number": {}},
    "Files": {"files": {}},
    "Serial": {"unique_id": {"prefix": "ROW"}},
    "Created": {"created_time": {}},
    "Creator": {"created_by": {}},
    "Edited": {"last_edited_time": {}},
    "Editor": {"last_edited_by": {}},
}


def text(content: str) -> list[dict[str, Any]]:
    return [{"text": {"content": content}}]


def make_source(client: Client, parent: str, title: str, properties: dict[str, Any] | None = None) -> str:
    """A new database; the id of its data source."""
    database = client.databases.create(
        parent={"type": "page_id", "page_id": parent},
        title=text(title),
        initial_data_source={"properties": properties or EVERY_TYPE},
    )
    return database["data_sources"][0]["id"]


def make_row(client: Client, source: str, name: str = "Row", **values: Any) -> dict[str, Any]:
    return client.pages.create(
        parent={"type": "data_source_id", "data_source_id": source},
        properties={"Name": {"title": text(name)}, **values},
    )


@pytest.fixture
def source(client: Client, sb: Sandbox) -> str:
    """A data source with a property of every type that needs no other data source."""
    return make_source(client, sb.root_page_id, "Things")


@pytest.fixture
def row(client: Client, source: str) -> dict[str, Any]:
    return make_row(client, source)

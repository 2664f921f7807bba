"""The web pages: which address shows what, and who may send forms."""

from __future__ import annotations

import json
import re
import secrets
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from django.template import Context, Engine

from notion_sync.sandbox import render, richtext
from notion_sync.sandbox.errors import ApiError
from notion_sync.sandbox.model import DataSource, Page
from notion_sync.sandbox.service import Reply, Service
from notion_sync.sandbox.workspace import Workspace

from . import display, forms

_TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ANY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not listened on
_PAGE_SIZE = 50
_PICKED = 12
_DONE = {
    "saved": "Saved.",
    "nothing": "Nothing was changed.",
    "added": "Page added.",
    "trashed": "Moved to the trash.",
    "restored": "Restored from the trash.",
    "renamed": "Property renamed.",
}


class Site:
    """Edits are made as a person, through the same handlers as the API."""

    def __init__(self, service: Service, user_id: str, host: str) -> None:
        self._service = service
        self._user_id = user_id
        self._hosts = None if host in _ANY_ADDRESS else {*_LOOPBACK, host}
        self._engine = Engine(dirs=[str(_TEMPLATES)], autoescape=True)

    @property
    def _ws(self) -> Workspace:
        return self._service.ws

    # -- the door ------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Reply:
        host = headers.get("Host") or ""
        if self._hosts is not None and _host_name(host) not in self._hosts:
            return self._message(403, "This page answers under the sandbox's own address only.")
        if method == "POST" and headers.get("Origin") not in (f"http://{host}", f"https://{host}"):
            return self._message(403, "This form did not come from the sandbox's own page.")
        url = urlsplit(target)
        for pattern, verb, view in _ROUTES:
            match = re.fullmatch(pattern, url.path)
            if match and verb == ("GET" if method == "HEAD" else method):
                return self._run(view, match.groups(), url.query, raw)
        return self._message(404, "There is nothing here.")

    def _run(self, view: Callable[..., Reply], parts: tuple[str, ...], query: str, raw: bytes) -> Reply:
        given = parse_qs(raw.decode("utf-8", "replace"), keep_blank_values=True)
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        try:
            with self._ws.lock:
                return view(self, *parts, asked=asked, given=given)
        except ApiError as error:
            return self._message(error.status, error.message)
        except Exception:  # a bug must be seen, and answered
            traceback.print_exc(file=sys.stderr)
            return self._message(500, "The sandbox has stumbled; its log says where.")

    def _html(self, template: str, status: int = 200, **values: Any) -> Reply:
        nonce = secrets.token_urlsafe(12)
        values |= {"nonce": nonce, "workspace": self._ws.name, "person": self._ws.user(self._user_id)["name"]}
        context = Context(values, use_l10n=False, use_tz=False)
        text = self._engine.get_template(f"sandbox/{template}").render(context)
        policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; connect-src 'self'; "
            "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return Reply(status, text.encode(), "text/html; charset=utf-8", headers)

    def _message(self, status: int, text: str) -> Reply:
        return self._html("message.html", status, message=text)

    def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._service.call(self._user_id, method, path, body)

    # -- looking -------------------------------------------------------------------------------

    def index(self, asked: dict[str, str], given: forms.Inputs) -> Reply:
        rows = [self._source_row(source) for source in self._ws.sources.values() if self._alive(source)]
        rows.sort(key=lambda row: row["title"].casefold())
        return self._html("index.html", sources=rows, total=sum(row["rows"] for row in rows))

    def _alive(self, source: DataSource) -> bool:
        return not (source.in_trash or self._ws.ancestor_in_trash(source.id))

    def _source_row(self, source: DataSource) -> dict[str, Any]:
        pages = self._ws.rows[source.id].values()
        trashed = sum(page.in_trash for page in pages)
        edited = max((page.stamps.edited for page in pages), default=source.stamps.edited)
        return {
            "id": source.id,
            "title": _title(source),
            "rows": len(pages) - trashed,
            "trashed": trashed,
            "edited": display.moment(edited),
        }

    def database(self, source_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        source = self._source(source_id)
        query, in_trash = asked.get("q", "").strip(), asked.get("trash") == "1"
        rows = self._rows(source, query.casefold(), in_trash)
        last = max(1, -(-len(rows) // _PAGE_SIZE))
        number = min(max(1, int(asked["page"]) if asked.get("page", "").isdigit() else 1), last)
        columns = display.columns(source)
        part = rows[(number - 1) * _PAGE_SIZE : number * _PAGE_SIZE]
        return self._html(
            "database.html",
            source={"id": source.id, "title": _title(source)},
            columns=[prop.name for prop in columns],
            rows=[self._row(source, page, columns) for page in part],
            count=len(rows),
            query=query,
            in_trash=in_trash,
            pages=_pages(number, last, query, in_trash),
            properties=display.property_rows(source),
            done=_DONE.get(asked.get("done", "")),
        )

    def _rows(self, source: DataSource, query: str, in_trash: bool) -> list[Page]:
        kinds = ("title", "rich_text", "url", "email", "phone_number", "number")
        text_ids = [prop.id for prop in source.properties.values() if prop.type in kinds]
        rows = [
            page
            for page in self._ws.rows[source.id].values()
            if page.in_trash is in_trash and (not query or display.matches(page, query, text_ids))
        ]
        rows.sort(key=lambda page: (page.stamps.edited, page.number), reverse=True)
        return rows

    def _row(self, source: DataSource, page: Page, columns: list[Any]) -> dict[str, Any]:
        cells = [display.cell(self._ws, source, page, prop) for prop in columns[1:]]
        return {"id": page.id, "title": display.title_of(page), "cells": cells}

    def page(self, page_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        page = self._page(page_id)
        return self._form(page, done=_DONE.get(asked.get("done", "")))

    def _form(self, page: Page, inputs: forms.Inputs | None = None, status: int = 200, **more: Any) -> Reply:
        source = self._home(page)
        fresh = forms.shown_inputs(self._ws, source, page)
        return self._html(
            "page.html",
            status,
            source={"id": source.id, "title": _title(source)},
            page={"id": page.id, "title": display.title_of(page), "in_trash": page.in_trash},
            fields=forms.fields(self._ws, source, page, fresh if inputs is None else inputs),
            before=json.dumps(fresh),
            created=self._stamp(page.stamps.created, page.stamps.created_by),
            edited=self._stamp(page.stamps.edited, page.stamps.edited_by),
            **more,
        )

    def _stamp(self, seconds: float, user_id: str) -> str:
        return f"{display.moment(seconds)} UTC by {self._ws.user(user_id).get('name', 'somebody')}"

    def new(self, source_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        return self._new_form(self._source(source_id), None)

    def _new_form(self, source: DataSource, inputs: forms.Inputs | None, status: int = 200, **more: Any) -> Reply:
        fresh = forms.shown_inputs(self._ws, source, None)
        return self._html(
            "page.html",
            status,
            source={"id": source.id, "title": _title(source)},
            page=None,
            fields=forms.fields(self._ws, source, None, fresh if inputs is None else inputs),
            before=json.dumps(fresh),
            **more,
        )

    def pick(self, asked: dict[str, str], given: forms.Inputs) -> Reply:
        """For the relation picker: pages of a data source whose title contains the text."""
        source = self._source(asked.get("source", ""))
        query = asked.get("q", "").strip().casefold()
        found = [page for page in self._rows(source, "", False) if query in display.title_of(page).casefold()]
        shown = [{"id": page.id, "title": display.title_of(page)} for page in found[:_PICKED]]
        return Reply(200, render.dumps({"pages": shown, "more": len(found) > _PICKED}))

    # -- changing ------------------------------------------------------------------------------

    def save(self, page_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        page = self._page(page_id)
        try:
            changed = forms.changed_values(self._home(page), _before(given), given)
            if changed:
                self._call("PATCH", f"pages/{page.id}", {"properties": changed})
        except ApiError as error:
            return self._form(page, given, error.status, error=error.message)
        return _redirect(f"/page/{page.id}?done={'saved' if changed else 'nothing'}")

    def add(self, source_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        source = self._source(source_id)
        try:
            values = forms.changed_values(source, _before(given), given)
            body = {"parent": {"data_source_id": source.id}, "properties": values}
            page = self._call("POST", "pages", body)
        except ApiError as error:
            return self._new_form(source, given, error.status, error=error.message)
        return _redirect(f"/page/{page['id']}?done=added")

    def trash(self, page_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        page = self._page(page_id)
        self._call("PATCH", f"pages/{page.id}", {"in_trash": True})
        return _redirect(f"/database/{page.parent_id}?done=trashed")

    def restore(self, page_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        page = self._page(page_id)
        self._call("PATCH", f"pages/{page.id}", {"in_trash": False})
        return _redirect(f"/page/{page.id}?done=restored")

    def rename(self, source_id: str, asked: dict[str, str], given: forms.Inputs) -> Reply:
        source = self._source(source_id)
        key, name = _only(given, "property"), _only(given, "name").strip()
        self._call("PATCH", f"data_sources/{source.id}", {"properties": {key: {"name": name}}})
        return _redirect(f"/database/{source.id}?done=renamed")

    # -- finding -------------------------------------------------------------------------------

    def _source(self, source_id: str) -> DataSource:
        source = self._ws.sources.get(source_id)
        if source is None:
            raise ApiError(404, "object_not_found", "There is no such database.")
        return source

    def _page(self, page_id: str) -> Page:
        page = self._ws.pages.get(page_id)
        if page is None or self._ws.source_of(page) is None:
            raise ApiError(404, "object_not_found", "There is no such page in a database.")
        return page

    def _home(self, page: Page) -> DataSource:
        return self._ws.sources[page.parent_id]


def _title(source: DataSource) -> str:
    return richtext.plain(source.title) or "Untitled"


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _only(given: forms.Inputs, name: str) -> str:
    return given.get(name, [""])[-1]


def _before(given: forms.Inputs) -> forms.Inputs:
    """What the form showed when it was made."""
    try:
        before = json.loads(_only(given, "before"))
    except ValueError:
        before = None
    if not isinstance(before, dict):
        raise ApiError(400, "validation_error", "The form is incomplete: open the page again.")
    return {name: [str(value) for value in values] for name, values in before.items()}


def _redirect(location: str) -> Reply:
    return Reply(303, b"", "text/plain", {"Location": location})


def _pages(number: int, last: int, query: str, in_trash: bool) -> dict[str, Any]:
    tail = (f"&q={quote(query)}" if query else "") + ("&trash=1" if in_trash else "")
    return {
        "number": number,
        "last": last,
        "before": f"?page={number - 1}{tail}" if number > 1 else "",
        "after": f"?page={number + 1}{tail}" if number < last else "",
    }


_ID = r"([0-9a-f-]{36})"
_ROUTES: list[tuple[str, str, Callable[..., Reply]]] = [
    (r"/", "GET", Site.index),
    (r"/pick", "GET", Site.pick),
    (rf"/database/{_ID}", "GET", Site.database),
    (rf"/database/{_ID}/new", "GET", Site.new),
    (rf"/database/{_ID}/new", "POST", Site.add),
    (rf"/database/{_ID}/rename", "POST", Site.rename),
    (rf"/page/{_ID}", "GET", Site.page),
    (rf"/page/{_ID}", "POST", Site.save),
    (rf"/page/{_ID}/trash", "POST", Site.trash),
    (rf"/page/{_ID}/restore", "POST", Site.restore),
]

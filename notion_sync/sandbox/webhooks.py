"""Webhooks: what happens is told to a URL (Notion: reference/webhooks-events-delivery).

Off until `subscribe` has named a target. Deliveries are signed (`X-Notion-Signature`: HMAC-SHA256 of the
exact bytes, keyed with the verification token). A page's first `page.properties_updated` is sent at once;
those of the following minute are sent together at its end. What is not answered 2xx is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from . import render
from .clock import millisecond_z
from .ids import new_id
from .request import NEWEST
from .workspace import Event, Workspace

AGGREGATED = "page.properties_updated"
# Eight attempts, the last about a day after the event.
RETRY_SECONDS = (5, 60, 300, 1800, 7200, 21600, 55000)
_TIMEOUT = 10


@dataclass
class Delivery:
    """One attempt. `status` 0: nobody answered."""

    body: dict[str, Any]
    status: int


@dataclass(order=True)
class _Waiting:
    due: float
    order: int
    body: dict[str, Any] = field(compare=False)


class Sender:
    """`sent` holds every attempt. Faults: `drop`, `duplicate` and `hold` count the events to come."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.url: str | None = None
        self.token = ""
        self.subscription_id = ""
        self.api_version = NEWEST
        self.types: frozenset[str] | None = None
        self.aggregate_seconds: float = 60
        self.retry_seconds: tuple[float, ...] = RETRY_SECONDS
        self.sent: list[Delivery] = []
        self.drop = 0  # so many events are never sent
        self.duplicate = 0  # so many events are sent twice
        self.hold = 0  # so many events are sent after the one that follows them
        self._held: list[dict[str, Any]] = []
        self._windows: dict[str, tuple[float, dict[str, Any] | None]] = {}
        self._queue: list[_Waiting] = []
        self._order = 0
        self._busy = False
        self._closed = False
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._restore()
        ws.listeners.append(self._heard)

    # -- setting up ----------------------------------------------------------------------------

    def subscribe(
        self,
        url: str,
        *,
        token: str | None = None,
        types: Collection[str] | None = None,
        api_version: str = NEWEST,
    ) -> str:
        """Sends events of `types` (None: all) to `url` from now on and returns the verification token.

        Without `token` a new one is made and posted to the URL first, as Notion's hand-shake does.
        Raises ConnectionError when the target does not answer the hand-shake with 2xx.
        """
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"a webhook target is an http or https URL, not {url!r}")
        new_token = token or f"secret_{secrets.token_urlsafe(32)}"
        if token is None:
            raw = render.dumps({"verification_token": new_token})
            status = _post(url, raw, new_token)
            if not 200 <= status < 300:
                raise ConnectionError(f"{url} answered the verification with status {status}")
        self._set(
            {
                "url": url,
                "token": new_token,
                "subscription_id": new_id(),
                "api_version": api_version,
                "types": sorted(types) if types is not None else None,
            }
        )
        return new_token

    def unsubscribe(self) -> None:
        self._set(None)

    def _set(self, saved: dict[str, Any] | None) -> None:
        with self.ws.lock:
            self.ws.set_meta("webhook", saved)
            self.ws.commit()
        self._restore()

    def _restore(self) -> None:
        saved = self.ws.store.meta("webhook") or {}
        types = saved.get("types")
        self.types = None if types is None else frozenset(types)
        self.token = saved.get("token", "")
        self.subscription_id = saved.get("subscription_id", "")
        self.api_version = saved.get("api_version", NEWEST)
        self.url = saved.get("url")

    # -- hearing of events ---------------------------------------------------------------------

    def _heard(self, event: Event) -> None:
        if self.url is None or (self.types is not None and event["type"] not in self.types):
            return
        if self.ws.hidden(event["entity"][1]):
            return
        body = self._payload(event)
        with self._wake:
            if event["type"] != AGGREGATED or self._first_of_window(body):
                self._enqueue(body)
            self._start()
            self._wake.notify_all()

    def _first_of_window(self, body: dict[str, Any]) -> bool:
        """Opens a window, or adds the event to the one that is open."""
        key = body["entity"]["id"]
        now = self.ws.clock.now()
        until, pending = self._windows.get(key, (0.0, None))
        if now >= until and pending is None:
            self._windows[key] = (now + self.aggregate_seconds, None)
            return True
        self._windows[key] = (until, body if pending is None else _merged(pending, body))
        return False

    def _enqueue(self, body: dict[str, Any], due: float = 0.0) -> None:
        if self.drop > 0:
            self.drop -= 1
            return
        if self.hold > 0:
            self.hold -= 1
            self._held.append(body)
            return
        self._push(body, due)
        if self.duplicate > 0:
            self.duplicate -= 1
            self._push(body, due)
        held, self._held = self._held, []
        for late in held:
            self._push(late, due)

    def _push(self, body: dict[str, Any], due: float) -> None:
        self._order += 1
        self._queue.append(_Waiting(due, self._order, body))
        self._queue.sort()

    def _payload(self, event: Event) -> dict[str, Any]:
        author = self.ws.user(event["author"])
        kind, entity_id = event["entity"]
        return {
            "id": new_id(),
            "timestamp": millisecond_z(self.ws.clock.now()),
            "workspace_id": self.ws.id,
            "workspace_name": self.ws.name,
            "subscription_id": self.subscription_id,
            "integration_id": self.ws.bot_id,
            "authors": [{"id": author["id"], "type": author.get("type", "person")}],
            "attempt_number": 1,
            "api_version": self.api_version,
            "entity": {"id": entity_id, "type": kind},
            "type": event["type"],
            "data": {"parent": self._parent(kind, entity_id, event["data"]), **_details(event)},
        }

    def _parent(self, kind: str, entity_id: str, data: dict[str, Any]) -> dict[str, Any]:
        if kind == "comment":
            on = data["on"]
            return {"id": on, "type": "page" if on in self.ws.pages else "block"}
        parent_id = self.ws.parent_of(entity_id)
        if parent_id is None:
            return {"id": self.ws.id, "type": "space"}
        if parent_id in self.ws.sources:
            database_id = self.ws.sources[parent_id].database_id
            return {"id": database_id, "type": "database", "data_source_id": parent_id}
        return {"id": parent_id, "type": "database" if parent_id in self.ws.databases else "page"}

    # -- sending -------------------------------------------------------------------------------

    def flush(self, seconds: float = 10) -> bool:
        """Ends all windows, lets go of held events and waits until everything due is sent.

        False when that took longer than `seconds`.
        """
        with self._wake:
            self._close_windows(everything=True)
            held, self._held = self._held, []
            for body in held:
                self._push(body, 0.0)
            self._start()
            self._wake.notify_all()
            return self._wake.wait_for(lambda: not self._busy and self._next_due() is None, timeout=seconds)

    def close(self) -> None:
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=_TIMEOUT + 1)

    def _start(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._run, name="notion-sandbox-webhooks", daemon=True)
            self._thread.start()

    def _close_windows(self, *, everything: bool = False) -> None:
        now = self.ws.clock.now()
        for key, (until, pending) in list(self._windows.items()):
            if not everything and now < until:
                continue
            if pending is None:
                del self._windows[key]
            else:
                self._enqueue(pending)
                self._windows[key] = (now + self.aggregate_seconds, None)

    def _next_due(self) -> _Waiting | None:
        if self._queue and self._queue[0].due <= self.ws.clock.now():
            return self._queue[0]
        return None

    def _run(self) -> None:
        while True:
            with self._wake:
                self._busy = False
                self._close_windows()
                waiting = self._next_due()
                if waiting is None:
                    self._wake.notify_all()
                    if self._closed:
                        return
                    # The sandbox's clock may be moved by hand: look at it now and then.
                    self._wake.wait(0.1 if self._windows or self._queue else None)
                    continue
                if self._closed:
                    return
                self._queue.remove(waiting)
                self._busy = True
                url, token = self.url, self.token
            if url is not None:
                self._deliver(url, token, waiting.body)

    def _deliver(self, url: str, token: str, body: dict[str, Any]) -> None:
        status = _post(url, render.dumps(body), token)
        self.sent.append(Delivery(body, status))
        attempt = body["attempt_number"]
        if 200 <= status < 300 or attempt > len(self.retry_seconds):
            return
        with self._wake:
            due = self.ws.clock.now() + self.retry_seconds[attempt - 1]
            self._push({**body, "attempt_number": attempt + 1}, due)


def _details(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event["data"].items() if key != "on"}


def _merged(first: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """One event for two: all properties, all authors, the later time."""
    ids = [*first["data"]["updated_properties"], *later["data"]["updated_properties"]]
    authors = {author["id"]: author for author in (*first["authors"], *later["authors"])}
    data = {**later["data"], "updated_properties": list(dict.fromkeys(ids))}
    return {**later, "authors": list(authors.values()), "data": data}


def sign(raw: bytes, token: str) -> str:
    return "sha256=" + hmac.new(token.encode(), raw, hashlib.sha256).hexdigest()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """A redirect is an answer other than 2xx."""


_opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def _post(url: str, raw: bytes, token: str) -> int:
    """The status of the answer; 0 when there is none."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "notion-api",
        "X-Notion-Signature": sign(raw, token),
    }
    request = urllib.request.Request(url, data=raw, headers=headers, method="POST")  # noqa: S310 - subscribe checks
    try:
        with _opener.open(request, timeout=_TIMEOUT) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, ValueError):
        return 0

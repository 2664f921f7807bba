"""The sandbox as one object: in a test's own process, or behind the command line."""

from __future__ import annotations

import threading
from typing import Any

from . import control, webhooks
from .clock import Clock
from .person import Person, find_source
from .server import Server
from .service import Reply, Service
from .store import Store
from .web import Site
from .workspace import Settings, Workspace

TOKEN = "ntn_local_sandbox_token"  # noqa: S105 - opens nothing but the sandbox


class Sandbox:
    """A Notion of your own. See the package's docstring for how to use it."""

    def __init__(
        self,
        *,
        data: str = ":memory:",
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = TOKEN,
        rate_limit: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.token = token or TOKEN
        self.clock = clock or Clock()
        self._store = Store(data)
        self.ws = Workspace(self._store, self.clock)
        self.service = Service(self.ws, None if token is None else {token})
        self.service.rate_limit.per_minute = rate_limit
        self.webhooks = webhooks.Sender(self.ws)
        self.person = self.as_person()
        self._control = control.Control(self)
        self._site = Site(self.service, self.person.user_id, host)
        self._server = Server((host, port), self._answer)
        self._thread: threading.Thread | None = None
        self._closed = False

    # -- life ----------------------------------------------------------------------------------

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> Sandbox:
        self._thread = threading.Thread(target=self._server.serve, name="notion-sandbox", daemon=True)
        self._thread.start()
        return self

    def serve_forever(self) -> None:
        """Serves in the calling thread until `stop_serving` is called, by a signal handler perhaps."""
        self._server.serve()

    def stop_serving(self) -> None:
        self._server.stop()

    def close(self) -> None:
        """Ends the server and closes the data file. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._server.stop()
        if self._thread is not None:
            self._thread.join()
        self._server.close()
        self.webhooks.close()
        with self.ws.lock:
            self.ws.commit()
            self._store.close()

    def _answer(self, method: str, target: str, headers: Any, raw: bytes, client: str) -> Reply:
        if target.startswith("/v1/") or target == "/v1":
            return self.service.answer(method, target, headers, raw)
        if target.startswith("/__control__/"):
            return self._control.answer(method, target, headers, raw, client)
        return self._site.answer(method, target, headers, raw)

    # -- where it is ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base URL for `notion_client.Client(base_url=…)`."""
        host, port = self._server.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    @property
    def root_page_id(self) -> str:
        return self.ws.root_page_id

    @property
    def bot_id(self) -> str:
        return self.ws.bot_id

    # -- switches ------------------------------------------------------------------------------

    @property
    def requests(self) -> Any:
        return self.service.requests

    @property
    def faults(self) -> Any:
        return self.service.faults

    @property
    def settings(self) -> Settings:
        return self.ws.settings

    @property
    def rate_limit(self) -> Any:
        """The limiter: `.per_minute` (None is off), `.used`, `.refused`, `.reset()`."""
        return self.service.rate_limit

    @rate_limit.setter
    def rate_limit(self, per_minute: int | None) -> None:
        self.service.rate_limit.per_minute = per_minute
        self.service.rate_limit.reset()

    def expire_cursors(self) -> None:
        self.service.queries.sessions.expire_all()

    def unshare(self, object_id: str) -> None:
        """Takes a page or database (and all below it) away from the connection."""
        self._share(object_id, shared=False)

    def share(self, object_id: str) -> None:
        self._share(object_id, shared=True)

    def _share(self, object_id: str, *, shared: bool) -> None:
        with self.ws.lock:
            (self.ws.unshared.discard if shared else self.ws.unshared.add)(object_id)
            self.ws.stale(set(self.ws.pages))
            self.ws.set_meta("unshared", sorted(self.ws.unshared))
            self.ws.commit()

    # -- people --------------------------------------------------------------------------------

    def as_person(self, name: str | None = None) -> Person:
        """Acts as a person: the first one, or the one of this name."""
        user_id = self.ws.person_id
        if name is not None:
            user_id = next(u["id"] for u in self.ws.users.values() if u["name"] == name)
        return Person(self.service, user_id)

    def person_token(self, name: str | None = None) -> str:
        """A bearer token whose writes are a person's."""
        person = self.as_person(name)
        token = f"ntn_person_{person.user_id.replace('-', '')}"
        with self.ws.lock:
            self.ws.tokens[token] = person.user_id
            self.ws.set_meta("tokens", self.ws.tokens)
            self.ws.commit()
        return token

    # -- reading -------------------------------------------------------------------------------

    def page(self, page_id: str) -> dict[str, Any]:
        """The page object, trashed or not."""
        return self.person.page(page_id)

    def values(self, page_id: str) -> dict[str, Any]:
        return self.person.values(page_id)

    def pages(self, source: str, *, in_trash: bool | None = False) -> list[dict[str, Any]]:
        """All rows of a data source (by id or title), oldest first; `in_trash=None`: trashed ones too."""
        found = find_source(self.ws, source)
        if found is None:
            raise LookupError(f"the sandbox has no database or data source {source!r}")
        with self.ws.lock:
            rows = sorted(self.ws.rows[found.id].values(), key=lambda page: page.number)
            wanted = [page.id for page in rows if in_trash is None or page.in_trash is in_trash]
        return [self.page(page_id) for page_id in wanted]

    def data_source_id(self, title_or_id: str) -> str:
        found = find_source(self.ws, title_or_id)
        if found is None:
            raise LookupError(f"the sandbox has no database or data source {title_or_id!r}")
        return found.id

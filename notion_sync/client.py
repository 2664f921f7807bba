"""The one door to Notion: the official client behind a shared pace, with retries that know what is safe to repeat.

notion-client's own retries are off: they would repeat a blocked request, ignore 409 and 529, and know nothing of
the other processes that share the budget (reference/request-limits; notion-client 3.1.0).
"""

from __future__ import annotations

import json
import logging
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx
import notion_client
from django.conf import settings
from django.utils.dateparse import parse_datetime
from notion_client.errors import HTTPResponseError, RequestTimeoutError

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.logs import redact
from notion_sync.budget import Budget, Lane, token

logger = logging.getLogger(__name__)

PAGE_SIZE = 100
SMALLEST_PAGE_SIZE = 5
ATTEMPTS = 4
BLOCKED = "public_api_request_blocked"
# Any write to a page in the trash is refused with this text, a second trashing too.
ARCHIVED_TEXT = "Can't edit block that is archived"
CURSOR_TEXT = "start_cursor"
# Stamps are rounded down to the minute, and clocks are never quite equal; in seconds.
CLOCK_TOLERANCE = 120.0
DATE_TOLERANCE = 5.0

Json = dict[str, Any]


class NotionUnreachable(Retryable):
    """Notion did not answer, or said that it cannot at the moment."""


class TooMuchAtOnce(NotionUnreachable):
    """Notion gave up on the answer (502, 504, time-out): a smaller question may be answered."""


class Uncertain(Retryable):
    """A create may or may not have been saved. ``page_id`` is known where Notion named it."""

    def __init__(self, message: str, page_id: str | None = None) -> None:
        super().__init__(message)
        self.page_id = page_id


class Stale(Retryable):
    """A write was not sent (again), because what it rests on was read too long ago."""


class NotAuthorised(Permanent):
    """The token is wrong, expired or lacks a capability: nothing will work until a person mends it."""


class NotShared(Permanent):
    """Deleted for good, or not shared with the integration: Notion does not tell which."""


class Refused(Permanent):
    """Notion refused what was sent, for good."""


class InTrash(Refused):
    """The page is in Notion's trash and takes no writes until it is restored."""


class InvalidCursor(Refused):
    """A query's cursor went stale: the query starts again."""


class NotionApi:
    """Calls Notion's API. One instance serves one thread and counts what it sends."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        auth: str | None = None,
        lane: Lane = Lane.AGENT,
        patience: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.lane = lane
        self.patience = patience
        self.sleep = sleep
        self.sent: Counter[str] = Counter()
        self.rate_limited = 0
        self.budget = Budget(auth or token(), settings.NOTION_REQUESTS_PER_MINUTE, sleep=sleep)
        self._reported = 0
        self._healthy = False
        self._clock_offset = self.budget.row().clock_offset
        self._date_offset = 0.0
        http = httpx.Client(
            follow_redirects=False,
            limits=httpx.Limits(max_connections=4),
            verify=_certificates(),
            event_hooks={"response": [self._note_date]},
        )
        self._client = notion_client.Client(
            client=http,
            auth=auth or token(),
            base_url=base_url or settings.NOTION_BASE_URL,
            notion_version=settings.NOTION_VERSION,
            timeout_ms=settings.NOTION_TIMEOUT_SECONDS * 1000,
            retry=False,
            logger=_library_log,
            log_level=logging.ERROR,
        )

    def __enter__(self) -> NotionApi:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self.sent.total() != self._reported:
            self.budget.count(self.sent.total() - self._reported, self.rate_limited)
            self._reported = self.sent.total()
        self._client.close()

    @property
    def requests(self) -> int:
        return self.sent.total()

    # -- endpoints ----------------------------------------------------------------------------------------------
    def me(self) -> Json:
        return self.call("GET", "users/me")

    def search(self, **body: Any) -> Json:
        return self.call("POST", "search", body)

    def database(self, database_id: str) -> Json:
        return self.call("GET", f"databases/{database_id}")

    def create_database(self, body: Json) -> Json:
        return self.call("POST", "databases", body, creates=True)

    def data_source(self, data_source_id: str) -> Json:
        return self.call("GET", f"data_sources/{data_source_id}")

    def update_data_source(self, data_source_id: str, properties: Json) -> Json:
        return self.call("PATCH", f"data_sources/{data_source_id}", {"properties": properties})

    def page(self, page_id: str) -> Json:
        return self.call("GET", f"pages/{page_id}")

    def create_page(self, data_source_id: str, properties: Json) -> Json:
        parent = {"type": "data_source_id", "data_source_id": data_source_id}
        return self.call("POST", "pages", {"parent": parent, "properties": properties}, creates=True)

    def update_page(self, page_id: str, body: Json, *, fresh_for: float | None = None) -> Json:
        return self.call("PATCH", f"pages/{page_id}", body, fresh_for=fresh_for)

    def children(self, block_id: str) -> Iterator[Json]:
        yield from self._listed("GET", f"blocks/{block_id}/children", {})

    def property_items(self, page_id: str, property_id: str) -> Iterator[Json]:
        """All entries of a list-like value. The id goes into the path as Notion gave it, encoded."""
        yield from self._listed("GET", f"pages/{page_id}/properties/{property_id}", {})

    def query(self, data_source_id: str, body: Json) -> Iterator[tuple[list[Json], bool]]:
        """Yields batches of pages, each with whether Notion cut the result off (at 10,000 rows).

        A batch that is too large to be answered in time (502, 504) is asked for in smaller pieces.
        """
        size, cursor = PAGE_SIZE, None
        while True:
            asked = body | {"page_size": size} | ({"start_cursor": cursor} if cursor else {})
            try:
                answer = self.call("POST", f"data_sources/{data_source_id}/query", asked)
            except TooMuchAtOnce:
                if size <= SMALLEST_PAGE_SIZE:
                    raise
                size = max(size // 4, SMALLEST_PAGE_SIZE)
                continue
            status = answer.get("request_status") or {}
            yield answer["results"], status.get("type") == "incomplete"
            if not answer["has_more"]:
                return
            cursor = answer["next_cursor"]

    def _listed(self, method: str, path: str, query: Json) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            asked = query | {"page_size": PAGE_SIZE} | ({"start_cursor": cursor} if cursor else {})
            answer = self.call(method, path, query=asked)
            if answer.get("object") != "list":
                yield answer
                return
            yield from answer["results"]
            if not answer.get("has_more"):
                return
            cursor = answer["next_cursor"]

    # -- one call -----------------------------------------------------------------------------------------------
    def call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        query: Json | None = None,
        creates: bool = False,
        fresh_for: float | None = None,
    ) -> Json:
        """Sends one request, again where that is safe. Raises the errors above.

        ``creates`` marks what must not be repeated blindly: Notion knows no idempotency key. With ``fresh_for``, in
        seconds, `Stale` is raised instead of sending later than that, or again: people may have written meanwhile.
        """
        asked = time.monotonic()
        for attempt in range(ATTEMPTS):
            self._wait_for_turn()
            if fresh_for is not None and (attempt or time.monotonic() - asked > fresh_for):
                raise Stale(f"{method} {path} was not sent: what it rests on was read too long ago")
            self.sent[f"{method} {path.split('/')[0]}"] += 1
            try:
                answer = self._client.request(path=path, method=method, body=body, query=query)
            except (HTTPResponseError, RequestTimeoutError, httpx.HTTPError, json.JSONDecodeError) as error:
                pause = self._judge(error, f"{method} {path}", creates, last=attempt == ATTEMPTS - 1)
                self.sleep(pause * random.uniform(0.7, 1.3) * 2**attempt)  # noqa: S311 - jitter, no secret
            else:
                self._succeeded()
                if method == "PATCH" or creates:
                    self._note_clock(answer)
                return answer
        raise NotionUnreachable(f"{method} {path} failed {ATTEMPTS} times")

    def _wait_for_turn(self) -> None:
        resting = self.budget.resting() if not self._healthy else 0.0
        if resting > self.patience:
            raise NotionUnreachable(f"Notion was unreachable; it is tried again in {resting:.0f} s", resting)
        self.budget.acquire(self.lane, self.patience)

    def _succeeded(self) -> None:
        if not self._healthy:
            self.budget.succeeded()
            self._healthy = True

    def _judge(self, error: Exception, what: str, creates: bool, last: bool) -> float:
        """Raises when the request must not be sent again, else returns the seconds to wait before that."""
        if not isinstance(error, HTTPResponseError):
            return self._unanswered(error, what, creates, last)
        body = _error_body(error)
        message = redact(f"{what}: {error.status} {body.get('code', '')}: {body.get('message') or error}")
        if error.status in {429, 529}:
            return self._slowed(error, body, message, last)
        if error.status == 409 and not last:
            return 0.3
        if error.status >= 500:
            return self._broken(error.status, body, message, creates, last)
        if error.status == 401:
            self._healthy = False
            self.budget.refused(message)
        raise _permanent(error.status, body, message, reads_one_thing=_reads_one_thing(what))

    def _unanswered(self, error: Exception, what: str, creates: bool, last: bool) -> float:
        message = f"{what}: Notion did not answer at {settings.NOTION_BASE_URL} ({type(error).__name__}: {error})"
        if settings.SANDBOX_ENABLED:
            message += ". Without NOTION_API_TOKEN this is the local sandbox, which runs while `make run` does"
        # A connection that was never made has sent nothing, so nothing can have been saved.
        unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
        self._unhealthy(message)
        if creates and not unsent:
            raise Uncertain(message)
        if last:
            raise TooMuchAtOnce(message) if isinstance(error, RequestTimeoutError) else NotionUnreachable(message)
        return 0.5

    def _broken(self, status: int, body: Json, message: str, creates: bool, last: bool) -> float:
        self._unhealthy(message)
        if creates:
            # Notion: a write may be saved and still be answered 503 (reference/request-limits).
            raise Uncertain(message, (body.get("additional_data") or {}).get("committed_resource_id"))
        if last:
            raise TooMuchAtOnce(message) if status in {502, 504} else NotionUnreachable(message)
        return 0.5

    def _slowed(self, error: HTTPResponseError, body: Json, message: str, last: bool) -> float:
        self.rate_limited += error.status == 429
        extra = body.get("additional_data") or {}
        reason = str(extra.get("rate_limit_reason") or body.get("code") or error.status)
        if reason == BLOCKED:
            raise Refused(f"{message} (Notion asks never to repeat it)")
        wait = _retry_after(error, extra)
        self.budget.pause(wait, reason)
        if last:
            raise Retryable(message, retry_after=wait)
        return 0.0  # the shared pause makes everybody wait, this caller too

    def _unhealthy(self, message: str) -> None:
        self._healthy = False
        self.budget.failed(message)

    # -- Notion's clock -----------------------------------------------------------------------------------------
    def now(self) -> datetime:
        """The time as Notion stamps its pages, or a little earlier."""
        return datetime.now(timezone.utc) + timedelta(seconds=min(self._clock_offset, self._date_offset))

    def _note_date(self, response: httpx.Response) -> None:
        """Every answer says what time it is there; a clock that is behind ours must not make us miss edits."""
        try:
            stamp = parsedate_to_datetime(response.headers["date"])
        except (KeyError, ValueError):
            return
        behind = (stamp.astimezone(timezone.utc) - datetime.now(timezone.utc)).total_seconds()
        self._date_offset = behind if behind < -DATE_TOLERANCE else 0.0

    def _note_clock(self, written: Json) -> None:
        """Learns from a page just written whether Notion's stamps are behind our clock by more than the rounding."""
        stamp = parse_datetime(written.get("last_edited_time") or "")
        if stamp is None:
            return
        behind = (stamp - datetime.now(timezone.utc)).total_seconds()
        offset = behind if behind < -CLOCK_TOLERANCE else 0.0
        if abs(offset - self._clock_offset) > CLOCK_TOLERANCE:
            self._clock_offset = offset
            self.budget.note_clock(offset)


@lru_cache(maxsize=1)
def _certificates() -> ssl.SSLContext:
    """The authorities that are trusted. Reading them takes 30 ms, so it is done once a process."""
    return httpx.create_ssl_context()


_library_log = logging.getLogger("notion_client")


def _error_body(error: HTTPResponseError) -> Json:
    """The error's JSON. notion-client drops it for codes it does not know, so it is read from the raw text."""
    try:
        found = json.loads(error.body or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _retry_after(error: HTTPResponseError, extra: Json) -> float:
    for value in (error.headers.get("retry-after"), extra.get("retry_after")):
        try:
            return max(float(value), 0.5)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
    return 5.0


def _reads_one_thing(what: str) -> bool:
    """Whether a request (“GET pages/…”) asks for the content of one page or database."""
    method, _, path = what.partition(" ")
    return path.startswith(("pages/", "databases/", "data_sources/")) and (method == "GET" or path.endswith("/query"))


def _permanent(status: int, body: Json, message: str, *, reads_one_thing: bool) -> Exception:
    text = str(body.get("message") or "")
    if status == 404 or (status == 403 and reads_one_thing):
        # What is restricted is closed to us, as what is not shared is; all else may be open.
        return NotShared(message)
    if status in {401, 403}:
        return NotAuthorised(message)
    if status == 409:
        return Conflict(message)
    if ARCHIVED_TEXT in text:
        return InTrash(message)
    if CURSOR_TEXT in text and "invalid" in text:
        return InvalidCursor(message)
    return Refused(message)

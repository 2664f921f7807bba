"""Calls out over HTTP: the only module that knows `requests`.

One `Http` speaks to one service. It reaches no other host than that of its base address, follows no redirect, gives up
in time, reads no more than it can hold, and turns every failure into an error that carries a decision.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from higherself.core.errors import Conflict, Permanent, Retryable
from higherself.core.logs import redact

logger = logging.getLogger(__name__)

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
CONNECT_SECONDS = 5.0
# Amelia answers with all appointments at once where it is not asked for pages (5.4 MB at one public site).
MAX_ANSWER_BYTES = 16 * 1024 * 1024
LONGEST_RETRY_AFTER = 24 * 3600.0
_CHUNK = 64 * 1024
_ADDRESS = re.compile(r"[^\s@/?&=\"']+(?:@|%40)[^\s@/?&=\"']+")


Self = TypeVar("Self", bound="Http")


@dataclass(frozen=True)
class Answer:
    """What came back. ``headers`` are without regard to case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON. Raises `Garbled` where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Garbled(f"The answer ({self.status}) is not JSON.", self) from None

    @property
    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `Garbled` for any other shape."""
        if not isinstance(self.json, dict):
            raise Garbled(f"The answer ({self.status}) is no JSON object.", self)
        return self.json

    @property
    def peek(self) -> dict[str, Any]:
        """The body as a JSON object, empty where it is none: for error texts."""
        try:
            return self.object
        except Retryable:
            return {}

    @property
    def retry_after(self) -> float | None:
        """``Retry-After`` in seconds, from seconds or a date (RFC 9110, 10.2.3); None where it is absent or neither."""
        return seconds_of(self.headers.get("Retry-After", ""))


class Unreachable(Retryable):
    """No answer: the connection failed, or the time was over. Whether it had an effect there is unknown."""


class Garbled(Retryable):
    """An answer that cannot be read. The effect may have happened."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class Busy(Retryable):
    """Too many requests (429), or locked for a moment (423): nothing was done."""

    def __init__(self, message: str, answer: Answer, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.answer = answer


class Failed(Retryable):
    """The service failed (5xx, 408, 425). The effect may have happened."""

    def __init__(self, message: str, answer: Answer, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after)
        self.answer = answer


class Rejected(Permanent):
    """The service understood and said no (4xx): the same request will be refused again."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class Unauthorised(Rejected):
    """The credentials are wrong or expired (401): a person has to renew them."""


class Forbidden(Rejected):
    """The credentials are right, but do not allow this (403)."""


class NotFound(Rejected):
    """There is no such thing (404, 410)."""


class AlreadyThere(Conflict):
    """The service holds something else than was expected (409, 412)."""

    def __init__(self, message: str, answer: Answer) -> None:
        super().__init__(message)
        self.answer = answer


class Http:
    """One service. ``label`` names it in messages; ``seconds`` is the patience for one answer.

    Call `limit` before work that has to be over by a certain time.
    """

    # Statuses below 500 that mean "not now" rather than "no".
    passing: ClassVar[frozenset[int]] = frozenset({408, 425})

    def __init__(
        self,
        label: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        seconds: float = 30.0,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self.label = label
        self.base = _checked(label, base_url)
        self.seconds = seconds
        self.max_bytes = max_bytes
        self._ends: float | None = None
        self._session = requests.Session()
        # Neither a ~/.netrc, which would replace our credentials, nor proxies out of the environment.
        self._session.trust_env = False
        self._session.headers.update({"User-Agent": "HigherSelf-Network-Server", "Accept": "application/json"})
        self._session.headers.update(headers or {})
        if basic:
            self._session.auth = tuple(part.encode() for part in basic)  # type: ignore[assignment]
        # What may be repeated is decided above, not by the library.
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=0))

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def limit(self, seconds: float) -> None:
        """From now on, requests fail once this many seconds are over, however slowly the answers drip."""
        self._ends = time.monotonic() + seconds

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | list[tuple[str, Any]] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Sends one request, once. ``path`` is added to the base address; an address in full must lead to its host.

        Statuses below 300 and those in ``accept`` are returned; all others raise one of this module's errors.
        """
        url = self._url(path)
        began = time.monotonic()
        answer = self._send(method, url, params=params, json=json, data=form, headers=headers)
        took = (time.monotonic() - began) * 1000
        logger.debug("%s: %s %s: %d, %.0f ms", self.label, method, _plain(url), answer.status, took)
        if answer.status < 300 or answer.status in accept:
            return answer
        raise self._error(method, url, answer)

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Answer:
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Any) -> Answer:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Answer:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    # -- for a service's own ways of saying things; overridden by its client --------------------------------------
    def explain(self, answer: Answer) -> str:
        """The service's own words for an error; empty where it has none."""
        return _words(answer.peek)

    def pause_of(self, answer: Answer) -> float | None:
        """For how many seconds the service wants to be left alone; None where it does not say."""
        return answer.retry_after

    def before(self) -> None:
        """Called before each request: the place to wait for one's turn."""

    # -- inside ---------------------------------------------------------------------------------------------------
    def _url(self, path: str) -> str:
        if not path.startswith(("https://", "http://")):
            return f"{self.base}/{path.lstrip('/')}"
        if urlsplit(path)[:2] != urlsplit(self.base)[:2]:
            raise Permanent(f"{self.label} names an address at {urlsplit(path).hostname}; only {self.base} is called.")
        return path

    def _send(self, method: str, url: str, **options: Any) -> Answer:
        self.before()
        try:
            with self._session.request(
                method, url, allow_redirects=False, stream=True, timeout=self._patience(), **options
            ) as response:
                return Answer(response.status_code, response.headers, self._read(response))
        except requests.Timeout:
            raise Unreachable(f"{self.label} did not answer {method} {_plain(url)} in time.") from None
        except requests.RequestException as error:
            # The library's own words hold the address with its query, and so perhaps a key.
            what = f"{method} {_plain(url)} ({type(error).__name__})"
            raise Unreachable(f"{self.label} could not be reached for {what}.") from None

    def _patience(self) -> tuple[float, float]:
        left = self.seconds if self._ends is None else min(self.seconds, self._ends - time.monotonic())
        if left <= 0:
            raise Retryable(f"There was no time left to ask {self.label}.")
        return min(CONNECT_SECONDS, left), left

    def _read(self, response: requests.Response) -> bytes:
        ends = time.monotonic() + self._patience()[1]
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > self.max_bytes:
                raise Permanent(f"{self.label}'s answer is over {self.max_bytes} bytes; nothing of it was used.")
            if time.monotonic() > ends:
                raise Unreachable(f"{self.label} took too long over its answer.")
        return b"".join(parts)

    def _error(self, method: str, url: str, answer: Answer) -> Exception:
        status = answer.status
        said = redact(self.explain(answer)).strip()[:300]
        what = f"{self.label} answered {status} to {method} {_plain(url)}" + (f": {said}" if said else ".")
        if status < 400:
            host = urlsplit(answer.headers.get("Location", "")).hostname or "elsewhere"
            return Rejected(f"{what} It points to {host}; redirects are not followed: correct the base URL.", answer)
        if status in (429, 423):
            return Busy(what, answer, self.pause_of(answer))
        if status in self.passing or status >= 500:
            return Failed(what, answer, self.pause_of(answer))
        if status == 401:
            return Unauthorised(f"{what} The credentials are wrong or have expired: renew them.", answer)
        if status == 403:
            return Forbidden(f"{what} The credentials do not allow this: look at their permissions.", answer)
        if status in (404, 410):
            return NotFound(what, answer)
        return AlreadyThere(what, answer) if status in (409, 412) else Rejected(what, answer)


def segment(value: object) -> str:
    """A value as one step of a path."""
    return quote(str(value), safe="")


def seconds_of(retry_after: str) -> float | None:
    """The seconds that a ``Retry-After`` means; never negative, at most a day."""
    written = retry_after.strip()
    try:
        if written.replace(".", "", 1).isdigit():
            return min(float(written), LONGEST_RETRY_AFTER)
        moment = parsedate_to_datetime(written)
    except (ValueError, TypeError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    left = (aware - datetime.now(timezone.utc)).total_seconds()
    return min(max(left, 0.0), LONGEST_RETRY_AFTER)


def _checked(label: str, base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Permanent(f"{label} has no address to call: set its base URL.")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise Permanent(f"{label}: plain http is for loopback hosts only, not for {parts.hostname}.")
    return base_url.rstrip("/")


def _plain(url: str) -> str:
    """The path without its query and without people's addresses: for logs and messages."""
    return _ADDRESS.sub("…", redact(urlsplit(url).path))


def _words(body: Mapping[str, Any]) -> str:
    """The text that most services put into an error's body."""
    for name in ("message", "error_description", "description", "detail", "error"):
        value = body.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, dict):
            return _words(value)
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else errors
    return first if isinstance(first, str) else _words(first) if isinstance(first, dict) else ""

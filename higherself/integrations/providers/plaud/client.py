"""Plaud: the text of a recording is fetched. Two interfaces exist; the credentials that are set decide.

With ``PLAUD_ACCESS_TOKEN`` the interface behind Plaud's own MCP and CLI (``/open/third-party``), which serves ordinary
accounts; else, with ``PLAUD_CLIENT_ID`` and ``PLAUD_CLIENT_SECRET``, the partners' (``/open/partner``). Sources: the
partners' API reference; public clients of the other, which has no documentation of its own.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from higherself.core.errors import Permanent, Retryable
from higherself.core.http import Answer, Http, segment
from higherself.integrations.client import Attempt, Once, Outcome, Page, ProviderClient, operation
from higherself.integrations.providers.plaud.calls import Transcript
from higherself.integrations.providers.plaud.pulled import delivery, failed, from_file, from_partner
from higherself.integrations.reading import as_list, text, time_of

FILES = "/open/third-party/files/"
TRANSCRIPTIONS = "/open/partner/ai/transcriptions/"
ROWS = 100
MOST_PAGES = 100
# A recording may be transcribed, or transcribed anew, days after it was made.
OVERLAP = timedelta(days=3)
# A transcription that is not ready yet is asked for again after this. Seconds.
UNREADY = 300.0


class PlaudClient(ProviderClient):
    needs = ("client_id", "client_secret")
    # 60 a minute for partners; for the other interface none is documented.
    per_second = 1.0
    backfill_minutes = 60

    @classmethod
    def missing(cls, options: Mapping[str, str]) -> list[str]:
        if options.get("access_token"):
            return [] if options.get("base_url") else ["base_url"]
        return super().missing(options)

    @property
    def _is_partner(self) -> bool:
        return not self.options.get("access_token")

    def credentials(self) -> dict[str, str]:
        if self._is_partner:
            return {"X-Client-Id": self.options["client_id"], "X-Client-Api-Key": self.options["client_secret"]}
        return {"Authorization": f"Bearer {self.options['access_token']}"}

    def check(self) -> None:
        if not self._is_partner:
            self.get("/open/third-party/users/current")
            return
        pair = f"{self.options['client_id']}:{self.options['client_secret']}"
        proof = "Basic " + base64.b64encode(pair.encode()).decode()
        self.post("/oauth/partner/access-token", headers={"Authorization": proof}, signed=False)

    @operation(
        "transcript.read", Transcript, once=Once.READ, record=lambda wanted: wanted.file_id or wanted.transcription_id
    )
    def read(self, wanted: Transcript, attempt: Attempt) -> Outcome:
        """Transcript and summary, through the inbox, as the webhook would bring them."""
        if self._is_partner:
            return self._partner(wanted)
        if not wanted.file_id:
            raise Permanent("Plaud's transcriptions of partners cannot be read with PLAUD_ACCESS_TOKEN; unset it.")
        found = self._file(wanted.file_id)
        if found is None:
            return Outcome({"found": False})
        told = from_file(found, self._content)
        if not (told["transcript"] or told["summary"]):
            raise Retryable(f"Plaud has not transcribed recording {wanted.file_id} yet.", retry_after=UNREADY)
        return Outcome({"found": True, "file_id": wanted.file_id}, (delivery(told, "transcript.read"),))

    def _partner(self, wanted: Transcript) -> Outcome:
        name = wanted.transcription_id
        if not name:
            raise Permanent("Plaud's partner interface knows transcriptions only, and this names a recording.")
        answer = self.get(f"{TRANSCRIPTIONS}{segment(name)}", accept=(404,))
        if answer.status == 404:
            # Results are kept for seven days.
            return Outcome({"found": False})
        found, status = answer.object, text(answer.object.get("status")).upper()
        if status == "SUCCESS":
            told = from_partner(found, wanted.file_id)
            return Outcome({"found": True, "transcription_id": name}, (delivery(told, "transcript.read"),))
        if status in {"FAILURE", "REVOKED"}:
            return Outcome({"found": True, "status": status}, (failed(found, wanted.file_id, status),))
        raise Retryable(f"Plaud's transcription {name} is {status or 'without a status'}.", retry_after=UNREADY)

    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Recordings by their creation, newest first. Partners have no list: for them there is nothing to read."""
        if self._is_partner:
            yield Page([], cursor)
            return
        began, until = datetime.now(since.tzinfo), time_of(cursor.get("until"))
        since = max(since, until - OVERLAP) if until else since
        for number in range(1, MOST_PAGES + 1):
            rows = _rows(self.get(FILES, params={"page": number, "page_size": ROWS}))
            fresh = [row for row in rows if (moment := time_of(row.get("created_at"))) is None or moment >= since]
            found = (self._file(text(row.get("id"))) for row in fresh if row.get("id"))
            told = [from_file(item, self._content) for item in found if item is not None]
            yield Page([delivery(item, "backfill") for item in told if item["transcript"] or item["summary"]], cursor)
            if len(fresh) < len(rows) or len(rows) < ROWS:
                break
        yield Page([], {"until": began.isoformat()})

    def _file(self, name: str) -> dict[str, Any] | None:
        """Most see an object; one client a list of one, another a ``data`` around it."""
        answer = self.get(f"{FILES}{segment(name)}", accept=(404,))
        if answer.status == 404:
            return None
        found = answer.json
        found = found.get("data", found) if isinstance(found, dict) else found
        found = found[0] if isinstance(found, list) and found else found
        return found if isinstance(found, dict) else None

    def _content(self, link: str) -> str:
        """A text that lies elsewhere for five minutes. Only hosts of ``PLAUD_FILE_HOSTS`` are asked, and without our
        credentials."""
        parts = urlsplit(link)
        allowed = {host.strip().lower() for host in self.options.get("file_hosts", "").split(",") if host.strip()}
        if (parts.hostname or "") not in allowed:
            raise Permanent(
                f"Plaud keeps the text at {parts.hostname or 'no host'}. If that is Plaud's, add it to "
                "PLAUD_FILE_HOSTS and replay this."
            )
        with Http("Plaud's file store", f"{parts.scheme}://{parts.netloc}", seconds=self.seconds) as store:
            return store.get(f"{parts.path}?{parts.query}").body.decode("utf-8", "replace")


def _rows(answer: Answer) -> list[dict[str, Any]]:
    found = answer.json
    items = found.get("data") if isinstance(found, dict) else found
    return [item for item in as_list(items) or [] if isinstance(item, dict)]

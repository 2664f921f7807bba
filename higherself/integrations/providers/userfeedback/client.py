"""UserFeedback's REST API on the WordPress site: surveys and their responses are read.

Source of all rules here: the plug-in's code. Nothing is written there. A WordPress user with an application password
is needed, who may see the plug-in's results and surveys.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from higherself.core.http import segment
from higherself.integrations.client import Page, ProviderClient
from higherself.integrations.delivery import Delivery
from higherself.integrations.reading import as_list, text, time_of, whole

API = "/wp-json/userfeedback/v1"
ROWS = 50
MOST_PAGES = 400


class UserFeedbackClient(ProviderClient):
    needs = ("username", "application_password")
    per_second = 3.0
    backfill_minutes = 30

    def basic(self) -> tuple[str, str]:
        return self.options["username"], self.options["application_password"]

    def check(self) -> None:
        self.get(f"{API}/surveys", params={"page": 1, "per_page": 1})

    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Each survey's responses, newest first, until one that is known: they never change. The first run stops at
        the time that is asked for, give or take a day, since their times are the site's clock without its zone."""
        seen = {str(name): whole(value) or 0 for name, value in (cursor.get("last") or {}).items()}
        for survey in self._surveys():
            name = text(survey.get("id"))
            titles = _titles(survey)
            last = newest = seen.get(name, 0)
            for rows in self._responses(name):
                fresh = [row for row in rows if _is_new(row, last, since)]
                newest = max([newest, *(whole(row.get("id")) or 0 for row in fresh)])
                yield Page([_delivery(row, survey, titles) for row in fresh], {"last": seen})
                if len(fresh) < len(rows):
                    break
            seen[name] = newest
            yield Page([], {"last": dict(seen)})

    def _surveys(self) -> Iterator[dict[str, Any]]:
        for number in range(1, MOST_PAGES + 1):
            # Without a page the answer is a bare list; with one it is an object.
            answer = self.get(f"{API}/surveys", params={"page": number, "per_page": ROWS, "orderby": "id"})
            rows = _rows(answer.json)
            for row in rows:
                if text(row.get("id")):
                    yield row if row.get("questions") else self._survey(row)
            if len(rows) < ROWS:
                return

    def _survey(self, row: dict[str, Any]) -> dict[str, Any]:
        """With its questions, whose titles the responses lack."""
        return {**row, **self.get(f"{API}/surveys/{segment(text(row['id']))}", accept=(404,)).peek}

    def _responses(self, survey: str) -> Iterator[list[dict[str, Any]]]:
        """Page and size are always given: without them the plug-in divides by nothing."""
        for number in range(1, MOST_PAGES + 1):
            params = {"page": number, "per_page": ROWS}
            answer = self.get(f"{API}/surveys/{segment(survey)}/responses", params=params, accept=(404,))
            rows = [] if answer.status == 404 else _rows(answer.json)
            if not rows:
                return
            yield rows
            if len(rows) < ROWS:
                return


def _is_new(row: Mapping[str, Any], last: int, since: datetime) -> bool:
    if last:
        return (whole(row.get("id")) or 0) > last
    moment = time_of(row.get("submitted_at"))
    return moment is None or moment >= since - timedelta(days=1)


def _rows(found: Any) -> list[dict[str, Any]]:
    items = found.get("items") if isinstance(found, dict) else found
    return [item for item in as_list(items) or [] if isinstance(item, dict)]


def _titles(survey: Mapping[str, Any]) -> dict[str, str]:
    questions = [item for item in as_list(survey.get("questions")) or [] if isinstance(item, dict)]
    return {text(item.get("id")): text(item.get("title")) for item in questions}


def _delivery(row: Mapping[str, Any], survey: Mapping[str, Any], titles: Mapping[str, str]) -> Delivery:
    """As the hook of the plug-in tells of it, with the questions' titles."""
    answers = [item for item in as_list(row.get("answers")) or [] if isinstance(item, dict)]
    body = {
        "survey_id": text(row.get("survey_id")) or text(survey.get("id")),
        "survey_title": text(survey.get("title")),
        "response_id": row.get("id"),
        "json_params": {
            "answers": [{**item, "question_title": titles.get(text(item.get("question_id")), "")} for item in answers],
            "page_submitted": row.get("page_submitted"),
        },
    }
    content = json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Delivery(content, content_type="application/json", pulled="backfill")

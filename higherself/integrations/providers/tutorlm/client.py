"""Tutor LMS' REST API: students are enrolled, enrolments are listed.

Source of all rules here: Tutor LMS' API pages and the plug-in's code. Writing needs Tutor LMS Pro. The free routes
answer 200 with ``not_found`` where there is nothing, the others 400.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from higherself.core.errors import Permanent
from higherself.core.http import Answer
from higherself.integrations.client import Attempt, Once, Outcome, Page, ProviderClient, operation
from higherself.integrations.delivery import Delivery
from higherself.integrations.providers.tutorlm.calls import Enrolment
from higherself.integrations.reading import as_list, text, time_of, whole

API = "/wp-json/tutor/v1"
USERS = "/wp-json/wp/v2/users"
MOST_PAGES = 100


class TutorClient(ProviderClient):
    needs = ("api_key", "api_secret")
    per_second = 3.0
    backfill_minutes = 60

    def credentials(self) -> dict[str, str]:
        return _basic(self.options["api_key"], self.options["api_secret"])

    def explain(self, answer: Answer) -> str:
        """The message, and which fields it is about."""
        data = answer.peek.get("data")
        details = data.get("details") if isinstance(data, dict) else None
        fields = [f"{name}: {text((as_list(words) or [words])[0])}" for name, words in _items(details)]
        return " ".join([super().explain(answer), *fields])

    def check(self) -> None:
        self.get(f"{API}/courses", params={"paged": 1})

    @operation("enrolment.create", Enrolment, once=Once.UPSERT, record=lambda wanted: wanted.name)
    def enrol(self, wanted: Enrolment, attempt: Attempt) -> Outcome:
        """Whoever is enrolled already keeps their enrolment: the site gives its id again."""
        student = wanted.user_id or self._user_of(wanted.email)
        body = {"user_id": int(student), "course_id": int(wanted.course_id)}
        answer = self.post(f"{API}/enrollments", json=body).object
        data = answer.get("data")
        number = text(data.get("enrollment_id")) if isinstance(data, dict) else ""
        if wanted.status and number:
            # It fires none of Tutor's own actions, so no bridge tells of it.
            change = {"enrollment_id": int(number), "status": wanted.status}
            self.put(f"{API}/enrollments/{wanted.status}", json=change)
        return Outcome({"enrollment_id": number, "user_id": student, "status": wanted.status})

    def _user_of(self, email: str) -> str:
        """The id of the user with this address. Tutor LMS has no route for it; WordPress' own takes no key of Tutor's,
        but the application password of a user who may list users (WordPress: REST API handbook, users)."""
        name, password = self.options.get("username", ""), self.options.get("application_password", "")
        if not (name and password):
            raise Permanent(
                "The student's id on the courses' site is not known. Set TUTORLM_USERNAME and "
                "TUTORLM_APPLICATION_PASSWORD, so that it can be looked up there, or enrol them by hand."
            )
        params = {"search": email, "context": "edit", "per_page": 100}
        found = self.get(USERS, params=params, headers=_basic(name, password)).json
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        same = [text(row.get("id")) for row in rows if text(row.get("email")).lower() == email.lower()]
        if not same:
            raise Permanent(
                "Nobody on the courses' site has this address. Make the account there, then send this again."
            )
        return same[0]

    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Enrolments, course by course. The site lists ten of a course and offers no paging: more of them are not
        seen (docs/providers.md). It has no list of finished courses or lessons."""
        for course in self._courses():
            answer = self.get(f"{API}/enrollments", params={"course_id": course}, accept=(400, 404))
            rows = [row for row in as_list(answer.peek.get("data")) or [] if isinstance(row, dict)]
            fresh = [row for row in rows if (moment := time_of(row.get("enrol_date"))) is None or moment >= since]
            yield Page([_delivery(row, self.base) for row in fresh], cursor)

    def _courses(self) -> Iterator[str]:
        for number in range(1, MOST_PAGES + 1):
            data = self.get(f"{API}/courses", params={"paged": number}, accept=(404,)).peek.get("data")
            posts = as_list(data.get("posts")) if isinstance(data, dict) else None
            for post in posts or []:
                if isinstance(post, dict) and (name := text(post.get("ID") or post.get("id"))):
                    yield name
            pages = whole(data.get("total_page")) if isinstance(data, dict) else None
            if not posts or number >= (pages or 1):
                return


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


def _items(value: Any) -> list[tuple[str, Any]]:
    return list(value.items())[:5] if isinstance(value, dict) else []


def _delivery(row: Mapping[str, Any], site: str) -> Delivery:
    """As the bridge "Advanced Tracking" tells of an enrolment."""
    body = {
        "event": "course_enrolled",
        "site_url": site,
        "data": {
            "user_id": row.get("student_id"),
            "user_email": row.get("user_email"),
            "user_name": row.get("display_name"),
            "course_id": row.get("course_id"),
            "course_title": row.get("course_title"),
            "enrollment_id": row.get("enrol_id"),
            "enrolled_at": row.get("enrol_date"),
        },
    }
    content = json.dumps(body, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")
    return Delivery(content, content_type="application/json", pulled="backfill")

"""Circle.so's Admin API v2: members are invited, tagged and read; the history of members, posts and comments.

Source of all rules here: the Admin API's OpenAPI and "usage and limits". The account has a number of requests a month
(5,000 on the Business plan): they are counted, and the history is no longer read once nine tenths are used up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from higherself.core.errors import Permanent
from higherself.core.http import Answer, NotFound, Rejected, segment
from higherself.integrations import gate
from higherself.integrations.client import Attempt, Once, Outcome, Page, ProviderClient, Traces, erasure, operation
from higherself.integrations.providers.circle.calls import Invitation, Person, Tagging
from higherself.integrations.providers.circle.pulled import comment, member, post
from higherself.integrations.reading import text, time_of

API = "/api/admin/v2"
MONTHLY_REQUESTS = 5000
# The rest of a month's requests is kept for what people and flows want.
SHARE_OF_BACKFILL = 0.9
PER_PAGE = 100
MOST_PAGES = 200
OVERLAP = timedelta(hours=6)
# Comments have no filter and change least: they are read at every second run.
COMMENTS_EVERY = timedelta(minutes=55)


class CircleClient(ProviderClient):
    needs = ("api_token",)
    # 2,000 in five minutes from one address.
    per_second = 5.0
    backfill_minutes = 30

    def credentials(self) -> dict[str, str]:
        """The OpenAPI says ``Token``, the quick start ``Bearer``: a setting decides."""
        return {"Authorization": f"{self.options.get('token_scheme') or 'Token'} {self.options['api_token']}"}

    @classmethod
    def limit_of(cls, options: Mapping[str, str]) -> int:
        written = options.get("monthly_requests", "")
        return int(written) if written.isdigit() else MONTHLY_REQUESTS

    def check(self) -> None:
        self.get(f"{API}/community_members", params={"per_page": 1, **self._community()})

    # -- operations -----------------------------------------------------------------------------------------------
    @operation("member.invite", Invitation, once=Once.LOOK_UP, record=lambda wanted: wanted.email.lower())
    def invite(self, wanted: Invitation, attempt: Attempt) -> Outcome:
        """Somebody who is a member already is left as they are, and invited a second time by nobody."""
        found = self._find(wanted.email)
        if found is not None:
            return Outcome({"member_id": text(found.get("id")), "created": False}, (member(found, "member.invite"),))
        body = {
            "email": wanted.email,
            "name": wanted.name,
            "skip_invitation": wanted.quiet,
            "space_ids": wanted.space_ids,
            "space_group_ids": wanted.space_group_ids,
            "member_tag_ids": [self._tag_id(name) for name in wanted.tags],
            "community_member_profile_fields": wanted.fields,
        }
        kept = {name: value for name, value in body.items() if value not in ("", [], {})}
        try:
            answer = self.post(f"{API}/community_members", json={**kept, **self._community()})
        except Rejected:
            # They may have joined in between, or by an attempt whose answer was lost.
            found = self._find(wanted.email)
            if found is None:
                raise
            return Outcome({"member_id": text(found.get("id")), "created": False}, (member(found, "member.invite"),))
        made = _member_of(answer.object)
        return Outcome({"member_id": text(made.get("id")), "created": True}, (member(made, "member.invite"),))

    @operation("member.tag", Tagging, once=Once.UPSERT, record=lambda wanted: wanted.email.lower())
    def tag(self, wanted: Tagging, attempt: Attempt) -> Outcome:
        """A tag that is there already is not put twice, and one that is gone is not missed."""
        tag_id = self._tag_id(wanted.tag)
        what = {"member_tag_id": tag_id, "user_email": wanted.email, **self._community()}
        if wanted.remove:
            self.delete(f"{API}/tagged_members", params=what, accept=(404,))
            return Outcome({"tag_id": tag_id, "removed": True})
        try:
            self.post(f"{API}/tagged_members", json=what)
        except (Rejected, NotFound):
            if not self._has_tag(wanted.email, tag_id):
                raise
        return Outcome({"tag_id": tag_id, "removed": False})

    @operation("member.read", Person, once=Once.READ, record=lambda wanted: wanted.member_id or wanted.email.lower())
    def read(self, wanted: Person, attempt: Attempt) -> Outcome:
        """The member as they are now, through the inbox; somebody who is gone is "not found", which is no error."""
        if wanted.member_id:
            answer = self.get(f"{API}/community_members/{segment(wanted.member_id)}", accept=(404,))
            found = None if answer.status == 404 else _member_of(answer.object)
        else:
            found = self._find(wanted.email)
        if found is None:
            return Outcome({"found": False})
        return Outcome({"found": True, "member_id": text(found.get("id"))}, (member(found, "member.read"),))

    @erasure()
    def erase(self, wanted: Traces, attempt: Attempt) -> Outcome:
        """The member is deleted, not deactivated: `DELETE` of a member only does the latter (Circle: Admin API)."""
        named = {text(found.get("id")) for mail in wanted.emails if (found := self._find(mail)) is not None}
        erased = 0
        for member_id in sorted({*named, *wanted.ids}):
            path = f"{API}/community_members/{segment(member_id)}/delete_member"
            answer = self.put(path, params=self._community(), accept=(404,))
            erased += answer.status != 404
        return Outcome({"erased": erased})

    # -- history --------------------------------------------------------------------------------------------------
    def backfill(self, since: datetime, cursor: dict[str, Any]) -> Iterator[Page]:
        """Members who joined, posts and comments, all newest first until what is older than ``since``."""
        now, until = datetime.now(timezone.utc), time_of(cursor.get("until"))
        since = max(since, until - OVERLAP) if until else since
        for records in self._newest(f"{API}/community_members", {"status": "all"}, since, "created_at"):
            yield Page([member(item, "backfill") for item in records], cursor)
        for records in self._newest(f"{API}/posts", {"sort": "latest", "status": "published"}, since, "published_at"):
            yield Page([post(item) for item in records], cursor)
        last = time_of(cursor.get("comments_at"))
        if last is None or now - last >= COMMENTS_EVERY:
            for records in self._newest(f"{API}/comments", {}, min(since, last or since), "created_at"):
                yield Page([comment(item) for item in records], cursor)
            cursor = {**cursor, "comments_at": now.isoformat()}
        yield Page([], {**cursor, "until": now.isoformat()})

    def _newest(
        self, path: str, params: Mapping[str, Any], since: datetime, field: str
    ) -> Iterator[list[dict[str, Any]]]:
        """Page by page. Circle does not promise the order: a page wholly older than ``since`` ends it."""
        for number in range(1, MOST_PAGES + 1):
            self._spare()
            answer = self.get(path, params={"page": number, "per_page": PER_PAGE, **params, **self._community()})
            records = [item for item in _records(answer) if isinstance(item, dict)]
            fresh = [item for item in records if (moment := _moment(item, field)) is None or moment >= since]
            if fresh:
                yield fresh
            if not fresh or not answer.object.get("has_next_page"):
                return

    def _spare(self) -> None:
        limit = int(self.monthly_limit * SHARE_OF_BACKFILL)
        used = gate.used_this_month(self.slug)
        if limit and used >= limit:
            raise gate.NotNow(
                f"{used} of the {self.monthly_limit} requests that Circle.so allows this month are used: its history "
                "is read again next month. What flows want is still sent.",
                retry_after=6 * 3600.0,
            )

    # -- pieces ---------------------------------------------------------------------------------------------------
    def _community(self) -> dict[str, str]:
        """An Admin token belongs to one community; naming it does no harm and makes a mistaken token visible."""
        community = self.options.get("community_id", "")
        return {"community_id": community} if community else {}

    def _find(self, email: str) -> dict[str, Any] | None:
        answer = self.get(
            f"{API}/community_members/search", params={"email": email, **self._community()}, accept=(404,)
        )
        if answer.status == 404:
            return None
        found = _member_of(answer.object)
        return found if found.get("id") else None

    def _has_tag(self, email: str, tag_id: int) -> bool:
        found = self._find(email)
        tags = found.get("member_tags") if found else None
        return any(isinstance(item, dict) and text(item.get("id")) == str(tag_id) for item in tags or [])

    def _tag_id(self, tag: str) -> int:
        """The tag's id. Raises `Permanent` where there is no such tag: somebody has to make it, or correct the name."""
        if tag.isdigit():
            return int(tag)
        for number in range(1, MOST_PAGES + 1):
            answer = self.get(f"{API}/member_tags", params={"page": number, "per_page": PER_PAGE, **self._community()})
            for item in _records(answer):
                if isinstance(item, dict) and text(item.get("name")).lower() == tag.lower() and item.get("id"):
                    return int(item["id"])
            if not answer.object.get("has_next_page"):
                break
        raise Permanent(f"Circle.so has no member tag called {tag[:100]!r}. Make it there, then replay this.")


def _records(answer: Answer) -> list[Any]:
    found = answer.object.get("records")
    return found if isinstance(found, list) else []


def _member_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """A created member stands in ``community_member``; a read one is the answer itself."""
    inner = body.get("community_member")
    return dict(inner) if isinstance(inner, dict) else dict(body)


def _moment(item: Mapping[str, Any], field: str) -> datetime | None:
    return time_of(item.get(field)) or time_of(item.get("created_at"))

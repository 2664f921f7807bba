"""Plays a month through the real endpoints: signed deliveries, jobs, rounds, evenings of the team, and a clock."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client

from agents_app import rounds, tasks
from tests.integrations import support
from tests.month.happening import Happening
from tests.month.team import Team

ZONE = ZoneInfo("America/New_York")
FIRST = datetime(2026, 12, 1, tzinfo=ZONE)
SECRETS = {
    "typeform": support.TYPEFORM_SECRET,
    "amelia": "amelia-s3cret",
    "woocommerce": "woo-s3cret",
    "circle": "circle-s3cret",
    "plaud": "plaud-s3cret",
    "userfeedback": "feedback-s3cret",
    "beehiiv": "whsec_YmVlaGlpdi1zM2NyZXQ=",
    "tutorlm": "tutor-s3cret",
}
PROOFS: dict[str, support.Sign] = {
    "typeform": support.typeform,
    "amelia": support.by_path,
    "woocommerce": support.woocommerce,
    "circle": support.by_path,
    "plaud": support.by_path,
    "userfeedback": support.by_path,
    "beehiiv": support.svix,
    "tutorlm": support.by_path,
}
# Seconds between two deliveries of a day, so that all of them, twice, fit between nine and six.
APART = 120


class Stage:
    """The clock is `time_machine`'s, moved from delivery to delivery and from evening to evening."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.client = Client()
        self.team = Team()
        self.answers: dict[int, int] = defaultdict(int)

    def play(self, script: Sequence[Happening], days: int, *, twice: random.Random | None = None) -> None:
        """Every day in turn: what comes, the jobs of the worker, and the evening. ``twice`` sends each delivery of a
        day two times, in the order of chance."""
        for day in range(1, days + 1):
            today = [item for item in script if item.day == day]
            if twice is not None:
                today = [*today, *today]
                twice.shuffle(today)
            self._morning(day)
            for place, item in enumerate(today):
                self.clock.move_to(_moment(day, 9) + timedelta(seconds=APART * place))
                self._post(item)
                tasks.drain_inbox()
            self._evening(day)

    def _post(self, item: Happening) -> None:
        body = json.dumps(item.body).encode()
        proof = PROOFS[item.provider](body, SECRETS[item.provider], "")
        url = f"/webhooks/{item.provider}" + (f"/{proof.token}" if proof.token else "")
        url += f"?{item.query}" if item.query else ""
        headers = {**proof.headers, **item.headers}
        answer = self.client.post(url, body, content_type="application/json", headers=headers)
        assert answer.status_code in (200, 202), (item.provider, answer.status_code, answer.content)
        self.answers[answer.status_code] += 1

    def _morning(self, day: int) -> None:
        self.clock.move_to(_moment(day, 6))
        tasks.task_digest()
        tasks.review_stalled()
        rounds.community_day()
        self._work()

    def _evening(self, day: int) -> None:
        self.clock.move_to(_moment(day, 23, 50))
        self._work()
        self.team.work(day)
        self._work()
        self.team.decide_what_cannot_wait()
        self._work()

    def _work(self) -> None:
        tasks.sweep()
        tasks.drain_inbox()
        rounds.tend_campaigns()
        rounds.tend_content()
        rounds.analyse_audience()
        tasks.send_notifications()


def _moment(day: int, hour: int, minute: int = 0) -> datetime:
    return FIRST + timedelta(days=day - 1, hours=hour, minutes=minute)

"""Plays a month through the real endpoints: signed deliveries, jobs, rounds, evenings of the team, and a clock."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.test import Client

from agents_app import rounds, tasks
from tests.integrations import support
from tests.month.happening import Happening
from tests.month.processes import Mortal, Web
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
# Every so many nights Notion is told.
NIGHTS = 4


class Stage:
    """The clock is `time_machine`'s, moved from delivery to delivery and from evening to evening."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        # How a piece of the server's work is done: here, or in a process that may be killed.
        self.do: Callable[[Callable[[], Any]], Any] = lambda work: work()
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
            self._take_in(day, today)
            self._evening(day)

    def _take_in(self, day: int, today: Sequence[Happening]) -> None:
        for place, item in enumerate(today):
            self.clock.move_to(_moment(day, 9) + timedelta(seconds=APART * place))
            self._post(item)
            tasks.drain_inbox()

    def _post(self, item: Happening) -> None:
        body = json.dumps(item.body).encode()
        proof = PROOFS[item.provider](body, SECRETS[item.provider], "")
        url = f"/webhooks/{item.provider}" + (f"/{proof.token}" if proof.token else "")
        url += f"?{item.query}" if item.query else ""
        status = self._send(url, body, {**proof.headers, **item.headers})
        assert status in (200, 202), (item.provider, status)
        self.answers[status] += 1

    def _send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        return self.client.post(url, body, content_type="application/json", headers=headers).status_code

    def _morning(self, day: int) -> None:
        self.clock.move_to(_moment(day, 6))
        self.do(_early)
        self.do(_work)

    def _evening(self, day: int) -> None:
        self.clock.move_to(_moment(day, 23, 50))
        self.do(_work)
        self.team.work(day)
        self.do(_work)
        self.team.decide_what_cannot_wait()
        self.do(_work)


class MortalStage(Stage):
    """The same over HTTP, with all work in processes of which some are killed. ``at_night`` is done in some nights."""

    def __init__(self, clock: Any, chance: random.Random, at_night: Callable[[], Any]) -> None:
        super().__init__(clock)
        self.mortal = Mortal(chance)
        self.web = Web(self.mortal, clock)
        self.do = self.mortal.run
        self.at_night = at_night

    def _take_in(self, day: int, today: Sequence[Happening]) -> None:
        """In two parts, so that the worker has many to do at once when it is killed."""
        half = len(today) // 2
        for begins, part in ((0, today[:half]), (half, today[half:])):
            for place, item in enumerate(part, begins):
                self.clock.move_to(_moment(day, 9) + timedelta(seconds=APART * place))
                self._post(item)
            if part:
                self.do(tasks.drain_inbox)

    def _send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        return self.web.post(url, body, {"Content-Type": "application/json", **headers}, time.time())

    def _evening(self, day: int) -> None:
        super()._evening(day)
        if day % NIGHTS == 0:
            self.do(self.at_night)


def _early() -> None:
    tasks.task_digest()
    tasks.review_stalled()
    rounds.community_day()


def _work() -> None:
    tasks.sweep()
    tasks.drain_inbox()
    tasks.heed_edits()
    rounds.tend_campaigns()
    rounds.tend_content()
    rounds.analyse_audience()
    tasks.send_notifications()


def _moment(day: int, hour: int, minute: int = 0) -> datetime:
    return FIRST + timedelta(days=day - 1, hours=hour, minutes=minute)

"""The ways of messages: what was sent, what was only printed, what waits, and what Slack hears."""

from __future__ import annotations

import json
import smtplib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from agents_app.models import Notification, NotificationTemplate
from agents_app.services import catalog, channels, messages, sender
from agents_app.services.messages import Occasion
from contacts import consent
from tests.factories import make_contact, make_notification, make_template

pytestmark = pytest.mark.usefixtures("seeded")

SECRET_PATH = "/services/T000/B000/secretsecret"


class Slack(HTTPServer):
    """Slack's incoming webhook, as far as it is called."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[str, Any]] = []
        self.status, self.headers = 200, {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{SECRET_PATH}"


class _Handler(BaseHTTPRequestHandler):
    server: Slack

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok" if self.server.status == 200 else b"no_service")

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def slack(settings: Any) -> Iterator[Slack]:
    server = Slack()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.SLACK_WEBHOOK_URL = server.url
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def the_message() -> Notification:
    return Notification.objects.get()


def test_a_template_for_slack_reaches_the_teams_channel_once(slack: Slack):
    template = make_template(channel="Slack", subject_template="New <lead>", content_template="From {{lead_name}} & co")
    rows = messages.compose(template, "team", Occasion("k", {"lead_name": "Ada"}))
    messages.queue(rows, may_exist=True)
    messages.queue(messages.compose(template, "team", Occasion("k", {"lead_name": "Ada"})), may_exist=True)
    assert (sender.send_due(), sender.send_due()) == (1, 0)
    assert slack.heard == [(SECRET_PATH, {"text": "*New &lt;lead&gt;*\nFrom Ada &amp; co"})]
    assert (the_message().status, the_message().recipient, the_message().error) == ("sent", "team channel", "")


def test_slack_that_is_busy_is_asked_again_when_it_says(slack: Slack):
    slack.status, slack.headers = 429, {"Retry-After": "90"}
    row = make_notification(channel="Slack")
    before = timezone.now()
    sender.send_due()
    row.refresh_from_db()
    assert (row.status, row.attempts, round((row.next_attempt_at - before).total_seconds() / 10)) == ("queued", 1, 9)
    assert "secretsecret" not in row.error


def test_a_webhook_that_slack_has_withdrawn_fails_at_once_and_the_address_stays_secret(slack: Slack):
    slack.status = 404
    row = make_notification(channel="Slack")
    sender.send_due()
    row.refresh_from_db()
    assert (row.status, row.attempts, "secretsecret" in row.error, "404" in row.error) == ("failed", 1, False, True)


def test_only_slack_itself_is_called(settings: Any):
    settings.SLACK_WEBHOOK_URL = "https://evil.example.org/services/x"
    row = make_notification(channel="Slack")
    sender.send_due()
    row.refresh_from_db()
    assert (row.status, row.error) == (
        "failed",
        "Not sent: SLACK_WEBHOOK_URL leads to evil.example.org, which is not Slack",
    )


def test_without_slack_its_messages_say_so():
    template = make_template(channel="Slack", content_template="x")
    (row,) = messages.compose(template, "team", Occasion("k"))
    assert (row.status, row.error) == ("skipped", "Slack is not configured: set SLACK_WEBHOOK_URL.")


def test_slack_is_not_for_people_outside_the_team(slack: Slack):
    template = make_template(channel="Slack", content_template="x")
    (row,) = messages.compose(template, "contact", Occasion("k", contact=make_contact()))
    assert (row.status, row.error) == ("skipped", "Slack reaches the team only: nothing was sent.")


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("console", "It was printed on the server's own output: nobody has been reached. Set EMAIL_URL to send mail."),
        ("dummy", "It was thrown away by the dummy backend: nobody has been reached. Set EMAIL_URL to send mail."),
    ],
)
def test_mail_that_reaches_nobody_is_not_called_sent(backend: str, words: str, settings: Any, capsys: Any):
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{backend}.EmailBackend"
    row = make_notification()
    sender.send_due()
    row.refresh_from_db()
    assert (row.status, row.error, row.sent_at) == ("printed", words, None)


def test_mail_through_a_real_backend_is_sent():
    row = make_notification()
    sender.send_due()
    row.refresh_from_db()
    assert (row.status, row.error, row.sent_at is not None, len(mail.outbox)) == ("sent", "", True, 1)


def test_marketing_needs_consent_and_the_rest_does_not():
    template = NotificationTemplate.objects.get(template_id="lead_acknowledgement")
    values = dict(messages.SAMPLE)
    contact = make_contact(email_opt_in=False)
    catalog.stale()
    plain = messages.compose(template, "contact", Occasion("a", values, contact))
    template.tags = ["Marketing"]
    marketing = messages.compose(template, "contact", Occasion("b", values, contact))
    assert [(row.status, row.error) for row in (*plain, *marketing)] == [
        ("queued", ""),
        ("skipped", "The contact has not opted in to marketing email."),
    ]


def _marketing_mail() -> Notification:
    template = NotificationTemplate.objects.get(template_id="lead_acknowledgement")
    template.tags = ["Marketing"]
    template.save()
    contact = make_contact(email_opt_in=True)
    rows = messages.compose(template, "contact", Occasion("a", dict(messages.SAMPLE), contact))
    return messages.queue(rows, may_exist=False)[0]


def test_who_says_no_while_a_message_waits_does_not_get_it():
    row = _marketing_mail()
    consent.withdrawn(row.contact, "Beehiiv", key="no", at=timezone.now())
    sender.send_due()
    row.refresh_from_db()

    assert (row.status, row.error, len(mail.outbox)) == (
        "skipped",
        "The contact has not opted in to marketing email.",
        0,
    )


def test_who_agrees_still_gets_it():
    row = _marketing_mail()
    sender.send_due()
    row.refresh_from_db()

    assert (row.status, len(mail.outbox)) == ("sent", 1)


@pytest.mark.parametrize(("code", "status"), [(450, "queued"), (550, "failed")])
def test_a_mail_server_that_says_not_now_is_asked_again(code: int, status: str, monkeypatch: Any):
    """Greylisting answers a stranger's first attempt with 450."""

    def refuse(*_args: Any) -> Any:
        raise smtplib.SMTPRecipientsRefused({"ada@example.org": (code, b"no")})

    monkeypatch.setattr(channels, "deliver", refuse)
    row = make_notification()
    sender.send_due()
    row.refresh_from_db()

    assert (row.status, row.attempts, row.next_attempt_at is not None) == (status, 1, status == "queued")


def test_a_message_over_which_workers_die_ends_with_a_person():
    row = make_notification(attempts=sender.MAX_ATTEMPTS)
    sender.send_due()
    row.refresh_from_db()

    assert (row.status, len(mail.outbox)) == ("failed", 0)
    assert row.error == f"Not sent: the worker died over it {sender.MAX_ATTEMPTS} times."

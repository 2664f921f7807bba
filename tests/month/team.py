"""What the people of the house do in the console, evening for evening; everything else is left to the server."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from agents_app.models import Approval, Task
from campaigns.models import Campaign
from tests.month.audience import EVENING, PLANNED

# The tasks that somebody does on the evening of the day on which they come up.
DONE = frozenset(
    {
        "welcome_member",
        *("plan_campaign", "approve_audience", "write_content", "approve_content", "launch_check", "review_results"),
        *("draft_content", "review_content", "revise_content", "publish_check", "publish_content"),
        "performance_review",
    }
)
PLANS_ON = 5
# What nobody waits with until the end of the month.
SOON = ("content.publish", "campaign.activate")


class Team:
    """A colleague who does the work, and the owner who decides about it."""

    def __init__(self) -> None:
        self.colleague = User.objects.create_superuser("colleague", password="a-long-password")
        self.owner = User.objects.create_superuser("owner", password="another-long-password")

    def work(self, day: int) -> None:
        console = _console(self.colleague)
        if day == PLANS_ON:
            plan_campaign(console)
        for task in Task.objects.live().filter(status="To Do").order_by("pk"):
            if task.task_key.split(":")[1] in DONE:
                _press(console, "task", task.pk, "done")

    def decide_what_cannot_wait(self) -> None:
        console = _console(self.owner)
        for approval in Approval.objects.filter(status="pending", action__in=SOON).order_by("pk"):
            # The second recording is sent back once.
            earlier = Approval.objects.filter(subject_id=approval.subject_id, action=approval.action, status="refused")
            back = EVENING in approval.subject_label and not earlier.exists()
            _press(console, "approval", approval.pk, "refuse" if back else "approve")

    def decide_about_everything(self) -> None:
        """The owner allows whatever waits."""
        console = _console(self.owner)
        for approval in Approval.objects.filter(status="pending").order_by("pk"):
            _press(console, "approval", approval.pk, "approve")


def plan_campaign(console: Client) -> None:
    """The letter about the retreat, to clients who read the newsletter; from the 12th to the 22nd."""
    data = {
        "campaign_name": PLANNED,
        "status": "Draft",
        "campaign_type": "Email",
        "channels": "Email - Beehiiv",
        "target_audience": "Active Clients",
        "target_criteria": "{}",
        "owner": "[]",
        "start_date_0": "2026-12-12",
        "start_date_1": "09:00:00",
        "end_date_0": "2026-12-22",
        "end_date_1": "09:00:00",
    }
    answer = console.post(reverse("admin:campaigns_campaign_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    assert Campaign.objects.filter(campaign_name=PLANNED).count() == 1


def _console(user: User) -> Client:
    console = Client()
    console.force_login(user)
    return console


def _press(console: Client, model: str, pk: int, name: str) -> None:
    answer = console.post(reverse(f"admin:agents_app_{model}_do", args=[pk, name]))
    assert answer.status_code == 302, (model, name, answer.content[:500])

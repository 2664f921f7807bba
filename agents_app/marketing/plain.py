"""Campaigns without mail (an event, a post, an advertisement): no workflow runs for them, but their dates and tasks do.

Looked at every minute and found by their rows: each task has its key, so it is made once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from agents_app.agents.base import Context
from agents_app.choices import OPEN_TASK, TaskStatus
from agents_app.models import Task
from agents_app.services import errands
from campaigns.choices import CampaignStatus as S
from campaigns.models import Campaign


def tend(campaign: Campaign, context: Context) -> list[str]:
    """Does what is due; returns what was done, in words."""
    said = _by_date(campaign, context.now)
    task = _TASKS.get(campaign.status)
    if campaign.status == S.CANCELLED:
        number = Task.objects.filter(task_key__startswith=f"{campaign.campaign_id}:", status__in=OPEN_TASK).update(
            status=TaskStatus.CANCELLED
        )
        said += [f"{number} tasks are cancelled"] if number else []
    elif task is not None:
        said += _make(campaign, *task, context)
    return said


def _by_date(campaign: Campaign, now: datetime) -> list[str]:
    """Its start makes it Active, its end Completed. Paused and cancelled ones are left alone."""
    start, end = campaign.start_date, campaign.end_date
    before = campaign.status
    if campaign.status == S.SCHEDULED and start is not None and start <= now:
        campaign.status = S.ACTIVE
    if campaign.status == S.ACTIVE and end is not None and end <= now:
        campaign.status = S.COMPLETED
    if campaign.status == before:
        return []
    campaign.save(update_fields=["status"])
    return [f"is {campaign.status}"]


# What somebody has to do in a status: key, words, the date that it is due around, and the days from it.
_TASKS: dict[str, tuple[str, str, str, int]] = {
    S.DRAFT: ("plan", "Plan the campaign and say whom it is for", "start_date", -14),
    S.SCHEDULED: ("launch_check", "Launch check", "start_date", -1),
    S.COMPLETED: ("review_results", "Review results", "end_date", 3),
}


def _make(campaign: Campaign, key: str, words: str, base: str, days: int, context: Context) -> list[str]:
    full = f"{campaign.campaign_id}:{key}:1"
    if Task.objects.filter(task_key=full).exists():
        return []
    about: datetime | None = getattr(campaign, base)
    due = (about or context.now + timedelta(days=3 - min(days, 0))) + timedelta(days=days)
    task, _ = errands.errand(
        full,
        f"{words}: {campaign}",
        campaign.description[:2000],
        context,
        entity=campaign.business_entity,
        due=max(due - context.now, timedelta(days=1)),
        assignee_text="marketing",
        category="Marketing",
        tags=["Marketing"],
    )
    return [f"task {task.task_id}"]

"""Rewards: programmes say what earns them; who fulfils one gets it once, as a row that names person and programme.

A programme's *Qualifying Action* is a line such as ``engagement_score >= 50``, ``course_completed`` or ``referral``.
People add, change and switch off programmes in Notion.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from community.choices import RecordKind, RewardStatus
from community.models import Member, Reward
from contacts.models import Contact

RUNNING = (RewardStatus.ACTIVE, RewardStatus.SEASONAL, RewardStatus.LIMITED_TIME)
_SCORE = re.compile(r"^\s*engagement[_ ]score\s*>=\s*(\d{1,3})\s*$", re.IGNORECASE)
COURSE, REFERRAL = "course_completed", "referral"


def issue_for_score(member: Member, contact: Contact, now: datetime) -> list[Reward]:
    """Gives whatever the member's score has reached and they have not got yet."""
    made = []
    for program in _programs(now):
        wanted = _SCORE.match(program.qualifying_action)
        if wanted and member.engagement_score >= int(wanted.group(1)):
            made += _issue(program, contact, member, program.reward_id, now)
    return made


def issue(action: str, contact: Contact, transaction_id: str, now: datetime) -> list[Reward]:
    """Gives what somebody earned by one action, such as a referral; ``transaction_id`` names the occasion."""
    member = Member.objects.live().filter(contact_profile=contact).first()
    programs = [item for item in _programs(now) if item.qualifying_action.strip().casefold() == action]
    return [row for item in programs for row in _issue(item, contact, member, f"{action}:{transaction_id}", now)]


def _programs(now: datetime) -> list[Reward]:
    today = timezone.localdate(now)
    rows = Reward.objects.live().filter(record_kind=RecordKind.PROGRAM, status__in=RUNNING)
    return [row for row in rows.exclude(qualifying_action="").order_by("pk") if _runs(row, today)]


def _runs(program: Reward, today: date) -> bool:
    begun = program.start_date is None or program.start_date <= today
    over = program.end_date is not None and program.end_date < today
    used_up = program.maximum_redemptions is not None and program.redemption_count >= program.maximum_redemptions
    return begun and not over and not used_up


def _issue(program: Reward, contact: Contact, member: Member | None, occasion: str, now: datetime) -> list[Reward]:
    key = {"qualifying_action": program.qualifying_action, "recipient": contact, "related_transaction": occasion[:200]}
    issued = Reward.objects.filter(record_kind=RecordKind.ISSUED, **key)
    if issued.exists():
        return []
    reward = Reward(
        reward_name=f"{program.reward_name}: {contact}"[:500],
        record_kind=RecordKind.ISSUED,
        program=program,
        description=program.description,
        reward_type=program.reward_type,
        status=RewardStatus.ACTIVE,
        points_value=program.points_value,
        monetary_value=program.monetary_value,
        business_entity=program.business_entity,
        start_date=timezone.localdate(now),
        **key,
    )
    try:
        with transaction.atomic():
            reward.save(force_insert=True)
    except IntegrityError:
        # Another worker gave it in the same moment.
        return []
    if member is not None:
        reward.members.add(member)
        _badge(member, program)
    Reward.objects.filter(pk=program.pk).update(redemption_count=F("redemption_count") + 1)
    return [reward]


def _badge(member: Member, program: Reward) -> None:
    """A badge is named like its programme."""
    if program.reward_type == "Achievement Badge" and program.reward_name not in member.badges:
        member.badges = [*member.badges, program.reward_name]
        member.save(update_fields=["badges"])


def expire(now: datetime) -> int:
    """Closes programmes whose time is over or that are used up; returns how many."""
    today, closed = timezone.localdate(now), 0
    rows = Reward.objects.live().filter(record_kind=RecordKind.PROGRAM, status__in=RUNNING)
    for program in rows.exclude(end_date=None, maximum_redemptions=None):
        over = program.end_date is not None and program.end_date < today
        used_up = program.maximum_redemptions is not None and program.redemption_count >= program.maximum_redemptions
        if over or used_up:
            program.status = RewardStatus.EXPIRED
            program.save(update_fields=["status"])
            closed += 1
    return closed

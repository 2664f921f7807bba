"""What the community's rows tell about people."""

from __future__ import annotations

from django.db.models import Q

from community.models import Member, Reward
from higherself.core import personal
from higherself.core.personal import Person


def _members(person: Person):  # type: ignore[no-untyped-def]
    return Member._base_manager.filter(Q(contact_profile__in=person.pks) | Q(member_email__in=person.emails or [None]))


personal.holder(
    "memberships",
    _members,
    clear={
        "member_name": "Erased person",
        "member_email": "",
        "platform_ids": dict,
        "profile_link": "",
        "interests": list,
        "interest_groups": list,
        "events_attended": list,
        "notes": "",
    },
)
personal.holder(
    "rewards", lambda person: Reward._base_manager.filter(recipient__in=person.pks), clear={"redemption_code": ""}
)

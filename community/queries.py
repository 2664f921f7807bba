"""Look-ups that several agents and pages need."""

from __future__ import annotations

from community.models import Member


def member_with_email(email: str) -> Member | None:
    """The live member with this address, in whatever case it is written."""
    return Member.objects.live().filter(member_email=email).first() if email.strip() else None

"""What feedback and lists tell about people."""

from __future__ import annotations

from campaigns.models import Campaign, Feedback
from campaigns.segments import SegmentMembership
from higherself.core import personal

personal.holder(
    "feedback",
    lambda person: Feedback._base_manager.filter(contact__in=person.pks),
    clear={"feedback_content": personal.BLOT, "response": "", "external_reference_id": ""},
)
personal.holder("segments", lambda person: SegmentMembership._base_manager.filter(contact__in=person.pks))
personal.holder(
    "campaigns",
    lambda person: Campaign._base_manager.filter(audience_contacts__in=person.pks).distinct(),
    export=lambda row: {"campaign_id": row.campaign_id, "campaign_name": row.campaign_name},
)

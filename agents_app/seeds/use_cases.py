"""The Use Cases Library: why each of the eight flows exists."""

from __future__ import annotations

from typing import Any


def _case(
    number: int, title: str, workflow: str, integrations: list[str], value: str, tags: list[str]
) -> dict[str, Any]:
    return {
        "use_case_id": f"UC-FLOW-{number}",
        "use_case_title": title,
        "business_value": value,
        "implementation_status": "Implemented",
        "priority": "High",
        "tags": tags,
        "workflow": workflow,
        "integrations": integrations,
    }


USE_CASES: list[dict[str, Any]] = [
    _case(
        1,
        "Lead Capture & Initial Processing",
        "WF-LEAD-CAPTURE",
        ["INT-NOTION", "INT-TYPEFORM", "INT-HUBSPOT", "INT-SNOVIO", "INT-USERFEEDBACK"],
        "Nobody who writes to us is forgotten, and the most promising are answered first.",
        ["Client Experience", "Revenue Generation"],
    ),
    _case(
        2,
        "Retreat Booking Management",
        "WF-RETREAT-BOOKING",
        ["INT-NOTION", "INT-AMELIA"],
        "Every guest is confirmed, prepared, received and asked for feedback.",
        ["Client Experience", "Operational Efficiency"],
    ),
    _case(
        3,
        "Art Sale & Fulfillment",
        "WF-ART-SALE",
        ["INT-NOTION", "INT-WOOCOMMERCE"],
        "Each work of art reaches its collector with papers and thanks, and stock is true.",
        ["Revenue Generation", "Operational Efficiency"],
    ),
    _case(
        4,
        "Marketing Email Campaign",
        "WF-MKTG-CAMP",
        ["INT-NOTION", "INT-BEEHIIV"],
        "Campaigns reach those who want them, and their results are measured.",
        ["Revenue Generation", "Reporting"],
    ),
    _case(
        5,
        "Automated Task Management",
        "WF-TASK-MGMT",
        ["INT-NOTION"],
        "What has to be done is written down, dated and assigned without anybody having to think of it.",
        ["Operational Efficiency", "Automation"],
    ),
    _case(
        6,
        "Community Engagement",
        "WF-COMMUNITY",
        ["INT-NOTION", "INT-CIRCLE"],
        "Members are welcomed, missed when they fall silent, and recognised.",
        ["Client Experience"],
    ),
    _case(
        7,
        "Content Creation & Distribution",
        "WF-CONT-CYCLE",
        ["INT-NOTION", "INT-BEEHIIV", "INT-PLAUD"],
        "Ideas become published content on a known path, with a review before anything goes out.",
        ["Automation"],
    ),
    _case(
        8,
        "Audience Analysis & Segmentation",
        "WF-AUDIENCE",
        ["INT-NOTION", "INT-WOOCOMMERCE", "INT-AMELIA", "INT-BEEHIIV"],
        "Messages go to those whom they concern.",
        ["Reporting", "Revenue Generation"],
    ),
]

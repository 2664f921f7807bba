"""The Data Transformations Registry: the maps that serve every form without one of its own."""

from __future__ import annotations

from typing import Any

from agents_app.leads import scoring
from agents_app.leads.fieldmap import DEFAULT_LOGIC

TRANSFORMATIONS: list[dict[str, Any]] = [
    {
        "transformation_id": "TRANSFORM-TYPEFORM-LEAD",
        "transformation_name": "Typeform Lead to Notion Contact",
        "description": "Serves every Typeform without a transformation of its own. To map one form differently, copy "
        "this row and put the form's id into Form/Source Key.",
        "source_system": "Typeform",
        "source_format": "Form Data",
        "target_system": "Notion",
        "target_format": "Notion Page",
        "form_source_key": "",
        "transformation_logic": DEFAULT_LOGIC,
        "status": "Active",
        "tags": ["CRM"],
    },
    {
        "transformation_id": "TRANSFORM-WEBSITE-LEAD",
        "transformation_name": "Website Form to Notion Contact",
        "description": "Serves every form of the website without a transformation of its own.",
        "source_system": "Website",
        "source_format": "Form Data",
        "target_system": "Notion",
        "target_format": "Notion Page",
        "form_source_key": "",
        "transformation_logic": DEFAULT_LOGIC,
        "status": "Active",
        "tags": ["CRM"],
    },
]


def _belongs(system: str, name: str) -> dict[str, Any]:
    return {
        "transformation_id": f"TRANSFORM-{name.upper()}-PEOPLE",
        "transformation_name": f"{system} People to Contacts",
        "description": f"People who come through {system} become contacts of the business that is named here. What is "
        "known of them is fixed, so no logic is needed.",
        "source_system": system,
        "source_format": "API Response",
        "target_system": "Notion",
        "target_format": "Notion Page",
        "form_source_key": "",
        "transformation_logic": {},
        "status": "Active",
        "tags": ["CRM"],
    }


TRANSFORMATIONS += [
    {
        "transformation_id": "TRANSFORM-LEAD-SCORING",
        "transformation_name": "Lead Scoring",
        "description": "How many points a lead gets for what, and from how many points it is called what. Change the "
        "logic here; an edit that cannot be used is put back and the last good table goes on.",
        "source_system": "Custom",
        "source_format": "Custom",
        "target_system": "Custom",
        "target_format": "Custom",
        "form_source_key": scoring.KEY,
        "transformation_logic": scoring.DEFAULT_LOGIC,
        "status": "Active",
        "tags": ["CRM", "Analytics"],
    },
    *(
        _belongs(system, name)
        for system, name in (
            ("Beehiiv", "beehiiv"),
            ("Circle", "circle"),
            ("TutorLM", "tutorlm"),
            ("Userfeedback", "userfeedback"),
            ("Plaud", "plaud"),
        )
    ),
]
# The business that a lead belongs to when its form names none.
DEFAULT_ENTITY = "the-connection-practice"

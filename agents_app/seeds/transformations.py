"""The Data Transformations Registry: the maps that serve every form without one of its own."""

from __future__ import annotations

from typing import Any

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
# The business that a lead belongs to when its form names none.
DEFAULT_ENTITY = "the-connection-practice"

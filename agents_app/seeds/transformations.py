"""The Data Transformations Registry: the maps that serve every form without one of its own."""

from __future__ import annotations

from typing import Any

from agents_app.leads import scoring
from agents_app.leads.fieldmap import DEFAULT_LOGIC
from agents_app.outgoing import rules

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


def _handed_on(key: str, name: str, target: str, description: str, logic: dict[str, Any]) -> dict[str, Any]:
    return {
        "transformation_id": f"TRANSFORM-{key.upper()}",
        "transformation_name": name,
        "description": f"{description} Off until the status is Active.",
        "source_system": "Notion",
        "source_format": "Database Record",
        "target_system": target,
        "target_format": "API Request",
        "form_source_key": key,
        "transformation_logic": logic,
        "status": "In Development",
        "tags": ["CRM"],
    }


TRANSFORMATIONS += [
    _handed_on(
        rules.CIRCLE,
        "Buyers to Circle.so Members",
        "Circle",
        "Who has bought a product of one of these types, or with the tag “Circle”, is invited to the community and "
        "gets the member tags; a product's tag “Circle: NAME” gives the member tag of that name.",
        {"types": ["Membership"], "member_tags": []},
    ),
    _handed_on(
        rules.TUTORLM,
        "Buyers to Tutor LMS Students",
        "TutorLM",
        "Who has bought a course is enrolled in it. A course is a row of Products & Services with Integration System "
        "TutorLM and the course's number as External ID; what sells it has the same SKU. “courses” names courses "
        "without such a row, by SKU.",
        {"courses": {}},
    ),
    _handed_on(
        rules.WOOCOMMERCE,
        "Order States to WooCommerce Notes",
        "WooCommerce",
        "What is noted at an order in the shop when it comes into one of these states here; with “for_customer” the "
        "shop mails it to the buyer.",
        {"states": {"shipped": {"note": "The order is on its way.", "for_customer": False}}},
    ),
    _handed_on(
        rules.SNOVIO,
        "Leads to Snov.io Prospects",
        "Snov.io",
        "Leads who agreed to mail are added to the list with this number; a list that feeds an active campaign starts "
        "it for them. Addresses of leads from the sources under “enrich” are looked up; whoever answers through "
        "Snov.io is anyway.",
        {"list_id": "", "sources": [], "enrich": []},
    ),
    _handed_on(
        rules.AIRTABLE,
        "Contacts and Instances to Airtable",
        "Airtable",
        "Copies of contacts and workflow instances: the table's fields on the left, ours on the right. Airtable is "
        "only written to.",
        {
            "contacts": {
                "table": "Contacts",
                "fields": {
                    "Contact ID": "contact_id",
                    "Full Name": "full_name",
                    "Email": "email",
                    "Phone": "phone",
                    "Contact Type": "contact_type",
                    "Status": "status",
                    "Lead Source": "lead_source",
                    "Tags": "tags",
                    "Email Opt-in": "email_opt_in",
                },
            },
            "instances": {
                "table": "Workflow Instances",
                "fields": {
                    "Instance ID": "instance_id",
                    "Instance Name": "instance_name",
                    "Workflow": "workflow_id",
                    "Current State": "current_state",
                    "Status": "status",
                    "Client Email": "client_lead_email",
                },
            },
        },
    ),
]
# The business that a lead belongs to when its form names none.
DEFAULT_ENTITY = "the-connection-practice"

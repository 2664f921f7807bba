"""The same end of a month, as Notion's own pages tell it: nothing here is read from our tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from notion_sync.sandbox import Sandbox
from tests.month.table import Table

Values = Mapping[str, Any]
Line = Callable[[Values, "Titles"], tuple[Any, ...]]
Titles = Mapping[str, str]


def _of(*names: str) -> Line:
    return lambda values, _titles: tuple(values.get(name) for name in names)


def _instance(values: Values, titles: Titles) -> tuple[Any, ...]:
    return (titles[values["Workflow"][0]], values["Current State"], values["Status"])


def _feedback(values: Values, _titles: Titles) -> tuple[Any, ...]:
    return (float(values["Rating"]), values["Sentiment"], values["Response Required"])


def _task(values: Values, _titles: Titles) -> tuple[Any, ...]:
    return (values["Task Key"].split(":")[1], values["Status"])


# Part of the table: which database tells it, and how a page does.
PARTS: dict[str, tuple[str, Line]] = {
    "contacts": ("Contacts & Profiles", _of("Contact Type", "Status", "Lead Source")),
    "instances": ("Active Workflow Instances", _instance),
    "products": ("Products & Services", _of("External ID", "Status")),
    "campaigns": ("Marketing Campaigns", _of("Campaign Name", "Status", "External ID")),
    "members": ("Community Hub", _of("Membership Status", "Membership Level")),
    "rewards": ("Rewards & Bounties", _of("Record Kind", "Status", "Reward Type")),
    "feedback": ("Feedback & Surveys", _feedback),
    "tasks": ("Master Tasks", _task),
}
# Of what nobody plays: the state of each row, and links that every row of these databases has.
STATES = {
    "API Integrations Catalog": "Status",
    "Agent Communication Patterns": "Status",
    "Agent Registry": "Status",
    "Business Entities Registry": "Integration Status",
    "Data Transformations Registry": "Status",
    "Notifications Templates": "Status",
    "Use Cases Library": "Implementation Status",
    "Workflows Library": "Status",
}
LINKS = (
    ("Active Workflow Instances", "Contact"),
    ("Active Workflow Instances", "Product/Service"),
    ("Active Workflow Instances", "Related Tasks"),
    ("Community Hub", "Contact Profile"),
    ("Master Tasks", "Related Contact"),
    ("Master Tasks", "Related Workflow Instance"),
    ("Rewards & Bounties", "Recipient"),
    ("Feedback & Surveys", "Action Items"),
)


def end_state(notion: Sandbox, databases: Mapping[str, int]) -> Table:
    """What the pages of the databases say, in the lines of `table.end_state`; and their links and states."""
    pages = {title: [notion.values(page["id"]) for page in notion.pages(title)] for title in databases}
    workflows = {page["id"]: notion.values(page["id"])["Workflow ID"] for page in notion.pages("Workflows Library")}
    found: Table = {
        part: _count(line(values, workflows) for values in pages[title]) for part, (title, line) in PARTS.items()
    }
    found["databases"] = {title: len(rows) for title, rows in pages.items()}
    found["states in Notion"] = _count(
        (title, values[name]) for title, name in STATES.items() for values in pages[title]
    )
    found["links in Notion"] = {
        f"{title} · {name}": sum(bool(values[name]) for values in pages[title]) for title, name in LINKS
    }
    return found


def _count(lines: Any) -> dict[str, int]:
    return dict(sorted(Counter(" · ".join(str(value or "–") for value in line) for line in lines).items()))

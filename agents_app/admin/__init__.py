"""Agents, workflows, tasks and messages in the console."""

from agents_app.admin import (
    approvals,
    assist,
    audience,
    boards,
    catalog,
    erasures,
    home,
    instances,
    messages,
    money,
    panels,
    registry,
    runs,
    stories,
    tasks,
    workflows,
)

__all__ = [
    "approvals",
    "assist",
    "audience",
    "boards",
    "catalog",
    "erasures",
    "home",
    "instances",
    "messages",
    "money",
    "panels",
    "registry",
    "runs",
    "stories",
    "tasks",
    "workflows",
]

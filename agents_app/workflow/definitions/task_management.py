"""Flow 5: how one task that belongs to no other workflow is carried through."""

from __future__ import annotations

from typing import Any

DEFINITION: dict[str, Any] = {
    "id": "WF-TASK-MGMT",
    "name": "Automated Task Management",
    "version": "1.0.0",
    "description": "The life of a task: assigned, worked on, put on hold, reopened, done or cancelled.",
    "initial": "to_do",
    "states": {
        "to_do": {"label": "To Do", "notify": [{"template": "task_assignment", "to": "assignee"}]},
        "in_progress": {"label": "In Progress"},
        "waiting": {"label": "On Hold"},
        "review": {"label": "Done, reopening possible"},
        "done": {"label": "Done", "status": "Completed"},
        "cancelled": {"label": "Cancelled", "status": "Cancelled"},
    },
    "transitions": [
        {"event": "task_created", "from": [], "to": "to_do"},
        {"event": "work_started", "from": ["to_do", "waiting"], "to": "in_progress", "manual": True},
        {"event": "put_aside", "from": ["to_do", "in_progress"], "to": "waiting", "manual": True},
        {"event": "task_done", "from": ["to_do", "in_progress", "waiting"], "to": "review", "manual": True},
        {"event": "reopened", "from": ["review"], "to": "in_progress", "manual": True},
        {
            "event": "settled",
            "from": ["review"],
            "to": "done",
            "label": "Close for good",
            "manual": True,
            "timer": {"hours": 168},
        },
        {
            "event": "task_cancelled",
            "from": ["to_do", "in_progress", "waiting"],
            "to": "cancelled",
            "label": "Cancel",
            "manual": True,
        },
    ],
}

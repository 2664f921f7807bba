"""Flow 8: one run of the audience analysis."""

from __future__ import annotations

from typing import Any

_RUNNING = ["scheduled", "collecting", "evaluating", "writing", "syncing"]

DEFINITION: dict[str, Any] = {
    "id": "WF-AUDIENCE",
    "name": "Audience Analysis & Segmentation",
    "version": "1.1.0",
    "description": "Evaluates segments over contacts and members and carries them to campaigns and platforms.",
    "initial": "scheduled",
    "states": {
        "scheduled": {"label": "Scheduled"},
        "collecting": {"label": "Collecting"},
        "evaluating": {"label": "Evaluating"},
        "writing": {"label": "Writing"},
        "syncing": {
            "label": "Syncing",
            "tasks": [
                {
                    "key": "review_segment",
                    "name": "Review new segment",
                    "role": "marketing",
                    "priority": "Low",
                    "category": "Marketing",
                    "due": {"days": 3},
                    "when": "new_segments",
                    "tags": ["Marketing"],
                }
            ],
        },
        "completed": {"label": "Completed", "status": "Completed"},
        "completed_with_errors": {
            "label": "Completed with errors",
            "status": "Completed",
            "tasks": [
                {
                    "key": "sync_failure",
                    "name": "Look into failed segment sync",
                    "role": "marketing",
                    "priority": "High",
                    "category": "Technical",
                    "due": {"days": 1},
                    "tags": ["Technical"],
                }
            ],
        },
        "failed": {"label": "Failed", "status": "Cancelled"},
    },
    "transitions": [
        {"event": "run_scheduled", "from": [], "to": "scheduled"},
        {"event": "run_started", "from": ["scheduled"], "to": "collecting", "manual": True},
        {"event": "collected", "from": ["collecting"], "to": "evaluating"},
        {"event": "evaluated", "from": ["evaluating"], "to": "writing"},
        {"event": "written", "from": ["writing"], "to": "syncing"},
        {"event": "synced", "from": ["syncing"], "to": "completed_with_errors", "guard": "partly_failed"},
        {"event": "synced", "from": ["syncing"], "to": "completed"},
        {"event": "run_failed", "from": _RUNNING, "to": "failed", "label": "Give up this run", "manual": True},
    ],
}

"""The body of a workflow's step "Send webhook". Circle documents nothing of it; all here is seen in use.

It comes bare (``{"type", "data"}``) or in an envelope (``{"body": {"type", "data"}}``), and ``data`` holds ids.
"""

from __future__ import annotations

from typing import Any, ClassVar

from higherself.integrations.reading import Named, Part, Text


class Nudge(Part):
    wanted: ClassVar[tuple[str, ...]] = ("type",)

    type: Text = ""
    event: Text = ""
    data: Named = {}

    @property
    def name(self) -> str:
        return self.type or self.event


class Data(Part):
    community_id: Text = ""
    community_member_id: Text = ""
    member_id: Text = ""
    email: Text = ""
    name: Text = ""
    profile_field_key: Text = ""
    profile_field_value: Any = None

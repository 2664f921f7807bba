"""The three-way merge of one property. Pure: no database, no network.

Base is what both sides last agreed on. Comparing with it, not with a clock, tells who changed a value: Notion
rounds its time stamps down to the minute, so two edits in one minute cannot be told apart by them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from notion_sync.properties import Owner

Same = Callable[[Any, Any], bool]


class Action(Enum):
    KEEP = "keep"  # nothing to do
    AGREE = "agree"  # both sides say the same now: only the base moves
    PULL = "pull"  # take Notion's value
    PUSH = "push"  # Notion gets ours
    CONFLICT = "conflict"  # take Notion's value, and keep ours where people see it
    REQUEST = "request"  # the edit in Notion asks the server for something


def decide(owner: Owner, same: Same, *, base: Any, local_base: Any, local: Any, remote: Any) -> Action:
    """What to do with one property of a page and a row that are tied together.

    ``base`` is the agreed value as Notion spells it, ``local_base`` as we do; they differ where a value cannot be
    spelled alike on both sides.
    """
    remote_changed = not same(remote, base)
    local_changed = not same(local, local_base)
    if not remote_changed and not local_changed:
        return Action.KEEP
    if same(local, remote):
        return Action.AGREE
    if owner is Owner.SERVER:
        return Action.PUSH
    if owner is Owner.NOTION:
        return Action.PULL
    if not remote_changed:
        return Action.PUSH
    if owner is Owner.REQUEST:
        return Action.REQUEST
    return Action.CONFLICT if local_changed else Action.PULL


def first_meeting(owner: Owner, same: Same, is_empty: Callable[[Any], bool], *, local: Any, remote: Any) -> Action:
    """What to do when a page and a row are recognised as the same thing and have no agreed values yet.

    A value that only one side has goes to the other; where both have one, Notion's stands.
    """
    if same(local, remote):
        return Action.AGREE
    if owner is Owner.SERVER:
        return Action.PUSH
    if owner is Owner.NOTION or is_empty(local):
        return Action.PULL
    if owner is Owner.REQUEST or is_empty(remote):
        return Action.PUSH
    return Action.CONFLICT

"""A workflow as a picture: Mermaid text, drawn by the admin and by Notion's own Mermaid code blocks.

Mermaid: syntax/stateDiagram.
"""

from __future__ import annotations

import re

from agents_app.workflow.machine import Definition, Transition

# Words that Mermaid reads as syntax when a state is called so.
_RESERVED = {"state", "note", "end", "class", "default", "direction", "style", "click", "hide", "scale", "as"}
_CURRENT_STYLE = "fill:#1f6feb,color:#ffffff,stroke:#0b3d91,stroke-width:2px"


def mermaid(definition: Definition, current: str = "", visited: tuple[str, ...] = ()) -> str:
    """Mermaid text of the definition, with the current state filled and the visited ones outlined."""
    lines = ["stateDiagram-v2", "    direction LR"]
    for name, state in definition.states.items():
        lines.append(f'    state "{_plain(state.label)}" as {_id(name)}')
    lines.append(f"    [*] --> {_id(definition.initial)} : {_plain(definition.start_transition.title())}")
    for name in definition.states:
        lines += [_arrow(name, transition) for transition in definition.leaving(name)]
    lines += [f"    {_id(name)} --> [*]" for name, state in definition.states.items() if state.terminal]
    return "\n".join(lines + _classes(definition, current, visited)) + "\n"


def _arrow(source: str, transition: Transition) -> str:
    condition = f" ({_plain(transition.guard)})" if transition.guard else ""
    return f"    {_id(source)} --> {_id(transition.to)} : {_plain(transition.title())}{condition}"


def _classes(definition: Definition, current: str, visited: tuple[str, ...]) -> list[str]:
    lines = []
    passed = [name for name in dict.fromkeys(visited) if name in definition.states and name != current]
    if passed:
        lines += ["    classDef visited stroke:#1f6feb,stroke-width:2px"]
        lines += [f"    class {','.join(_id(name) for name in passed)} visited"]
    if current in definition.states:
        lines += [f"    classDef current {_CURRENT_STYLE}", f"    class {_id(current)} current"]
    return lines


def _id(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _plain(text: str) -> str:
    """Text without the characters that end a Mermaid label."""
    return re.sub(r"\s+", " ", re.sub(r"[\"<>;:#{}\[\]`]", " ", text)).strip()

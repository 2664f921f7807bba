"""What a workspace is made of. Plain data: the rules live in the modules that change it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import unquote

READ_ONLY_TYPES = frozenset(
    {
        "formula",
        "rollup",
        "unique_id",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
        "button",
    }
)
OPTION_TYPES = frozenset({"select", "multi_select", "status"})
TEXT_TYPES = frozenset({"title", "rich_text"})


@dataclass(slots=True)
class Property:
    """A column. `config` is our own form of the type's settings; see schema.py for its API form."""

    id: str
    name: str
    type: str
    config: dict[str, Any] = field(default_factory=dict)
    description: str | None = None

    def option(self, option_id: str) -> dict[str, Any] | None:
        return next((o for o in self.config["options"] if o["id"] == option_id), None)

    def option_named(self, name: str) -> dict[str, Any] | None:
        wanted = name.casefold()
        return next((o for o in self.config["options"] if o["name"].casefold() == wanted), None)


@dataclass(slots=True)
class Stamps:
    """Who and when; seconds since the epoch, cut down when shown."""

    created: float
    edited: float
    created_by: str
    edited_by: str


@dataclass(slots=True)
class Database:
    id: str
    parent: dict[str, Any]
    stamps: Stamps
    title: Any = ""
    description: Any = ""
    icon: Any = None
    cover: Any = None
    is_inline: bool = False
    is_locked: bool = False
    in_trash: bool = False
    source_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DataSource:
    id: str
    database_id: str
    stamps: Stamps
    title: Any = ""
    icon: Any = None
    in_trash: bool = False
    properties: dict[str, Property] = field(default_factory=dict)
    next_unique_id: int = 1
    # Raised with every change of the schema: rendered pages of an older version are stale.
    version: int = 0
    # Not saved: what rendered.py keeps for this version.
    layout: Any = None

    def find(self, key: str) -> Property | None:
        """A property by id, by name, or by its URL-encoded id, in this order."""
        from_id = self.properties.get(key)
        if from_id is not None:
            return from_id
        for prop in self.properties.values():
            if prop.name == key:
                return prop
        return self.properties.get(unquote(key)) if "%" in key else None

    @property
    def title_property(self) -> Property:
        return self.properties["title"]


@dataclass(slots=True)
class Page:
    """`values` maps property ids to stored values; relations are kept apart, see relations.py."""

    id: str
    parent_type: str
    parent_id: str
    stamps: Stamps
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    icon: Any = None
    cover: Any = None
    in_trash: bool = False
    is_archived: bool = False
    is_locked: bool = False
    # Not saved: the rendered object without its closing brace, and what it depends on.
    cache: bytes | None = None
    cache_key: tuple[int, int] = (-1, -1)
    # Not saved: what queries still see while the index lags behind.
    shadow: Page | None = None
    shadow_until: float = 0.0


@dataclass(slots=True)
class Block:
    id: str
    parent_type: str
    parent_id: str
    type: str
    content: dict[str, Any]
    stamps: Stamps
    in_trash: bool = False


@dataclass(slots=True)
class Comment:
    id: str
    parent_type: str
    parent_id: str
    discussion_id: str
    rich_text: Any
    stamps: Stamps


_UNSAVED = ("cache", "cache_key", "shadow", "shadow_until")
_KINDS: dict[str, type] = {
    "database": Database,
    "data_source": DataSource,
    "page": Page,
    "block": Block,
    "comment": Comment,
}
KIND_OF = {cls: kind for kind, cls in _KINDS.items()}


def to_saved(item: Any) -> dict[str, Any]:
    """The JSON-able form for the data file."""
    if isinstance(item, Page):
        saved = {name: getattr(item, name) for name in Page.__slots__ if name not in _UNSAVED}
    elif isinstance(item, DataSource):
        return asdict(replace(item, layout=None))
    else:
        saved = {name: getattr(item, name) for name in type(item).__slots__}
    saved["stamps"] = [
        item.stamps.created,
        item.stamps.edited,
        item.stamps.created_by,
        item.stamps.edited_by,
    ]
    return saved


def from_saved(kind: str, saved: dict[str, Any]) -> Any:
    stamps = saved["stamps"]
    saved["stamps"] = Stamps(**stamps) if isinstance(stamps, dict) else Stamps(*stamps)
    if kind == "data_source":
        saved["properties"] = {k: Property(**v) for k, v in saved["properties"].items()}
    return _KINDS[kind](**saved)

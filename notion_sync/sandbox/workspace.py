"""The state of the sandbox in memory, and the door through which it is saved."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from . import errors
from .clock import Clock
from .ids import new_id
from .model import KIND_OF, Block, Comment, Database, DataSource, Page, Property, Stamps, from_saved, to_saved
from .relations import Relations
from .store import Store

Event = dict[str, Any]
BOT_NAME = "Local sandbox"


@dataclass
class Settings:
    """What tests and the control endpoints may switch while the sandbox runs."""

    query_cap: int = 10_000
    index_lag: float = 0.0
    cursor_seconds: float = 3600.0
    bump_reverse: bool = False  # does the other end of a relation get a new last_edited_time?


class Workspace:
    """All objects by id. Hold `lock` while reading or writing; `commit` makes changes durable."""

    def __init__(self, store: Store, clock: Clock, title: str = "Sandbox workspace") -> None:
        self.store = store
        self.clock = clock
        self.settings = Settings()
        self.lock = threading.RLock()
        self.databases: dict[str, Database] = {}
        self.sources: dict[str, DataSource] = {}
        self.pages: dict[str, Page] = {}
        self.blocks: dict[str, Block] = {}
        self.comments: dict[str, Comment] = {}
        self.rows: dict[str, dict[str, Page]] = {}
        self.children: dict[str, list[str]] = {}
        self.relations = Relations()
        self.unshared: set[str] = set()
        self.listeners: list[Callable[[Event], None]] = []
        self.revision = 0
        self.rendered_bytes = 0
        self.counter = 0
        self._dirty: dict[str, Any] = {}
        self._removed: list[str] = []
        self._events: list[Event] = []
        self._meta: dict[str, Any] = {}
        self._load(title)

    # -- users --------------------------------------------------------------------------------

    @property
    def bot(self) -> dict[str, Any]:
        return self.users[self.bot_id]

    def user(self, user_id: str) -> dict[str, Any]:
        """The full user as it stands in people values."""
        return self.users.get(user_id) or {"object": "user", "id": user_id}

    # -- life of the objects -------------------------------------------------------------------

    def stamps(self, user_id: str) -> Stamps:
        now = self.clock.now()
        return Stamps(now, now, user_id, user_id)

    def touch(self, item: Any, user_id: str) -> None:
        item.stamps.edited = self.clock.now()
        item.stamps.edited_by = user_id
        self.mark(item)

    def next_number(self) -> int:
        self.counter += 1
        return self.counter

    def add(self, item: Any) -> None:
        self._place(item)
        self.mark(item)

    def mark(self, item: Any) -> None:
        """The item will be saved with the next commit; what was rendered of it is stale."""
        self._dirty[item.id] = item
        if isinstance(item, Page):
            item.cache = None
        elif isinstance(item, DataSource):
            item.version += 1

    def save_only(self, item: Any) -> None:
        """To be saved although nothing that is shown of it has changed."""
        self._dirty[item.id] = item

    def remember_for_index(self, page: Page, *, new: bool = False) -> None:
        """While the index lags, queries see the page as it was before this write, or not at all."""
        if self.settings.index_lag <= 0:
            return
        now = self.clock.now()
        if page.shadow_until <= now:
            page.shadow = None if new else replace(page, values=dict(page.values), cache=None, shadow=None)
            page.shadow_until = now + self.settings.index_lag

    def indexed(self, page: Page) -> Page | None:
        """The page as queries and search see it."""
        if page.shadow_until and page.shadow_until > self.clock.now():
            return page.shadow
        return page

    def relocate(self, page: Page, kind: str, parent_id: str) -> None:
        if page.parent_type == "data_source_id":
            self.rows[page.parent_id].pop(page.id, None)
        elif page.id in self.children.get(page.parent_id, ()):
            self.children[page.parent_id].remove(page.id)
        page.parent_type, page.parent_id = kind, parent_id
        self._place(page)

    def rehouse(self, database: Database, parent: dict[str, Any]) -> None:
        old = self.children.get(str(database.parent.get("page_id")), [])
        if database.id in old:
            old.remove(database.id)
        database.parent = parent
        self._place(database)

    def forget(self, item: Comment) -> None:
        """Comments are the only thing that can be deleted for good."""
        self.comments.pop(item.id, None)
        self._dirty.pop(item.id, None)
        self._removed.append(item.id)

    def stale(self, page_ids: Iterable[str]) -> None:
        for page_id in page_ids:
            page = self.pages.get(page_id)
            if page is not None:
                page.cache = None

    def set_meta(self, name: str, value: Any) -> None:
        self._meta[name] = value

    def emit(self, event: Event) -> None:
        """Told to the listeners (the webhook sender) after the commit."""
        self._events.append(event)

    def commit(self) -> None:
        events, self._events = self._events, []
        if self._dirty or self._meta or self._removed or self.relations.unsaved:
            self.revision += 1
            rows = [(i.id, KIND_OF[type(i)], to_saved(i), _number(i)) for i in self._dirty.values()]
            self.store.save(rows, self._meta, self.relations, self._removed)
            self._dirty, self._meta, self._removed = {}, {}, []
        for event in events:
            for listener in self.listeners:
                listener(event)

    # -- look-ups ------------------------------------------------------------------------------

    def hidden(self, object_id: str) -> bool:
        """Not shared with the connection: itself or something above it was unshared."""
        if not self.unshared:
            return False
        return any(parent in self.unshared for parent in self.lineage(object_id))

    def lineage(self, object_id: str) -> Iterator[str]:
        """The object's id and those of everything above it."""
        current: str | None = object_id
        while current:
            yield current
            current = self.parent_of(current)

    def parent_of(self, object_id: str) -> str | None:
        if object_id in self.sources:
            return self.sources[object_id].database_id
        if object_id in self.databases:
            parent = self.databases[object_id].parent
            return parent.get(parent["type"]) if parent["type"] != "workspace" else None
        item: Any = self.pages.get(object_id) or self.blocks.get(object_id) or self.comments.get(object_id)
        return (item.parent_id or None) if item else None

    def item(self, object_id: str) -> Any:
        for shelf in (self.pages, self.sources, self.databases, self.blocks):
            if object_id in shelf:
                return shelf[object_id]
        return None

    def ancestor_in_trash(self, object_id: str) -> bool:
        above = self.lineage(object_id)
        next(above, None)
        return any((item := self.item(parent)) is not None and item.in_trash for parent in above)

    def source_of(self, page: Page) -> DataSource | None:
        return self.sources.get(page.parent_id) if page.parent_type == "data_source_id" else None

    def related(self, page: Page, prop: Property) -> list[str]:
        """The visible targets of a relation value: pages in the trash are left out."""
        targets = self.relations.targets(prop.config["relation_id"], prop.config["side"], page.id)
        return [t for t in targets if (p := self.pages.get(t)) is not None and not p.in_trash]

    def not_found(self, kind: str, object_id: str) -> errors.ApiError:
        return errors.not_found(kind, object_id, self.bot)

    # -- loading -------------------------------------------------------------------------------

    def _load(self, title: str) -> None:
        head = self.store.meta("workspace")
        if head is None:
            head = _new_head(title)
            self._meta["workspace"] = head
        self.id: str = head["id"]
        self.name: str = head["name"]
        self.bot_id: str = head["bot_id"]
        self.person_id: str = head["person_id"]
        self.root_page_id: str = head["root_page_id"]
        self.users: dict[str, dict[str, Any]] = head["users"]
        self.tokens: dict[str, str] = self.store.meta("tokens") or {}
        self.unshared.update(self.store.meta("unshared") or ())
        for kind, saved in self.store.objects():
            self._place(from_saved(kind, saved))
        for relation, a, b in self.store.links():
            self.relations.load(relation, a, b)
        for parent_id in list(self.children):
            self._sort_children(parent_id)
        if self.root_page_id not in self.pages:
            self._make_root()
        self.commit()

    def _make_root(self) -> None:
        self.add(
            Page(
                id=self.root_page_id,
                parent_type="workspace",
                parent_id="",
                stamps=self.stamps(self.person_id),
                number=self.next_number(),
                values={"title": self.name},
            )
        )

    def _place(self, item: Any) -> None:
        shelves: dict[type, dict[str, Any]] = {
            Database: self.databases,
            DataSource: self.sources,
            Page: self.pages,
            Block: self.blocks,
            Comment: self.comments,
        }
        shelves[type(item)][item.id] = item
        if isinstance(item, DataSource):
            self.rows.setdefault(item.id, {})
            for prop in item.properties.values():
                if prop.type == "relation":
                    self.relations.add_relation(prop.config["relation_id"])
        elif isinstance(item, Page):
            self.counter = max(self.counter, item.number)
            if item.parent_type == "data_source_id":
                self.rows.setdefault(item.parent_id, {})[item.id] = item
            else:
                self._adopt(item.parent_id, item.id)
        elif isinstance(item, Database):
            self._adopt(item.parent.get(item.parent["type"]), item.id)
        elif isinstance(item, Block):
            self._adopt(item.parent_id, item.id)

    def _sort_children(self, parent_id: str) -> None:
        saved = self.store.meta(f"children:{parent_id}")
        if saved:
            place = {child: index for index, child in enumerate(saved)}
            self.children[parent_id].sort(key=lambda child: place.get(child, len(place)))

    def _adopt(self, parent_id: Any, child_id: str) -> None:
        if isinstance(parent_id, str) and parent_id:
            siblings = self.children.setdefault(parent_id, [])
            if child_id not in siblings:
                siblings.append(child_id)


def _number(item: Any) -> int:
    """The order in which a data file is read back."""
    return item.number if isinstance(item, Page) else int(item.stamps.created * 1_000_000)


def _new_head(title: str) -> dict[str, Any]:
    bot_id, person_id, owner_id, workspace_id = new_id(), new_id(), new_id(), new_id()
    bot = {
        "object": "user",
        "id": bot_id,
        "name": BOT_NAME,
        "avatar_url": None,
        "type": "bot",
        "bot": {
            "owner": {"type": "workspace", "workspace": True},
            "workspace_name": title,
            "workspace_id": workspace_id,
            "workspace_limits": {"max_file_upload_size_in_bytes": 5242880},
        },
    }
    users = {
        person_id: _person(person_id, "Robin Editor", "robin@example.com"),
        owner_id: _person(owner_id, "Sam Owner", "sam@example.com"),
        bot_id: bot,
    }
    return {
        "id": workspace_id,
        "name": title,
        "bot_id": bot_id,
        "person_id": person_id,
        "root_page_id": new_id(),
        "users": users,
    }


def _person(user_id: str, name: str, email: str) -> dict[str, Any]:
    return {
        "object": "user",
        "id": user_id,
        "name": name,
        "avatar_url": None,
        "type": "person",
        "person": {"email": email, "email_verified": True},
    }

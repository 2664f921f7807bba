"""From the rows of a file to records: first only said, then done, through the records' own save."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from higherself.core.exchange import columns as cols
from higherself.core.history.values import plain

CREATED, CHANGED, UNCHANGED, REFUSED = "created", "changed", "unchanged", "refused"
CHUNK = 200


@dataclass
class Outcome:
    """What one row of the file would do, or has done."""

    row: int
    outcome: str
    record: str = ""
    changes: dict[str, list[Any]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    target: models.Model | None = None
    columns: list[str] = field(default_factory=list)
    links: dict[str, list[models.Model]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        shown = {name: [_short(old), _short(new)] for name, (old, new) in self.changes.items()}
        return {
            "row": self.row,
            "outcome": self.outcome,
            "record": self.record[:200],
            "changes": shown,
            "reasons": self.reasons,
        }


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)
    return text if len(text) <= 80 else text[:80] + "…"


def _save(found: Outcome) -> None:
    target: Any = found.target
    if found.outcome == CREATED:
        target.save(force_insert=True)
    else:
        target.save(update_fields=found.columns)


class Reader:
    """Reads the rows of one file against the records of one kind. Keeps only the keys that it has met."""

    def __init__(self, model: type[models.Model], heading: Sequence[str]) -> None:
        self.model: Any = model
        self.registered: Any = admin.site._registry[model]
        self.remarks: list[str] = []
        self.fields: dict[int, Any] = {}
        self.keys = cols.keys_of(model)
        self._bind(heading)
        self._met: dict[tuple[str, str], int] = {}

    def _bind(self, heading: Sequence[str]) -> None:
        """Which column is which field; by the field's name or by what the console calls it."""
        known = {item.name: item for item in cols.fields_of(self.model)}
        known.update({name: self.model._meta.get_field(name) for name in self.keys})
        by_label = {str(item.verbose_name).casefold(): item for item in known.values()}
        for number, title in enumerate(heading):
            item = known.get(title.strip()) or by_label.get(title.strip().casefold())
            if item is None:
                if title.strip():
                    self.remarks.append(_("The column “%(name)s” is not known and is left out.") % {"name": title})
            elif item.name not in self.keys and cols.is_kept_by_server(self.model, item.name):
                self.remarks.append(_("The column “%(name)s” is kept by the server and is left out.") % {"name": title})
            else:
                self.fields[number] = item
        if not self.fields:
            self.remarks.append(_("No column of the first row is a field of these records."))

    def outcomes(self, rows: Sequence[tuple[int, list[str]]]) -> Iterator[Outcome]:
        """What each of some rows means; a fixed number of look-ups for all of them."""
        texts = {number: self._texts(row) for number, row in rows}
        existing = self._existing(texts.values())
        related = {
            item.name: cols.related_rows(item, [row[item.name] for row in texts.values() if item.name in row])
            for item in self.fields.values()
            if item.is_relation
        }
        for number, row in texts.items():
            if row:
                yield self._one(number, row, existing, related)

    def _texts(self, row: list[str]) -> dict[str, str]:
        """The cells that say something. An empty one leaves its field as it is."""
        return {item.name: row[at] for at, item in self.fields.items() if at < len(row) and row[at] != ""}

    def _existing(self, texts: Any) -> dict[tuple[str, str], models.Model]:
        wanted: dict[str, set[str]] = defaultdict(set)
        for row in texts:
            for key in self.keys:
                if key in row:
                    wanted[key].add(self._normal(key, row[key]))
        found: dict[tuple[str, str], models.Model] = {}
        links = [item.name for item in self.fields.values() if item.many_to_many]
        for key, values in wanted.items():
            queryset = self.model.objects.live().filter(**{f"{key}__in": values}).prefetch_related(*links)
            for record in queryset:
                found[(key, self._normal(key, str(getattr(record, key))))] = record
        return found

    def _normal(self, key: str, text: str) -> str:
        value = self.model._meta.get_field(key).to_python(text)
        return str(value)

    def _one(
        self, number: int, row: dict[str, str], existing: dict[tuple[str, str], models.Model], related: dict[str, Any]
    ) -> Outcome:
        found = Outcome(number, REFUSED)
        keys = [(key, self._normal(key, row[key])) for key in self.keys if key in row]
        twice = [self._met[key] for key in keys if key in self._met]
        if twice:
            found.reasons.append(_("row %(n)d of the file is about the same record") % {"n": twice[0]})
            return found
        self._met.update(dict.fromkeys(keys, number))
        target = next((existing[key] for key in keys if key in existing), None)
        if target is None and not getattr(self.registered, "import_adds", True):
            found.reasons.append(_("there is no such record, and this kind is not made by import"))
            return found
        found.target = target or self.model(sync_origin="Import")
        self._fill(found, row, related, new=target is None)
        if not found.reasons:
            self._check(found, new=target is None)
        if not found.reasons:
            found.outcome = CREATED if target is None else CHANGED if found.changes else UNCHANGED
        found.record = str(found.target) if found.outcome != REFUSED or target is not None else ""
        return found

    def _fill(self, found: Outcome, row: dict[str, str], related: dict[str, Any], *, new: bool) -> None:
        for name, text in row.items():
            item: Any = self.model._meta.get_field(name)
            if name in self.keys and not item.editable and not new:
                continue  # a public id finds its record and never changes
            try:
                value = cols.from_cell(item, text, related.get(name, {}))
            except (ValidationError, ValueError) as error:
                said = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                found.reasons.append(f"{item.verbose_name}: {said}")
                continue
            self._set(found, item, value, new=new)

    def _set(self, found: Outcome, item: Any, value: Any, *, new: bool) -> None:
        target: Any = found.target
        if item.many_to_many:
            old = [] if new else list(getattr(target, item.name).all())
            if {other.pk for other in old} != {other.pk for other in value}:
                found.links[item.name] = value
                found.changes[item.name] = [[str(one) for one in old], [str(one) for one in value]]
            return
        old = getattr(target, item.attname)
        if new or plain(old) != plain(value):
            setattr(target, item.attname, value)
            found.columns.append(item.name)
            found.changes[item.name] = [None if new else plain(old), plain(value)]

    def _check(self, found: Outcome, *, new: bool) -> None:
        """The model's own rules, and the database's unique ones, for what the row changes."""
        target: Any = found.target
        touched = set(found.columns)
        if not (touched or new):
            return
        fill = getattr(target, "fill_identity", None)
        if new and fill is not None:
            fill()
        others = set() if new else {item.name for item in self.model._meta.fields} - touched
        try:
            target.full_clean(exclude=others | {"updated_at", "local_change_at"})
        except ValidationError as error:
            for name, said in error.message_dict.items():
                label = name if name == "__all__" else str(self.model._meta.get_field(name).verbose_name)
                text = " ".join(said)
                found.reasons.append(text if name == "__all__" else f"{label}: {text}")
        problem = getattr(self.registered, "import_problem", None)
        if not found.reasons and problem is not None and (said := problem(target)):
            found.reasons.append(said)

    def carry_out(self, found: Outcome, actor: str) -> None:
        """Saves one row's record; what the database refuses is a reason like any other."""
        target: Any = found.target
        if found.outcome not in {CREATED, CHANGED}:
            return
        try:
            with transaction.atomic():
                if found.outcome == CREATED or found.columns:
                    self.registered.import_save(target, actor, partial(_save, found))
                for name, others in found.links.items():
                    getattr(target, name).set(others)
        except IntegrityError as error:
            found.outcome, found.reasons = REFUSED, [str(error)]

"""One person, several contacts: merged into one, and taken apart again where it was a mistake."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import consent
from contacts.merges import ContactMerge
from contacts.models import Contact
from higherself.core import history
from higherself.core.errors import Permanent
from higherself.core.history.values import plain

# Lists of both are united; all other fields come from the contact that is chosen for each.
_UNITED = ("tags", "interests", "marketing_segments", "artistic_mediums", "experience_attended")
# So are the ids that services know the person by: of two at one service, the survivor's.
_IDS = "external_ids"
# A merged contact keeps its own identity, and what tells of the row itself.
_OWN = frozenset(
    {"id", "contact_id", "created_at", "updated_at", "archived_at", "local_change_at", "sync_paused", "sync_origin"}
)


def merged_into(survivors: Collection[int]) -> list[int]:
    """The contacts that were merged into these, and into those, and so on."""
    found: list[int] = []
    level = set(survivors)
    while level:
        rows = ContactMerge.objects.filter(survivor__in=level, undone_at__isnull=True)
        level = set(rows.values_list("merged_id", flat=True)) - set(found) - set(survivors)
        found += sorted(level)
    return found


def survivor_of(email: str) -> int | None:
    """The contact that somebody with this address was merged into, so that news of the person find it."""
    return _end_of(ContactMerge.objects.filter(email=email)) if email else None


def known_by(name: str, values: Collection[str]) -> Contact | None:
    """The live contact, locked, whom a service knows by one of these values of the field ``name``; also one into which
    a contact with such a value was merged, for a person may have two records over there as well."""
    wanted = [value for value in values if value]
    if not wanted:
        return None
    rows = Contact.objects.live().select_for_update(of=("self",))
    found = rows.filter(**{f"{name}__in": wanted}).order_by("pk").first()
    if found is not None:
        return found
    survivor = _end_of(ContactMerge.objects.filter(**{f"merged__{name}__in": wanted}))
    return rows.filter(pk=survivor).first() if survivor else None


def _end_of(merges: models.QuerySet[ContactMerge]) -> int | None:
    """Where the newest of these merges leads in the end."""
    seen: set[int] = set()
    row = merges.filter(undone_at__isnull=True).order_by("-pk").first()
    while row is not None and row.survivor_id not in seen:
        seen.add(row.survivor_id)
        further = ContactMerge.objects.filter(merged=row.survivor_id, undone_at__isnull=True).order_by("-pk").first()
        if further is None:
            return row.survivor_id
        row = further
    return None


def fields_to_choose() -> list[models.Field[Any, Any]]:
    """The fields for which one of the contacts is chosen."""
    return [item for item in Contact._meta.concrete_fields if item.name not in {*_OWN, *_UNITED, _IDS}]


@transaction.atomic
def merge(survivor: Contact, others: Sequence[Contact], chosen: Mapping[str, int], actor: str) -> Contact:
    """Merges ``others`` into ``survivor``. ``chosen`` says, by field, whose value stands (a contact's key).

    Everything that points to the others points to the survivor afterwards; the others are archived. Raises `Permanent`
    for a choice that is not possible; nothing has been changed then.
    """
    keys = [survivor.pk, *(row.pk for row in others)]
    locked = {row.pk: row for row in Contact._base_manager.select_for_update().filter(pk__in=keys)}
    if len(set(keys)) < 2 or len(locked) < len(set(keys)):
        raise Permanent(_("Choose two contacts or more."))
    if any(row.is_archived for row in locked.values()):
        raise Permanent(_("One of them is archived: restore it first."))
    kept = locked[survivor.pk]
    with history.by(actor, history.PERSON):
        for row in locked.values():
            consent.begin(row)
        before = _choose(kept, [locked[key] for key in keys[1:]], locked, chosen)
        for key in keys[1:]:
            _absorb(kept, locked[key], before, actor)
            before = {}
        try:
            kept.full_clean(exclude=["contact_id"])
        except ValidationError as error:
            raise Permanent("; ".join(error.messages)) from error
        kept.save()
        # Consent is not chosen: it follows from all that the person has said, under whichever contact.
        consent.follow(kept)
    return kept


def _choose(
    kept: Contact, others: list[Contact], locked: Mapping[int, Contact], chosen: Mapping[str, int]
) -> dict[str, list[Any]]:
    """Gives the survivor the chosen values; returns what changed."""
    before: dict[str, list[Any]] = {}
    for item in fields_to_choose():
        source = locked.get(chosen.get(item.name, kept.pk))
        if source is None:
            raise Permanent(_("“%(field)s” is chosen from a contact that is not merged.") % {"field": item.name})
        _put(kept, item, getattr(source, item.attname), before)
    known = [row.external_ids for row in (*reversed(others), kept) if isinstance(row.external_ids, dict)]
    together = {service: name for ids in known for service, name in ids.items()}
    _put(kept, Contact._meta.get_field(_IDS), together, before)
    for name in _UNITED:
        values = [value for row in (kept, *others) for value in getattr(row, name)]
        _put(kept, Contact._meta.get_field(name), list(dict.fromkeys(values)), before)
    return before


def _put(row: Contact, item: Any, value: Any, before: dict[str, list[Any]]) -> None:
    old = getattr(row, item.attname)
    if old != value:
        before[item.name] = [plain(old), plain(value)]
        setattr(row, item.attname, value)


def _absorb(kept: Contact, other: Contact, before: dict[str, list[Any]], actor: str) -> None:
    moved = _move(other, kept)
    ContactMerge.objects.create(survivor=kept, merged=other, email=other.email, actor=actor, moved=moved, before=before)
    other.archive()


def _relations() -> list[Any]:
    return [item for item in Contact._meta.related_objects if item.related_model is not ContactMerge]


def _move(source: Contact, target: Contact, only: Mapping[str, list[int]] | None = None) -> dict[str, list[int]]:
    """Points everything that points to one contact to another; returns what it was, by relation."""
    moved: dict[str, list[int]] = {}
    for relation in _relations():
        name = f"{relation.related_model._meta.label_lower}.{relation.field.name}"
        wanted = None if only is None else only.get(name, [])
        if wanted == []:
            continue
        keys = (
            _move_links(relation, source, target, wanted)
            if relation.many_to_many
            else _move_rows(relation, source, target, wanted)
        )
        if keys:
            moved[name] = keys
    name = "contacts.contact.business_entities"
    wanted = None if only is None else only.get(name, [])
    mine = set(target.business_entities.values_list("pk", flat=True))
    entities = [key for key in source.business_entities.values_list("pk", flat=True) if key not in mine]
    if only is None and entities:
        # Added, not taken away: an archived contact keeps its own.
        target.business_entities.add(*entities)
        moved[name] = entities
    return moved


def _move_rows(relation: Any, source: Contact, target: Contact, wanted: list[int] | None) -> list[int]:
    """Foreign keys. A row that the target has already, by a unique rule, stays where it is."""
    rows = relation.related_model._default_manager.filter(**{relation.field.name: source})
    if wanted is not None:
        rows = rows.filter(pk__in=wanted)
    keys = list(rows.values_list("pk", flat=True))
    try:
        with transaction.atomic():
            rows.filter(pk__in=keys).update(**{relation.field.name: target})
        return keys
    except IntegrityError:
        return [key for key in keys if _move_row(relation, key, target)]


def _move_row(relation: Any, key: int, target: Contact) -> bool:
    try:
        with transaction.atomic():
            relation.related_model._default_manager.filter(pk=key).update(**{relation.field.name: target})
    except IntegrityError:
        return False
    return True


def _move_links(relation: Any, source: Contact, target: Contact, wanted: list[int] | None) -> list[int]:
    """To-many relations from the other side: campaigns' audiences and the like."""
    if not relation.through._meta.auto_created:
        return []  # its own table has a foreign key to the contact, which is moved as such
    owners = relation.related_model._base_manager.filter(**{relation.field.name: source})
    if wanted is not None:
        owners = owners.filter(pk__in=wanted)
    keys = list(owners.values_list("pk", flat=True))
    for owner in owners:
        getattr(owner, relation.field.name).add(target)
        getattr(owner, relation.field.name).remove(source)
    return keys


@transaction.atomic
def undo(row: ContactMerge, actor: str) -> None:
    """Takes a merge apart: the merged contact comes back with what it had; the survivor's fields go back where they
    still are as the merge left them. Raises `Permanent` when it cannot be done."""
    row = ContactMerge.objects.select_for_update(of=("self",)).select_related("survivor", "merged").get(pk=row.pk)
    if row.undone_at is not None:
        raise Permanent(_("This merge was taken apart already."))
    kept, other = row.survivor, row.merged
    with history.by(actor, history.PERSON):
        changed = []
        for name, (old, new) in row.before.items():
            item: Any = Contact._meta.get_field(name)
            if plain(getattr(kept, item.attname)) == new:
                setattr(kept, item.attname, item.to_python(old))
                changed.append(name)
        if changed:
            kept.save(update_fields=changed)
        try:
            with transaction.atomic():
                other.restore()
        except IntegrityError as error:
            text = _("Another contact has the e-mail address %(email)s now.")
            raise Permanent(text % {"email": other.email}) from error
        _move(kept, other, only=row.moved)
        kept.business_entities.remove(*row.moved.get("contacts.contact.business_entities", []))
        for contact in (kept, other):
            consent.follow(contact)
    row.undone_at = timezone.now()
    row.save(update_fields=["undone_at"])

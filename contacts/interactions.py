"""What people do, what it is worth, and the figures that follow from it.

Every figure is computed from all interactions of a person, so it does not matter in which order they arrive.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import Max

from contacts.choices import InteractionKind as Kind
from contacts.ledger import Interaction
from contacts.models import Contact

POINTS: dict[str, int] = {
    Kind.JOINED: 10,
    Kind.POST: 10,
    Kind.COMMENT: 5,
    Kind.REACTION: 2,
    Kind.LOGIN: 1,
    Kind.EVENT_ATTENDED: 15,
    Kind.EVENT_SIGNUP: 3,
    Kind.PROFILE_UPDATED: 3,
    Kind.COMMUNITY_OTHER: 1,
    Kind.COURSE_ENROLLED: 10,
    Kind.COURSE_COMPLETED: 20,
    Kind.LESSON_COMPLETED: 3,
    Kind.QUIZ_FINISHED: 3,
    Kind.SURVEY_ANSWERED: 5,
    Kind.FORM_SUBMITTED: 5,
    Kind.SUBSCRIBED: 5,
    Kind.EMAIL_OPENED: 1,
    Kind.EMAIL_CLICKED: 3,
    Kind.EMAIL_REPLIED: 8,
    Kind.BOOKING: 20,
    Kind.PURCHASE: 20,
}
# What happens to people and is not their doing, or tells that they went: no sign of life.
PASSIVE = frozenset({Kind.EMAIL_SENT, Kind.EMAIL_BOUNCED, Kind.LEFT, Kind.COURSE_LEFT})
COMMUNITY = frozenset(
    {
        *(Kind.JOINED, Kind.LEFT, Kind.POST, Kind.COMMENT, Kind.REACTION, Kind.LOGIN, Kind.EVENT_ATTENDED),
        *(Kind.EVENT_SIGNUP, Kind.PROFILE_UPDATED, Kind.COMMUNITY_OTHER),
        *(Kind.COURSE_ENROLLED, Kind.COURSE_COMPLETED, Kind.LESSON_COMPLETED, Kind.QUIZ_FINISHED),
    }
)
HIGHEST = 100
# Each interaction loses a tenth of its worth every 30 days. After two years what is left of it does not count.
KEPT, PERIOD = 0.9, timedelta(days=30)
WINDOW = timedelta(days=730)


def record(
    contact: Contact | None,
    kind: str,
    *,
    source: str,
    key: str,
    at: datetime,
    identity: str = "",
    about: str = "",
    points: int | None = None,
) -> bool:
    """Stores one interaction; False when it was stored before. Give a contact, or an identity that gets one later.

    ``key`` must be unique among all: begin it with the source. Of several times that are told of the same thing the
    earliest is kept. The contact's figures follow with `refresh`.
    """
    row, created = Interaction.objects.get_or_create(
        key=key[:300],
        defaults={
            "contact": contact,
            "identity": identity[:200],
            "kind": kind,
            "source": source[:100],
            "at": at,
            "about": about[:300],
            "points": POINTS.get(kind, 0) if points is None else points,
        },
    )
    if not created and at < row.at:
        Interaction.objects.filter(pk=row.pk).update(at=at)
    return created


def known_as(identity: str) -> Contact | None:
    """The live contact whom a service knows under this identity, from what they did there before."""
    rows = Interaction.objects.filter(identity=identity, contact__archived_at__isnull=True).exclude(contact=None)
    found = rows.select_related("contact").order_by("-pk").first() if identity else None
    return found.contact if found else None


def claim(identity: str, contact: Contact) -> int:
    """Gives the contact what somebody of this identity did before we knew who it was; returns how much that is."""
    if not identity:
        return 0
    return Interaction.objects.filter(identity=identity, contact__isnull=True).update(contact=contact)


def score(done: Iterable[tuple[datetime, int]], now: datetime) -> int:
    """0 to 100 from pairs of time and points. What lies in the future counts as if it were now."""
    total = 0.0
    for at, points in done:
        age = max(now - at, timedelta())
        if age <= WINDOW:
            total += points * KEPT ** (age / PERIOD)
    return min(HIGHEST, round(total))


def refresh(contact: Contact, now: datetime) -> list[str]:
    """Sets score and last interaction in memory; returns the names of the fields that differ now.

    The last interaction never goes back: other sources than these rows may know a later one.
    """
    rows = list(contact.interactions.order_by().values_list("kind", "at", "points"))
    wanted = {"engagement_score": score(((at, points) for _, at, points in rows), now)}
    last = max((at for kind, at, _ in rows if kind not in PASSIVE), default=None)
    changed = [name for name, value in wanted.items() if getattr(contact, name) != value]
    contact.engagement_score = wanted["engagement_score"]
    if last is not None and (contact.last_interaction is None or last > contact.last_interaction):
        contact.last_interaction = last
        changed.append("last_interaction")
    return changed


def latest(contact: Contact, kinds: Collection[str]) -> datetime | None:
    """When this person last did something of these kinds."""
    found: datetime | None = contact.interactions.filter(kind__in=kinds).aggregate(last=Max("at"))["last"]
    return found


def decay(now: datetime, *, batch: int = 1000) -> int:
    """Writes the scores that time has changed; returns how many were. Unchanged contacts are not touched."""
    written, after = 0, 0
    due = Contact.objects.filter(engagement_score__gt=0).order_by("pk")
    while rows := list(due.filter(pk__gt=after).only("pk", "engagement_score")[:batch]):
        after = rows[-1].pk
        done: dict[int, list[tuple[datetime, int]]] = {row.pk: [] for row in rows}
        told = Interaction.objects.filter(contact__in=rows, at__gte=now - WINDOW).order_by()
        for contact_id, at, points in told.values_list("contact_id", "at", "points"):
            done[contact_id].append((at, points))
        changed: dict[int, list[int]] = {}
        for row in rows:
            # Scores without any interaction behind them were set by other means and are left alone.
            if done[row.pk] and (value := score(done[row.pk], now)) != row.engagement_score:
                changed.setdefault(value, []).append(row.pk)
        for value, ids in changed.items():
            written += Contact.objects.filter(pk__in=ids).update(engagement_score=value)
    return written

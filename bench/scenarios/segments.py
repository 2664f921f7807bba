"""A segment over 100,000 contacts: evaluated, compared with who is in it, and its differences written.

The evaluation runs in a process of its own, so that its memory is measured and not that of making the contacts.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from django.utils import timezone

from bench.options import Options
from bench.results import Result
from bench.stage import Stage, run
from campaigns.models import Segment, SegmentMembership
from contacts.choices import ContactStatus
from contacts.models import Contact, Interaction

CONTACTS = 100_000
SECONDS, MEGABYTES = 5, 300
_BATCH = 5000
# Rules of each kind: own columns, names in a list, consent, and what people did.
CRITERIA = {
    "match": "all",
    "rules": [
        {"field": "accepts_email_marketing", "operator": "equals", "value": True},
        {
            "match": "any",
            "rules": [
                {"field": "tags", "operator": "contains", "value": "VIP"},
                {"field": "status", "operator": "in", "value": ["Active Client", "Former Client"]},
                {"field": "did.purchase", "operator": "within_days", "value": 90},
            ],
        },
    ],
}


def measure(stage: Stage, options: Options, result: Result) -> None:
    stage.prepare()
    count = options.rows(CONTACTS)
    _make(count)
    segment = Segment.objects.create(name="Bench", criteria=CRITERIA)
    first = _evaluate(segment)
    # Half of the VIPs are none any more, and as many others become one.
    _swap(count)
    second = _evaluate(segment)
    third = _evaluate(segment)
    result.figures = {"contacts": count, "filled": first, "a fifth changed": second, "nothing changed": third}
    runs = (first, second, third)
    result.at_most("slowest evaluation, s", max(item["seconds"] for item in runs), SECONDS)
    result.at_most("peak memory, MB", max(item["megabytes"] for item in runs), MEGABYTES)
    result.at_most("differences when nothing changed", third["entered"] + third["left"], 0)
    wrong = abs(_expected(count) - SegmentMembership.objects.filter(left_at__isnull=True).count())
    result.at_most("contacts wrongly in or out", wrong, 0)


def _tags(number: int) -> list[str]:
    return ["VIP", "Returning"] if number % 10 < 2 else ["New"]


def _opted_in(number: int) -> bool:
    return number % 3 > 0


def _make(count: int) -> None:
    now = timezone.now()
    for start in range(0, count, _BATCH):
        made = Contact.objects.bulk_create(
            Contact(
                full_name=f"Person {number}",
                email=f"person{number}@example.org",
                tags=_tags(number),
                status=ContactStatus.ACTIVE_CLIENT if number % 10 == 5 else ContactStatus.ACTIVE_LEAD,
                email_opt_in=_opted_in(number),
                city=str(number),
            )
            for number in range(start, min(start + _BATCH, count))
        )
        Interaction.objects.bulk_create(
            Interaction(contact=row, kind="purchase", source="Bench", key=f"bench:{row.city}", at=now - _age(row))
            for row in made
            if int(row.city) % 10 == 7
        )


def _age(row: Contact) -> timedelta:
    """Every other purchase is too old to count."""
    return timedelta(days=10 if int(row.city) % 20 == 7 else 200)


def _swap(count: int) -> None:
    everyone = Contact.objects.order_by("pk")
    Contact.objects.filter(full_name__endswith="0").update(tags=["New"])
    Contact.objects.filter(full_name__endswith="8").update(tags=["VIP"])
    assert everyone.count() == count


def _expected(count: int) -> int:
    """By arithmetic, not by the query that is measured: VIPs end in 1 or 8 now, clients in 5, buyers in 07 of 20."""
    return sum(1 for number in range(count) if _opted_in(number) and (number % 10 in (1, 5, 8) or number % 20 == 7))


_PROGRAM = """
import json, time, django
django.setup()
from django.utils import timezone
from campaigns.evaluation import evaluate
from campaigns.models import Segment
segment = Segment.objects.get(pk={pk})
began = time.perf_counter()
found = evaluate(segment, timezone.now())
print(json.dumps(dict(found._asdict(), seconds=round(time.perf_counter() - began, 2))))
"""


def _evaluate(segment: Segment) -> dict[str, Any]:
    done = run([sys.executable, "-c", _PROGRAM.format(pk=segment.pk)])
    return {**json.loads(done.stdout), "megabytes": round(done.megabytes, 1)}

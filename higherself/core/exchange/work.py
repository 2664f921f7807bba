"""The work on an uploaded file: at once for a short one, by a job for a long one, and never twice for one row."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from higherself.core import jobs
from higherself.core.errors import Permanent
from higherself.core.exchange import sheets
from higherself.core.exchange.importing import CHUNK, REFUSED, Reader
from higherself.core.exchange.models import ImportRun
from higherself.core.history import IMPORT, by

logger = logging.getLogger(__name__)

JOB = "imports"
# Files of at most so many bytes are worked on while the person waits.
SHORT = 60_000
SHOWN = 100
# A job gives way to others after so many seconds, and comes back.
_LONGEST = 120.0
_LEASE = timedelta(minutes=4)
_UNDER_WAY = (ImportRun.State.READING, ImportRun.State.WAITING)


def begin(run: ImportRun) -> None:
    """Works on it now when it is short, else wakes the job."""
    if len(run.content) <= SHORT:
        work_on(run)
    else:
        jobs.wake(JOB)


@jobs.job(JOB, every_seconds=60)
def work_through() -> int:
    """Takes up every file that waits; returns how many were worked on."""
    done = 0
    for run in ImportRun.objects.filter(state__in=_UNDER_WAY).order_by("pk")[:20]:
        done += work_on(run)
    return done


def work_on(run: ImportRun) -> bool:
    """Reads (a preview) or imports the file, from where it stopped. False when another worker has it."""
    if not _lease(run):
        return False
    run.refresh_from_db()
    try:
        _work(run)
    except Permanent as error:
        run.state, run.remarks = ImportRun.State.FAILED, [str(error)]
        run.content, run.finished_at = b"", timezone.now()
        run.save()
    finally:
        ImportRun.objects.filter(pk=run.pk).update(leased_until=None)
    return True


def _lease(run: ImportRun) -> bool:
    now = timezone.now()
    rows = ImportRun.objects.filter(pk=run.pk, state__in=_UNDER_WAY)
    free = rows.filter(leased_until__isnull=True) | rows.filter(leased_until__lt=now)
    return bool(free.update(leased_until=now + _LEASE))


def _work(run: ImportRun) -> None:
    importing = run.state == ImportRun.State.WAITING
    lines = sheets.read(run.file_name, bytes(run.content))
    reader = Reader(apps.get_model(run.model), next(lines, []))
    if not reader.fields:
        raise Permanent(" ".join(reader.remarks))
    run.remarks = reader.remarks
    began = time.monotonic()
    numbered = enumerate(lines, start=2)
    # After an interruption: a double of a row that was done before finds the record that it made.
    for _number, _row in islice(numbered, run.position):
        pass
    for chunk in _chunks(numbered):
        _one_chunk(run, reader, chunk, importing)
        if time.monotonic() - began > _LONGEST:
            jobs.wake(JOB)
            return
    _finish(run, importing)


def _chunks(numbered: Iterator[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    while chunk := list(islice(numbered, CHUNK)):
        yield chunk


@transaction.atomic
def _one_chunk(run: ImportRun, reader: Reader, chunk: list[tuple[int, list[str]]], importing: bool) -> None:
    """A few hundred rows and the note how far the work has come, in one transaction."""
    with by(run.actor, IMPORT):
        for found in reader.outcomes(chunk):
            if importing:
                reader.carry_out(found, run.actor)
            run.counts[found.outcome] = run.counts.get(found.outcome, 0) + 1
            if found.outcome == REFUSED and len(run.refused) < SHOWN:
                run.refused.append(found.as_dict())
            elif not importing and found.changes and len(run.sample) < SHOWN:
                run.sample.append(found.as_dict())
    run.position += len(chunk)
    run.leased_until = timezone.now() + _LEASE
    run.save(update_fields=["counts", "refused", "sample", "position", "remarks", "leased_until"])


def _finish(run: ImportRun, importing: bool) -> None:
    if importing:
        run.state, run.content, run.finished_at = ImportRun.State.DONE, b"", timezone.now()
    else:
        run.state, run.position = ImportRun.State.READY, 0
        if not run.counts:
            run.remarks = [*run.remarks, _("The file has no rows under its heading.")]
    run.save()


def carry_out(run: ImportRun) -> bool:
    """Begins the import that the preview has shown; False when somebody was faster."""
    fresh: dict[str, Any] = {"state": ImportRun.State.WAITING, "counts": {}, "refused": [], "position": 0}
    if not ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.READY).update(**fresh):
        return False
    run.refresh_from_db()
    begin(run)
    return True


def discard(run: ImportRun) -> bool:
    waiting = ImportRun.objects.filter(pk=run.pk, state__in=[ImportRun.State.READY, ImportRun.State.READING])
    return bool(waiting.update(state=ImportRun.State.DISCARDED, content=b"", finished_at=timezone.now()))

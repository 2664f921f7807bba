"""Edits of the catalogue by people, in Notion or in the console: taken over, made a new version, or put back.

What cannot run is put back, and the reason stands in the row's *Edit Result*, which Notion shows: the last good
version goes on. A valid edit of a workflow that runs, or has run, becomes a version of its own, because instances
stay on the version that they began with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents_app.choices import TemplateStatus, WorkflowStatus
from agents_app.leads import fieldmap, scoring
from agents_app.models import DataTransformation, NotificationTemplate, Workflow
from agents_app.outgoing import rules
from agents_app.services import catalog, messages
from agents_app.text import clean
from agents_app.workflow import machine
from higherself.core.errors import Conflict

logger = logging.getLogger(__name__)

Editable = Workflow | DataTransformation | NotificationTemplate
# What makes a row run; other fields are words about it.
RUNS: dict[type[Any], tuple[str, ...]] = {
    Workflow: ("states", "transitions", "initial_state"),
    DataTransformation: ("transformation_logic",),
    NotificationTemplate: ("subject_template", "content_template"),
}
RESULT_LIMIT = 1900


def problem_of(row: Editable, previous: Mapping[str, Any] | None = None) -> str:
    """Why this row cannot run as it stands; empty when it can. Drafts are nobody's business yet.

    ``previous`` holds the values before an edit: what a template spoke of already it may go on speaking of.
    """
    try:
        if isinstance(row, Workflow):
            return _workflow_problem(row) if row.status in catalog.RUNNING else ""
        if isinstance(row, NotificationTemplate):
            return _template_problem(row, previous or {}) if row.status == TemplateStatus.ACTIVE else ""
        key = row.form_source_key.strip()
        if key == scoring.KEY:
            scoring.parse(row.transformation_logic)
        elif key in rules.RULES:
            rules.parse(key, row.transformation_logic)
        elif row.transformation_logic:
            fieldmap.parse(row.transformation_logic)
    except (machine.BrokenDefinition, fieldmap.BrokenMap, scoring.BrokenTable, rules.BrokenRule) as error:
        return str(error)
    return ""


def _workflow_problem(row: Workflow) -> str:
    definition = machine.parse(catalog.definition_data(row))
    named = {notice.template for state in definition.states.values() for notice in state.notify}
    missing = named - set(
        NotificationTemplate.objects.filter(template_id__in=named).values_list("template_id", flat=True)
    )
    if missing:
        return f"it sends {', '.join(sorted(missing))}, which are no templates of the Notifications Templates"
    return ""


def _template_problem(row: NotificationTemplate, previous: Mapping[str, Any]) -> str:
    before = "".join(str(previous.get(name, "")) for name in RUNS[NotificationTemplate])
    known = messages.known_placeholders(row.template_id) | set(messages.placeholders(before))
    unknown = [name for name in messages.placeholders(row.subject_template + row.content_template) if name not in known]
    if not unknown:
        return messages.broken_braces(row.subject_template + row.content_template)
    return f"it uses {', '.join(unknown)}; known here are {', '.join(sorted(known))}"


def stored(row: Editable) -> dict[str, Any]:
    """What the database holds of the fields that make this row run; empty for a row that is not stored."""
    names = RUNS[type(row)]
    return type(row).objects.filter(pk=row.pk).values(*names).first() or {}


# -- an edit that is stored already ---------------------------------------------------------------------------------
def pulled(model: type[Any], pk: Any, changed: Mapping[str, tuple[Any, Any]], actor: str) -> None:
    """A person has edited or made this row in Notion."""
    row = model.objects.filter(pk=pk).first()
    if row is None:
        return
    previous = {name: changed[name][0] for name in RUNS[model] if name in changed}
    if previous:
        settle(row, previous, actor)
    elif not changed and (problem := problem_of(row)):
        _refuse_new(row, problem)
    elif "status" in changed and (problem := problem_of(row)):
        _write(row, f"The status set by {actor} was put back, it cannot run: {problem}", status=changed["status"][0])


def unreadable(model: type[Any], pk: Any, refused: Mapping[str, str], actor: str) -> None:
    """What a person has written cannot even be read. It stays in Notion, for them to mend; what ran goes on running."""
    row = model.objects.filter(pk=pk).first()
    reasons = [text for name, text in refused.items() if name in RUNS[model]]
    if row is not None and reasons:
        _write(
            row,
            f"The edit by {actor} was not taken over: {'; '.join(reasons)}. It stands here as it was written; mend it. "
            "The last good version goes on.",
        )


def settle(row: Editable, previous: Mapping[str, Any], actor: str) -> str:
    """Decides about an edit whose values are in the row already; returns why it was put back, or ""."""
    problem = problem_of(row, previous)
    if problem:
        _write(row, f"The edit by {actor} was put back, it cannot run: {problem}", **previous)
        logger.warning("the edit of %s by %s was put back, it cannot run: %s", row, actor, problem)
        return problem
    if isinstance(row, Workflow) and _in_use(row):
        publish(row, previous, actor)
        return ""
    extra: dict[str, Any] = {}
    if isinstance(row, NotificationTemplate):
        extra["sample_rendered_output"] = messages.preview(row)
    _write(row, f"The edit by {actor} was taken over.", **extra)
    return ""


def _refuse_new(row: Editable, problem: str) -> None:
    """A page that is new has no good version to go back to: it waits as a draft."""
    text = f"It cannot run: {problem}"
    if isinstance(row, NotificationTemplate):
        _write(row, f"{text}. It waits as a draft.", status=TemplateStatus.DRAFT)
    elif isinstance(row, Workflow):
        _write(row, f"{text}. It waits as a draft; the last good version goes on.", status=WorkflowStatus.DRAFT)
    else:
        _write(row, text)


def _write(row: Editable, result: str, **values: Any) -> None:
    values["edit_result"] = clean(f"{timezone.now():%Y-%m-%d %H:%M} UTC: {result}")[:RESULT_LIMIT]
    type(row).objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)
    catalog.stale()


# -- versions of workflows ------------------------------------------------------------------------------------------
def _in_use(row: Workflow) -> bool:
    return row.status in catalog.RUNNING or row.instances.exists()


def publish(row: Workflow, previous: Mapping[str, Any], actor: str) -> Workflow:
    """Makes the edited definition a version of its own, and gives the edited row back what its instances run on."""
    edited = {name: getattr(row, name) for name in RUNS[Workflow]}
    for _attempt in range(3):
        version = next_version(row)
        try:
            with transaction.atomic():
                fresh = _copy(row, version, edited, actor)
                _retire(row, previous, fresh, actor)
        except IntegrityError:
            continue  # somebody took the number meanwhile
        logger.info("%s: the edit by %s became version %s", row, actor, version)
        return fresh
    raise Conflict(f"{row}: no number was free for a new version: edit it again.")


def next_version(row: Workflow) -> str:
    """The highest version of this workflow, with its last number counted on: 1.2.0 becomes 1.2.1."""
    taken = Workflow.objects.filter(workflow_id=row.workflow_id).values_list("version", flat=True)
    parts = list(max(catalog.release(version) for version in [*taken, row.version])) or [1, 0, 0]
    return ".".join(str(part) for part in [*parts[:-1], parts[-1] + 1])


def _copy(row: Workflow, version: str, edited: dict[str, Any], actor: str) -> Workflow:
    fresh = Workflow.objects.create(
        workflow_id=row.workflow_id,
        version=version,
        workflow_name=row.workflow_name,
        description=row.description,
        status=row.status,
        trigger_type=row.trigger_type,
        trigger_conditions=row.trigger_conditions,
        data_schema=row.data_schema,
        documentation_url=row.documentation_url,
        visualization_url=row.visualization_url,
        validation_model_path=row.validation_model_path,
        tags=row.tags,
        edit_result=f"{timezone.now():%Y-%m-%d %H:%M} UTC: made from {row.version} by an edit of {actor}.",
        **edited,
    )
    many: tuple[Callable[[Workflow], Any], ...] = (
        lambda one: one.business_entities,
        lambda one: one.required_integrations,
        lambda one: one.required_agents,
        lambda one: one.templates,
        lambda one: one.transformations,
        lambda one: one.related_use_cases,
    )
    for links in many:
        links(fresh).set(links(row).all())
    return fresh


def _retire(row: Workflow, previous: Mapping[str, Any], fresh: Workflow, actor: str) -> None:
    status = WorkflowStatus.DEPRECATED if row.status in catalog.RUNNING else row.status
    text = f"The edit by {actor} became version {fresh.version}, on which new instances start."
    text += " This version stays as it was, for the instances that began with it."
    _write(row, text, status=status, **previous)

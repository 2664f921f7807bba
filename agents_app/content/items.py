"""Pieces of content: from a recording or a request to a draft, and what each state needs from the agent."""

from __future__ import annotations

import hashlib
from typing import Any

from agents_app.agents import handover
from agents_app.agents.base import Context, Created, Outcome, Result, WorkKind
from agents_app.agents.marketing_campaign import ContentPublished
from agents_app.choices import ApprovalStatus, SourceSystem
from agents_app.models import Approval, ContentItem, WorkflowInstance
from agents_app.services import catalog, errands
from agents_app.text import clean, one_line, shorten
from agents_app.workflow import engine
from agents_app.workflow.machine import ACTIVE, END_STATUSES, IllegalTransition
from agents_app.workflow.run import Run
from higherself.core.errors import Permanent
from higherself.integrations.events import EventKind
from higherself.integrations.material import TranscriptMaterial

WORKFLOW = "WF-CONT-CYCLE"
MARKETING = "MarketingCampaignAgent"
# What Notion shows of a draft; the whole text stands in the console.
SHOWN = 900
_BY_MAIL = frozenset({"beehiiv", "email"})
_WRITING = ("", "ideation", "planning", "creation")


# -- recordings -----------------------------------------------------------------------------------------------------
def hear(data: TranscriptMaterial, context: Context) -> Outcome:
    """A recording has been transcribed, or could not be."""
    reference = data.file_id or data.transcription_id or context.source_id
    instance = _of_recording(reference)
    if EventKind(context.kind) == EventKind.TRANSCRIPT_FAILED:
        return _failed(data, reference, instance, context)
    if instance is None:
        return _begin(data, reference, context)
    return _continue(data, instance, context)


def _of_recording(reference: str) -> WorkflowInstance | None:
    rows = WorkflowInstance.objects.select_for_update(of=("self",)).filter(
        workflow__workflow_id=WORKFLOW, source_system=SourceSystem.PLAUD, source_record_id=reference[:200]
    )
    return rows.order_by("-pk").first()


def _begin(data: TranscriptMaterial, reference: str, context: Context) -> Outcome:
    known = catalog.current()
    title = one_line(data.title or "Recording", 200)
    run = engine.open_run(
        known.workflow(WORKFLOW),
        name=f"Content: {title}",
        actor=context.actor,
        source_system=SourceSystem.PLAUD,
        source_record_id=reference[:200],
        business_entity=known.entity_of_source("Plaud"),
        inbound_event=context.event_id or None,
        now=context.now,
        assigned_agent=known.agents.get(context.actor),
    )
    item = ContentItem(title=title, recording_id=reference[:200], recorded_at=data.recorded_at)
    has_text = _take(item, data, context)
    run.instance.key_data = facts(item)
    run.begin("A recording has been transcribed")
    if has_text:
        run.fire("transcript_ready", note=_measure(data))
    followed = run.save()
    item.instance = run.instance
    item.save(force_insert=True)
    where = "is written from the transcript" if has_text else "waits for the transcript's text"
    rows = [run.instance, *followed.tasks]
    return Outcome(
        Result.DONE, f"{run.instance.instance_id} “{title}” {where}.", tuple(Created.of(row) for row in rows)
    )


def _continue(data: TranscriptMaterial, instance: WorkflowInstance, context: Context) -> Outcome:
    item = _item(instance)
    before = item.source_hash
    has_text = _take(item, data, context)
    if not has_text or item.source_hash == before:
        return Outcome(Result.DUPLICATE, f"This recording is {instance.instance_id} already.")
    item.save()
    run = Run(instance, actor=context.actor, inbound_event=context.event_id or None, now=context.now)
    run.instance.key_data = {**_facts(instance), **facts(item)}
    if any(step.event == "transcript_ready" for step in run.definition.allowed(instance.current_state)):
        run.fire("transcript_ready", note=_measure(data))
    else:
        kept = "" if item.draft_made_of == digest(item.draft) else "; the draft has been worked on and stays as it is"
        run.note("transcript_renewed", f"The recording was transcribed anew{kept}")
    followed = run.save()
    return Outcome(
        Result.DONE, f"{instance.instance_id} has its transcript.", tuple(Created.of(task) for task in followed.tasks)
    )


def _take(item: ContentItem, data: TranscriptMaterial, context: Context) -> bool:
    """Takes the text over, unless a newer one is here; whether there is any. Writes nothing to the database."""
    text = clean(data.transcript) or clean(data.summary)
    if not text:
        return bool(item.source_text)
    if item.source_told_at is not None and context.occurred_at < item.source_told_at:
        return True
    untouched = not item.draft or item.draft_made_of == digest(item.draft)
    item.source_text, item.summary = clean(data.transcript) or text, clean(data.summary)
    item.source_hash, item.source_told_at = data.content_hash or digest(text), context.occurred_at
    if data.title and untouched:
        item.title = one_line(data.title, 200)
    if untouched:
        item.draft = draft_of(item)
        item.draft_made_of = digest(item.draft)
    return True


def draft_of(item: ContentItem) -> str:
    """A first draft: the title, the summary, and what was said. People and, where it is on, the language model go on
    from here."""
    parts = [f"# {item.title}", item.summary, item.source_text if item.source_text != item.summary else ""]
    return "\n\n".join(part for part in parts if part)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _measure(data: TranscriptMaterial) -> str:
    parts = []
    if data.words:
        parts.append(f"{data.words} words")
    if data.duration_seconds:
        parts.append(f"{round(data.duration_seconds / 60)} minutes")
    return "The transcript is here" + (f": {', '.join(parts)}" if parts else "")


def _failed(data: TranscriptMaterial, reference: str, instance: WorkflowInstance | None, context: Context) -> Outcome:
    if instance is not None and _item(instance).source_text:
        return Outcome(Result.NOTHING, f"{instance.instance_id} has a transcript: an earlier failure matters no more.")
    name = one_line(data.title or reference or "a recording", 80)
    task, created = errands.errand(
        f"plaud:{reference}:failed",
        f"Transcribe anew: {name}",
        f"Plaud could not transcribe the recording. {clean(data.error)}",
        context,
        assignee_text="content",
        category="Content Creation",
    )
    if not created:
        return Outcome(Result.DUPLICATE, f"“{name}” has its task already.")
    return Outcome(Result.DONE, f"“{name}” could not be transcribed: a task was made.", (Created.of(task),))


# -- facts and drafts -----------------------------------------------------------------------------------------------
def _facts(instance: WorkflowInstance) -> dict[str, Any]:
    return instance.key_data if isinstance(instance.key_data, dict) else {}


def facts(item: ContentItem) -> dict[str, Any]:
    """What conditions, timers and people in Notion need to know of it."""
    found: dict[str, Any] = {
        "title": item.title,
        "content_type": item.content_type,
        "platforms": list(item.platforms),
        "media_required": item.needs_media,
        "text": bool(item.draft),
        "draft": shorten(item.draft, SHOWN, "in the console"),
        "published": dict(item.published_urls) if isinstance(item.published_urls, dict) else {},
    }
    for name, value in (("target", item.target_date), ("publish", item.publish_at)):
        if value is not None:
            found[name] = value.isoformat()
    return {name: value for name, value in found.items() if value not in ("", [], {})}


def _item(instance: WorkflowInstance) -> ContentItem:
    """Its content, made from what the instance says where somebody began it in Notion."""
    found = ContentItem.objects.filter(instance=instance).first()
    if found is not None:
        return found
    asked = _facts(instance)
    platforms = asked.get("platforms")
    return ContentItem.objects.create(
        instance=instance,
        title=one_line(asked.get("title") or instance.instance_name.removeprefix("Content: ") or "Untitled", 500),
        content_type=one_line(asked.get("content_type") or "", 100),
        brief=clean(asked.get("brief") or asked.get("message") or ""),
        platforms=[one_line(name, 100) for name in platforms] if isinstance(platforms, list) else [],
    )


# -- what is due ----------------------------------------------------------------------------------------------------
def tend(instance: WorkflowInstance, context: Context) -> list[str]:
    """Does what is due for one piece of content; returns what was done, in words."""
    done = []
    if not instance.current_state:
        run = Run(instance, actor=context.actor, now=context.now)
        run.begin("Asked for in Notion")
        run.save()
        done.append("begun")
    item = _item(instance)
    wanted = {**_facts(instance), **facts(item)}
    if wanted != _facts(instance):
        run = Run(instance, actor=context.actor, now=context.now)
        instance.key_data = wanted
        run.save()
        done.append("its facts were renewed")
    if instance.status == ACTIVE:
        stage = _STAGES.get(instance.current_state)
        said = stage(item, instance, context) if stage else ""
        done += [said] if said else []
    return done


def _ask_for_approval(item: ContentItem, instance: WorkflowInstance, context: Context) -> str:
    """Publishing waits for a person's word. A refusal sends the content back to be revised."""
    asked = list(
        Approval.objects.filter(
            subject_model=WorkflowInstance._meta.label_lower, subject_id=instance.pk, action="content.publish"
        ).order_by("-pk")
    )
    times = instance.history.filter(to_state="approval").exclude(from_state="approval").count()
    last = asked[0] if len(asked) >= times else None
    if last is None:
        try:
            engine.advance(instance, "content_approved", actor=context.actor, note=f"Publish “{item.title}”")
        except engine.Held:
            return "its publication waits for approval"
        return "it is approved"
    if last.status == ApprovalStatus.REFUSED:
        note = f"Publication refused: {last.decision_note}" if last.decision_note else "Publication refused"
        engine.advance(instance, "changes_requested", actor=context.actor, note=note)
        return "it was refused and is revised"
    return ""


def _due_now(item: ContentItem, instance: WorkflowInstance, context: Context) -> str:
    """Without a date of its own it is published as soon as it may be; with one, the clock does it."""
    if item.publish_at is not None and item.publish_at > context.now:
        return ""
    engine.advance(instance, "publication_time", actor=context.actor, note="No later date was set")
    return "it is published now"


def _distribute(item: ContentItem, instance: WorkflowInstance, context: Context) -> str:
    """Tells the marketing agent where mail is among the platforms."""
    said = ""
    if _BY_MAIL & {name.casefold() for name in item.platforms} or item.content_type == "email_newsletter":
        urls = item.published_urls if isinstance(item.published_urls, dict) else {}
        news = ContentPublished(
            title=item.title,
            url=next((str(url) for url in urls.values()), ""),
            brief=item.brief,
            reference=instance.instance_id,
            entity_pk=instance.business_entity_id,
        )
        said = handover.hand_over(MARKETING, WorkKind.CONTENT_PUBLISHED, news, context).message
    engine.advance(instance, "distribution_complete", actor=context.actor, note=said)
    return "it is distributed" + (f": {said}" if said else "")


_STAGES = {
    "approval": _ask_for_approval,
    "scheduling": _due_now,
    "distribution": _distribute,
}


def waiting() -> list[int]:
    """Content that is not at its end, by instance."""
    rows = WorkflowInstance.objects.live().filter(workflow__workflow_id=WORKFLOW).exclude(status__in=END_STATUSES)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:1000])


def due(instance_pk: int, context: Context) -> Outcome:
    instance = WorkflowInstance.objects.select_for_update(of=("self",)).filter(pk=instance_pk).first()
    if instance is None or instance.status in END_STATUSES:
        return Outcome(Result.NOTHING, "The content is gone or done.")
    try:
        done = tend(instance, context)
    except IllegalTransition as refusal:
        raise Permanent(f"{instance.instance_id}: {refusal}") from refusal
    if not done:
        return Outcome(Result.NOTHING, f"Nothing is due for {instance.instance_id}.")
    return Outcome(Result.DONE, f"{instance.instance_id} “{instance}”: {'; '.join(done)}.".replace("..", "."))

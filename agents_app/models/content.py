"""A piece of content on its way: what its workflow instance in Notion has no room for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from agents_app.models.workflows import WorkflowInstance
from higherself.core.fields import NameListField, SelectField

CONTENT_TYPES = (
    "blog_post",
    "social_media",
    "email_newsletter",
    "video_script",
    "podcast_script",
    "course_material",
    "workshop_material",
    "video",
)
PLATFORMS = ("wordpress", "beehiiv", "instagram", "facebook", "linkedin", "youtube", "tutorlm")


class ContentItem(models.Model):
    """Request, source text and draft of one piece of content. Where it stands is told by its workflow instance.

    ``source_text`` is a transcript, as it came. ``draft_made_of`` is the digest of the draft that the server made: as
    long as the draft still has it, nobody has worked on it and a newer transcript may replace it.
    """

    instance = models.OneToOneField(
        WorkflowInstance, verbose_name=_("workflow instance"), related_name="content", on_delete=models.CASCADE
    )
    title = models.CharField(_("title"), max_length=500)
    content_type = SelectField(_("content type"), options=CONTENT_TYPES)
    brief = models.TextField(_("brief"), blank=True)
    audience = models.CharField(_("audience"), max_length=500, blank=True)
    keywords = NameListField(_("keywords"))
    platforms = NameListField(_("platforms"), options=PLATFORMS)
    needs_media = models.BooleanField(_("needs pictures or sound"), default=False)
    target_date = models.DateTimeField(_("to be done by"), null=True, blank=True)
    publish_at = models.DateTimeField(_("publish at"), null=True, blank=True, help_text=_("Empty: once approved."))
    draft = models.TextField(_("draft"), blank=True)
    published_urls: models.JSONField[Any, Any] = models.JSONField(
        _("published at"), default=dict, blank=True, help_text=_('Such as {"wordpress": "https://…"}.')
    )
    source_text = models.TextField(_("transcript"), blank=True)
    summary = models.TextField(_("summary"), blank=True)
    recording_id = models.CharField(_("recording"), max_length=200, blank=True, db_index=True, editable=False)
    recorded_at = models.DateTimeField(_("recorded"), null=True, blank=True, editable=False)
    source_hash = models.CharField(max_length=64, blank=True, editable=False)
    source_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    draft_made_of = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("content item")
        verbose_name_plural = _("content items")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title

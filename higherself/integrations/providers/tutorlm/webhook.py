"""Tutor LMS: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations.base import SharedSecretProvider


class TutorLM(SharedSecretProvider):
    slug = "tutorlm"
    label = "Tutor LMS"
    source = "TutorLM"
    reads = False

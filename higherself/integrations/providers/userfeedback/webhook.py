"""UserFeedback: deliveries are verified and kept; nothing reads them yet."""

from __future__ import annotations

from higherself.integrations.base import SharedSecretProvider


class UserFeedback(SharedSecretProvider):
    slug = "userfeedback"
    label = "UserFeedback"
    source = "Userfeedback"
    reads = False

"""Every provider, in one visible table."""

from __future__ import annotations

from higherself.integrations.base import Provider
from higherself.integrations.providers.airtable.webhook import Airtable
from higherself.integrations.providers.amelia.webhook import Amelia
from higherself.integrations.providers.beehiiv.webhook import Beehiiv
from higherself.integrations.providers.circle.webhook import Circle
from higherself.integrations.providers.hubspot.webhook import HubSpot
from higherself.integrations.providers.notion.webhook import Notion
from higherself.integrations.providers.plaud.webhook import Plaud
from higherself.integrations.providers.snovio.webhook import Snovio
from higherself.integrations.providers.tutorlm.webhook import TutorLM
from higherself.integrations.providers.typeform.webhook import Typeform
from higherself.integrations.providers.userfeedback.webhook import UserFeedback
from higherself.integrations.providers.website.form import Website
from higherself.integrations.providers.woocommerce.webhook import WooCommerce

PROVIDERS: dict[str, Provider] = {
    provider.slug: provider
    for provider in (
        Typeform(),
        HubSpot(),
        Amelia(),
        Snovio(),
        UserFeedback(),
        WooCommerce(),
        Beehiiv(),
        Circle(),
        Airtable(),
        Plaud(),
        TutorLM(),
        Notion(),
        Website(),
    )
}

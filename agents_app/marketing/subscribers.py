"""Subscribers of the newsletter: who they are, whether they may be written to, and who brought them."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from agents_app.agents.base import Context, Created, Outcome, Result
from agents_app.community import rewards
from agents_app.services import catalog, outward, people
from agents_app.text import one_line
from contacts import consent, interactions
from contacts.choices import InteractionKind as Kind
from contacts.choices import LeadSource
from contacts.merging import known_by
from contacts.models import Contact, Interaction
from higherself.core.models import Record
from higherself.integrations.events import EventKind
from higherself.integrations.material import SubscriberMaterial

SERVICE = "Beehiiv"
TAG, REFERRED = "newsletter_subscriber", "referred"
# Beehiiv: OpenAPI, subscription status. The address was confirmed, or needs no confirmation in this publication.
CONFIRMED = "active"


def hear(data: SubscriberMaterial, context: Context) -> Outcome:
    kind = EventKind(context.kind)
    contact, new = _contact(data, kind, context)
    if contact is None:
        return Outcome(
            Result.NOTHING,
            f"Subscription {one_line(data.subscription_id, 60)} is not known here and Beehiiv sent no address: nothing "
            "could be done.",
        )
    name = data.subscription_id or data.email.lower()
    fresh = False
    earned: list[Record] = []
    if kind in (EventKind.SUBSCRIBER_CREATED, EventKind.SUBSCRIBER_CONFIRMED):
        fresh = _joined(contact, data, name, context)
        earned = [*_referral(contact, data, name, context)]
    before = contact.consent_history.count()
    said = _consent(contact, data, kind, name, context)
    if kind != EventKind.SUBSCRIBER_DELETED:
        _carry_the_no(contact)
    people.count(contact, context.now)
    if not (new or fresh or earned or contact.consent_history.count() > before or kind == EventKind.SUBSCRIBER_CHANGED):
        return Outcome(Result.DUPLICATE, f"This was told of {contact} already.")
    text = f"{contact}: {data.change or kind.value.partition('.')[2]}; {said}."
    return Outcome(Result.DONE, text, tuple(Created.of(row) for row in [*([contact] if new else []), *earned]))


def _contact(data: SubscriberMaterial, kind: EventKind, context: Context) -> tuple[Contact | None, bool]:
    if not data.email:
        return known_by("beehiiv_subscription_id", [data.subscription_id]), False
    fields = {str(name).casefold().replace(" ", "_"): str(value or "") for name, value in data.custom_fields.items()}
    entity = catalog.current().entity_of_source(SERVICE)
    joins = kind in (EventKind.SUBSCRIBER_CREATED, EventKind.SUBSCRIBER_CONFIRMED)
    referred = bool(_referred_by(data))
    return people.remember(
        people.Person(
            email=data.email,
            source=LeadSource.BEEHIIV_REFERRAL if referred else LeadSource.BEEHIIV_NEWSLETTER,
            at=data.subscribed_at or context.occurred_at,
            source_record_id=data.subscription_id,
            name=fields.get("name", "") or fields.get("full_name", ""),
            first_name=fields.get("first_name", ""),
            last_name=fields.get("last_name", ""),
            tags=[TAG, *([REFERRED] if referred else [])] if joins else [],
            entities=[entity] if entity else [],
            only_here={"beehiiv_subscription_id": data.subscription_id},
            own=joins,
        )
    )


def _joined(contact: Contact, data: SubscriberMaterial, name: str, context: Context) -> bool:
    code = f"beehiiv-code:{data.referral_code}" if data.referral_code else ""
    return interactions.record(
        contact,
        Kind.SUBSCRIBED,
        source=SERVICE,
        key=f"beehiiv:subscribed:{name}",
        at=data.subscribed_at or context.occurred_at,
        identity=code,
        about=data.utm_campaign,
    )


def _consent(contact: Contact, data: SubscriberMaterial, kind: EventKind, name: str, context: Context) -> str:
    """A subscription that waits for its confirmation is no consent yet."""
    confirmed = kind == EventKind.SUBSCRIBER_CONFIRMED or (
        kind == EventKind.SUBSCRIBER_CREATED and data.status == CONFIRMED
    )
    if kind == EventKind.SUBSCRIBER_DELETED:
        at = data.unsubscribed_at or context.occurred_at
        detail = "Beehiiv: unsubscribed"
        may = consent.withdrawn(contact, SERVICE, key=f"beehiiv:{name}:no:{at.isoformat()}", at=at, detail=detail)
    elif confirmed:
        at = context.occurred_at
        detail = f"Beehiiv: subscription {data.subscription_id}"
        may = consent.granted(contact, SERVICE, key=f"beehiiv:{name}:yes:{at.isoformat()}", at=at, detail=detail)
    else:
        may = contact.accepts_email_marketing
    return "accepts marketing" if may and contact.accepts_email_marketing else "does not accept marketing"


def _carry_the_no(contact: Contact) -> None:
    """Somebody said no elsewhere before we knew their subscription: it is told to Beehiiv now, once."""
    if contact.email_opt_in or not contact.beehiiv_subscription_id:
        return
    for no in contact.consent_history.filter(channel=consent.EMAIL, granted=False).exclude(source=SERVICE):
        tell_the_no(contact, no.key)


def tell_the_no(contact: Contact, key: str) -> None:
    payload = {"email": contact.email, "unsubscribe": True}
    outward.want("beehiiv", "subscription.upsert", payload, dedupe_key=f"no:{key}", about=contact)


# -- referrals ------------------------------------------------------------------------------------------------------
def _referred_by(data: SubscriberMaterial) -> str:
    """The code of whoever brought them: Beehiiv's referral links end in ``?ref=CODE``."""
    query = parse_qs(urlsplit(data.referring_site).query) if data.referring_site else {}
    return next(iter(query.get("ref", [])), "")[:100]


def _referral(contact: Contact, data: SubscriberMaterial, name: str, context: Context) -> list[Record]:
    """Rewards who brought somebody, whichever of the two we hear of first."""
    brought_by = _referred_by(data)
    if brought_by and brought_by != data.referral_code:
        interactions.record(
            contact,
            Kind.SUBSCRIBED,
            source=SERVICE,
            key=f"beehiiv:referred:{name}",
            at=data.subscribed_at or context.occurred_at,
            identity=f"beehiiv-brought-by:{brought_by}",
            points=0,
        )
    made: list[Record] = []
    referrer = interactions.known_as(f"beehiiv-code:{brought_by}") if brought_by else None
    if referrer is not None and referrer.pk != contact.pk:
        made += rewards.issue(rewards.REFERRAL, referrer, contact.contact_id, context.now)
    if data.referral_code:
        brought = Interaction.objects.filter(identity=f"beehiiv-brought-by:{data.referral_code}", contact__isnull=False)
        for row in brought.exclude(contact=contact).select_related("contact"):
            if row.contact is not None:
                made += rewards.issue(rewards.REFERRAL, contact, row.contact.contact_id, context.now)
    return made

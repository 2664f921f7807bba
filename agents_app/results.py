"""What comes of calls to services: the ids that they gave are kept with our records."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from agents_app.models import WorkflowInstance
from agents_app.outgoing import copies
from agents_app.services import crm
from contacts.models import Contact
from higherself.core import history
from higherself.integrations import registry
from higherself.integrations.models import OutboundCall
from higherself.integrations.signals import call_done


@receiver(call_done)
def keep_id(sender: type[OutboundCall], call: OutboundCall, **_kwargs: Any) -> None:
    """HubSpot's, Beehiiv's and Airtable's ids. Within the transaction that marks the call done."""
    with history.by(registry.PROVIDERS[call.provider].label, history.PROVIDER):
        if (call.provider, call.operation) == (copies.AIRTABLE, copies.UPSERT):
            copies.done(call)
        else:
            _keep_id(call)


def _keep_id(call: OutboundCall) -> None:
    found = str(call.result.get("id") or "")[:200]
    if not found:
        return
    if (call.provider, call.operation) == (crm.HUBSPOT, crm.UPSERT):
        _keep(_contacts(call), "hubspot_contact_id", found)
        if call.about_model == WorkflowInstance._meta.label_lower:
            _keep(WorkflowInstance.objects.filter(pk=call.about_id), "hubspot_contact_id", found)
    elif (call.provider, call.operation) == (crm.BEEHIIV, crm.SUBSCRIBE):
        _keep(_contacts(call), "beehiiv_subscription_id", found)


def _contacts(call: OutboundCall) -> Any:
    """Whom it was about; their address may be another one by now."""
    if call.about_model == Contact._meta.label_lower:
        return Contact.objects.filter(pk=call.about_id)
    if call.about_model == WorkflowInstance._meta.label_lower:
        return Contact.objects.filter(workflow_instances__pk=call.about_id)
    return Contact.objects.filter(email=str(call.payload.get("email", "")).lower(), archived_at__isnull=True)


def _keep(rows: Any, name: str, value: str) -> None:
    for row in rows.exclude(**{name: value}).select_for_update(of=("self",)):
        setattr(row, name, value)
        row.save(update_fields=[name])

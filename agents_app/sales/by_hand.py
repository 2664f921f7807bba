"""What people decide about a product, in Notion or in the console."""

from __future__ import annotations

from datetime import datetime, timedelta

from agents_app.agents.base import Context, Created, Outcome, RecordEdited, Result
from agents_app.models import Task, WorkflowInstance
from agents_app.sales import chores
from agents_app.services import catalog
from agents_app.workflow import engine
from agents_app.workflow.machine import END_STATUSES
from bookings.choices import ProductStatus
from bookings.models import Product

# A launch: the task, and how many days before the start, or after today where no start is known, it is due.
_LAUNCH = (
    ("launch_text", "Write text and take pictures for", 21, 3),
    ("launch_campaign", "Plan the announcement of", 14, 7),
    ("launch_page", "Set up the page to book or buy", 7, 10),
)
LISTED = 50


def heed(edit: RecordEdited, context: Context) -> Outcome:
    product = Product.objects.live().filter(pk=edit.pk).first()
    if product is None:
        return Outcome(Result.NOTHING, "The product is gone.")
    status = product.status if edit.is_new else edit.became("status")
    if status == ProductStatus.COMING_SOON:
        made = [_launch(product, *item, context) for item in _LAUNCH]
        return Outcome(
            Result.DONE, f"{product} is coming: {len(made)} tasks.", tuple(Created.of(task) for task in made)
        )
    if status == ProductStatus.DISCONTINUED:
        return _discontinued(product, edit, context)
    return Outcome(Result.NOTHING, f"Nothing follows from {product} being {product.status}.")


def _launch(product: Product, key: str, name: str, before: int, after: int, context: Context) -> Task:
    start = product.starts_at
    due = start - timedelta(days=before) if start else context.now + timedelta(days=after)
    return chores.once(
        f"{product.product_id}:{key}:1",
        f"{name}: {product}",
        f"“{product}” is Coming Soon.",
        role="marketing",
        entity=catalog.current().entity_with_pk(product.business_entity_id),
        due_date=_not_past(due, context.now),
        category="Marketing",
        tags=["Marketing"],
    )


def _not_past(due: datetime, now: datetime) -> datetime:
    return max(due, now + timedelta(days=1))


def _discontinued(product: Product, edit: RecordEdited, context: Context) -> Outcome:
    """What is under way with it is told so, and a person says what becomes of it."""
    rows = WorkflowInstance.objects.live().filter(products=product).exclude(status__in=END_STATUSES)
    open_ones = list(rows.order_by("pk"))
    if not open_ones:
        return Outcome(Result.NOTHING, f"{product} is discontinued, and nothing is under way with it.")
    for instance in open_ones:
        engine.note(instance, f"“{product}” was discontinued by {edit.by}", actor=context.actor, event="discontinued")
    names = [f"{item.instance_id} {item} ({item.current_state})" for item in open_ones[:LISTED]]
    names += [f"… and {len(open_ones) - LISTED} more"] if len(open_ones) > LISTED else []
    task = chores.once(
        f"{product.product_id}:discontinued:{edit.occasion}",
        f"Discontinued, and still under way: {product}",
        "Decide what becomes of them:\n" + "\n".join(names),
        role="bookings",
        entity=catalog.current().entity_with_pk(product.business_entity_id),
        priority="High",
        category="Customer Service",
    )
    return Outcome(Result.DONE, f"{product} is discontinued: {len(open_ones)} workflows are told.", (Created.of(task),))

"""May 2020 of a small seller as the whole path leaves it: events, usage, one finalized invoice, one draft."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Q
from django.utils import timezone

from billing import publishing, registering, subscribing
from billing.invoicing import running
from billing.models import Invoice
from metering.models import EventBatch, RejectedEvent
from metering.periods import Period
from metering.rolling import running as rolling
from tests.world import catalog

START = datetime(2020, 5, 1, tzinfo=UTC)
END = datetime(2020, 6, 1, tzinfo=UTC)
INVOICED_AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
PASSWORD = "a password of tests"


def hybrid(**fields: Any) -> dict[str, Any]:
    """A plan document: the dearer of GPU-hours at 2.00 + 0.50 and a fee of 31.00."""
    split = {"model": "per_unit", "unit_amount": {"compute": "2.00", "storage": "0.50"}}
    on_demand = {"code": "gpu", "name": "On demand", "meter": "gpu_hours", "price": split}
    group = {"code": "dearer", "name": "The dearer", "combine": "GREATEST"}
    return catalog.document(
        {**group, "components": [on_demand, catalog.fee(name="Reserved")]}, code="hybrid", **fields
    )


def used() -> None:
    """Acme on the hybrid plan for May 2020; two GPUs ran ten hours: 20 GPU-hours, not invoiced yet."""
    catalog.seller()
    catalog.gpu_hours()
    plan = publishing.apply(document=hybrid(), at=catalog.LONG_AGO).version.plan
    acme = registering.customer(key="acme", name="Acme 北京", currency="USD", at=catalog.LONG_AGO)
    contract = subscribing.subscribe(
        customer=acme, plan=plan, key="acme-hybrid", start_at=START, end_at=END, at=catalog.LONG_AGO
    )
    subscribing.assign_subject(
        customer=acme, subject="acme", validity=Period(START, END), subscription=contract
    )
    catalog.run_gpus("acme", datetime(2020, 5, 14, 10, tzinfo=UTC), 10, count=2)


def invoiced() -> Invoice:
    """The finalized invoice of `used`: 50.00 on demand, for the fee of 31.00 is less."""
    used()
    rolled_up()
    running.run(as_of=END, at=INVOICED_AT)
    return Invoice.objects.get()


def drafted_and_blocked() -> Invoice:
    """A draft for the same month that cannot be finalized: usage of an A100 has no price."""
    catalog.seller()
    catalog.gpu_hours()
    priced = catalog.component(where={"gpu_type": ["H100"]})
    plan = publishing.apply(document=catalog.document(priced), at=catalog.LONG_AGO).version.plan
    acme = registering.customer(key="acme", name="Acme 北京", currency="USD", at=catalog.LONG_AGO)
    subscribing.subscribe(
        customer=acme, plan=plan, key="acme-narrow", start_at=START, end_at=END, at=catalog.LONG_AGO
    )
    subscribing.assign_subject(customer=acme, subject="acme", validity=Period(START, END))
    catalog.run_gpus("acme", datetime(2020, 5, 14, 10, tzinfo=UTC), 10, gpu_type="A100")
    rolled_up()
    running.run(as_of=END, at=INVOICED_AT)
    return Invoice.objects.get()


def rolled_up() -> None:
    """Counts every pending batch."""
    while rolling.roll_up(limit=100, at=timezone.now()):
        pass


def rejected(message: str = "time is too early") -> RejectedEvent:
    """An event that was turned away with the first batch."""
    batch = EventBatch.objects.first()
    assert batch is not None
    nothing = "00000000-0000-0000-0000-000000000000"
    return RejectedEvent.objects.create(
        api_key=batch.api_key,
        batch=batch,
        key=nothing,
        content=nothing,
        code="time",
        message=message,
        body='{"id": "old"}',
        first_at=INVOICED_AT,
        last_at=INVOICED_AT,
    )


def owner() -> User:
    """Somebody who may do everything."""
    return User.objects.create_superuser("owner", password=PASSWORD)


def clerk(*permissions: str) -> User:
    """Somebody of the staff who may do only what is named, such as "billing.view_invoice"."""
    made = User.objects.create_user("clerk", password=PASSWORD, is_staff=True)
    chosen = Q(pk__in=[])
    for permission in permissions:
        app, codename = permission.split(".")
        chosen |= Q(content_type__app_label=app, codename=codename)
    made.user_permissions.set(Permission.objects.filter(chosen))
    return made


def stranger() -> User:
    """A user who is not of the staff."""
    return User.objects.create_user("stranger", password=PASSWORD)

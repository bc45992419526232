"""A small seller: customers, plans with their versions, subscriptions, and a few hours on GPUs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from billing import publishing, registering, statements, subscribing
from billing.models import Customer, Plan, Seller, Subscription
from metering.models import EventKey
from metering.periods import Period
from tests.world import events, meters

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
OCTOBER = Period(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
NOVEMBER = Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
IN_NOVEMBER = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def seller(**details: Any) -> Seller:
    """Nimbus, who sells GPU-hours, due in 30 days."""
    return registering.seller(name="Nimbus", **{"tax_id": "DE123", **details})


def customer(key: str = "acme", **details: Any) -> Customer:
    """A customer in USD and UTC."""
    return registering.customer(
        key=key, name=key.title(), at=LONG_AGO, **{"currency": "USD", "timezone": "UTC", **details}
    )


def gpu_hours() -> None:
    """The meter of GPU-hours, by gpu_type."""
    meters.meter(
        "gpu_hours",
        "DURATION",
        "gpu.usage",
        value="gpu_count",
        unit="GPU-hour",
        dimensions={"gpu_type": "gpu_type"},
    )


def component(code: str = "gpu", unit_amount: str = "2.5", **fields: Any) -> dict[str, Any]:
    """A component of GPU-hours at a price for each."""
    price = {"model": "per_unit", "unit_amount": unit_amount}
    return {"code": code, "meter": "gpu_hours", "price": price, **fields}


def fee(code: str = "fee", amount: str = "31.00", **fields: Any) -> dict[str, Any]:
    """A fixed monthly fee."""
    return {"code": code, "price": {"model": "flat", "amount": amount}, **fields}


def document(*components: dict[str, Any], code: str = "gpu-cloud", **fields: Any) -> dict[str, Any]:
    """A monthly plan in USD; by default GPU-hours at 2.50."""
    return {
        "code": code,
        "name": "GPU Cloud",
        "currency": "USD",
        "interval": "MONTH",
        "components": list(components) or [component()],
        **fields,
    }


def plan(*components: dict[str, Any], at: datetime = LONG_AGO, **fields: Any) -> Plan:
    """The plan of a `document`, published."""
    return publishing.apply(document=document(*components, **fields), at=at).version.plan


def subscription(
    payer: Customer,
    of: Plan,
    *,
    subject: str | None = None,
    start_at: datetime = OCTOBER.start,
    end_at: datetime | None = None,
    key: str | None = None,
    **fields: Any,
) -> Subscription:
    """A subscription from October 2026 on; its customer pays for the subject, by default of their key."""
    made = subscribing.subscribe(
        customer=payer,
        plan=of,
        key=key or f"{payer.key}-{of.code}",
        start_at=start_at,
        end_at=end_at,
        at=LONG_AGO,
        **fields,
    )
    forever = Period(LONG_AGO, LONG_AGO + timedelta(days=3650))
    subscribing.assign_subject(
        customer=payer, subject=subject or payer.key, validity=forever, subscription=made
    )
    return made


def piece(subscription: Subscription, period: Period = OCTOBER) -> statements.Piece:
    """The one piece of a billing period of a subscription that neither changes its plan nor pauses in it."""
    (only,) = statements.pieces(subscription=subscription, period=period)
    return only


def run_gpus(subject: str, start: datetime, hours: int, *, count: int = 1, gpu_type: str = "H100") -> None:
    """Stores an event of so many GPUs that ran for so many hours; its batch is not rolled up yet."""
    end = start + timedelta(hours=hours)
    values = {"gpu_type": gpu_type, "gpu_count": count, "start": start.isoformat(), "end": end.isoformat()}
    number = EventKey.objects.count()
    events.store([events.event(number, start, values, subject=subject, type="gpu.usage")])

"""Whatever the plans, the usage and the taxes are: what is printed on every invoice adds up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import taxing
from billing.invoicing import running
from billing.models import Invoice, ServicePeriod, Subscription
from metering import numbers
from tests.world import catalog

pytestmark = pytest.mark.django_db

OCTOBER = catalog.OCTOBER
IN_JANUARY = datetime(2027, 1, 2, tzinfo=UTC)
DIGITS = {"USD": 2, "JPY": 0}

MANY = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
PRICES = st.sampled_from(
    [
        {"model": "per_unit", "unit_amount": "0.333"},
        {"model": "per_unit", "unit_amount": {"compute": "0.125", "storage": "0.005"}},
        {"model": "package", "package_size": "7", "package_amount": "19.995"},
        {
            "model": "graduated",
            "tiers": [{"up_to": "5", "unit_amount": "1.005"}, {"up_to": None, "unit_amount": "0.5"}],
        },
    ]
)
PERCENTS = st.sampled_from(["0.5", "10", "33.3", "60"])
RATES = st.lists(st.sampled_from(["7", "19", "8.875"]), max_size=2, unique=True)
INSTANTS = st.integers(1, 90 * 24).map(lambda hours: OCTOBER.start + timedelta(hours=hours))


@st.composite
def plans(draw):
    """The fields of a plan of GPU-hours, with fees of either kind, discounts and a minimum."""
    components = [catalog.component(price=draw(PRICES), **draw(st.sampled_from([{}, {"per": ["gpu_type"]}])))]
    if draw(st.booleans()):
        components.append(catalog.fee("seat", "99.99", timing="IN_ADVANCE"))
    if draw(st.booleans()):
        components.append(catalog.fee("support", "10.01"))
    discounts = [{"percent": percent, "name": "Off"} for percent in draw(st.lists(PERCENTS, max_size=2))]
    minimum = draw(st.sampled_from([None, "50"]))
    return components, {"discounts": discounts, **({"minimum": minimum} if minimum else {})}


@st.composite
def sellers(draw):
    """A seller with a few plans and customers, and what those used."""
    currency = draw(st.sampled_from(["USD", "JPY"]))
    catalog.seller()
    catalog.gpu_hours()
    catalogue = []
    for place, (components, fields) in enumerate(draw(st.lists(plans(), min_size=1, max_size=2))):
        catalogue.append(catalog.plan(*components, code=f"plan{place}", currency=currency, **fields))
    rates = [
        taxing.define_rate(code=f"tax{place}", name=f"Tax {percent}", percent=Decimal(percent))
        for place, percent in enumerate(draw(RATES))
    ]
    for number in range(draw(st.integers(1, 3))):
        customer = catalog.customer(f"c{number}", currency=currency)
        if rates:
            taxing.assign(customer=customer, rates=rates)
        for plan in catalogue:
            subscribe(draw, customer, plan)
    return currency


def subscribe(draw, customer, plan):
    start_at, end_at = draw(INSTANTS), draw(INSTANTS)
    subject = f"{customer.key}-{plan.code}"
    has_end = start_at < end_at
    catalog.subscription(
        customer, plan, subject=subject, start_at=start_at, end_at=end_at if has_end else None
    )
    for gpu_type in draw(st.lists(st.sampled_from(["H100", "A100"]), max_size=2)):
        catalog.run_gpus(subject, draw(INSTANTS), draw(st.integers(1, 700)), gpu_type=gpu_type)


class TestEveryInvoice:
    @MANY
    @given(choices=st.data())
    def test_adds_up(self, choices):
        with transaction.atomic():
            currency = choices.draw(sellers())
            summary = running.run(as_of=IN_JANUARY, at=IN_JANUARY)
            assert (summary.failed, summary.blocked) == ({}, [])
            invoices = list(Invoice.objects.order_by("pk"))
            for invoice in invoices:
                check(invoice, DIGITS[currency])
            assert sorted(each.number for each in invoices) == [
                f"INV-{n:06}" for n in range(1, len(invoices) + 1)
            ]
            check_every_period_once()
            transaction.set_rollback(True)


def check(invoice, digits):
    """Lines to subtotals, discounts and taxes to the total, all rounded to the currency's digits."""
    periods = list(invoice.service_periods.all())
    for period in periods:
        amounts = [line.amount for line in period.lines.all()]
        assert all(amount == round(amount, digits) for amount in amounts)
        assert sum(amounts) == period.subtotal
        taken = sum(Decimal(discount["amount"]) for discount in period.discounts)
        assert period.subtotal - taken == period.total
    assert sum(period.subtotal for period in periods) == invoice.subtotal
    net = sum(period.total for period in periods)
    assert invoice.subtotal - invoice.discount_total == net
    for tax in invoice.taxes:
        assert Decimal(tax["base"]) == net
        share = Fraction(net) * Fraction(tax["percent"]) / 100
        assert Decimal(tax["amount"]) == numbers.round_half_up(share, digits)
    assert sum(Decimal(tax["amount"]) for tax in invoice.taxes) == invoice.tax_total
    assert invoice.total == net + invoice.tax_total


def check_every_period_once():
    """In arrears the time of each subscription is invoiced without gap or overlap, as far as it is due."""
    for subscription in Subscription.objects.all():
        rows = ServicePeriod.objects.filter(subscription=subscription, part="ARREARS").order_by("start_at")
        bounds = [(row.start_at, row.end_at) for row in rows]
        assert [start for start, _ in bounds[1:]] == [end for _, end in bounds[:-1]]
        if bounds:
            assert bounds[0][0] == subscription.start_at
            assert bounds[-1][1] == (subscription.end_at or datetime(2027, 1, 1, tzinfo=UTC))

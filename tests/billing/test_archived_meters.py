"""What is sold by a meter stays billed after it is archived; nothing new can be sold by it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from billing import publishing, statements, stored
from metering import defining
from tests.world import catalog

pytestmark = pytest.mark.django_db

ARCHIVED_AT = catalog.OCTOBER.start + timedelta(days=1)


@pytest.fixture
def subscription():
    """Acme on a plan of GPU-hours at 2.50, whose meter was archived on 2 October 2026."""
    catalog.gpu_hours()
    made = catalog.subscription(catalog.customer("acme"), catalog.plan())
    defining.archive(slug="gpu_hours", at=ARCHIVED_AT)
    return made


class TestArchivedMeter:
    def test_still_counts_for_those_who_pay_by_it(self, subscription):
        catalog.run_gpus("acme", ARCHIVED_AT + timedelta(days=3), 10)
        rated = statements.of(
            subscription=subscription,
            piece=catalog.piece(subscription, catalog.OCTOBER),
            as_of=catalog.IN_NOVEMBER,
            is_final=True,
        )
        assert rated.statement.total == Decimal("25.00")

    def test_is_quoted(self, subscription):
        assert set(stored.meters(slugs=frozenset(["gpu_hours"]), at=catalog.IN_NOVEMBER)) == {"gpu_hours"}

    def test_is_in_no_new_plan(self, subscription):
        with pytest.raises(publishing.MeterUnknown):
            publishing.apply(document=catalog.document(code="other"), at=catalog.IN_NOVEMBER)

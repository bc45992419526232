"""Usage as a bounded table: filters, and what they do not do."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from metering.usage import Windows, tables
from tests.world import events, meters
from tests.world.catalog import OCTOBER

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 10, 5, 10, tzinfo=UTC)


@pytest.fixture
def tokens():
    version = meters.meter("tokens", "SUM", value="n", dimensions={"model": "model", "region": "region"})
    facts = [("a", "eu", 1), ("a", "us", 2), ("b", "eu", 4), ("c", "us", 8)]
    events.store(
        [
            events.event(n, TEN.replace(hour=10 + n), {"model": model, "region": region, "n": value})
            for n, (model, region, value) in enumerate(facts)
        ]
    )
    return version


def read(version, **question):
    """The dimensions, in order, then quantity and count of each row."""
    found = tables.rows(meter=version, spans=[("acme", OCTOBER)], **{"rows_max": 100, **question})
    return [(*row.dimensions.values(), row.quantity, row.count) for row in found]


class TestFilters:
    def test_add_up_over_what_is_not_grouped(self, tokens):
        assert read(tokens, only={"model": ["a", "b"]}) == [(Fraction(7), 3)]
        assert read(tokens, only={"model": ["a"], "region": ["us"]}) == [(Fraction(2), 1)]
        assert read(tokens, by=["region"], only={"model": ["a", "c"]}) == [("eu", 1, 1), ("us", 10, 2)]

    def test_keep_windows_apart(self, tokens):
        found = read(tokens, only={"region": ["eu"]}, windows=Windows("HOUR"))
        assert found == [(1, 1), (4, 1)]

    def test_of_a_value_that_nothing_has_leave_nothing(self, tokens):
        assert read(tokens, only={"model": ["d"]}) == []


class TestFiltersOfWhatDoesNotAdd:
    @pytest.fixture
    def largest(self, tokens):
        return meters.meter("largest", "MAX", value="n", dimensions={"model": "model", "region": "region"})

    def test_keep_one_value_or_those_that_are_grouped(self, largest):
        assert read(largest, only={"model": ["a"]}) == [(2, 2)]
        assert read(largest, by=["model"], only={"model": ["a", "b"]}) == [("a", 2, 2), ("b", 4, 1)]

    def test_refuse_to_merge(self, largest):
        with pytest.raises(tables.FilterDoesNotAdd, match="MAX of several values of model"):
            read(largest, only={"model": ["a", "b"]})


class TestBound:
    def test_refuses_one_row_too_many(self, tokens):
        assert len(read(tokens, by=["model"], rows_max=3)) == 3
        with pytest.raises(tables.RowsTooMany, match="3 rows, more than 2"):
            read(tokens, by=["model"], rows_max=2)

    def test_counts_the_rows_that_are_left(self, tokens):
        assert len(read(tokens, by=["model"], only={"model": ["a"]}, rows_max=1)) == 1

"""Meters are created from documents, once, and never changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metering import defining
from metering.documents import DocumentError
from metering.models import Meter, MeterVersion

pytestmark = pytest.mark.django_db

AT = datetime(2026, 10, 1, tzinfo=UTC)
CALLS = {"slug": "calls", "name": "Calls", "unit": "call", "event_type": "llm.call", "aggregation": "COUNT"}
TOKENS = {
    "slug": "tokens",
    "name": "Tokens",
    "event_type": "llm.call",
    "aggregation": "SUM",
    "value": "tokens",
    "increment": "1.50",
}


def outcomes(document) -> list[tuple[str, str]]:
    return [(each.slug, each.outcome) for each in defining.apply(document=document, at=AT)]


class TestApply:
    def test_creates_a_meter_with_its_first_version(self):
        (applied,) = defining.apply(document=CALLS | {"effective_at": "2026-10-02T00:00:00Z"}, at=AT)
        version = MeterVersion.objects.get(meter__slug="calls")
        assert applied == defining.Applied("calls", "created", version)
        assert (version.number, version.created_at, version.is_built) == (1, AT, False)
        assert version.effective_at == datetime(2026, 10, 2, tzinfo=UTC)

    def test_creates_each_version_at_an_epoch_of_its_own(self):
        defining.apply(document=[CALLS, TOKENS], at=AT)
        assert list(MeterVersion.objects.order_by("pk").values_list("epoch", flat=True)) == [1, 2]

    def test_changes_nothing_the_second_time(self):
        assert outcomes([CALLS, TOKENS]) == [("calls", "created"), ("tokens", "created")]
        assert outcomes([CALLS, TOKENS]) == [("calls", "unchanged"), ("tokens", "unchanged")]
        assert MeterVersion.objects.count() == 2

    def test_compares_numbers_by_value(self):
        outcomes(TOKENS)
        assert outcomes(TOKENS | {"increment": "15e-1", "minimum": None}) == [("tokens", "unchanged")]

    def test_refuses_a_changed_meter_by_name_and_creates_nothing_of_the_file(self):
        outcomes(CALLS)
        with pytest.raises(
            defining.MeterChanged, match=r"meters\[1\]: the meter calls exists .* \(name, where\)"
        ):
            outcomes([TOKENS, CALLS | {"name": "All calls", "where": {"a": ["b"]}}])
        assert list(Meter.objects.values_list("slug", flat=True)) == ["calls"]

    @pytest.mark.parametrize("aggregation", ["MAX", "MIN", "AVERAGE", "LATEST", "UNIQUE"])
    def test_creates_meters_that_do_not_add_up(self, aggregation):
        document = {"slug": "m", "name": "M", "event_type": "e", "aggregation": aggregation, "value": "v"}
        assert outcomes(document) == [("m", "created")]

    def test_refuses_an_aggregation_that_is_not_built(self):
        document = {"slug": "m", "name": "M", "event_type": "e", "aggregation": "TIME_WEIGHTED", "value": "v"}
        with pytest.raises(DocumentError) as refused:
            outcomes(document)
        assert str(refused.value) == "meter.aggregation: aggregation TIME_WEIGHTED is not built yet"
        assert Meter.objects.count() == 0

    def test_names_the_place_of_an_unknown_key(self):
        with pytest.raises(DocumentError) as refused:
            outcomes([CALLS, TOKENS | {"agregation": "SUM"}])
        assert str(refused.value) == "meters[1].agregation: unknown key, did you mean aggregation?"
        assert Meter.objects.count() == 0

    def test_refuses_two_meters_of_one_slug_that_differ(self):
        with pytest.raises(defining.MeterChanged):
            outcomes([CALLS, CALLS | {"unit": "request"}])

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering import measures
from metering.documents import meter as meter_document
from metering.ingesting import plainness

VALUES = (
    st.integers(-3, 10**21)
    | st.sampled_from([0, 1, 10**20 - 1, 10**20, Decimal("0.5"), None, True, [], {}])
    | st.sampled_from(["8", "x" * 50, "é" * 101, ""])
)
DATA = st.dictionaries(st.sampled_from(["a", "b", "c", "model", "status"]), VALUES)
FORMULAS = st.sampled_from(
    [
        "a",
        {"plus": ["a", "b"]},
        {"plus": ["a"], "minus": ["b", "c"]},
        {"times": ["a", "b"]},
        {"plus": ["a.b"]},
    ]
)


def definition(**document: object):
    usual = {"slug": "m", "name": "m", "unit": "", "event_type": "t", "aggregation": "SUM", "value": "a"}
    return meter_document.parse(usual | document)


class TestPlainlyUsable:
    @given(
        data=DATA,
        value=FORMULAS,
        aggregation=st.sampled_from(["SUM", "MAX", "LATEST"]),
        where=st.sampled_from([{}, {"status": ["8", "1"]}, {"status": [""]}]),
        dimensions=st.sampled_from([{}, {"model": "model"}, {"size": {"path": "a", "ranges": ["5"]}}]),
    )
    def test_is_never_said_of_what_the_measure_cannot_use(self, data, value, aggregation, where, dimensions):
        meter = definition(value=value, aggregation=aggregation, where=where, dimensions=dimensions)
        test = plainness.test_of(meter)
        event = measures.Event("1", "s", "t", "acme", datetime(2026, 10, 1, tzinfo=UTC), data)
        if test is not None and test(data):
            assert measures.matching(meter, event)
            assert isinstance(measures.usable(meter, event), measures.Contribution)

    @pytest.mark.parametrize(
        ("document", "data"),
        [
            ({}, {"a": 5}),
            ({"value": {"plus": ["a"], "minus": ["b"]}}, {"a": 5}),
            ({"where": {"status": ["run"]}}, {"a": 5, "status": "run"}),
            ({"dimensions": {"model": "model"}}, {"a": 5, "model": "m"}),
        ],
    )
    def test_is_said_of_usual_events(self, document, data):
        assert plainness.test_of(definition(**document))(data)

    def test_is_said_of_whatever_is_only_counted(self):
        count = {"slug": "m", "name": "m", "unit": "", "event_type": "t", "aggregation": "COUNT"}
        assert plainness.test_of(meter_document.parse(count))({})

    def test_is_left_to_the_measure_for_intervals(self):
        assert plainness.test_of(definition(aggregation="DURATION")) is None

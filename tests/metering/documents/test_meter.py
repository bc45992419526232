"""Meters as documents."""

from decimal import Decimal

import pytest

from metering.documents import DocumentError, meter

CALLS = {"slug": "calls", "name": "Calls", "event_type": "llm.call", "aggregation": "COUNT"}
TOKENS = {**CALLS, "slug": "tokens", "aggregation": "SUM", "value": "n"}
HOURS = {**CALLS, "slug": "hours", "aggregation": "DURATION"}
LEVEL = {**CALLS, "slug": "level", "aggregation": "TIME_WEIGHTED", "value": "n"}


def refused(document):
    with pytest.raises(DocumentError) as error:
        meter.parse(document)
    return error.value.code, error.value.field


class TestParse:
    def test_fills_in_the_defaults(self):
        definition = meter.parse(HOURS)
        assert (definition.start, definition.end, definition.per) == ("start", "end", "HOUR")
        assert (definition.strict, definition.optional, definition.carry_over) == (True, False, False)
        assert definition.unit == ""
        assert definition.dimensions == ()

    @pytest.mark.parametrize(
        ("document", "mode"),
        [
            (CALLS, "USAGE"),
            (HOURS, "DURATION"),
            ({**HOURS, "value": "gpus"}, "RESOURCE"),
            (LEVEL, "RESOURCE"),
            ({**LEVEL, "mode": "USAGE"}, "USAGE"),
        ],
    )
    def test_knows_the_mode(self, document, mode):
        assert meter.parse(document).mode == mode

    def test_carries_levels_over_by_default(self):
        assert meter.parse(LEVEL).carry_over is True
        assert meter.parse({**LEVEL, "carry_over": False}).carry_over is False

    def test_takes_formulas(self):
        assert meter.parse({**TOKENS, "value": {"plus": ["a"], "minus": ["b", "c"]}}).value == meter.Formula(
            plus=("a",), minus=("b", "c")
        )
        assert meter.parse({**TOKENS, "value": {"times": ["a", "b"]}}).value == meter.Formula(
            times=("a", "b")
        )

    def test_takes_ranges(self):
        [dimension] = meter.parse(
            {**CALLS, "dimensions": {"context": {"path": "n", "ranges": ["200000"]}}}
        ).dimensions
        assert dimension == meter.Dimension("context", "n", (Decimal(200000),))

    def test_takes_every_aggregation(self):
        for aggregation in meter.AGGREGATIONS:
            value = {} if aggregation == "COUNT" else {"value": "n"}
            assert meter.parse({**CALLS, **value, "aggregation": aggregation}).aggregation == aggregation

    @pytest.mark.parametrize(
        ("document", "code", "field"),
        [
            ({**CALLS, "agregation": "COUNT"}, "unknown_key", "meter.agregation"),
            ({**CALLS, "aggregation": "count"}, "invalid", "meter.aggregation"),
            ({**CALLS, "slug": "GPU-hours"}, "invalid", "meter.slug"),
            ({k: v for k, v in CALLS.items() if k != "event_type"}, "invalid", "meter.event_type"),
            ({**CALLS, "value": "n"}, "invalid", "meter.value"),
            ({**CALLS, "optional": True}, "invalid", "meter.optional"),
            ({**HOURS, "optional": True}, "invalid", "meter.optional"),
            ({**TOKENS, "per": "HOUR"}, "invalid", "meter.per"),
            ({**TOKENS, "carry_over": True}, "invalid", "meter.carry_over"),
            ({**TOKENS, "value": None}, "invalid", "meter.value"),
            ({**TOKENS, "value": {}}, "invalid", "meter.value"),
            ({**TOKENS, "value": {"times": ["a"], "plus": ["b"]}}, "invalid", "meter.value"),
            ({**TOKENS, "value": {"times": ["a"], "minus": ["b"]}}, "invalid", "meter.value.minus"),
            ({**TOKENS, "value": {"times": list("abcdef")}}, "invalid", "meter.value.times"),
            ({**TOKENS, "value": "a..b"}, "invalid", "meter.value"),
            ({**TOKENS, "aggregation": "UNIQUE", "value": {"times": ["a"]}}, "invalid", "meter.value"),
            ({**HOURS, "minimum": "-1"}, "invalid", "meter.minimum"),
            ({**HOURS, "increment": "0"}, "invalid", "meter.increment"),
            ({**HOURS, "increment": "0.0000001"}, "invalid", "meter.increment"),
            ({**HOURS, "per": "WEEK"}, "invalid", "meter.per"),
            ({**LEVEL, "delta": True, "expires_after": "60"}, "invalid", "meter.expires_after"),
            ({**CALLS, "dimensions": {"subject": "s"}}, "invalid", "meter.dimensions.subject"),
            (
                {**CALLS, "dimensions": {"c": {"path": "n", "ranges": ["2", "1"]}}},
                "invalid",
                "meter.dimensions.c.ranges",
            ),
            (
                {**CALLS, "dimensions": {"c": {"path": "n", "ranges": [str(n) for n in range(21)]}}},
                "invalid",
                "meter.dimensions.c.ranges",
            ),
            ({**CALLS, "where": {"state": []}}, "invalid", "meter.where.state"),
            ({**CALLS, "event_type": "meterbook.void"}, "invalid", "meter.event_type"),
            ({**CALLS, "strict": "yes"}, "invalid", "meter.strict"),
            ({**CALLS, "effective_at": "2026-10-01"}, "invalid", "meter.effective_at"),
            ([], "invalid", "meter"),
        ],
    )
    def test_refuses(self, document, code, field):
        assert refused(document) == (code, field)

    def test_suggests_the_key_that_was_meant(self):
        with pytest.raises(
            DocumentError, match=r"meter\.agregation: unknown key, did you mean aggregation\?"
        ):
            meter.parse({**CALLS, "agregation": "COUNT"})


class TestAdditive:
    def test_is_what_adds_up(self):
        kinds = {
            kind: meter.parse(
                {**CALLS, "aggregation": kind, **({} if kind == "COUNT" else {"value": "n"})}
            ).additive
            for kind in meter.AGGREGATIONS
        }
        assert [kind for kind, additive in kinds.items() if additive] == [
            "COUNT",
            "SUM",
            "DURATION",
            "TIME_WEIGHTED",
        ]


class TestPerMicroseconds:
    @pytest.mark.parametrize(
        ("per", "expected"), [("SECOND", 10**6), ("MINUTE", 6 * 10**7), ("DAY", 864 * 10**8)]
    )
    def test_divides_integrals(self, per, expected):
        assert meter.parse({**HOURS, "per": per}).per_microseconds == expected

    def test_is_one_elsewhere(self):
        assert meter.parse(TOKENS).per_microseconds == 1


class TestCanonical:
    def test_takes_equal_numbers_as_equal(self):
        written = {**HOURS, "minimum": "60.0", "dimensions": {"c": {"path": "n", "ranges": ["2e5"]}}}
        same = {**HOURS, "minimum": 60, "dimensions": {"c": {"path": "n", "ranges": ["200000"]}}}
        assert meter.canonical(written) == meter.canonical(same)

    def test_takes_null_as_absent_and_one_value_as_a_list(self):
        assert meter.canonical({**CALLS, "effective_at": None, "where": {"s": "run"}}) == meter.canonical(
            {**CALLS, "where": {"s": ["run"]}}
        )

    def test_tells_other_documents_apart(self):
        assert meter.canonical(CALLS) != meter.canonical({**CALLS, "strict": False})

    def test_refuses_what_parse_refuses(self):
        with pytest.raises(DocumentError):
            meter.canonical({**CALLS, "value": "n"})


class TestSchema:
    def test_names_every_key(self):
        schema = meter.schema()
        assert set(schema["required"]) == {"slug", "name", "event_type", "aggregation"}
        assert schema["additionalProperties"] is False
        assert "expires_after" in schema["properties"]

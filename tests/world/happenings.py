"""Random events and meters for properties: sound values mostly, and every kind of bad one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from metering.measures import Event

MONTH_START = datetime(2026, 10, 1, tzinfo=UTC)
ABSENT: Any = object()

GOOD_NUMBERS = st.one_of(
    st.sampled_from([0, 10, "10", Decimal("100.50"), "100.5", 60, 3]),
    st.integers(0, 1000),
    st.decimals(min_value=-50, max_value=5000, places=3),
    st.sampled_from(["12", "0.000000000000000001", "1e-05", "99999999999999999999", "-3", "2.50", "7E2"]),
    st.sampled_from(
        [Decimal("0.1000"), Decimal("99999999999999999999.999999999999999999"), Decimal("1E-18")]
    ),
)
BAD_TEXTS = [
    "1_000",
    "１２",
    " 1",
    "1 ",
    "+1",
    "Infinity",
    "NaN",
    "",
    "0x10",
    "01",
    "1.",
    ".5",
    "1\n",
    "1" * 61,
]
OUT_OF_BOUNDS = ["1e20", "1e9999", "12e999", Decimal("1e20"), Decimal("1E-19"), Decimal("-1E29")]
BAD_NUMBERS = st.sampled_from([*BAD_TEXTS, *OUT_OF_BOUNDS, True, False, {}, [], [1]])
NUMBERS = st.one_of(*[GOOD_NUMBERS] * 6, BAD_NUMBERS, st.sampled_from([None, ABSENT]))
WORDS = st.one_of(
    st.sampled_from(
        ["gpt-4o", "small", "ok", "8", "", "x" * 200, "ü" * 100, "x" * 201, "ü" * 101, "中文", "a.b", "%s"]
    ),
    st.sampled_from(
        [8, Decimal("8.0"), Decimal("-0.0"), Decimal("1E+2"), True, False, None, ABSENT, {}, ["ok"]]
    ),
)


def moments(days: int = 3) -> st.SearchStrategy[datetime]:
    """Instants of the first days of October 2026: often on a quarter hour or a microsecond beside one."""
    quarters = st.integers(0, days * 96 - 1).map(lambda n: MONTH_START + n * timedelta(minutes=15))
    anywhere = st.integers(0, days * 86_400_000_000 - 1).map(
        lambda n: MONTH_START + timedelta(microseconds=n)
    )
    beside = quarters.map(lambda at: max(at - timedelta(microseconds=1), MONTH_START))
    return st.one_of(quarters, beside, anywhere)


def written(at: datetime) -> st.SearchStrategy[Any]:
    """The ways in which senders write an instant."""
    unix = Decimal((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)).scaleb(-6)
    naive = at.replace(tzinfo=None).isoformat()
    fraction = "" if "." in naive else "."
    offset = (at + timedelta(hours=5, minutes=45)).replace(tzinfo=None).isoformat() + "+05:45"
    return st.sampled_from(
        [
            naive,
            naive + "Z",
            naive.replace("T", " ") + "z",
            naive + fraction + "0009Z",
            offset,
            unix,
            str(unix),
        ]
    )


NO_INSTANTS = ["soon", True, [], "2026-10-01", "2026-10-01T00:00Z", "2026-10-01T00:00:00+24:00"]
IMPOSSIBLE_INSTANTS = ["2026-02-30T00:00:00Z", "2026-10-01T24:00:00Z", "2026-10-01T23:59:60Z"]
FAR_INSTANTS = ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "2027-10-03T00:00:00Z", "-1.5", 1000]
BAD_INSTANTS = st.sampled_from(
    [None, ABSENT, Decimal("1E+29"), *NO_INSTANTS, *IMPOSSIBLE_INSTANTS, *FAR_INSTANTS]
)
INSTANTS = st.one_of(*[moments().flatmap(written)] * 3, BAD_INSTANTS)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[Any, Any]:
    """How a start and an end are written: mostly in order, sometimes the same instant."""
    start, end = sorted((draw(moments()), draw(moments())))
    end = draw(st.sampled_from([end, end, end, start]))
    return draw(written(start)), draw(written(end))


@st.composite
def payloads(draw: st.DrawFn) -> dict[str, Any]:
    """The data of an event, with everything that the meters below read."""
    start, end = draw(st.one_of(*[intervals()] * 6, st.tuples(INSTANTS, INSTANTS)))
    nested = {"n": draw(NUMBERS), "word": draw(WORDS)}
    payload = {
        "a": draw(NUMBERS),
        "b": draw(NUMBERS),
        "c": draw(NUMBERS),
        "nested": {key: value for key, value in nested.items() if value is not ABSENT},
        "model": draw(WORDS),
        "state": draw(st.sampled_from(["run", "run", "run", "idle", None, ABSENT, 8, ["run"]])),
        "start": start,
        "end": end,
    }
    return {key: value for key, value in payload.items() if value is not ABSENT}


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Events of two subjects and two types, each with an id of its own, in any order of time."""
    return [
        Event(
            id=f"e{n}",
            source="test",
            type=draw(st.sampled_from([*["use"] * 7, "other"])),
            subject=draw(st.sampled_from(["acme", "Ünal & Söhne", "acme"])),
            time=draw(moments()),
            data=draw(payloads()),
        )
        for n in range(draw(st.sampled_from([16, 12, 6, 1, 0])))
    ]


VALUES = st.sampled_from(
    [
        "a",
        "nested.n",
        {"plus": ["a", "b"]},
        {"plus": ["a"], "minus": ["b", "nested.n"]},
        {"times": ["a", "nested.n"]},
        {"times": ["b"]},
    ]
)
BOUNDS = st.sampled_from([None, None, "60", "0.5", "3", "100"])


@st.composite
def documents(draw: st.DrawFn, aggregation: str) -> dict[str, Any]:
    """A meter of the aggregation over such events."""
    document: dict[str, Any] = {"slug": "m", "name": "M", "event_type": "use", "aggregation": aggregation}
    document["where"] = draw(
        st.sampled_from(
            [{}, {}, {"state": ["run"]}, {"state": ["", "8"], "nested.word": ["ok", "8", "true", ""]}]
        )
    )
    document["dimensions"] = draw(
        st.sampled_from(
            [
                {},
                {"model": "model"},
                {"word": "nested.word", "model": "model"},
                {"size": {"path": "a", "ranges": ["10", "100.50"]}},
                {"model": "model", "size": {"path": "nested.n", "ranges": ["0"]}},
            ]
        )
    )
    if aggregation == "UNIQUE":
        document["value"] = draw(st.sampled_from(["model", "nested.word", "a"]))
    elif aggregation not in ("COUNT", "DURATION") or (aggregation == "DURATION" and draw(st.booleans())):
        document["value"] = draw(VALUES)
    if aggregation not in ("COUNT", "DURATION"):
        document["optional"] = draw(st.booleans())
    if aggregation in ("LATEST", "MAX", "UNIQUE"):
        document["carry_over"] = draw(st.booleans())
    if aggregation in ("SUM", "DURATION"):
        document |= {"minimum": draw(BOUNDS), "increment": draw(BOUNDS)}
    if aggregation == "DURATION":
        document["per"] = draw(st.sampled_from(["SECOND", "HOUR"]))
    return document

"""How much a quote may be, and that nothing in a request makes it fail in any other way than by a refusal."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing import market, rating
from metering.documents import DocumentError
from tests.billing.rating.quotes import METERS, OCTOBER, component, plan, used
from tests.scenarios.rating import test_scenarios as scenarios

DOLLAR = {"model": "per_unit", "unit_amount": "1"}
HOURLY = component(DOLLAR, included={"quantity": "1", "every": "HOUR"})
ALL_MONTH = {**used("1", OCTOBER["start"]), "until": OCTOBER["end"]}


def answer(of: dict[str, Any], usage: list[dict[str, Any]], work_max: int | None) -> dict[str, Any]:
    request = {"plan": of, "meters": METERS, "period": OCTOBER, "usage": usage}
    return rating.quote(request, work_max=work_max)


class TestWork:
    @pytest.mark.parametrize(
        ("of", "usage", "expected"),
        [
            # the component, and ten for a row that may become a step
            (plan(component(DOLLAR)), [], 1),
            (plan(component(DOLLAR)), [used("1")], 1 + 1 + 10),
            # 31 x 96 quarter hours, and the one at the end
            (plan(HOURLY), [ALL_MONTH], 1 + 2977 + 10),
            (plan(component({"model": "graduated", "tiers": [{"up_to": "1"}, {}]})), [used("1")], 1 + 1 + 20),
            (plan(component(DOLLAR, meter="others")), [used("1")], 1),
        ],
    )
    def test_is_bounded(self, of, usage, expected):
        assert answer(of, usage, expected)["lines"]
        with pytest.raises(DocumentError, match="too much for one quote") as error:
            answer(of, usage, expected - 1)
        assert (error.value.code, error.value.field) == ("invalid", "usage")
        assert answer(of, usage, None)["lines"]

    def test_is_bounded_for_events_too(self):
        event = {"id": "1", "source": "s", "type": "units", "subject": "t", "data": {"n": 1}}
        request = {"plan": plan(component(DOLLAR)), "meters": METERS, "period": OCTOBER, "events": [event]}
        with pytest.raises(DocumentError) as error:
            # two meters look at the event
            rating.quote(request, work_max=1)
        assert error.value.field == "events"

    def test_has_no_fractions_that_cannot_be_added_up(self):
        odd = [used(f"1/{10**59 + n}") for n in range(1, 40, 2)]
        with pytest.raises(DocumentError, match="too many kinds") as error:
            answer(plan(component(DOLLAR)), odd, 10**6)
        assert error.value.field == "usage"
        thirds = [used(f"{n}/3600000000") for n in range(1, 40)]
        assert answer(plan(component(DOLLAR)), thirds, 10**6)["lines"]


# What may stand where it does not belong.
WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    "",
    "0",
    "-1",
    "0.5",
    "1/3",
    f"1/{2**199}",
    "9" * 30,
    "1e999",
    "x",
    "USD",
    "JPY",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-10-05T12:34:56.789Z",
    "Asia/Kathmandu",
    "HOUR",
    "IN_ADVANCE",
    "LATEST",
    "TIME_WEIGHTED",
    "LEAST",
    "subject",
    [],
    {},
    [None],
    [{}],
    {"compute": "1", "storage": "2"},
    {"quantity": "3", "every": "HOUR"},
    {"start": "2026-10-05T10:10:00Z", "end": "2026-10-20T00:00:00Z"},
]
REQUESTS = [scenarios.request_of(path) for path in scenarios.SCENARIOS]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside a value."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, each in entries for place in places(each, (*path, key)))]


def broken(request: Any, chance: random.Random) -> Any:
    """The request with one to three values replaced by wrong ones, left out, or taken from elsewhere."""
    changed = copy.deepcopy(request)
    for _ in range(chance.randint(1, 3)):
        *path, key = chance.choice([place for place in places(changed) if place])
        holder = changed
        for step in path:
            holder = holder[step]
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(WRONG))
    return changed


def outcome(request: Any) -> str:
    """What becomes of a request: answered, or the code of the error."""
    try:
        return "answered" if rating.quote(request, resolve=market.resolve, work_max=200_000)["total"] else ""
    except DocumentError as error:
        return error.code if error.message else ""


class TestQuote:
    @given(st.sampled_from(REQUESTS), st.randoms(use_true_random=False))
    @settings(max_examples=400, deadline=None)
    def test_of_a_broken_request_is_answered_or_refused(self, request, chance):
        codes = {"invalid", "unknown_key", "unpriced", "unmeterable", "currency", "period"}
        assert outcome(broken(request, chance)) in {"answered", *codes}

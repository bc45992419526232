"""What holds of every price, plan and usage."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.billing.rating.quotes import component, fee, plan, quote, used

PRICES = st.decimals(0, 100, places=4).map(str)
SIZES = st.integers(1, 500).map(str)
QUANTITIES = st.decimals(0, 1000, places=3).map(str)
INSTANTS = st.integers(0, 31 * 96 - 1).map(
    lambda quarter: f"2026-10-{quarter // 96 + 1:02d}T{quarter % 96 // 4:02d}:{quarter % 4 * 15:02d}:00Z"
)
ROWS = st.lists(st.tuples(QUANTITIES, INSTANTS, st.sampled_from("ab")), max_size=8)


@st.composite
def tiers(draw: Any, *, rates: bool = False) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(st.integers(1, 1500), max_size=3)))
    unit = "rate" if rates else "unit_amount"
    return [
        {"up_to": bound and str(bound), unit: draw(PRICES), "flat_amount": draw(PRICES)}
        for bound in [*bounds, None]
    ]


PER_UNIT = st.builds(lambda amount: {"model": "per_unit", "unit_amount": amount}, PRICES)
PACKAGE = st.builds(
    lambda size, amount: {"model": "package", "package_size": size, "package_amount": amount}, SIZES, PRICES
)
GRADUATED = st.builds(lambda each: {"model": "graduated", "tiers": each}, tiers())
SHARED = st.builds(lambda each: {"model": "graduated_percentage", "tiers": each}, tiers(rates=True))
VOLUME = st.builds(lambda each: {"model": "volume", "tiers": each}, tiers())
PERCENTAGE = st.builds(
    lambda rate, fixed, events, free: {
        "model": "percentage",
        "rate": rate,
        "fixed_amount": fixed,
        "free_events": events,
        "free_quantity": free,
    },
    PRICES,
    PRICES,
    st.integers(0, 4),
    SIZES,
)
MATRIX = st.builds(
    lambda one, other: {
        "model": "matrix",
        "by": ["model"],
        "rates": [{"when": {"model": "a"}, "unit_amount": one}],
        "otherwise": other,
    },
    PRICES,
    PRICES,
)
BY_TIME = st.builds(
    lambda night, day: {
        "model": "time_of_use",
        "windows": [{"from": "22:00", "to": "06:15", "unit_amount": night}],
        "otherwise": day,
    },
    PRICES,
    PRICES,
)
MONOTONE = st.one_of(PER_UNIT, PACKAGE, GRADUATED, SHARED, PERCENTAGE)
ADDED = st.one_of(PER_UNIT, PACKAGE, GRADUATED, SHARED, VOLUME, MATRIX, BY_TIME)
INCLUDED = st.one_of(
    st.none(),
    st.builds(
        lambda size, every: {"quantity": size, "every": every},
        SIZES,
        st.sampled_from(["PERIOD", "DAY", "HOUR"]),
    ),
)


def rows_of(rows: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [used(quantity, at, model=model) for quantity, at, model in rows]


def exact(answer: dict[str, Any]) -> list[Fraction]:
    return [Fraction(line.get("unrounded_exact", line["unrounded"])) for line in answer["lines"]]


class TestSums:
    @given(ADDED, INCLUDED, ROWS, st.booleans(), PRICES)
    @settings(max_examples=60, deadline=None)
    def test_lines_and_steps_add_up(self, price, included, rows, by_model, minimum):
        of = plan(
            component(
                price,
                included=included,
                discount_percent="7",
                maximum="400",
                per=["model"] if by_model else None,
            ),
            fee("9.99"),
            discounts=[{"percent": "3", "name": "D"}],
            minimum=minimum[: minimum.find(".") + 3],
        )
        answer = quote(of, *rows_of(rows))
        assert sum((Decimal(line["amount"]) for line in answer["lines"]), Decimal(0)) == Decimal(
            answer["subtotal"]
        )
        off = sum((Decimal(each["amount"]) for each in answer["discounts"]), Decimal(0))
        assert Decimal(answer["subtotal"]) - off == Decimal(answer["total"])
        for line, unrounded in zip(answer["lines"], exact(answer), strict=True):
            steps = (Fraction(step.get("amount_exact", step["amount"])) for step in line["steps"])
            assert sum(steps, Fraction(0)) == unrounded
            assert abs(Fraction(line["amount"]) - unrounded) <= Fraction(1, 200)


class TestOrder:
    @given(ADDED, INCLUDED, ROWS, st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None)
    def test_of_rows_does_not_matter(self, price, included, rows, random):
        of = plan(component(price, included=included))
        shuffled = list(rows)
        random.shuffle(shuffled)
        assert quote(of, *rows_of(rows)) == quote(of, *rows_of(shuffled))


class TestParts:
    @given(
        st.one_of(ADDED, PERCENTAGE), ROWS, st.integers(1, 30), st.sampled_from(["SUM", "GREATEST", "LEAST"])
    )
    @settings(max_examples=80, deadline=None)
    def test_charged_one_after_the_other_add_up(self, price, rows, day, combine):
        children = [component(price, per=["model"]), fee("30")]
        group = {"code": "g", "combine": combine, "components": children, "maximum": "900"}
        of = plan(group, minimum="50", discounts=[{"percent": "10", "name": "D"}])
        usage = rows_of(rows)
        first = quote(of, *usage, as_of=f"2026-10-{day:02d}T12:00:00Z", is_final=False)
        billed = [
            {key: line[key] for key in ("component", "group", "dimensions", "kind", "amount")}
            for line in first["lines"]
        ]
        for place, discount in enumerate(first["discounts"]):
            billed.append(
                {"component": str(place), "kind": "plan_discount", "amount": f"-{discount['amount']}"}
            )
        second = quote(of, *usage, billed=billed)
        assert Decimal(first["total"]) + Decimal(second["total"]) == Decimal(quote(of, *usage)["total"])


class TestMoreUsage:
    @given(MONOTONE, ROWS, QUANTITIES)
    @settings(max_examples=60, deadline=None)
    def test_never_costs_less(self, price, rows, more):
        of = plan(component(price))
        later = ("2026-10-31T23:59:00Z", "a")
        [less_due], [more_due] = (
            exact(quote(of, *rows_of(each))) for each in (rows, [*rows, (more, *later)])
        )
        assert more_due >= less_due


class TestChoice:
    @given(st.one_of(ADDED), st.one_of(ADDED), INCLUDED, ROWS)
    @settings(max_examples=60, deadline=None)
    def test_lies_between_the_children(self, one, other, included, rows):
        children = [component(one, code="a", included=included), component(other, code="b")]
        usage = rows_of(rows)
        alone = [Decimal(quote(plan(child), *usage)["total"]) for child in children]
        least, greatest = (
            Decimal(quote(plan({"code": "g", "combine": combine, "components": children}), *usage)["total"])
            for combine in ("LEAST", "GREATEST")
        )
        assert (least, greatest) == (min(alone), max(alone))


class TestVersion:
    @given(
        st.one_of(ADDED, PERCENTAGE), INCLUDED, ROWS, INSTANTS.filter(lambda at: at > "2026-10-01T00:00:00Z")
    )
    @settings(max_examples=100, deadline=None)
    def test_with_the_same_prices_changes_nothing(self, price, included, rows, at):
        free = {} if price["model"] == "percentage" else {"included": included}
        of = plan(component(price, **free), fee("31"), minimum="1")
        segments = [{"from": "2026-10-01T00:00:00Z", "plan": of}, {"from": at, "plan": of}]
        usage = rows_of(rows)
        assert exact(quote({}, *usage, segments=segments)) == exact(quote(of, *usage))


class TestSpread:
    @given(ADDED, INCLUDED, QUANTITIES, st.integers(0, 2000), st.integers(1, 900), st.integers(1, 7))
    @settings(max_examples=60, deadline=None)
    def test_usage_costs_what_its_pieces_cost(self, price, included, quantity, start, quarters, pieces):
        def instant(quarter: int) -> str:
            return f"2026-10-{quarter // 96 + 1:02d}T{quarter % 96 // 4:02d}:{quarter % 4 * 15:02d}:00Z"

        rate = Fraction(quantity) / quarters
        bounds = sorted({start, start + quarters, *(start + quarters * n // pieces for n in range(pieces))})
        whole = {**used(quantity, instant(start), model="a"), "until": instant(start + quarters)}
        split = [
            {
                **used(f"{piece.numerator}/{piece.denominator}", instant(low), model="a"),
                "until": instant(high),
            }
            for low, high in pairwise(bounds)
            if (piece := rate * (high - low)) is not None
        ]
        of = plan(component(price, included=included))
        assert exact(quote(of, whole)) == exact(quote(of, *split))

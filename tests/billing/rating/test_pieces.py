"""Pauses, trials and parts: what rating leaves out, takes back, and gives back."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from billing import rating
from billing.documents import plan as plans
from billing.rating import Billed, MeterFacts, Segment, UsageRow
from metering.documents import DocumentError
from metering.periods import Period


def october(day, hour=0):
    return datetime(2026, 10, day, hour, tzinfo=UTC)


OCTOBER = Period(october(1), datetime(2026, 11, 1, tzinfo=UTC))
REST = Period(october(11), october(21))
METERS = {"tokens": MeterFacts("tokens"), "peak": MeterFacts("peak", additive=False)}


def plan(*components, **fields):
    return plans.parse({"code": "p", "currency": "USD", "components": list(components), **fields})


def fee(amount="31", **fields):
    return {"code": "fee", "price": {"model": "flat", "amount": amount}, **fields}


def tokens(**fields):
    price = {"model": "per_unit", "unit_amount": "1"}
    return {"code": "tokens", "meter": "tokens", "price": price, **fields}


def use(quantity, at, meter="tokens"):
    return UsageRow(meter, Fraction(quantity), at)


def rate(of, *usage, segments=None, **fields):
    statement = rating.rate(
        segments=segments or [Segment(of, OCTOBER.start, OCTOBER.end)],
        period=OCTOBER,
        usage=usage,
        meters=METERS,
        **fields,
    )
    assert statement.subtotal == sum(line.amount for line in statement.lines)
    return statement


def amounts(statement):
    return [(line.component or line.kind, str(line.amount)) for line in statement.lines]


def around(rest, *versions):
    first, last = versions if len(versions) == 2 else versions * 2
    return [Segment(first, OCTOBER.start, rest.start, "v1"), Segment(last, rest.end, OCTOBER.end, "v2")]


def billed(component, amount, kind="fixed", group=None):
    return Billed(component, group, {}, kind, Decimal(amount))


class TestPause:
    def test_takes_its_share_from_fees_and_bounds(self):
        of = plan(fee(), tokens(minimum="62"), minimum="155")
        found = rate(of, segments=around(REST, of), pauses=[REST])
        # 21 of 31 days: 21 and 42, and up to 105 in all
        assert amounts(found) == [
            ("fee", "21.00"),
            ("tokens", "0.00"),
            ("tokens", "42.00"),
            ("plan_minimum", "42.00"),
        ]

    def test_gives_a_day_after_it_the_days_free_units_of_the_version_of_then(self):
        first = plan(tokens(included={"quantity": "1", "every": "DAY"}))
        last = plan(tokens(included={"quantity": "5", "every": "DAY"}))
        rest = Period(october(10, 12), october(12, 12))
        found = rate(first, use(9, october(12, 13)), segments=around(rest, first, last), pauses=[rest])
        # the 12th began in the pause: its free units are those of the 12th, noon
        assert amounts(found) == [("tokens", "4.00")]

    def test_weighs_the_versions_of_a_quantity_that_does_not_add_up_by_what_is_charged(self):
        dear = {"code": "peak", "meter": "peak", "price": {"model": "per_unit", "unit_amount": "31"}}
        free = {**dear, "price": {"model": "per_unit", "unit_amount": "0"}}
        row = use(2, OCTOBER.start, "peak")
        found = rate(plan(dear), row, segments=around(REST, plan(dear), plan(free)), pauses=[REST])
        # 2 x 31 for 10 of the 21 days that are charged
        assert amounts(found) == [("peak", "29.52")]

    @pytest.mark.parametrize("at", [october(11), october(20, 23)])
    def test_holds_no_usage(self, at):
        of = plan(tokens())
        with pytest.raises(DocumentError) as caught:
            rate(of, use(1, at), segments=around(REST, of), pauses=[REST])
        assert (caught.value.code, caught.value.field) == ("period", "usage[0].at")

    def test_holds_no_usage_that_is_spread_over_it(self):
        of = plan(tokens())
        row = UsageRow("tokens", Fraction(1), october(10), october(12))
        with pytest.raises(DocumentError, match="pause"):
            rate(of, row, segments=around(REST, of), pauses=[REST])

    @pytest.mark.parametrize("pauses", [[], [Period(october(11), october(20))], [REST, REST]])
    def test_must_be_the_gap_between_segments(self, pauses):
        of = plan(fee())
        if len(pauses) == 2:
            segments = [Segment(of, OCTOBER.start, OCTOBER.end)]
        else:
            segments = around(REST, of)
        with pytest.raises(DocumentError) as caught:
            rate(of, segments=segments, pauses=pauses)
        assert caught.value.field == "segments"


class TestTrial:
    def test_prices_usage_and_takes_it_back(self):
        of = plan(fee(), tokens(minimum="50"), minimum="100", discounts=[{"percent": "10", "name": "Launch"}])
        found = rate(of, use(20, october(3)), is_trial=True)
        assert amounts(found) == [("tokens", "20.00"), ("trial", "-20.00")]
        assert found.total == 0
        assert [each.amount for each in found.discounts] == [0]

    def test_has_no_line_of_its_own_without_usage(self):
        assert amounts(rate(plan(tokens()), is_trial=True)) == [("tokens", "0.00")]

    def test_owes_no_fees_in_advance(self):
        assert amounts(rate(plan(fee(timing="IN_ADVANCE")), is_trial=True, part="ADVANCE")) == []


class TestAdvance:
    def test_is_the_fees_in_advance_alone(self):
        of = plan(fee(timing="IN_ADVANCE"), fee("62", code="later"), tokens(minimum="5"), minimum="500")
        assert amounts(rate(of, part="ADVANCE")) == [("fee", "31.00")]

    def test_has_the_plans_and_groups_discounts_and_none_of_their_bounds(self):
        group = {
            "code": "all",
            "combine": "SUM",
            "discount_percent": "10",
            "maximum": "20",
            "components": [fee("100", timing="IN_ADVANCE"), tokens()],
        }
        of = plan(group, discounts=[{"percent": "50", "name": "Launch"}])
        found = rate(of, part="ADVANCE")
        assert amounts(found) == [("fee", "100.00"), ("group_discount", "-10.00")]
        assert found.total == Decimal("45.00")

    def test_is_a_share_where_the_end_is_known(self):
        billed_period = Period(OCTOBER.start, october(18))
        found = rate(plan(fee("100", timing="IN_ADVANCE")), part="ADVANCE", billed_period=billed_period)
        assert amounts(found) == [("fee", "54.84")]


class TestArrears:
    def test_leaves_out_what_was_billed_in_advance(self):
        of = plan(fee(timing="IN_ADVANCE"), tokens())
        found = rate(of, use(3, october(5)), part="ARREARS", billed=[billed("fee", "31.00")])
        assert amounts(found) == [("tokens", "3.00")]

    def test_has_the_fee_where_nobody_billed_it_in_advance(self):
        assert amounts(rate(plan(fee(timing="IN_ADVANCE")), part="ARREARS")) == [("fee", "31.00")]

    def test_gives_back_what_was_not_used(self):
        of = plan(fee("100", timing="IN_ADVANCE"))
        found = rate(
            of,
            part="ARREARS",
            billed_period=Period(OCTOBER.start, october(18)),
            billed=[billed("fee", "100.00")],
        )
        # 17 of 31 days are 54.84
        assert amounts(found) == [("fee", "-45.16")]

    def test_bounds_groups_and_plan_counting_both_parts(self):
        group = {
            "code": "all",
            "combine": "SUM",
            "maximum": "120",
            "components": [fee("100", timing="IN_ADVANCE"), tokens()],
        }
        found = rate(
            plan(group, minimum="130"),
            use(50, october(5)),
            part="ARREARS",
            billed=[billed("fee", "100.00", group="all")],
        )
        assert amounts(found) == [("tokens", "50.00"), ("group_maximum", "-30.00"), ("plan_minimum", "10.00")]

    def test_settles_discounts_that_were_taken_in_advance(self):
        of = plan(fee("100", timing="IN_ADVANCE"), tokens(), discounts=[{"percent": "10", "name": "Launch"}])
        before = [billed("fee", "100.00"), billed("0", "-10.00", kind="plan_discount")]
        found = rate(of, use(50, october(5)), part="ARREARS", billed=before)
        assert amounts(found) == [("tokens", "50.00")]
        assert (found.discounts[0].amount, found.total) == (Decimal("5.00"), Decimal("45.00"))

    def test_of_both_parts_is_what_a_quote_answers(self):
        of = plan(fee("31", timing="IN_ADVANCE"), tokens())
        found = rate(of, use(3, october(5)), billed=[billed("fee", "31.00")])
        assert amounts(found) == [("fee", "0.00"), ("tokens", "3.00")]

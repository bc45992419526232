"""Groups: sums and choices, their bounds, and how they nest."""

import pytest

from tests.billing.rating.quotes import amounts, component, fee, plan, quote, used

DOLLAR = {"model": "per_unit", "unit_amount": "1"}


def group(combine, *components, code="g", **more):
    return {"code": code, "combine": combine, "components": list(components), **more}


class TestGreatest:
    OF = plan(group("GREATEST", component(DOLLAR), fee("50")))

    @pytest.mark.parametrize(
        ("quantity", "expected"),
        [("49", [("c", "0.00"), ("fee", "50.00")]), ("51", [("c", "51.00"), ("fee", "0.00")])],
    )
    def test_bills_the_dearest(self, quantity, expected):
        assert amounts(quote(self.OF, used(quantity))) == expected

    def test_takes_the_first_of_equals(self):
        assert amounts(quote(self.OF, used("50"))) == [("c", "50.00"), ("fee", "0.00")]

    def test_says_what_the_loser_would_have_cost(self):
        loser = quote(self.OF, used("12.345"))["lines"][0]
        assert loser["would_be"] == "12.35"
        assert loser["unrounded"] == "0"
        assert loser["steps"][-1] == {
            "label": "not chosen: -12.345",
            "quantity": None,
            "unit_amount": None,
            "amount": "-12.345",
        }
        assert loser["group"] == "g"

    def test_compares_the_children_with_their_bounds(self):
        of = plan(group("GREATEST", component(DOLLAR, maximum="40"), fee("50")))
        assert amounts(quote(of, used("1000"))) == [("c", "0.00"), ("fee", "50.00")]

    def test_compares_a_prorated_fee(self):
        half = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-16T12:00:00Z"}
        answer = quote(self.OF, used("30"), billed_period=half)
        assert amounts(answer) == [("c", "30.00"), ("fee", "0.00")]
        assert answer["lines"][1]["would_be"] == "25.00"

    def test_takes_the_minimum_line_of_the_loser_away_too(self):
        of = plan(group("GREATEST", component(DOLLAR, minimum="40"), fee("50")))
        answer = quote(of, used("10"))
        assert amounts(answer) == [("c", "0.00"), ("c", "0.00"), ("fee", "50.00")]
        assert [line["would_be"] for line in answer["lines"]] == ["10.00", "30.00", None]

    def test_clears_compute_and_storage_of_the_loser(self):
        of = plan(
            group(
                "GREATEST",
                component({"model": "per_unit", "unit_amount": {"compute": "1", "storage": "1"}}),
                fee("50"),
            )
        )
        loser = quote(of, used("10"))["lines"][0]
        assert (loser["compute"], loser["storage"]) == ("0.00", "0.00")


class TestLeast:
    @pytest.mark.parametrize(("quantity", "expected"), [("49", "49.00"), ("50", "50.00"), ("51", "50.00")])
    def test_bills_the_cheapest(self, quantity, expected):
        assert quote(plan(group("LEAST", component(DOLLAR), fee("50"))), used(quantity))["total"] == expected


class TestBounds:
    def test_stand_on_lines_of_their_own(self):
        of = plan(
            group("SUM", component(DOLLAR), fee("50"), discount_percent="10", maximum="100", name="Both")
        )
        answer = quote(of, used("100"))
        # 150, less 10 % is 135, at most 100
        assert [(line["kind"], line["amount"]) for line in answer["lines"]] == [
            ("usage", "100.00"),
            ("fixed", "50.00"),
            ("group_discount", "-15.00"),
            ("group_maximum", "-35.00"),
        ]
        assert answer["total"] == "100.00"

    def test_top_up(self):
        answer = quote(plan(group("SUM", component(DOLLAR), fee("50"), minimum="100")), used("10"))
        assert [(line["kind"], line["amount"]) for line in answer["lines"]][-1] == ("group_minimum", "40.00")

    def test_of_a_child_decide_the_choice_above_it(self):
        of = plan(group("GREATEST", group("SUM", component(DOLLAR), code="s", maximum="40"), fee("50")))
        answer = quote(of, used("1000"))
        assert amounts(answer) == [("c", "0.00"), ("s", "0.00"), ("fee", "50.00")]
        assert [line["would_be"] for line in answer["lines"]] == ["1000.00", "-960.00", None]

    def test_of_a_choice_count_the_winner(self):
        of = plan(group("GREATEST", component(DOLLAR), fee("50"), discount_percent="10"))
        assert amounts(quote(of, used("100"))) == [("c", "100.00"), ("fee", "0.00"), ("g", "-10.00")]


class TestNegative:
    """A sum below zero is lifted before the choice is made."""

    @pytest.mark.parametrize(
        ("more", "expected"),
        [
            ({}, [("c", "0.00"), ("fee", "0.00")]),
            ({"allow_negative": True}, [("c", "-5.00"), ("fee", "0.00")]),
        ],
    )
    def test_child_may_be_the_cheapest(self, more, expected):
        of = plan(group("LEAST", component(DOLLAR, **more), fee("50")))
        assert amounts(quote(of, used("-5"))) == expected

    def test_children_have_a_dearest(self):
        of = plan(
            group(
                "GREATEST",
                component(DOLLAR, allow_negative=True),
                component({"model": "per_unit", "unit_amount": "2"}, code="d", allow_negative=True),
            )
        )
        assert amounts(quote(of, used("-5"))) == [("c", "-5.00"), ("d", "0.00")]


class TestNesting:
    def test_adds_up_a_reservation_and_its_overflow(self):
        # on demand 5 h at 30 = 150; or 100 for the reservation and 2 h over at 10 = 120: on demand is dearer
        demand = component({"model": "per_unit", "unit_amount": "30"}, code="demand")
        over = component(
            {"model": "per_unit", "unit_amount": "10"},
            code="over",
            included={"quantity": "3", "every": "PERIOD"},
        )
        of = plan(group("GREATEST", group("SUM", demand, code="a"), group("SUM", fee("100"), over, code="b")))
        answer = quote(of, used("5"))
        assert amounts(answer) == [("demand", "150.00"), ("fee", "0.00"), ("over", "0.00")]
        assert [line["would_be"] for line in answer["lines"]] == [None, "100.00", "20.00"]
        assert [line["group"] for line in answer["lines"]] == ["a", "b", "b"]

    def test_keeps_what_an_inner_loser_would_have_been(self):
        inner = group("LEAST", component(DOLLAR), fee("50"), code="inner")
        of = plan(group("GREATEST", inner, fee("90", code="other")))
        answer = quote(of, used("70"))
        # inner: 50 beats 70; outer: 90 beats 50
        assert [(line["amount"], line["would_be"]) for line in answer["lines"]] == [
            ("0.00", "70.00"),
            ("0.00", "50.00"),
            ("90.00", None),
        ]

"""What changed between two plan documents, in words and amounts."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing import differences
from billing.documents import plan as plans
from tests.world import catalog


def said(old, new):
    """The differences of two documents, in words."""
    changes = differences.of(old=plans.canonical(old), new=plans.canonical(new))
    return [str(change) for change in changes]


def priced(**price):
    return catalog.document(catalog.component(price=price))


def tiered(*tiers, model="graduated"):
    return priced(
        model=model,
        tiers=[{"up_to": up_to, "unit_amount": amount} for up_to, amount in tiers],
    )


def matrix(rates, **more):
    listed = [{"when": {"gpu_type": gpu}, "unit_amount": amount} for gpu, amount in rates]
    return priced(model="matrix", by=["gpu_type"], rates=listed, **more)


class TestAmounts:
    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("2.5", "3", "2.5 USD -> 3 USD (+20%)"),
            ("3", "2.5", "3 USD -> 2.5 USD (-16.7%)"),
            ("0", "1", "0 USD -> 1 USD"),
            ("1", "0", "1 USD -> 0 USD (-100%)"),
            ("1000", "1000.1", "1000 USD -> 1000.1 USD"),
            ({"compute": "1", "storage": "1"}, "2", "2 USD (compute 1, storage 1) -> 2 USD"),
            ("2", {"compute": "1", "storage": "2"}, "2 USD -> 3 USD (compute 1, storage 2) (+50%)"),
        ],
    )
    def test_are_told_with_what_they_were(self, old, new, words):
        documents = [priced(model="per_unit", unit_amount=amount) for amount in (old, new)]
        assert said(*documents) == [f"component gpu: price of a unit {words}"]

    def test_written_otherwise_are_the_same(self):
        assert (
            said(priced(model="per_unit", unit_amount="2.50"), priced(model="per_unit", unit_amount="25e-1"))
            == []
        )

    def test_of_the_plan_have_its_currency(self):
        [change] = differences.of(
            old=plans.canonical(catalog.document(currency="JPY", minimum="100")),
            new=plans.canonical(catalog.document(currency="JPY", minimum="200")),
        )
        assert (change.currency, change.old, change.new, change.node) == ("JPY", "100", "200", None)
        assert str(change) == "plan: minimum 100 JPY -> 200 JPY (+100%)"

    def test_that_come_with_another_model_are_all_told(self):
        assert said(priced(model="per_unit", unit_amount="2"), tiered(("10", "3"), (None, "1"))) == [
            "component gpu: price (per_unit, price of a unit 2 USD) -> "
            "(graduated, tier up to 10: price of a unit 3 USD, tier above 10: price of a unit 1 USD)"
        ]

    def test_are_no_amounts_where_they_are_paths_in_events(self):
        old, new = (priced(model="dynamic", amount=path) for path in ("cost", "price"))
        assert said(old, new) == ["component gpu: amount cost -> price"]

    def test_in_percent_are_told_so(self):
        old, new = (catalog.document(discounts=[{"name": "Launch", "percent": p}]) for p in ("10", "15"))
        assert said(old, new) == ["plan: discount Launch, percent 10% -> 15%"]


class TestTiers:
    def test_are_told_by_their_bounds(self):
        assert said(tiered(("10", "3"), (None, "1")), tiered(("10", "3"), (None, "0.5"))) == [
            "component gpu: tier above 10, price of a unit 1 USD -> 0.5 USD (-50%)"
        ]

    def test_keep_their_place_when_a_bound_moves(self):
        assert said(tiered(("10", "3"), (None, "1")), tiered(("20", "3"), (None, "1"))) == [
            "component gpu: tier up to 20, bound 10 -> 20"
        ]

    def test_that_come_in_between_change_no_others(self):
        old = tiered(("10", "3"), ("100", "2"), (None, "1"))
        new = tiered(("10", "3"), ("50", "2.5"), ("100", "2"), (None, "1"))
        assert said(old, new) == ["component gpu: tier up to 50 added: price of a unit 2.5 USD"]
        assert said(new, old) == ["component gpu: tier up to 50 removed, was price of a unit 2.5 USD"]


class TestRates:
    def test_are_told_by_what_they_are_for(self):
        old = matrix([("H100", "3"), ("A100", "2"), ("T4", "1")])
        new = matrix([("H100", "3"), ("A100", "2.5"), ("B200", "5")], otherwise="9")
        assert said(old, new) == [
            "component gpu: rate of gpu_type A100, price of a unit 2 USD -> 2.5 USD (+25%)",
            "component gpu: rate of gpu_type B200 added: price of a unit 5 USD",
            "component gpu: rate of gpu_type T4 removed, was price of a unit 1 USD",
            "component gpu: price of all other usage (none) -> 9 USD",
        ]

    def test_in_another_order_are_told_as_that(self):
        old, new = matrix([("H100", "3"), ("A100", "2")]), matrix([("A100", "2"), ("H100", "3")])
        [words] = said(old, new)
        assert words.startswith("component gpu: order of rates [rate of gpu_type H100, rate")


class TestWindows:
    def test_are_told_by_their_times(self):
        def windows(amount):
            window = {"days": ["MON"], "from": "08:00", "to": "18:00", "unit_amount": amount}
            return priced(model="time_of_use", windows=[window], otherwise="1")

        assert said(windows("2"), windows("3")) == [
            "component gpu: window MON 08:00 to 18:00, price of a unit 2 USD -> 3 USD (+50%)"
        ]


class TestNodes:
    def test_are_added_removed_moved_and_put_in_another_order(self):
        fee, gpu = catalog.fee(), catalog.component()
        group = {"code": "both", "combine": "SUM", "components": [gpu]}
        assert said(catalog.document(fee, gpu), catalog.document(group)) == [
            "group both added to the plan",
            "component gpu moved from the plan into group both",
            "component fee removed from the plan, was flat, amount 31 USD",
        ]
        assert said(catalog.document(fee, gpu), catalog.document(gpu, fee)) == ["new order in plan: gpu, fee"]


class TestDifferences:
    @given(st.data())
    def test_are_none_of_a_document_and_itself_however_it_is_written(self, data):
        document = data.draw(st.sampled_from(DOCUMENTS))
        keys = list(document)
        random.Random(data.draw(st.integers())).shuffle(keys)
        assert said(document, {key: document[key] for key in keys}) == []

    @given(st.sampled_from(range(6)), st.sampled_from(range(6)))
    def test_are_some_of_any_two_others(self, one, other):
        assert bool(said(DOCUMENTS[one], DOCUMENTS[other])) == (one != other)


DOCUMENTS = [
    catalog.document(),
    catalog.document(catalog.component(), catalog.fee()),
    tiered(("10", "3"), (None, "1")),
    tiered(("10", "3"), (None, "1"), model="volume"),
    matrix([("H100", "3"), ("A100", "2")]),
    catalog.document(catalog.component(included={"quantity": "10"}), discounts=[{"percent": "1"}]),
]

"""Prices and components of a plan's document in words."""

import pytest

from billing.console.plan_version import outline, prices
from billing.models import PlanVersion


class TestPrice:
    @pytest.mark.parametrize(
        ("price", "lines"),
        [
            ({"model": "flat", "amount": "1234.50"}, ["1,234.50 USD a period"]),
            ({"model": "per_unit", "unit_amount": "0.000003"}, ["0.000003 USD a unit"]),
            (
                {"model": "per_unit", "unit_amount": {"compute": "0.12", "storage": "0.03"}},
                ["compute 0.12, storage 0.03 USD a unit"],
            ),
            (
                {"model": "package", "package_size": "1000", "package_amount": "2"},
                ["2 USD for each 1,000 begun"],
            ),
            (
                {
                    "model": "graduated",
                    "tiers": [{"up_to": "1000", "flat_amount": "5"}, {"up_to": None, "unit_amount": "0.1"}],
                },
                ["above 0 up to 1,000: 0 USD a unit and 5 USD once", "above 1,000: 0.1 USD a unit"],
            ),
            (
                {"model": "volume", "tiers": [{"up_to": None, "unit_amount": "3", "package_size": "10"}]},
                ["all units, every unit in all: 3 USD for each 10 begun"],
            ),
            (
                {
                    "model": "matrix",
                    "rates": [{"when": {"model": "a", "tier": "b"}, "unit_amount": "1"}],
                    "otherwise": "2",
                },
                ["model a, tier b: 1 USD a unit", "otherwise: 2 USD a unit"],
            ),
            (
                {"model": "matrix", "rates": [{"when": {"model": ["a", "b"]}, "unit_amount": "1"}]},
                ["model a or b: 1 USD a unit"],
            ),
            ({"model": "catalogue", "price_of": "input"}, ["the market price input of the model"]),
            (
                {"model": "catalogue", "price_of": "input", "markup_percent": "20", "unknown": "0.001"},
                ["the market price input of the model, 20 % on top", "models without one: 0.001 USD a unit"],
            ),
            (
                {"model": "catalogue", "price_of": "output", "unknown": {"unit_amount": "0.001"}},
                ["the market price output of the model", "models without one: 0.001 USD a unit"],
            ),
            ({"model": "dynamic"}, ["dynamic: see the document below"]),
        ],
    )
    def test_is_a_line_for_each_rate(self, price, lines):
        assert prices.lines(price, "USD") == lines


class TestComponents:
    def test_say_what_they_count_and_their_terms(self):
        document = {
            "currency": "EUR",
            "components": [
                {
                    "code": "tokens",
                    "meter": "tokens",
                    "where": {"model": ["a", "b"]},
                    "per": ["model"],
                    "included": {"quantity": "1000000", "every": "DAY"},
                    "price": {"model": "per_unit", "unit_amount": "1"},
                    "discount_percent": "5",
                    "maximum": "500.00",
                    "minimum": "20.00",
                }
            ],
        }
        (row,) = outline.rows(document)
        assert row.counts == "tokens, model a or b, a line for each model"
        assert row.terms == [
            "1 EUR a unit",
            "1,000,000 free each day",
            "less 5 %",
            "at most 500.00 EUR",
            "at least 20.00 EUR",
        ]


class TestMarketPrices:
    @staticmethod
    def version(count):
        rates = [{"when": {"model": [f"m{n}"]}, "unit_amount": "1"} for n in range(count)]
        price = {"model": "matrix", "by": ["provider", "model"], "rates": rates}
        group = {"code": "g", "combine": "SUM", "components": [{"code": "tokens", "price": price}]}
        return PlanVersion(
            resolved_document={"components": [group]},
            price_sources={
                "tokens": {"name": "genai-prices", "version": "0.2.3", "at": "2026-10-20T00:00:00Z"}
            },
        )

    def test_are_shown_with_their_source_and_date(self):
        document = {
            "currency": "USD",
            "components": [
                {"code": "tokens", "meter": "tokens", "price": {"model": "catalogue", "price_of": "input"}}
            ],
        }
        (row,) = outline.rows(document, outline.fixed(self.version(1)))
        assert row.terms == [
            "the market price input of the model",
            "genai-prices 0.2.3, prices of 2026-10-20",
            "model m0: 1 USD a unit",
        ]

    @pytest.mark.parametrize(("count", "last"), [(20, "model m19: 1 USD a unit"), (1021, "and 1,001 more")])
    def test_beyond_a_page_are_counted(self, count, last):
        component = {"code": "tokens", "price": {"model": "catalogue"}}
        document = {"currency": "USD", "components": [component]}
        (row,) = outline.rows(document, outline.fixed(self.version(count)))
        assert row.terms[-1] == last

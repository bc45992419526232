"""Catalogue prices become fixed matrices."""

from decimal import Decimal

import pytest

from billing import market, rating
from billing.documents import plan as plans
from metering.documents import DocumentError, meter
from metering.periods import parse_instant

AT = parse_instant("2026-10-20T00:00:00Z")
TOKENS = {
    "slug": "tokens",
    "name": "Tokens",
    "event_type": "llm.call",
    "aggregation": "SUM",
    "value": "input_tokens",
    "dimensions": {
        "provider": "provider",
        "model": "model",
        "context": {"path": "input_tokens", "ranges": ["200000"]},
    },
}
PLAIN = {**TOKENS, "dimensions": {"provider": "provider", "model": "model"}}


def document(price, where=None, **more):
    part = {"code": "c", "meter": "tokens", "price": {"model": "catalogue", **price}}
    if where:
        part["where"] = where
    return {"code": "p", "name": "P", "currency": "USD", "components": [part], **more}


def rates(of, definition=TOKENS, at=AT):
    plan = market.resolve(plans.parse(of), {"tokens": meter.parse(definition)}, at)
    [component] = plan.components
    return {
        tuple(value for _, [value] in sorted(rate.when)): str(rate.unit_amount.total)
        for rate in component.price.rates
    }


GPT = {"provider": ["openai"], "model": ["gpt-4o"]}
GEMINI = {"provider": ["google"], "model": ["gemini-2.5-pro"]}


class TestResolve:
    @pytest.mark.parametrize(
        ("price_of", "expected"),
        [("input", "0.0000025"), ("cache_read", "0.00000125"), ("output", "0.00001")],
    )
    def test_has_the_price_of_one_unit(self, price_of, expected):
        # gpt-4o: 2.50, 1.25 and 10.00 USD a million
        assert rates(document({"price_of": price_of}, GPT)) == {("gpt-4o", "openai"): expected}

    def test_adds_the_markup(self):
        assert rates(document({"price_of": "input", "markup_percent": "20"}, GPT)) == {
            ("gpt-4o", "openai"): "0.000003"
        }

    def test_prices_the_name_under_which_a_model_is_served(self):
        where = {"provider": ["openai"], "model": ["gpt-4o-2024-08-06"]}
        assert rates(document({"price_of": "input"}, where)) == {("gpt-4o-2024-08-06", "openai"): "0.0000025"}

    def test_has_a_rate_for_each_range_of_a_tiered_price(self):
        # Gemini 2.5 Pro: 1.25 up to 200,000 tokens of input, 2.50 above
        assert rates(document({"price_of": "input"}, GEMINI)) == {
            ("<=200000", "gemini-2.5-pro", "google"): "0.00000125",
            (">200000", "gemini-2.5-pro", "google"): "0.0000025",
        }

    def test_takes_finer_ranges_than_the_tiers(self):
        finer = {
            **TOKENS,
            "dimensions": {**TOKENS["dimensions"], "context": {"path": "n", "ranges": ["100", "200000"]}},
        }
        assert [
            rates(document({"price_of": "input"}, GEMINI), finer)[key, "gemini-2.5-pro", "google"]
            for key in ("<=100", ">100<=200000", ">200000")
        ] == ["0.00000125", "0.00000125", "0.0000025"]

    def test_takes_the_price_of_its_instant(self):
        # Claude Opus 4.6: by context until 13 March 2026, then 5.00 for all
        where = {"provider": ["anthropic"], "model": ["claude-opus-4-6"]}
        before = rates(document({"price_of": "input", "at": "2026-03-12T23:59:59Z"}, where))
        assert before == {
            ("<=200000", "claude-opus-4-6", "anthropic"): "0.000005",
            (">200000", "claude-opus-4-6", "anthropic"): "0.00001",
        }
        after = rates(document({"price_of": "input", "at": "2026-03-13T00:00:00Z"}, where))
        assert after == {("claude-opus-4-6", "anthropic"): "0.000005"}

    def test_has_no_dirt_of_floats(self):
        fixed = rates(document({"price_of": "output"}, {"provider": ["groq"]}), PLAIN)
        assert fixed
        assert all(len(Decimal(price).as_tuple().digits) <= 9 for price in fixed.values())

    def test_gives_a_plan_that_may_be_read_again(self):
        of = document({"price_of": "input", "unknown": {"compute": "1", "storage": "0.5"}}, GPT)
        definitions = {"tokens": meter.parse(TOKENS)}
        resolution = market.resolved_document(of, definitions, AT)
        assert plans.parse(resolution.document) == market.resolve(plans.parse(of), definitions, AT)
        assert resolution.sources == {
            "c": {"name": "genai-prices", "version": "0.2.3", "at": "2026-10-20T00:00:00Z"}
        }
        assert of["components"][0]["price"]["model"] == "catalogue"

    def test_reaches_into_groups(self):
        of = document({"price_of": "input"}, GPT)
        of["components"] = [{"code": "g", "combine": "SUM", "components": of["components"]}]
        resolution = market.resolved_document(of, {}, AT)
        [component] = plans.parse(resolution.document).all_components()
        assert component.price.model == "matrix"

    def test_leaves_other_plans_alone(self):
        of = {
            "code": "p",
            "currency": "USD",
            "components": [{"code": "f", "price": {"model": "flat", "amount": "1"}}],
        }
        assert market.resolved_document(of, {}, AT).document is of

    @pytest.mark.parametrize(
        ("of", "definition", "code", "words"),
        [
            (document({"price_of": "input"}, GPT, currency="EUR"), TOKENS, "currency", "USD"),
            (document({"price_of": "inputs"}, GPT), TOKENS, "invalid", "cache_read"),
            (document({"price_of": "input"}, GEMINI), PLAIN, "invalid", "google/gemini-2.5-pro"),
            (
                document({"price_of": "input"}, {"provider": ["google", "openai"]}),
                PLAIN,
                "invalid",
                "context",
            ),
            (
                document({"price_of": "input"}, {"provider": ["deepseek"], "model": ["deepseek-chat"]}),
                TOKENS,
                "invalid",
                "time of day",
            ),
            (
                document({"price_of": "input"}, {"provider": ["openai"], "model": ["gpt-99"]}),
                TOKENS,
                "invalid",
                "gpt-99",
            ),
        ],
    )
    def test_refuses(self, of, definition, code, words):
        with pytest.raises(DocumentError, match=words) as error:
            rates(of, definition)
        assert error.value.code == code
        assert error.value.field.startswith("plan.components[0].price")


def quoted(of, model):
    call = {
        "id": "1",
        "source": "g",
        "type": "llm.call",
        "subject": "acme",
        "time": "2026-10-02T00:00:00Z",
        "data": {"provider": "google", "model": model, "input_tokens": 200001},
    }
    return rating.quote(
        {
            "plan": of,
            "meters": [TOKENS],
            "events": [call],
            "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
        },
        resolve=market.resolve,
    )


class TestQuote:
    """GPT-4o's input is 2.50 USD a million tokens."""

    @pytest.mark.parametrize(
        ("markup", "quantity", "expected"),
        [
            ("0", "0", "0"),
            ("0", "1", "0.0000025"),
            ("0", "0.5", "0.00000125"),
            ("0", "1000000000000000000", "2500000000000"),
            ("0", "-4", "-0.00001"),
            ("100", "1", "0.000005"),
            # a price of 0.000000000001
            ("-99.99996", "1", "0.000000000001"),
            ("-99.99996", "1000000000000000000", "1000000"),
            ("-100", "1", "0"),
        ],
    )
    def test_is_the_quantity_at_the_market_price(self, markup, quantity, expected):
        of = document({"price_of": "input", "markup_percent": markup}, GPT)
        of["components"][0]["allow_negative"] = True
        dimensions = {"provider": "openai", "model": "gpt-4o"}
        answer = rating.quote(
            {
                "plan": of,
                "meters": [PLAIN],
                "usage": [{"meter": "tokens", "quantity": quantity, "dimensions": dimensions}],
                "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
            },
            resolve=market.resolve,
        )
        assert answer["lines"][0]["unrounded"] == expected

    def test_names_the_segment_whose_prices_are_not_there(self):
        segments = [
            {"from": "2026-10-01T00:00:00Z", "plan": document({"price_of": "input"}, GPT)},
            {"from": "2026-10-10T00:00:00Z", "plan": document({"price_of": "inputs"}, GPT)},
        ]
        with pytest.raises(DocumentError) as error:
            rating.quote(
                {
                    "segments": segments,
                    "meters": [PLAIN],
                    "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
                },
                resolve=market.resolve,
            )
        assert error.value.field == "segments[1].plan.components[0].price.price_of"

    def test_prices_a_long_request_of_gemini(self):
        # 200,001 x 0.0000025
        [line] = quoted(document({"price_of": "input"}, GEMINI), "gemini-2.5-pro")["lines"]
        assert line["unrounded"] == "0.5000025"

    def test_refuses_a_model_without_a_price(self):
        with pytest.raises(DocumentError) as error:
            quoted(document({"price_of": "input"}, GEMINI), "gemini-99")
        assert (error.value.code, error.value.field) == ("unpriced", "events[0]")

    @pytest.mark.parametrize(
        "unknown",
        [
            "0.00001",
            {"unit_amount": "0.00001"},
            {"unit_amount": {"compute": "0.000008", "storage": "0.000002"}},
        ],
    )
    def test_prices_an_unknown_model_where_the_plan_says_how(self, unknown):
        where = {"provider": ["google"], "model": ["gemini-2.5-pro", "gemini-99"]}
        of = document({"price_of": "input", "unknown": unknown}, where)
        # 200,001 x 0.00001
        assert quoted(of, "gemini-99")["total"] == "2.00"

    def test_is_refused_before_the_prices_are_fixed(self):
        with pytest.raises(DocumentError, match="before its plan is published"):
            rating.quote(
                {
                    "plan": document({"price_of": "input"}, GPT),
                    "meters": [TOKENS],
                    "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
                }
            )

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from billing import evidence, publishing, statements
from billing.models import Plan, PlanVersion
from metering.documents import DocumentError
from tests.world import catalog, events, meters

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 10, 12, tzinfo=UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def gpu_hours(db):
    catalog.gpu_hours()


def said(document):
    return [str(change) for change in publishing.difference(document=document, at=NOW).changes]


def apply(*components, at=NOW, **fields):
    return publishing.apply(document=catalog.document(*components, **fields), at=at, by="ada")


class TestApply:
    def test_makes_a_plan_with_a_version_from_the_beginning_of_time(self):
        applied = apply()
        assert (applied.code, applied.outcome, applied.version.number) == ("gpu-cloud", "created", 1)
        assert applied.version.effective_at is None
        assert (applied.version.published_at, applied.version.published_by) == (NOW, "ada")
        assert applied.version.document == catalog.document()

    def test_changes_nothing_the_second_time(self):
        apply()
        assert apply().outcome == "unchanged"
        assert PlanVersion.objects.count() == 1

    def test_takes_equal_numbers_written_otherwise_for_unchanged(self):
        apply(catalog.component(unit_amount="2.5"))
        assert apply(catalog.component(unit_amount="2.50")).outcome == "unchanged"

    def test_publishes_a_version_of_now_when_a_price_changed(self):
        apply()
        applied = apply(catalog.component(unit_amount="3"))
        assert (applied.outcome, applied.version.number) == ("published", 2)
        assert (applied.version.effective_at, applied.version.migration) == (NOW, "NEXT_PERIOD")

    def test_takes_effective_instant_and_migration_from_the_document(self):
        apply()
        applied = apply(
            catalog.component(unit_amount="3"), effective_at="2026-12-01T00:00:00Z", migration="AT_ONCE"
        )
        assert (applied.version.effective_at, applied.version.migration) == (LATER, "AT_ONCE")

    def test_is_unchanged_for_a_file_that_says_when_its_version_took_effect(self):
        apply()
        later = catalog.document(catalog.component(unit_amount="3"), effective_at="2026-12-01T00:00:00Z")
        publishing.apply(document=later, at=NOW)
        assert publishing.apply(document=later, at=NOW).outcome == "unchanged"

    def test_takes_the_name_of_the_newest_version(self):
        apply()
        apply(name="GPU Cloud Pro")
        assert Plan.objects.get().name == "GPU Cloud Pro"

    @pytest.mark.parametrize(
        ("document", "field", "words"),
        [
            (catalog.document(colour="red"), "plan.colour", "unknown key"),
            (
                catalog.document(catalog.component(meter="gpu_hourz")),
                "plan.components[0].meter",
                "no meter gpu_hourz",
            ),
            (
                catalog.document(catalog.component(per=["gpu_typ"])),
                "plan.components[0].per",
                "did you mean gpu_type?",
            ),
            (
                catalog.document(
                    {
                        "code": "group",
                        "combine": "SUM",
                        "components": [catalog.fee(), catalog.component(meter="gpu_hourz")],
                    }
                ),
                "plan.components[0].components[1].meter",
                "no meter gpu_hourz",
            ),
        ],
    )
    def test_refuses_what_cannot_be_billed_and_names_the_place(self, document, field, words):
        with pytest.raises(DocumentError, match=words.replace("?", r"\?")) as caught:
            publishing.apply(document=document, at=NOW)
        assert caught.value.field == field
        assert not Plan.objects.exists()

    @pytest.mark.parametrize("fields", [{"currency": "EUR"}, {"interval": "YEAR"}, {"interval_count": 2}])
    def test_refuses_a_version_with_another_currency_or_interval(self, fields):
        apply()
        with pytest.raises(publishing.PlanFixed):
            apply(catalog.component(unit_amount="3"), **fields)

    def test_refuses_a_version_that_takes_effect_before_the_last_one(self):
        apply()
        apply(catalog.component(unit_amount="3"), effective_at="2026-12-01T00:00:00Z")
        with pytest.raises(publishing.VersionsOutOfOrder, match="2026-12-01T00:00:00Z"):
            apply(catalog.component(unit_amount="4"))

    @pytest.mark.parametrize("change", [{"effective_at": "2027-01-01T00:00:00Z"}, {"migration": "NEVER"}])
    def test_refuses_to_move_what_is_published(self, change):
        apply()
        dearer = {"effective_at": "2026-12-01T00:00:00Z", "migration": "AT_ONCE"}
        apply(catalog.component(unit_amount="3"), **dearer)
        with pytest.raises(publishing.VersionAlreadyPublished, match="version 2"):
            apply(catalog.component(unit_amount="3"), **{**dearer, **change})

    def test_refuses_a_version_that_lacks_what_a_subscription_overrides(self):
        plan = apply(catalog.component(), catalog.fee("seats")).version.plan
        catalog.subscription(catalog.customer(), plan, overrides={"seats": {"quantity": "5"}})
        with pytest.raises(publishing.OverridesDoNotFit, match="acme-gpu-cloud"):
            apply(catalog.component())
        assert apply(catalog.component(), migration="NEVER").outcome == "published"


class TestApplyText:
    def test_takes_a_list_as_one_whole(self):
        text = """
        - {code: a, currency: USD, components: [{code: fee, price: {model: flat, amount: 10}}]}
        - {code: b, currency: USD, components: [{code: fee, price: {model: flat, amunt: 10}}]}
        """
        with pytest.raises(
            DocumentError, match=r"plans\[1\].components\[0\].price.amunt: unknown key, did you mean amount"
        ):
            publishing.apply_text(text=text, name="plans.yaml", at=NOW)
        assert not Plan.objects.exists()


class TestDifference:
    def test_names_what_was_added_removed_and_changed(self):
        apply(catalog.component(), catalog.fee("support", "100"))
        new = catalog.document(
            catalog.component(unit_amount="3", included={"quantity": "10"}),
            catalog.fee("storage", "5"),
            minimum="20",
        )
        assert said(new) == [
            "plan: minimum (none) -> 20 USD",
            "component gpu: price of a unit 2.5 USD -> 3 USD (+20%)",
            "component gpu: free units (none) -> {quantity: 10}",
            "component storage added to the plan: flat, amount 5 USD",
            "component support removed from the plan, was flat, amount 100 USD",
        ]

    def test_follows_a_component_into_a_group(self):
        apply(catalog.component(), catalog.fee())
        group = {"code": "both", "combine": "GREATEST", "components": [catalog.component(), catalog.fee()]}
        assert said(catalog.document(group)) == [
            "group both added to the plan",
            "component gpu moved from the plan into group both",
            "component fee moved from the plan into group both",
        ]

    def test_names_a_changed_tier_by_its_place(self):
        def tiers(first):
            return {
                "model": "graduated",
                "tiers": [{"up_to": first, "unit_amount": "2"}, {"unit_amount": "1"}],
            }

        apply(catalog.component(price=tiers("100")))
        new = catalog.document(catalog.component(price=tiers("200")))
        assert said(new) == ["component gpu: tier up to 200, bound 100 -> 200"]

    def test_is_empty_for_an_equal_document(self):
        apply()
        assert said(catalog.document()) == []

    def test_tells_a_new_order(self):
        apply(catalog.component(), catalog.fee())
        new = catalog.document(catalog.fee(), catalog.component())
        assert said(new) == ["new order in plan: fee, gpu"]


class TestPublishedVersion:
    @pytest.mark.parametrize(
        "statement",
        [
            "update billing_planversion set document = '{}'",
            "update billing_planversion set effective_at = now()",
            "update billing_planversion set resolved_document = '{}'",
            "delete from billing_planversion",
        ],
    )
    def test_refuses_changes_by_raw_sql(self, statement):
        apply()
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


TOKENS = {"dimensions": {"provider": "provider", "model": "model"}, "value": "input_tokens"}
GPT = {"provider": ["openai"], "model": ["gpt-4o"]}


def market_priced(**price):
    """A component of input tokens of GPT-4o, whose market price is 2.50 USD a million."""
    fields = {"meter": "input_tokens", "where": GPT}
    return {"code": "tokens", "price": {"model": "catalogue", "price_of": "input", **price}, **fields}


class TestMarketPrices:
    @pytest.fixture(autouse=True)
    def input_tokens(self, gpu_hours):
        meters.meter("input_tokens", "SUM", **TOKENS)

    def test_are_fixed_beside_the_document_as_written(self):
        version = apply(market_priced(markup_percent="20")).version
        assert version.document["components"][0]["price"]["model"] == "catalogue"
        # 2.50 a million and 20 % on top are 3.00 a million
        assert version.resolved_document["components"][0]["price"] == {
            "model": "matrix",
            "by": ["provider", "model"],
            "rates": [{"when": {"model": ["gpt-4o"], "provider": ["openai"]}, "unit_amount": "0.000003"}],
        }
        assert version.price_sources == {
            "tokens": {"name": "genai-prices", "version": "0.2.3", "at": "2026-10-10T12:00:00Z"}
        }

    def test_are_those_of_the_instant_that_the_document_names(self):
        version = apply(market_priced(at="2026-01-01T00:00:00Z")).version
        assert version.price_sources["tokens"]["at"] == "2026-01-01T00:00:00Z"

    def test_stay_when_the_same_document_comes_again_later(self):
        apply(market_priced())
        assert apply(market_priced(), at=LATER).outcome == "unchanged"
        assert PlanVersion.objects.get().price_sources["tokens"]["at"] == "2026-10-10T12:00:00Z"

    def test_change_with_the_markup(self):
        apply(market_priced())
        assert apply(market_priced(markup_percent="5")).outcome == "published"

    def test_are_absent_from_other_plans(self):
        version = apply().version
        assert (version.resolved_document, version.price_sources) == (None, None)

    def test_price_what_a_subscription_used(self):
        plan = apply(market_priced(), at=catalog.LONG_AGO).version.plan
        acme = catalog.customer("acme")
        subscription = catalog.subscription(acme, plan)
        data = {"provider": "openai", "model": "gpt-4o", "input_tokens": 4_000_000}
        events.store([events.event(1, datetime(2026, 10, 5, tzinfo=UTC), data)])
        rated = statements.of(
            subscription=subscription,
            piece=catalog.piece(subscription, catalog.OCTOBER),
            as_of=catalog.IN_NOVEMBER,
            is_final=True,
        )
        # 4 million at 2.50
        assert rated.statement.total == Decimal("10.00")
        assert rated.rating_input["segments"][0]["document"]["components"][0]["price"]["model"] == "matrix"
        assert evidence.rate(evidence.unpack(evidence.pack(rated.rating_input))) == rated.statement

    @pytest.mark.parametrize(
        ("component", "field", "words"),
        [
            (market_priced() | {"where": {**GPT, "model": ["gpt-99"]}}, "price", "gpt-99"),
            (market_priced(price_of="inputs"), "price.price_of", "cache_read"),
            (market_priced() | {"meter": "gpu_hours", "where": None}, "price", "no dimension provider"),
        ],
    )
    def test_that_are_not_there_are_refused_with_their_place(self, component, field, words):
        document = catalog.document(catalog.fee(), component)
        for act in (publishing.apply, publishing.difference):
            with pytest.raises(DocumentError, match=words) as caught:
                act(document=document, at=NOW, path="plans[3]")
            assert caught.value.field == f"plans[3].components[1].{field}"
        assert not Plan.objects.exists()

    def test_are_refused_in_another_currency(self):
        with pytest.raises(DocumentError, match="must the plan be") as caught:
            apply(market_priced(), currency="EUR")
        assert caught.value.code == "currency"

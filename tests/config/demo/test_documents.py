"""The demo's meters and plans: that they parse, and what they cost at the quantities of the traces."""

import collections
import datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from billing import rating
from billing.documents import plan as plans
from config.demo import totals, traces, world
from metering.documents import meter as meters

# What each customer pays for May 2020, worked out with a calculator from the totals of the files.
AMOUNTS = {
    "azure-code": "1366.43",
    "azure-conv": "2987.78",
    "helios-vc3sl": "2494.86",
    "helios-vc6YE": "332824.59",
    "helios-vc8Sj": "51164.32",
    "helios-vcJLV": "2546.46",
    "helios-vcJkd": "11600.00",
    "helios-vcLJZ": "103796.50",
    "helios-vcMod": "1637.82",
    "helios-vcSoL": "28863.47",
    "helios-vcTJs": "65913.55",
    "helios-vccaA": "2551.68",
    "helios-vcdI0": "13890.77",
    "helios-vcgkz": "13538.67",
    "helios-vchbv": "2372.04",
    "helios-vcira": "17400.00",
    "helios-vcpDC": "94827.17",
    "helios-vcvlY": "2555.28",
}
ON_DEMAND_WINS = {"helios-vcLJZ", "helios-vcgkz", "helios-vcpDC"}
RESERVED_WINS = {"helios-vc8Sj", "helios-vcTJs"}


@pytest.fixture(scope="module")
def rows():
    """The usage of each subject as rating takes it; GPU-hours hour by hour, as allowances are."""
    found = collections.defaultdict(list)
    for (subject, meter), quantity in totals.from_files(every=1).items():
        if meter != "gpu_hours":
            found[subject].append(rating.UsageRow(meter=meter, quantity=quantity))
    for (subject, hour), minutes in gpu_minutes_by_hour().items():
        found[subject].append(
            rating.UsageRow(
                meter="gpu_hours",
                quantity=Fraction(minutes, 60),
                at=hour,
                until=hour + datetime.timedelta(hours=1),
            )
        )
    return found


def gpu_minutes_by_hour():
    minutes = collections.Counter()
    for event in traces.gpu_intervals(every=1):
        start, end = (datetime.datetime.fromisoformat(event["data"][bound]) for bound in ("start", "end"))
        while start < end:
            hour = start.replace(minute=0, second=0)
            part = min(end, hour + datetime.timedelta(hours=1))
            minutes[event["subject"], hour] += event["data"]["gpu_count"] * ((part - start).seconds // 60)
            start = part
    return minutes


def rated(buyer, usage):
    document = next(plan for plan in world.plan_documents() if plan["code"] == buyer.plan)
    plan = plans.apply_overrides(plans.parse(document), buyer.overrides)
    definitions = [meters.parse(document) for document in world.meter_documents()]
    return rating.rate(
        segments=[rating.Segment(plan=plan, start=world.MONTH.start, end=world.MONTH.end)],
        period=world.MONTH,
        billed_period=world.MONTH,
        usage=[row for row in usage if row.meter in plan.meters()],
        meters={definition.slug: rating.MeterFacts.of(definition) for definition in definitions},
        timezone="UTC",
        billed=[],
        as_of=world.MONTH.end,
        is_final=True,
    )


class TestBuyers:
    def test_are_eighteen_with_the_four_plans_in_turn(self):
        buyers = world.buyers()
        assert {buyer.key for buyer in buyers} == set(AMOUNTS)
        assert collections.Counter(buyer.plan for buyer in buyers) == {
            "demo-usage": 2,
            "demo-duration": 6,
            "demo-resource": 5,
            "demo-hybrid": 5,
        }

    def test_reserve_half_of_their_quota(self):
        reserved = {buyer.subject: buyer.reserved_gpus for buyer in world.buyers()}
        assert (reserved["vc6YE"], reserved["vcgkz"], reserved["vc3sl"]) == (104, 4, 0)


class TestPlans:
    @pytest.mark.parametrize("buyer", world.buyers(), ids=lambda buyer: buyer.key)
    def test_cost_what_was_worked_out_by_hand(self, buyer, rows):
        assert rated(buyer, rows[buyer.subject]).total == Decimal(AMOUNTS[buyer.key])

    def test_let_each_side_of_the_hybrid_plan_win_for_some_tenant(self, rows):
        winners = collections.defaultdict(set)
        for buyer in world.buyers():
            if buyer.plan == "demo-hybrid":
                lines = rated(buyer, rows[buyer.subject]).lines
                [group] = {line.group for line in lines if line.would_be is None}
                winners[group].add(buyer.key)
        assert winners == {"on-demand": ON_DEMAND_WINS, "reserved": RESERVED_WINS}

    def test_split_every_price_into_compute_and_storage(self, rows):
        [buyer] = [buyer for buyer in world.buyers() if buyer.key == "azure-code"]
        calls = rated(buyer, rows["azure-code"]).lines[0]
        # 8,819 calls at 0.12 and 0.03.
        assert (calls.compute, calls.storage) == (Decimal("1058.28"), Decimal("264.57"))

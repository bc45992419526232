from datetime import date
from fractions import Fraction

import pytest

from billing import evidence
from billing.exports import inputs
from billing.models import InvoiceLine, ServicePeriod
from tests.billing.exports import rated

TOKENS = InvoiceLine(component="tokens", dimensions={"model": "m1"})


def known(usage=rated.USAGE, document=None, **row):
    written = rated.rating_input(document or rated.plan(), usage)
    for each in written["usage"]:
        each.update(row)
    packed = evidence.pack(written)
    return inputs.of(ServicePeriod(rating_input=packed.content, rating_sha256=packed.sha256))


def days(line=TOKENS, **options):
    return {period.start.date(): quantity for period, quantity in known(**options).quantities(line).items()}


class TestQuantities:
    def test_are_those_of_the_line_by_day(self):
        assert days() == {date(2020, 5, 1): 600, date(2020, 5, 3): 900}

    def test_of_one_day_add_up(self):
        usage = [("input_tokens", "1/3", 2, {"model": "m1"}), ("input_tokens", "2/3", 2, {"model": "m1"})]
        assert days(usage=usage) == {date(2020, 5, 2): 1}

    def test_that_are_spread_are_shared_out_over_the_days(self):
        usage = [("input_tokens", "30", 30, {"model": "m1"})]
        found = days(usage=usage, until="2020-05-31T12:00:00Z")
        assert found == {date(2020, 5, 30): 20, date(2020, 5, 31): 10}

    def test_that_were_measured_for_a_component_are_its_own(self):
        usage = [("input_tokens", "30", 2, {"model": "m1"})]
        twin = {**rated.TOKENS, "code": "twin"}
        document = rated.plan(rated.TOKENS, twin)
        assert days(usage=usage, document=document, component="tokens") == {date(2020, 5, 2): 30}
        line = InvoiceLine(component="twin", dimensions={"model": "m1"})
        assert days(line, usage=usage, document=document, component="tokens") == {}

    def test_of_a_fixed_component_are_none(self):
        assert known().quantities(InvoiceLine(component="seat", dimensions={})) == {}


class TestInput:
    def test_names_plan_version_components_and_groups(self):
        group = {"code": "g", "name": "Either", "combine": "GREATEST", "components": [rated.GPU]}
        found = known(document=rated.plan(rated.TOKENS, group))
        assert (found.plan_name, found.version) == ("Inference Pro", "pro v3")
        assert found.component("gpu").meter == "gpu_hours"
        assert found.group("g").name == "Either"
        assert (found.component("none"), found.group("none"), found.component(None)) == (None, None, None)

    def test_is_empty_where_nothing_was_stored(self):
        found = inputs.of(ServicePeriod(rating_input=b"", rating_sha256=""))
        assert (found.version, found.quantities(TOKENS)) == ("", {})

    def test_that_was_changed_is_refused(self):
        packed = evidence.pack(rated.rating_input(rated.plan(), rated.USAGE))
        with pytest.raises(evidence.EvidenceTampered):
            inputs.of(ServicePeriod(rating_input=packed.content, rating_sha256="0" * 64))

    def test_keeps_fractions(self):
        (first, _) = known().quantities(InvoiceLine(component="gpu", dimensions={})).values()
        assert first == Fraction(10, 3)

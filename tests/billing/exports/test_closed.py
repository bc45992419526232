"""What happens to invoices of a month that was exported before."""

import json
from datetime import UTC, datetime

import pytest

from billing.exports import csv, month, verification
from billing.exports import folder as folders
from billing.models import Invoice
from tests.billing.exports import rated, sample
from tests.billing.exports.test_focus import DISCOUNTED, VAT, toolkit
from tests.billing.exports.test_month import AT, contents, two_invoices

pytestmark = pytest.mark.django_db

IN_JULY = datetime(2020, 7, 10, tzinfo=UTC)
JULY = IN_JULY.date().replace(day=1)
JUNE = JULY.replace(month=6)


def exported(folder, first=sample.MAY, at=AT, *formats):
    month.write(month=first, formats=formats, folder=folder, at=at)
    assert verification.differences(folder=folder) == []
    return contents(folder)


def voided(at, number="INV-000001"):
    invoice = Invoice.objects.get(number=number)
    invoice.voided_at = at
    return sample.in_state(invoice, "VOID")


def replaced(void, number, at):
    new = sample.draft(lines=[sample.calls("10", "1.50")], buyer=void.customer)
    new.replaces = void
    new.save()
    return sample.finalized(new, number, at)


def totals(folder):
    return folders.read_manifest(folder=folder)["totals"]


def kinds(folder):
    return [(row["invoice"], row["kind"], row["total"]) for row in csv.read(folder / "invoices.csv")]


class TestVoiding:
    def test_leaves_the_files_of_an_exported_month_as_they_were(self, tmp_path):
        two_invoices()
        before = exported(tmp_path / "before")
        voided(IN_JULY)
        assert exported(tmp_path / "again", sample.MAY, IN_JULY) == before

    def test_is_corrected_in_the_month_in_which_it_happens(self, tmp_path):
        two_invoices()
        exported(tmp_path / "may")
        assert totals(tmp_path / "may") == {"JPY": "1200", "USD": "1190.56"}
        voided(IN_JULY)
        exported(tmp_path / "july", JULY, IN_JULY)
        assert kinds(tmp_path / "july") == [("INV-000001-VOID", "credit_note", "-1190.56")]
        assert totals(tmp_path / "july") == {"USD": "-1190.56"}
        rows = list(csv.read(tmp_path / "july" / "focus" / "cost_and_usage.csv"))
        assert {row["ChargeClass"] for row in rows} == {"Correction"}
        assert {row["ChargePeriodStart"] for row in rows} == {"2020-05-01T00:00:00Z"}
        assert (tmp_path / "july" / "pdf" / "INV-000001-VOID.pdf").read_bytes().startswith(b"%PDF")
        invoice = json.loads((tmp_path / "july" / "invoices.jsonl").read_text())
        assert (invoice["corrects"], invoice["reason"]) == ("INV-000001", "INV-000001 was voided")

    def test_takes_back_discounts_and_taxes_too_and_keeps_to_the_specification(self, tmp_path):
        invoice = rated.finalized(document=DISCOUNTED, taxes=[VAT])
        exported(tmp_path / "may", sample.MAY, AT, "csv")
        voided(IN_JULY)
        exported(tmp_path / "july", JULY, IN_JULY)
        assert totals(tmp_path / "july") == {"USD": f"-{invoice.total:f}"}
        lines = [row["kind"] for row in csv.read(tmp_path / "july" / "lines.csv")]
        assert "plan_discount" in lines
        assert lines[-1] == "tax"
        assert "OK" in toolkit("validate-bundle", "--directory", tmp_path / "july" / "focus")

    def test_of_what_was_never_exported_is_shown_in_its_own_month(self, tmp_path):
        two_invoices()
        voided(IN_JULY)
        exported(tmp_path / "may", sample.MAY, datetime(2020, 7, 11, tzinfo=UTC), "csv")
        assert totals(tmp_path / "may") == {"JPY": "1200"}
        exported(tmp_path / "july", JULY, IN_JULY, "csv")
        assert kinds(tmp_path / "july") == []

    def test_after_a_glance_at_the_month_before_its_end_is_too(self, tmp_path):
        two_invoices()
        exported(tmp_path / "may", sample.MAY, datetime(2020, 5, 31, tzinfo=UTC), "csv")
        voided(datetime(2020, 6, 10, tzinfo=UTC))
        exported(tmp_path / "again", sample.MAY, AT, "csv")
        assert totals(tmp_path / "again") == {"JPY": "1200"}

    def test_between_asking_and_writing_is_left_to_the_later_month(self, tmp_path):
        two_invoices()
        voided(AT.replace(hour=13))
        exported(tmp_path / "may", sample.MAY, AT, "csv")
        assert totals(tmp_path / "may") == {"JPY": "1200", "USD": "1190.56"}
        exported(tmp_path / "june", JUNE, IN_JULY, "csv")
        assert totals(tmp_path / "june") == {"USD": "-1190.56"}


class TestReplacing:
    def test_goes_into_the_month_in_which_it_happens(self, tmp_path):
        two_invoices()
        before = exported(tmp_path / "before", sample.MAY, AT, "csv", "focus")
        replaced(voided(IN_JULY), "INV-000003", IN_JULY)
        assert exported(tmp_path / "again", sample.MAY, IN_JULY, "csv", "focus") == before
        exported(tmp_path / "july", JULY, IN_JULY, "csv", "focus")
        assert kinds(tmp_path / "july") == [
            ("INV-000003", "invoice", "1.50"),
            ("INV-000001-VOID", "credit_note", "-1190.56"),
        ]

    def test_that_is_void_again_in_the_same_month_counts_nothing(self, tmp_path):
        two_invoices()
        exported(tmp_path / "may", sample.MAY, AT, "csv")
        replaced(voided(IN_JULY), "INV-000003", IN_JULY)
        voided(IN_JULY.replace(day=20), "INV-000003")
        exported(tmp_path / "july", JULY, datetime(2020, 8, 2, tzinfo=UTC), "csv")
        assert totals(tmp_path / "july") == {"USD": "-1190.56"}

    def test_leaves_a_month_that_was_not_exported_its_own(self, tmp_path):
        two_invoices()
        replaced(voided(IN_JULY), "INV-000003", IN_JULY)
        exported(tmp_path / "may", sample.MAY, datetime(2020, 8, 2, tzinfo=UTC), "csv")
        assert totals(tmp_path / "may") == {"JPY": "1200", "USD": "1.50"}

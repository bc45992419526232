from decimal import Decimal

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from billing import taxes, taxing
from billing.models import CustomerTax, TaxRate
from billing.taxes import Rate
from tests.world import catalog

VAT = Rate("VAT 19 %", Decimal("19"))


def amounts(net, *rates, digits=2):
    return [str(each.amount) for each in taxes.on(net=Decimal(net), rates=rates, digits=digits)]


class TestTax:
    def test_is_rounded_once_half_up_on_the_whole_amount(self):
        # 3 lines of 0.50 are 1.50: 19 % of it 0.285; rounded by line it would be 3 x 0.10 = 0.30
        assert amounts("1.50", VAT) == ["0.29"]
        assert amounts("0.02", Rate("Half", Decimal("25"))) == ["0.01"]  # 0.005
        assert amounts("-0.02", Rate("Half", Decimal("25"))) == ["-0.01"]

    def test_has_the_digits_of_the_currency(self):
        assert amounts("101", Rate("JCT", Decimal("10")), digits=0) == ["10"]
        assert amounts("1.005", Rate("VAT", Decimal("5")), digits=3) == ["0.050"]

    def test_of_several_rates_is_on_the_same_amount(self):
        assert amounts("100.00", Rate("GST", Decimal("5")), Rate("QST", Decimal("9.975"))) == ["5.00", "9.98"]

    def test_goes_back_with_the_last_part_to_the_cent(self):
        [of_invoice] = taxes.on(net=Decimal("1.00"), rates=[VAT], digits=2)
        assert of_invoice.amount == Decimal("0.19")
        before, found = Decimal(0), []
        for part in ("0.33", "0.33", "0.34"):
            [back] = taxes.given_back(
                taxes=[of_invoice.answer()], net=Decimal(part), net_before=before, digits=2
            )
            before += Decimal(part)
            found.append(str(back.amount))
        # 0.0627 -> 0.06; 0.1254 -> 0.13, less 0.06; 0.19, less 0.13
        assert found == ["0.06", "0.07", "0.06"]

    @given(
        cents=st.lists(st.integers(1, 10_000), min_size=1, max_size=8),
        percent=st.decimals(min_value=0, max_value=100, places=3),
    )
    def test_goes_back_wholly_in_any_parts(self, cents, percent):
        parts = [Decimal(each).scaleb(-2) for each in cents]
        [of_invoice] = taxes.on(net=sum(parts, Decimal(0)), rates=[Rate("T", percent)], digits=2)
        before = given = Decimal(0)
        for part in parts:
            [back] = taxes.given_back(taxes=[of_invoice.answer()], net=part, net_before=before, digits=2)
            assert back.amount >= 0
            before, given = before + part, given + back.amount
        assert given == of_invoice.amount


@pytest.mark.django_db
class TestOf:
    def of(self, customer, net="100.00"):
        customer.refresh_from_db()
        return [each.answer() for each in taxing.of(customer=customer, net=Decimal(net), digits=2)]

    def test_is_nothing_for_a_customer_of_whom_nothing_is_said(self):
        assert self.of(catalog.customer()) == []

    def test_is_a_tax_for_each_rate_by_code(self):
        acme = catalog.customer()
        rates = [
            taxing.define_rate(code="qst", name="QST", percent=Decimal("9.975")),
            taxing.define_rate(code="gst", name="GST", percent=Decimal("5")),
        ]
        taxing.assign(customer=acme, rates=rates)
        assert self.of(acme) == [
            {"name": "GST", "percent": "5", "base": "100.00", "amount": "5.00", "note": ""},
            {"name": "QST", "percent": "9.975", "base": "100.00", "amount": "9.98", "note": ""},
        ]

    def test_is_zero_with_the_reason_for_an_exempt_customer(self):
        acme = catalog.customer()
        taxing.assign(customer=acme, treatment=CustomerTax.Treatment.EXEMPT, note="Charity, section 4 no. 18")
        assert self.of(acme) == [
            {
                "name": "Tax exempt",
                "percent": "0",
                "base": "100.00",
                "amount": "0.00",
                "note": "Charity, section 4 no. 18",
            }
        ]

    def test_is_zero_with_a_note_for_reverse_charge(self):
        acme = catalog.customer()
        taxing.assign(customer=acme, treatment=CustomerTax.Treatment.REVERSE_CHARGE)
        [tax] = self.of(acme)
        assert (tax["name"], tax["amount"]) == ("Reverse charge", "0.00")
        assert tax["note"] == "Reverse charge: the recipient of the service owes the tax."

    def test_asks_the_database_nothing_where_all_was_read_before(self, django_assert_num_queries):
        for key in ("acme", "beta"):
            rate = taxing.define_rate(code="vat", name="VAT", percent=Decimal(19))
            taxing.assign(customer=catalog.customer(key), rates=[rate])
        found = catalog.Customer.objects.select_related("tax").prefetch_related(taxing.RELATED)
        customers = list(found.order_by("pk"))
        with django_assert_num_queries(0):
            for each in customers:
                assert taxing.of(customer=each, net=Decimal(1), digits=2)[0].amount == Decimal("0.19")


@pytest.mark.django_db
class TestAssign:
    def test_replaces_what_was_said_before(self):
        acme = catalog.customer()
        rate = taxing.define_rate(code="vat", name="VAT", percent=Decimal(19))
        taxing.assign(customer=acme, rates=[rate])
        said = taxing.assign(customer=acme, treatment=CustomerTax.Treatment.EXEMPT)
        assert (CustomerTax.objects.count(), said.rates.count()) == (1, 0)

    def test_refuses_a_taxed_customer_without_rates(self):
        with pytest.raises(taxing.RatesMissing, match="acme is to be taxed"):
            taxing.assign(customer=catalog.customer())

    def test_refuses_rates_for_one_who_is_not_taxed(self):
        rate = taxing.define_rate(code="vat", name="VAT", percent=Decimal(19))
        with pytest.raises(taxing.RatesOfUntaxed, match="leave out the rates"):
            taxing.assign(customer=catalog.customer(), treatment=CustomerTax.Treatment.EXEMPT, rates=[rate])


@pytest.mark.django_db
class TestDefineRate:
    def test_changes_the_rate_of_that_code(self):
        taxing.define_rate(code="vat", name="VAT", percent=Decimal(19))
        taxing.define_rate(code="vat", name="VAT 16", percent=Decimal(16))
        assert TaxRate.objects.get().name == "VAT 16"

    @pytest.mark.parametrize("percent", ["-0.001", "100.001"])
    def test_refuses_a_rate_that_is_no_share(self, percent):
        with pytest.raises(taxing.PercentOutOfRange):
            taxing.define_rate(code="vat", name="VAT", percent=Decimal(percent))
        with pytest.raises(IntegrityError, match="tax_rate_is_from_0_to_100_percent"):
            TaxRate.objects.create(code="vat", name="VAT", percent=Decimal(percent))

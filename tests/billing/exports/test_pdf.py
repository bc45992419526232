import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdf
import pytest

from billing.exports import document, invoices, pdf
from billing.exports.vouchers import Voucher
from tests.billing.exports import rated, sample
from tests.billing.exports.test_focus import VAT, credited

pytestmark = pytest.mark.django_db
CHINESE = "北京智算云科技有限公司"


def pages(content):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def many_lines(count):
    return [sample.calls(dimensions={"model": f"model-{number}"}, group="chat") for number in range(count)]


class TestRender:
    def test_prints_seller_customer_number_lines_and_total(self):
        buyer = sample.customer(
            legal_name="Acme Research Inc.", address="1 Main Street\nSpringfield", tax_id="US 12"
        )
        (text,) = pages(pdf.render(sample.finalized(sample.draft(lines=[sample.calls()], buyer=buyer))))
        for expected in (
            "Nordlicht Compute GmbH",
            "DE 123 456 789",
            "Acme Research Inc.\n1 Main Street\nSpringfield",
            "Tax ID US 12",
            "Invoice number INV-000001",
            "Invoice date June 3, 2020",
            "Due date July 3, 2020",
            "Service period May 1 – 31, 2020 (UTC)",
            "Amount (USD)",
            "Model calls 8,819 call 0.15 1,322.85",
            "Total due USD 1,322.85",
            "IBAN DE02 1203 0000 0000 2020 51",
            "Page 1 of 1",
        ):
            assert expected in text

    def test_numbers_the_pages_and_repeats_the_heads(self):
        found = pages(pdf.render(sample.finalized(sample.draft(lines=many_lines(55)))))
        assert [text.split()[-4:] for text in found] == [["Page", str(page), "of", "3"] for page in (1, 2, 3)]
        assert [text.count("Description Quantity Unit Unit price Amount (USD)") for text in found] == [
            1,
            1,
            1,
        ]
        assert [text.count("\nchat\n") for text in found] == [1, 1, 1]
        assert [number for number in range(55) if f"model: model-{number}\n" not in "\n".join(found)] == []
        assert "Total due" in found[2]
        assert "Total due" not in found[0] + found[1]

    def test_prints_chinese(self):
        buyer = sample.customer(name=CHINESE, address="上海市浦东新区", currency="CNY", locale="zh-CN")
        (text,) = pages(pdf.render(sample.finalized(sample.draft(lines=[sample.calls()], buyer=buyer))))
        assert CHINESE in text
        assert "上海市浦东新区" in text
        assert "应付总额 CNY 1,322.85" in text

    def test_prints_german(self):
        buyer = sample.customer(currency="EUR", locale="de")
        (text,) = pages(pdf.render(sample.finalized(sample.draft(lines=[sample.calls()], buyer=buyer))))
        assert "Zu zahlen EUR 1.322,85" in text
        assert "Seite 1 von 1" in text

    def test_cuts_nothing_of_long_words(self):
        name = "gpu_hours_" * 20
        key = "customer-" * 11
        one = sample.draft(
            lines=[sample.line(name, "1.00", unit="GPU-hour-" * 9)], buyer=sample.customer(key)
        )
        text = "".join("".join(pages(pdf.render(sample.finalized(one, "INV-" + "7" * 36)))).split())
        for word in (name, key, "GPU-hour-" * 9, "INV-" + "7" * 36):
            assert word in text

    def test_gives_the_same_bytes_again(self):
        one = sample.finalized(sample.draft(lines=many_lines(3)))
        first = pdf.render(one)
        pdf.render(sample.draft(lines=many_lines(2), buyer=sample.customer("other")))
        assert pdf.render(one) == first

    def test_is_dated_by_the_invoice(self):
        one = sample.finalized(sample.draft(lines=[]))
        content = pypdf.PdfReader(io.BytesIO(pdf.render(one)))
        assert content.metadata.creation_date == sample.FINALIZED_AT
        assert content.metadata.title == "Invoice INV-000001"

    def test_is_the_same_after_payment(self):
        one = sample.finalized(sample.draft(lines=[sample.calls()]))
        before = pdf.render(one)
        assert pdf.render(sample.in_state(one, "PAID")) == before

    def test_marks_a_draft(self):
        (text,) = pages(pdf.render(sample.draft(lines=[sample.calls()])))
        assert "DRAFT" in text
        assert "Draft: amounts may still change." in text
        assert "IBAN" not in text

    def test_marks_a_void_invoice(self):
        one = sample.in_state(sample.finalized(sample.draft(lines=[sample.calls()])), "VOID")
        (text,) = pages(pdf.render(one))
        assert "VOID" in text
        assert "Nothing is due." in text
        assert "Due date" not in text

    def test_takes_text_that_means_something_to_typst(self):
        name = '#panic("x") *bold* _it_ $x$ <label> @ref \\ `raw` // c'
        (text,) = pages(pdf.render(sample.draft(lines=[sample.line(name, "1.00")])))
        assert name in text

    def test_takes_what_the_fonts_lack(self):
        buyer = sample.customer(name="한국어 مرحبا 😀 ไทย")
        (text,) = pages(pdf.render(sample.finalized(sample.draft(lines=[], buyer=buyer))))
        assert "한국어" in text

    def test_uses_no_font_but_those_beside_it(self):
        buyer = sample.customer(name=f"{CHINESE} мир 한국어 مرحبا")
        content = pypdf.PdfReader(
            io.BytesIO(pdf.render(sample.finalized(sample.draft(lines=[], buyer=buyer))))
        )
        fonts = {font["/BaseFont"].split("+")[1] for font in _fonts(content)}
        own = {
            path.stem
            for path in (Path(pdf.__file__).parent / "fonts").iterdir()
            if path.suffix in (".otf", ".ttf")
        }
        assert {font.removesuffix("-Identity-H") for font in fonts} <= own

    def test_is_safe_from_several_threads(self):
        one = invoices.with_lines(invoice=sample.finalized(sample.draft(lines=many_lines(40))))
        texts = document.of(Voucher(one))
        assert texts["number"] == "INV-000001"
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: pdf.rendered(Voucher(one)), range(8)))
        assert set(found) == {pdf.render(one)}


class TestDetails:
    def usage(self, days):
        return [
            ("input_tokens", "600", day, {"model": name}) for day in range(1, days) for name in ("m1", "m2")
        ]

    def test_put_lines_under_the_names_of_groups_and_components(self):
        tokens = {**rated.TOKENS, "name": "Input tokens"}
        either = {
            "code": "either",
            "name": "Use or reserve",
            "combine": "GREATEST",
            "components": [rated.GPU],
        }
        document = rated.plan(tokens, either)
        (text,) = pages(pdf.render(rated.finalized(document=document, usage=self.usage(3))))
        assert "\nUse or reserve\n" in text
        assert "\nInput tokens\nmodel: m1\nfirst 1,000: 1,000 × 0.01 = 10\n" in text
        assert text.count("Input tokens") == 1

    def test_show_taxes_with_what_they_were_taken_of(self):
        tax = {"name": "VAT", "percent": "19", "base": "75.03", "amount": "14.26", "note": "Paid in Hamburg"}
        (text,) = pages(pdf.render(rated.finalized(taxes=[tax])))
        assert "VAT 19 % on 75.03 14.26" in text
        assert "Total due USD 89.29" in text
        assert "Paid in Hamburg" in text

    def test_show_compute_and_storage_of_all_lines(self):
        (text,) = pages(pdf.render(rated.finalized()))
        # 22.50 for GPU-hours, split 2.00 : 0.50.
        assert "Of which Compute 18.00 · Storage 4.50" in text

    def test_show_usage_by_day_where_there_is_more_than_a_little(self):
        tokens = {**rated.TOKENS, "name": "Input tokens"}
        chart = rated.draft(document=rated.plan(tokens), usage=self.usage(31))
        (text,) = pages(pdf.render(chart))
        # 18,000 units of each model are 10.00 and 85.00, over 30 days: 3.17 at most, twice.
        assert "Usage by day (UTC) USD 6.34" in text
        few = rated.draft(usage=self.usage(3), buyer=sample.customer("few"))
        assert "Usage by day" not in pages(pdf.render(few))[0]

    def test_show_every_step_on_demand(self):
        one = sample.finalized(sample.draft(lines=[sample.calls()]))
        assert "8,819 × 0.15" not in pages(pdf.render(one))[0]
        assert "8,819 × 0.15 = 1,322.85" in pages(pdf.render(one, has_steps=True))[0]

    @pytest.mark.parametrize(
        ("locale", "words"), [("de", "erste 1.000: 1.000 × 0,01 = 10"), ("zh", "前 1,000: 1,000 × 0.01 = 10")]
    )
    def test_say_steps_in_the_language_of_the_customer(self, locale, words):
        (text,) = pages(pdf.render(rated.finalized(buyer=sample.customer(locale=locale))))
        assert words in text

    def test_of_a_credit_note_name_invoice_and_reason(self):
        note = credited(rated.finalized(taxes=[VAT]))
        (text,) = pages(pdf.render_credit_note(note))
        for expected in ("Credit note", "CN-000001", "For invoice INV-000001", "Reason: An outage"):
            assert expected in text
        # 19 % of 5.00.
        assert "VAT 19 % on 5.00 0.95" in text
        assert "Credited USD 5.95" in text
        assert pdf.render_credit_note(note) == pdf.render_credit_note(note)


def _fonts(content):
    return [font.get_object() for page in content.pages for font in page["/Resources"]["/Font"].values()]


class TestFileName:
    @pytest.mark.parametrize(
        ("number", "name"),
        [("INV-000001", "INV-000001.pdf"), ("../2020/1", "..%2F2020%2F1.pdf"), ("R 7", "R 7.pdf")],
    )
    def test_is_the_number_and_stays_in_its_folder(self, number, name):
        assert pdf.file_name(number) == name

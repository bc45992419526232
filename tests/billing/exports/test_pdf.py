import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdf
import pytest

from billing.exports import document, invoices, pdf
from tests.billing.exports import sample

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
        texts = document.of(one)
        assert texts["number"] == "INV-000001"
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: pdf._render(one), range(8)))
        assert set(found) == {pdf.render(one)}


def _fonts(content):
    return [font.get_object() for page in content.pages for font in page["/Resources"]["/Font"].values()]


class TestFileName:
    @pytest.mark.parametrize(
        ("number", "name"),
        [("INV-000001", "INV-000001.pdf"), ("../2020/1", "..%2F2020%2F1.pdf"), ("R 7", "R 7.pdf")],
    )
    def test_is_the_number_and_stays_in_its_folder(self, number, name):
        assert pdf.file_name(sample.Invoice(number=number)) == name

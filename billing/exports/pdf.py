"""A month as PDF invoices, pdf/<number>.pdf: typst sets templates/invoice.typ with the fonts beside it."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from billing.exports import document, invoices
from billing.exports.shape import Written
from billing.exports.totals import Totals
from billing.exports.vouchers import Voucher
from billing.models import CreditNote, Invoice

NAME = "pdf"
CONTENT_TYPE = "application/pdf"
IS_FILE_PER_INVOICE = True
READS_INPUTS = True
FOLDER = "pdf"

if TYPE_CHECKING:
    from typst import Compiler

_HERE = Path(__file__).resolve().parent
# A compiler cannot be entered by two threads of the web process at once.
_one_at_a_time = threading.Lock()


def render(invoice: Invoice, *, has_steps: bool = False) -> bytes:
    """The invoice as a PDF: the same bytes each time. A draft and a void invoice are marked as such.

    ``has_steps``: whether each line is followed by all of its steps; without it only by those that it needs.
    Its dates are the invoice's own; the clock is not read.
    """
    return rendered(Voucher(invoices.with_lines(invoice=invoice)), has_steps=has_steps)


def render_credit_note(credit_note: CreditNote) -> bytes:
    """The credit note as a PDF: the same bytes each time."""
    return rendered(invoices.credit_note_with_lines(credit_note=credit_note))


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of one file an invoice."""
    return Writer(folder)


def tally(*, folder: Path, path: str) -> None:
    """Nothing: amounts are not read back from PDFs."""
    return None


class Writer:
    """Writes each invoice into a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: list[Written] = []
        (folder / FOLDER).mkdir()

    def add(self, voucher: Voucher) -> None:
        path = f"{FOLDER}/{file_name(voucher.number)}"
        (self._folder / path).write_bytes(rendered(voucher))
        totals = Totals()
        if not voucher.is_void:
            totals.add(voucher.currency, voucher.total)
        self._written.append(Written(path, 1, totals))

    def finish(self) -> Sequence[Written]:
        return self._written

    def close(self) -> None:
        pass


def file_name(number: str) -> str:
    """The file's name: the invoice's number, with what cannot stand in a file name as %XX."""
    return f"{quote(number, safe=' ')}.pdf"


def rendered(voucher: Voucher, *, has_steps: bool = False) -> bytes:
    """The voucher, read by `invoices.stream` or `invoices.with_lines`, as a PDF."""
    printed = json.dumps(document.of(voucher, has_steps=has_steps), ensure_ascii=False)
    # Else typst writes the present time into the file. A draft has no date yet: the epoch stands for none.
    at = voucher.issued_at or datetime(1970, 1, 1, tzinfo=UTC)
    return _set(printed, int(at.timestamp()))


# A month's archive and its single files hold the same PDFs: each is set once for both.
@functools.lru_cache(maxsize=1)
def _set(printed: str, timestamp: int) -> bytes:
    with _one_at_a_time:
        result: bytes = _compiler().compile(
            sys_inputs={"invoice": printed}, format="pdf", timestamp=timestamp
        )
    return result


@functools.cache
def _compiler() -> Compiler:
    """One a process: it reads the fonts once. It takes a path: given bytes it fails the second time."""
    import typst  # where it is used: most processes never set a document

    return typst.Compiler(
        str(_HERE / "templates" / "invoice.typ"),
        root=str(_HERE / "templates"),
        font_paths=[str(_HERE / "fonts")],
        ignore_system_fonts=True,
    )

"""A month as PDF invoices, pdf/<number>.pdf: typst sets templates/invoice.typ with the fonts beside it."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import typst

from billing.exports import document, invoices
from billing.exports.shape import Written
from billing.exports.totals import Totals
from billing.models import Invoice

NAME = "pdf"
CONTENT_TYPE = "application/pdf"
IS_FILE_PER_INVOICE = True
FOLDER = "pdf"

_HERE = Path(__file__).resolve().parent
# A compiler cannot be entered by two threads of the web process at once.
_one_at_a_time = threading.Lock()


def render(invoice: Invoice) -> bytes:
    """The invoice as a PDF: the same bytes each time. A draft and a void invoice are marked as such.

    Its dates are the invoice's own; the clock is not read.
    """
    return _render(invoices.with_lines(invoice=invoice))


def writer(*, folder: Path) -> Writer:
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

    def add(self, invoice: Invoice) -> None:
        path = f"{FOLDER}/{file_name(invoice)}"
        (self._folder / path).write_bytes(_render(invoice))
        totals = Totals()
        if invoice.state != Invoice.State.VOID:
            totals.add(invoice.currency, invoice.total)
        self._written.append(Written(path, 1, totals))

    def finish(self) -> Sequence[Written]:
        return self._written

    def close(self) -> None:
        pass


def file_name(invoice: Invoice) -> str:
    """The file's name: the invoice's number, with what cannot stand in a file name as %XX."""
    return f"{quote(str(invoice), safe=' ')}.pdf"


def _render(invoice: Invoice) -> bytes:
    printed = json.dumps(document.of(invoice), ensure_ascii=False)
    # Else typst writes the present time into the file. A draft has no date yet: the epoch stands for none.
    at = invoice.finalized_at or datetime(1970, 1, 1, tzinfo=UTC)
    with _one_at_a_time:
        result: bytes = _compiler().compile(
            sys_inputs={"invoice": printed}, format="pdf", timestamp=int(at.timestamp())
        )
    return result


@functools.cache
def _compiler() -> typst.Compiler:
    """One a process: it reads the fonts once. It takes a path: given bytes it fails the second time."""
    return typst.Compiler(
        str(_HERE / "templates" / "invoice.typ"),
        root=str(_HERE / "templates"),
        font_paths=[str(_HERE / "fonts")],
        ignore_system_fonts=True,
    )

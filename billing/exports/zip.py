"""A month's PDF invoices in one archive, invoices.zip: the same bytes each time, PDFs kept as they are."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from billing.exports import pdf
from billing.exports.shape import Written
from billing.exports.totals import Totals
from billing.exports.vouchers import Voucher

NAME = "zip"
CONTENT_TYPE = "application/zip"
IS_FILE_PER_INVOICE = False
READS_INPUTS = True
PATH = "invoices.zip"

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # an archive knows no time before this one
_MODE = 0o644 << 16


def writer(*, folder: Path, month: date) -> Writer:
    """A writer of the archive."""
    return Writer(folder)


def tally(*, folder: Path, path: str) -> None:
    """Nothing: amounts are not read back from PDFs."""
    return None


class Writer:
    """Puts each PDF into the archive as it comes."""

    def __init__(self, folder: Path) -> None:
        self._archive = zipfile.ZipFile(folder / PATH, "w", zipfile.ZIP_STORED)
        self._rows = 0
        self._totals = Totals()

    def add(self, voucher: Voucher) -> None:
        entry = zipfile.ZipInfo(pdf.file_name(voucher.number), _EARLIEST)
        entry.external_attr = _MODE
        self._archive.writestr(entry, pdf.rendered(voucher))
        self._rows += 1
        if not voucher.is_void:
            self._totals.add(voucher.currency, voucher.total)

    def finish(self) -> Sequence[Written]:
        self.close()
        return [Written(PATH, self._rows, self._totals)]

    def close(self) -> None:
        self._archive.close()

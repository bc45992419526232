"""The digits of money."""

import pytest

from billing.documents import currencies


class TestDigits:
    @pytest.mark.parametrize(
        ("code", "digits"),
        [("USD", 2), ("EUR", 2), ("CNY", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4),
         # by ISO 4217, where other tables say 0
         ("IDR", 2), ("HUF", 2), ("IRR", 2), ("ISK", 0), ("UGX", 0)],
    )  # fmt: skip
    def test_are_those_of_iso_4217(self, code, digits):
        assert currencies.digits(code) == digits

    @pytest.mark.parametrize("code", ["usd", "XXX", "DEM", "", "US"])
    def test_of_an_unknown_code_are_refused(self, code):
        with pytest.raises(currencies.CurrencyUnknown):
            currencies.digits(code)

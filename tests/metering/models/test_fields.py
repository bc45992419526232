from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from metering.models.fields import ExactDecimalField


class TestExactDecimalField:
    def test_takes_every_digit(self):
        digits = Decimal("123456789012345678901234567890.000000000000000001")
        assert ExactDecimalField().get_prep_value(digits) == digits

    @pytest.mark.parametrize("value", [0.1, "1", True])
    def test_refuses_what_is_no_decimal(self, value):
        with pytest.raises(TypeError):
            ExactDecimalField(name="amount").get_prep_value(value)

    def test_refuses_a_float_in_a_form(self):
        with pytest.raises(ValidationError):
            ExactDecimalField(name="amount").to_python(0.1)

"""What a question about a meter's usage may say, in the address or in a body. The words are OpenMeter's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.settings import api_settings

from metering import periods
from metering.api.parameters import TEXT_LENGTH_MAX, InstantField, text
from metering.documents.meter import RESERVED_DIMENSION, MeterDefinition
from metering.usage import Windows

# Calendars and time zones end somewhere; usage does long before.
YEARS = range(1970, 2201)
YEARS_MAX = 10
LONGEST = timedelta(days=366 * YEARS_MAX)
SUBJECTS_MAX = 1000
VALUES_MAX = 100
NUMBER, STRING = "number", "string"
UNITS = {"QUARTER_HOUR": "QUARTER", "HOUR": "HOUR", "DAY": "DAY", "WEEK": "WEEK", "MONTH": "MONTH"}
_FILTER = re.compile(r"filterGroupBy\[([^\]]*)\]")
_REPEATED = ("subject", "groupBy")


@extend_schema_field({"type": "string", "enum": list(UNITS)})
class WindowSizeField(serializers.Field):
    """The unit of the windows. Usage is kept by the quarter hour, so there is none of a minute."""

    def to_internal_value(self, data: Any) -> str:
        if data == "MINUTE":
            raise serializers.ValidationError(
                "there are no windows of a MINUTE: the shortest is QUARTER_HOUR, then HOUR, DAY, WEEK, MONTH"
            )
        if data not in UNITS:
            raise serializers.ValidationError(f"it is one of {', '.join(UNITS)}")
        return str(data)

    def to_representation(self, value: str) -> str:
        return value


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class Texts(serializers.ListField):
    """One text or a list of them, each once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=text(), allow_empty=False, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        try:
            found: list[str] = super().to_internal_value([data] if isinstance(data, str) else data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):  # by the place in the list, which an address does not have
                raise serializers.ValidationError(next(iter(error.detail.values()))) from None
            raise
        return list(dict.fromkeys(found))


class Asked(serializers.Serializer):
    """The parameters of a question to a meter. A name that nobody knows is a fault."""

    windowTimeZone = serializers.CharField(  # noqa: N815 (OpenMeter's word)
        default="UTC", max_length=TEXT_LENGTH_MAX
    )
    windowSize = WindowSizeField(required=False)  # noqa: N815
    subject = Texts(required=False, max_length=SUBJECTS_MAX)
    groupBy = Texts(required=False, max_length=VALUES_MAX)  # noqa: N815
    filterGroupBy = serializers.DictField(  # noqa: N815
        child=Texts(max_length=VALUES_MAX), required=False, default=dict
    )
    numbers = serializers.ChoiceField(choices=[NUMBER, STRING], default=NUMBER)
    to = InstantField(required=False)

    def get_fields(self) -> dict[str, Any]:
        # A word of Python's own cannot name an attribute.
        return {"from": InstantField(required=False), **super().get_fields()}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError(
                {api_settings.NON_FIELD_ERRORS_KEY: ["The body is a JSON object of the parameters."]}
            )
        wrong = {name: ["there is no such parameter"] for name in data if name not in self.fields}
        if wrong:
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


class Question(Asked):
    """The parameters, checked against the definition of the meter that is asked."""

    def __init__(self, *, asked: Any, definition: MeterDefinition, at: datetime) -> None:
        super().__init__(data=asked)
        self._definition = definition
        self._at = at

    def validate_windowTimeZone(self, name: str) -> str:  # noqa: N802
        try:
            periods.named_zone(name)
        except periods.ZoneUnknown as error:
            raise serializers.ValidationError(str(error)) from None
        return name

    def validate_groupBy(self, names: list[str]) -> list[str]:  # noqa: N802
        for name in names:
            self._check_dimension(name, [*self._definition.dimension_names, RESERVED_DIMENSION])
        return names

    def validate_filterGroupBy(self, values: dict[str, list[str]]) -> dict[str, list[str]]:  # noqa: N802
        if RESERVED_DIMENSION in values:
            raise serializers.ValidationError("to ask for some subjects name them with `subject`")
        for name in values:
            self._check_dimension(name, self._definition.dimension_names)
        return values

    def _check_dimension(self, name: str, known: Any) -> None:
        if name not in known:
            every = ", ".join(known) or "none"
            raise serializers.ValidationError(
                f"the meter {self._definition.slug} has no dimension {name}; it has {every}"
            )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("from", "to"):
            if name in attrs and attrs[name].year not in YEARS:
                raise serializers.ValidationError(
                    {name: [f"its year is none from {YEARS[0]} to {YEARS[-1]}"]}
                )
        end = attrs.get("to", self._at)
        start = attrs.get("from", end - LONGEST)
        if start >= end:
            raise serializers.ValidationError({"to": ["it must be later than `from`"]})
        if end - start > LONGEST:
            raise serializers.ValidationError({"from": [f"ask for at most {YEARS_MAX} years at once"]})
        return {**attrs, "period": periods.Period(start, end)}

    @property
    def by(self) -> list[str]:
        """What usage is split by. Naming subjects splits by them, as it does with OpenMeter."""
        names: list[str] = self.validated_data.get("groupBy", [])
        if "subject" in self.validated_data and RESERVED_DIMENSION not in names:
            return [*names, RESERVED_DIMENSION]
        return names

    @property
    def windows(self) -> Windows | None:
        size = self.validated_data.get("windowSize")
        return Windows(UNITS[size], self.validated_data["windowTimeZone"]) if size else None


def of_address(query: QueryDict) -> dict[str, Any]:
    """An address's parameters as a body would name them. Raises ValidationError where one is twice."""
    asked: dict[str, Any] = {}
    for name, values in query.lists():
        match = _FILTER.fullmatch(name)
        if match is not None:
            asked.setdefault("filterGroupBy", {})[match[1]] = values
        elif name in _REPEATED:
            asked[name] = values
        elif len(values) > 1:
            raise serializers.ValidationError({name: ["it stands there twice"]})
        else:
            asked[name] = values[0]
    return asked

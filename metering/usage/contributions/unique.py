"""UNIQUE: how many different texts there were. They are kept by quarter hour as hashes with their counts."""

from __future__ import annotations

from dataclasses import dataclass

from metering.documents.meter import MeterDefinition
from metering.measures.events import TEXT_BYTES_MAX
from metering.usage.contributions import points, values
from metering.usage.contributions.cuts import Cut
from metering.usage.contributions.fragments import Fragment, sql


@dataclass(frozen=True, slots=True)
class Texts:
    """The aggregation of texts, see `Kind`."""

    merged: str = "usage.quantity + excluded.quantity"
    keeps_intervals: bool = False
    keeps_values: bool = True

    def keeps_latest(self, definition: MeterDefinition) -> bool:
        return False

    def answer(self, definition: MeterDefinition) -> str:
        """The number of different texts."""
        return "count(distinct value)::numeric"

    def contributions(self, definition: MeterDefinition, events: Fragment) -> Fragment:
        """The hash of each event's text, at its time."""
        text = sql(", metering_text({value}) as text", value=values.at_path(_path(definition)))
        return points.read(
            definition,
            events,
            quantity=Fragment("1::numeric"),
            refused=_refused(definition),
            value=Fragment("md5(e.text)::uuid"),
            also=text,
        )

    def buckets(self, contributed: Fragment) -> Fragment:
        """The events by quarter hour: their number is the quantity, for the texts do not add up."""
        return sql(
            """select subject, dimensions,
                date_bin('15 minutes', at, timestamptz '2000-01-01 00:00Z') as start,
                count(*)::numeric as quantity, count(*) as count
            from {contributed} c where reason is null
            group by 1, 2, 3""",
            contributed=contributed,
        )

    def clipped(self, contributed: Fragment, stretches: Fragment, by: Fragment, cut: Cut) -> Fragment:
        return points.clipped(contributed, stretches, by, cut)

    def in_buckets(self, definition: MeterDefinition) -> Fragment:
        return Fragment(
            "sum(quantity) as quantity, sum(count)::bigint as count, null::metering_moment as latest"
        )


def _path(definition: MeterDefinition) -> str:
    assert definition.value is not None  # the document's reader saw to it
    return definition.value.plus[0]


def _refused(definition: MeterDefinition) -> list[Fragment]:
    path = _path(definition)
    nested = sql("e.text is null and metering_word({value}) is null", value=values.at_path(path))
    return [
        values.when(nested, f"{path} is an object or an array, not a text or a number"),
        values.when(Fragment("e.text is null"), f"{path} is longer than {TEXT_BYTES_MAX} bytes"),
        values.when(
            Fragment("e.text = ''"),
            values.NOTHING_TO_COUNT if definition.optional else f"{path} is missing or empty",
        ),
    ]


KIND = Texts()

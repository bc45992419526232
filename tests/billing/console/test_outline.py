"""Lines under the groups of their plan."""

from decimal import Decimal

from billing.console.invoice import outline
from billing.models import InvoiceLine

PLAN = {
    "components": [
        {"code": "fee"},
        {
            "code": "dearer",
            "name": "The dearer",
            "combine": "GREATEST",
            "components": [
                {"code": "demand", "name": "On demand", "combine": "SUM", "components": [{"code": "hours"}]},
                {"code": "reserved", "combine": "SUM", "components": [{"code": "gpus"}, {"code": "over"}]},
            ],
        },
    ]
}


def line(component, group, amount, would_be=None):
    return InvoiceLine(
        component=component,
        group=group,
        name=component,
        amount=Decimal(amount),
        would_be=None if would_be is None else Decimal(would_be),
    )


LINES = [
    line("fee", None, "5.00"),
    line("hours", "demand", "0.00", "30.00"),
    line("gpus", "reserved", "20.00"),
    line("over", "reserved", "15.00"),
]


def shown(lines, plans):
    return [
        (row.depth, row.group.name if row.group else row.line.name)
        for row in outline.rows(lines, plans=plans)
    ]


class TestRows:
    def test_nest_as_the_plan_does(self):
        assert shown(LINES, [PLAN]) == [
            (0, "fee"),
            (0, "The dearer"),
            (1, "On demand"),
            (2, "hours"),
            (1, "reserved"),
            (2, "gpus"),
            (2, "over"),
        ]

    def test_sum_what_each_group_bills_and_would_have(self):
        groups = [row.group for row in outline.rows(LINES, plans=[PLAN]) if row.group]
        assert [(group.code, group.amount, group.would_be) for group in groups] == [
            ("dearer", Decimal("35.00"), Decimal("30.00")),
            ("demand", Decimal("0.00"), Decimal("30.00")),
            ("reserved", Decimal("35.00"), None),
        ]

    def test_keep_the_code_of_a_group_that_no_plan_names(self):
        assert shown(LINES[2:], []) == [(0, "reserved"), (1, "gpus"), (1, "over")]

    def test_are_none_without_lines(self):
        assert outline.rows([], plans=[PLAN]) == []

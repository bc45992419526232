"""What the demo prints: headings, the closing table and the check, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from billing.models import Invoice, InvoiceLine
from config.demo import verdict, world
from metering import numbers

LEFT, RIGHT = "<", ">"
_QUANTITY_WIDTH = 9
# Which meter stands for a customer's quantity in the closing table, the others are told behind it.
_SHOWN_METERS = {
    "demo-usage": "model_calls",
    "demo-duration": "run_minutes",
    "demo-resource": "gpu_hours",
    "demo-hybrid": "gpu_hours",
}


def heading(number: int, text: str) -> None:
    """A numbered step."""
    print(f"\n{number}. {text}", flush=True)


def table(*, header: Sequence[str], align: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints columns as wide as their longest text, numbers to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, ["-" * width for width in widths], *rows):
        cells = [f"{text:{side}{width}}" for text, side, width in zip(row, align, widths, strict=True)]
        print(f"  {'  '.join(cells)}".rstrip())


def closing_table(*, invoices: Mapping[str, Invoice], comparisons: Sequence[verdict.Comparison]) -> None:
    """Who was billed how much for what, in the order of the customers, and the sum."""
    quantities = {(one.subject, one.meter): one.metered for one in comparisons}
    lines = _lines(invoices.values())
    plans = {str(document["code"]): str(document["name"]) for document in world.plan_documents()}
    rows = []
    for buyer in world.buyers():
        invoice = invoices[buyer.key]
        number = rounded(quantities[buyer.subject, _SHOWN_METERS[buyer.plan]])
        counted = f"{number:>{_QUANTITY_WIDTH}} {_explained(buyer, quantities, lines[invoice.pk])}"
        rows.append((buyer.name, plans[buyer.plan], counted, f"{invoice.total:,}", str(invoice.number)))
    total = sum((invoice.total for invoice in invoices.values()), Decimal(0))
    rows.append(("Total", "", "", f"{total:,}", f"{len(invoices)} in all"))
    table(
        header=("Customer", "Plan", f"{'Quantity':>{_QUANTITY_WIDTH}}", "USD", "Invoice"),
        align=(LEFT, LEFT, LEFT, RIGHT, LEFT),
        rows=rows,
    )
    print("\n  Hybrid is the dearer of two bills: all GPU-hours on demand, or a reservation and its overage.")


def check_table(comparisons: Sequence[verdict.Comparison]) -> None:
    """The two sides of the check: the Helios tenants added up, the Azure services one by one."""
    buyers = world.buyers()
    tenants = {buyer.subject for buyer in buyers if buyer.plan != "demo-usage"}
    shown = [
        (f"Helios, {len(tenants)} tenants", one)
        for one in verdict.added_up(comparisons=list(comparisons), subjects=tenants)
    ]
    names = {buyer.subject: buyer.name for buyer in buyers}
    shown += [(names[one.subject], one) for one in comparisons if one.subject not in tenants]
    table(
        header=("Customer", "Counted", "From the files", "Metered", ""),
        align=(LEFT, LEFT, RIGHT, RIGHT, LEFT),
        rows=[
            (name, _counted(one), exact(one.expected), exact(one.metered), _judged(one))
            for name, one in shown
        ],
    )
    equal = sum(one.is_equal for one in comparisons)
    print(f"\n  By customer and meter: {equal} of {len(comparisons)} quantities are equal.")
    for one in comparisons:
        if not one.is_equal:
            sides = f"{exact(one.expected)} in the files, metered {exact(one.metered)}"
            print(f"  DIFFERENT: {one.meter} of {one.subject}: {sides}")


def exact(number: Fraction) -> str:
    """A number without a digit lost: a whole one with commas, else "p/q"."""
    return f"{number.numerator:,}" if number.denominator == 1 else str(number)


def rounded(number: Fraction) -> str:
    """A number for reading: a whole one in full, others with one decimal place."""
    return exact(number) if number.denominator == 1 else f"{numbers.round_half_up(number, 1):,}"


def _counted(one: verdict.Comparison) -> str:
    return one.name if one.unit.lower() in one.name.lower() else f"{one.name}, {one.unit}s"


def _judged(one: verdict.Comparison) -> str:
    return "equal" if one.is_equal else "DIFFERENT"


def _lines(invoices: Iterable[Invoice]) -> dict[int, list[InvoiceLine]]:
    by_invoice: dict[int, list[InvoiceLine]] = {invoice.pk: [] for invoice in invoices}
    found = InvoiceLine.objects.filter(service_period__invoice__in=by_invoice)
    for line in found.select_related("service_period"):
        by_invoice[line.service_period.invoice_id].append(line)
    return by_invoice


def _explained(
    buyer: world.Buyer, quantities: Mapping[tuple[str, str], Fraction], lines: Sequence[InvoiceLine]
) -> str:
    match buyer.plan:
        case "demo-usage":
            tokens = quantities[buyer.subject, "input_tokens"] + quantities[buyer.subject, "output_tokens"]
            return f"calls, {rounded(tokens / 1_000_000)} M tokens"
        case "demo-duration":
            return "minutes"
        case "demo-resource":
            return f"GPU-hours, {buyer.reserved_gpus} reserved"
    chosen = {line.group for line in lines if line.would_be is None}
    return "GPU-hours, on demand" if "on-demand" in chosen else f"GPU-hours, {buyer.reserved_gpus} reserved"

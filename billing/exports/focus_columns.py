"""The columns of FOCUS 1.4, Cost and Usage and Invoice Detail, and what Meterbook writes into them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from billing.exports import charges, inputs
from billing.exports.charges import Charge
from billing.exports.inputs import Input
from billing.exports.shape import Column, Table, Type
from billing.exports.totals import Totals, to_places
from billing.exports.vouchers import ADJUSTMENT, TAX, Voucher
from billing.models import InvoiceLine

COST_AND_USAGE = "focus/cost_and_usage"
INVOICE_DETAIL = "focus/invoice_detail"
CORRECTION = "Correction"
UNIT = "Units"  # of what has none of its own


class Row(NamedTuple):
    """What stands behind a row of Cost and Usage: a charge, with the input that explains it."""

    voucher: Voucher
    charge: Charge
    known: Input

    @property
    def line(self) -> InvoiceLine:
        return self.charge.entry.line


class Detail(NamedTuple):
    """What stands behind a row of Invoice Detail: a line; without one a void invoice."""

    voucher: Voucher
    line: InvoiceLine | None
    id: str
    subscription: str | None
    billed: Decimal
    discount: Decimal


def of(month: date) -> tuple[Table, Table]:
    """Cost and Usage, and Invoice Detail, of the month that begins on the day."""
    start, end = bounds(month)
    period = (
        Column("BillingPeriodStart", Type.INSTANT, lambda row: start),
        Column("BillingPeriodEnd", Type.INSTANT, lambda row: end),
    )
    return (
        Table(COST_AND_USAGE, (*_COMMON, *period, *_COST_AND_USAGE), cost_and_usage, "BilledCost"),
        Table(INVOICE_DETAIL, (*_COMMON, *period, *_INVOICE_DETAIL), invoice_detail, "BilledCost"),
    )


def bounds(month: date) -> tuple[datetime, datetime]:
    """The month in UTC, half-open."""
    first = datetime.combine(month.replace(day=1), time(), UTC)
    return first, (first + timedelta(days=31)).replace(day=1)


def issuer(voucher: Voucher) -> str:
    """Whose name stands on the invoice."""
    seller = voucher.seller
    return seller.get("name") or seller.get("legal_name") or "unknown"


def cost_and_usage(voucher: Voucher) -> list[Row]:
    """The rows of a voucher; what neither costs nor counts anything has none."""
    return [Row(voucher, charge, _known(charge)) for charge in charges.of(voucher) if _counts(charge)]


def invoice_detail(voucher: Voucher) -> list[Detail]:
    """One row a line, what its rows in Cost and Usage add up to; one of 0 for a void invoice."""
    if voucher.is_void:
        return [Detail(voucher, None, f"{voucher.number}/void", None, Decimal(0), Decimal(0))]
    together: dict[str, list[Charge]] = {}
    for charge in charges.of(voucher):
        if _counts(charge):
            together.setdefault(charge.entry.detail, []).append(charge)
    return [_detail(voucher, found) for found in together.values()]


def _detail(voucher: Voucher, found: list[Charge]) -> Detail:
    entry, sums = found[0].entry, Totals()
    for charge in found:
        sums.add("billed", charge.billed)
        sums.add("discount", charge.discount)
    subscription = entry.period.subscription.key if entry.period else None
    return Detail(
        voucher,
        entry.line,
        f"{voucher.number}/{entry.detail}",
        subscription,
        sums["billed"],
        sums["discount"],
    )


def _known(charge: Charge) -> Input:
    return inputs.of(charge.entry.period) if charge.entry.period else inputs.NONE


def _counts(charge: Charge) -> bool:
    return bool(charge.billed or charge.listed or charge.discount or charge.quantity)


def _category(line: InvoiceLine | None) -> str:
    if line is not None and line.kind == TAX:
        return "Tax"
    kind = None if line is None else line.adjusts or line.kind
    return {"usage": "Usage", "fixed": "Purchase"}.get(kind or "", "Adjustment")


def _is_correction(voucher: Voucher, line: InvoiceLine | None) -> bool:
    """Whether it changes what an earlier invoice said."""
    return voucher.credit_note is not None or (line is not None and line.kind == ADJUSTMENT)


def _frequency(row: Row) -> str:
    category = _category(row.line)
    if category == "Purchase":
        return "One-Time" if _is_correction(row.voucher, row.line) else "Recurring"
    return "Usage-Based" if category == "Usage" else "One-Time"


def _description(line: InvoiceLine | None) -> str:
    if line is None:
        return "Void invoice"
    values = ", ".join(f"{name}: {value}" for name, value in sorted(line.dimensions.items()))
    return f"{line.name} ({values})" if values else line.name


def _money(name: str) -> Callable[[Any], Any]:
    return lambda row: to_places(row.voucher.currency, getattr(row.charge, name))


def _priced(name: str) -> Callable[[Row], Any]:
    """A value that only stands where a price makes the amount."""
    return lambda row: None if row.charge.unit_price is None else getattr(row.charge, name)


def _consumed(row: Row) -> Decimal | None:
    return row.charge.quantity if _category(row.line) == "Usage" else None


def _unit(line: InvoiceLine) -> str:
    unit = line.unit.strip()
    return unit if unit and not unit[0].isdigit() else f"{unit} {UNIT}".strip()


def _sku(row: Row) -> str | None:
    return (row.line.component or row.line.name) if row.charge.unit_price is not None else None


def _sku_price(row: Row) -> str | None:
    sku = _sku(row)
    return f"{row.known.version} {sku}".strip() if sku else None


def _meter(row: Row) -> str | None:
    component = row.known.component(row.line.component)
    return component.meter if component and row.charge.unit_price is not None else None


def _token_type(row: Row) -> str | None:
    component = row.known.component(row.line.component)
    meter = component.meter if component else None
    return meter if meter and "token" in meter else None


def _dimension(*names: str) -> Callable[[Row], Any]:
    return lambda row: next(
        (row.line.dimensions[name] for name in names if name in row.line.dimensions), None
    )


def _subcategory(row: Row) -> str:
    if row.line.kind == TAX:
        return "Other (Other)"
    return "Generative AI" if row.line.mode == "USAGE" else "Machine Learning"


def _subscription(row: Row) -> str | None:
    period = row.charge.entry.period
    return period.subscription.key if period else None


def _terms(detail: Detail) -> str:
    voucher = detail.voucher
    if voucher.due_date is None or voucher.issued_at is None:
        return "Due on receipt"
    return f"Net {max((voucher.due_date - voucher.issued_at.date()).days, 0)}"


def _due_at(detail: Detail) -> datetime | None:
    due = detail.voucher.due_date
    return None if due is None else datetime.combine(due, time(), UTC)


def _grain(detail: Detail) -> dict[str, str] | None:
    return {"SubAccountId": detail.subscription} if detail.subscription else None


_COMMON = (
    Column("InvoiceId", Type.TEXT, lambda row: row.voucher.number),
    Column("InvoiceIssuerName", Type.TEXT, lambda row: issuer(row.voucher)),
    Column("BillingAccountId", Type.TEXT, lambda row: row.voucher.buyer["key"]),
    Column("BillingCurrency", Type.TEXT, lambda row: row.voucher.currency),
    Column("ChargeCategory", Type.TEXT, lambda row: _category(row.line)),
)
# Columns about what Meterbook does not sell. They stand there empty: tools know the table by its head.
_UNUSED = (
    "AllocatedMethodDetails",
    "AllocatedMethodId",
    "AllocatedResourceId",
    "AllocatedResourceName",
    "AllocatedTags",
    "AvailabilityZone",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "CommitmentProgramEligibilityDetails",
    "ContractApplied",
    "ResourceName",
    "ResourceType",
    "SkuPriceDetails",
)
_COST_AND_USAGE = (
    Column("InvoiceDetailId", Type.TEXT, lambda row: f"{row.voucher.number}/{row.charge.entry.detail}"),
    Column("BillingAccountName", Type.TEXT, lambda row: row.voucher.buyer["name"]),
    Column("BillingAccountType", Type.TEXT, lambda row: "Customer"),
    Column("SubAccountId", Type.TEXT, _subscription),
    Column("SubAccountName", Type.TEXT, _subscription),
    Column("SubAccountType", Type.TEXT, lambda row: "Subscription" if _subscription(row) else None),
    Column("ChargePeriodStart", Type.INSTANT, lambda row: row.charge.start),
    Column("ChargePeriodEnd", Type.INSTANT, lambda row: row.charge.end),
    Column(
        "ChargeClass", Type.TEXT, lambda row: CORRECTION if _is_correction(row.voucher, row.line) else None
    ),
    Column("ChargeDescription", Type.TEXT, lambda row: _description(row.line)),
    Column("ChargeFrequency", Type.TEXT, _frequency),
    Column("BilledCost", Type.DECIMAL, _money("billed")),
    Column("EffectiveCost", Type.DECIMAL, _money("billed")),
    Column("ListCost", Type.DECIMAL, _money("listed")),
    Column("ContractedCost", Type.DECIMAL, _money("listed")),
    Column("ListUnitPrice", Type.DECIMAL, _priced("unit_price")),
    Column("ContractedUnitPrice", Type.DECIMAL, _priced("unit_price")),
    Column(
        "PricingCategory", Type.TEXT, lambda row: "Standard" if row.charge.unit_price is not None else None
    ),
    Column("PricingCurrency", Type.TEXT, lambda row: row.voucher.currency),
    Column("PricingCurrencyEffectiveCost", Type.DECIMAL, _money("billed")),
    Column("PricingCurrencyListUnitPrice", Type.DECIMAL, _priced("unit_price")),
    Column("PricingCurrencyContractedUnitPrice", Type.DECIMAL, _priced("unit_price")),
    Column("PricingQuantity", Type.DECIMAL, _priced("quantity")),
    Column(
        "PricingUnit",
        Type.TEXT,
        lambda row: None if row.charge.unit_price is None else _unit(row.line),
    ),
    Column("ConsumedQuantity", Type.DECIMAL, _consumed),
    Column("ConsumedUnit", Type.TEXT, lambda row: None if _consumed(row) is None else _unit(row.line)),
    Column("HostProviderName", Type.TEXT, lambda row: issuer(row.voucher)),
    Column("ServiceProviderName", Type.TEXT, lambda row: issuer(row.voucher)),
    Column(
        "ServiceCategory",
        Type.TEXT,
        lambda row: "Other" if row.line.kind == TAX else "AI and Machine Learning",
    ),
    Column("ServiceSubcategory", Type.TEXT, _subcategory),
    Column(
        "ServiceName",
        Type.TEXT,
        lambda row: "Tax" if row.line.kind == TAX else row.known.plan_name or issuer(row.voucher),
    ),
    Column("SkuId", Type.TEXT, _sku),
    Column("SkuMeter", Type.TEXT, _meter),
    Column("SkuPriceId", Type.TEXT, _sku_price),
    Column("ResourceId", Type.TEXT, _dimension("subject")),
    Column("RegionId", Type.TEXT, _dimension("region")),
    Column("RegionName", Type.TEXT, _dimension("region")),
    Column("Tags", Type.JSON, lambda row: row.line.dimensions or None),
    *(Column(name, Type.TEXT, lambda row: None) for name in _UNUSED),
    Column("x_Kind", Type.TEXT, lambda row: row.line.kind),
    Column("x_Mode", Type.TEXT, lambda row: row.line.mode),
    Column("x_Group", Type.TEXT, lambda row: row.line.group),
    Column("x_Component", Type.TEXT, lambda row: row.line.component),
    Column("x_Provider", Type.TEXT, _dimension("provider")),
    Column("x_Model", Type.TEXT, _dimension("model")),
    Column("x_TokenType", Type.TEXT, _token_type),
    Column("x_GpuType", Type.TEXT, _dimension("gpu_type", "gpu")),
    Column("x_PlanDiscount", Type.DECIMAL, _money("discount")),
    Column(
        "x_IsBlendedPrice",
        Type.TEXT,
        lambda row: None if row.charge.unit_price is None else str(row.charge.is_blended).lower(),
    ),
)
_INVOICE_DETAIL = (
    Column("InvoiceDetailId", Type.TEXT, lambda row: row.id),
    Column("InvoiceDetailCreated", Type.INSTANT, lambda row: row.voucher.issued_at),
    Column("InvoiceDetailLastUpdated", Type.INSTANT, lambda row: row.voucher.issued_at),
    Column("InvoiceDetailDescription", Type.TEXT, lambda row: _description(row.line)),
    Column("InvoiceDetailGrain", Type.JSON, _grain),
    Column("InvoiceIssueDate", Type.INSTANT, lambda row: row.voucher.issued_at),
    Column("InvoiceIssueStatus", Type.TEXT, lambda row: "Voided" if row.voucher.is_void else "Issued"),
    Column("PaymentDueDate", Type.INSTANT, _due_at),
    Column("PaymentTerms", Type.TEXT, _terms),
    Column("ReferenceInvoiceId", Type.TEXT, lambda row: str(row.voucher.invoice)),
    Column("BilledCost", Type.DECIMAL, lambda row: to_places(row.voucher.currency, row.billed)),
    Column(
        "x_LineAmount", Type.DECIMAL, lambda row: to_places(row.voucher.currency, row.billed + row.discount)
    ),
    Column("x_PlanDiscount", Type.DECIMAL, lambda row: to_places(row.voucher.currency, row.discount)),
)

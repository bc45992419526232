"""What stands on invoices already: which periods are invoiced, and what was billed for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

from billing.invoicing import billed
from billing.invoicing.due import ADVANCE, ARREARS, Want
from billing.models import ServicePeriod
from billing.rating import Billed


class Standing:
    """The service periods of some subscriptions on drafts and on invoices that are not void."""

    def __init__(self, periods: Sequence[ServicePeriod], wants: Sequence[Want]) -> None:
        self._periods = periods
        self._wants = wants
        needed = {period.pk for want in wants for period in self._earlier(want)}
        self._billed = billed.by_row(period for period in periods if period.pk in needed)

    def invoiced(self, want: Want) -> ServicePeriod | None:
        """The period by which the wanted part, or some of its time, is invoiced already."""
        for period in self._of(want):
            is_same = period.part == want.part and period.sequence == 1
            if is_same and _collides(period, want):
                return period
        return None

    def billed(self, want: Want) -> list[Billed]:
        """What earlier invoices carry for the wanted part: see `billing.rating.Billed`.

        For a part in arrears these are the fees in advance of the piece, and corrections of it that stand
        although the invoice that they correct was taken back.
        """
        return [each for period in self._earlier(want) for each in self._billed[period.pk]]

    def settled(self, want: Want) -> list[Billed]:
        """What all invoices carry for a piece, its own part in arrears included."""
        return [each for row in self.rows(want) for each in self._carried[row.pk]]

    def rows(self, want: Want) -> list[ServicePeriod]:
        """The rows of a piece: those in advance that it settles, then all those in arrears, in order."""
        in_advance = [each for each in self._of(want) if each.part == ADVANCE and self._takes(want, each)]
        starts = want.piece.billed.start
        return in_advance + [
            each for each in self._of(want) if each.part == ARREARS and each.start_at == starts
        ]

    @cached_property
    def _carried(self) -> Mapping[int, list[Billed]]:
        return billed.by_row(self._periods)

    def _earlier(self, want: Want) -> Iterator[ServicePeriod]:
        if want.part == ADVANCE:
            return
        for period in self._of(want):
            is_later = period.part == ARREARS and period.sequence > 1
            is_own = is_later and period.start_at == want.piece.billed.start
            if is_own or (period.part == ADVANCE and self._takes(want, period)):
                yield period

    def _takes(self, want: Want, advance: ServicePeriod) -> bool:
        """Whether fees in advance are settled with this piece: it holds their start, or is the next one.

        A pause or a trial that came later may have left no piece where the fees began.
        """
        pieces = [
            each.piece
            for each in self._wants
            if each.part == ARREARS
            and each.subscription.pk == want.subscription.pk
            and each.piece.period == want.piece.period
        ]
        if not want.piece.period.start <= advance.start_at < want.piece.period.end:
            return False
        holding = [piece for piece in pieces if piece.billed.start <= advance.start_at < piece.billed.end]
        following = [piece for piece in pieces if piece.billed.start > advance.start_at]
        return (holding or following or pieces[-1:])[0] == want.piece

    def _of(self, want: Want) -> Iterator[ServicePeriod]:
        return (each for each in self._periods if each.subscription_id == want.subscription.pk)


def read(*, wants: Sequence[Want], without: Collection[int] = ()) -> Standing:
    """What stands for the wanted parts, apart from the service periods with the ids ``without``.

    At most three SQL statements.
    """
    if not wants:
        return Standing([], [])
    rows = (
        ServicePeriod.objects.filter(
            subscription__in={want.subscription.pk for want in wants},
            is_void=False,
            end_at__gt=min(want.piece.period.start for want in wants),
            start_at__lt=max(want.piece.billed.end for want in wants),
        )
        .exclude(pk__in=without)
        .select_related("invoice")
        .defer("rating_input", "unbilled", "revisions")
    )
    return Standing(list(rows.order_by("start_at", "sequence")), wants)


def _collides(period: ServicePeriod, want: Want) -> bool:
    if want.part == ADVANCE:  # a change of plan inside it begins a piece with fees of its own
        return period.start_at == want.piece.billed.start
    return period.start_at < want.piece.billed.end and period.end_at > want.piece.billed.start

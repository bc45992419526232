"""What something costs as its quantity grows: straight pieces, found by asking for the price again and again.

Prices are piecewise linear, with jumps where packages or flat amounts begin. Nothing is known of a plan here:
a curve is asked for point by point, and where a piece ends is narrowed down and then named by the simplest
fraction that lies there, such as 2500 or 1000/3.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

Cost = Callable[[Fraction], Fraction]
# Costs are known to more places than this; see `fine_prices`.
TOLERANCE = Fraction(1, 10**24)
# How many pieces stand for the part of a curve that could not be followed.
GRID = 16
_BISECTIONS = 48
_SHRINKINGS = 6
_NEAR = 64


@dataclass(frozen=True, slots=True)
class Piece:
    """A straight piece over (start, end]: `value` is the limit at its start, from above."""

    start: Fraction
    end: Fraction
    value: Fraction
    slope: Fraction

    def at(self, x: Fraction) -> Fraction:
        """The cost at a quantity of the piece."""
        return self.value + self.slope * (x - self.start)


@dataclass(frozen=True, slots=True)
class Curve:
    """The cost over [low, high]. `first` is the cost at `low` itself.

    `is_exact`: every piece was found. Otherwise the pieces from some quantity on only join points of it.
    """

    first: Fraction
    pieces: tuple[Piece, ...]
    is_exact: bool

    def at(self, x: Fraction) -> Fraction:
        """The cost at a quantity within the bounds."""
        if x <= self.pieces[0].start:
            return self.first
        return next(piece for piece in self.pieces if x <= piece.end).at(x)

    def just_above(self, x: Fraction) -> Fraction:
        """The limit of the cost from above, at a quantity below the upper bound."""
        return next(piece for piece in self.pieces if x < piece.end).at(x)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A quantity at which the cheaper of two costs changes: `before` and `after` say whether it is the first.

    `until`: up to where both cost the same; the quantity itself where they only cross. `is_jump`: one of them
    jumps over the other here.
    """

    at: Fraction
    until: Fraction
    is_first_before: bool
    is_first_after: bool
    is_jump: bool


class _TooMany(Exception):
    """More points were asked for than allowed."""


class _Asked:
    """A cost that remembers its points, and counts them."""

    def __init__(self, cost: Cost, points_max: int) -> None:
        self._cost, self._left = cost, points_max
        self._known: dict[Fraction, Fraction] = {}

    def __call__(self, x: Fraction) -> Fraction:
        if x not in self._known:
            if not self._left:
                raise _TooMany
            self._left -= 1
            self._known[x] = self._cost(x)
        return self._known[x]


def trace(
    cost: Cost, *, low: Fraction, high: Fraction, hints: Sequence[Fraction] = (), points_max: int
) -> Curve:
    """The curve of a cost between two quantities.

    `hints`: where pieces may end; they make the search surer and shorter. `points_max`: how many costs may be
    asked for beyond those at the hints; where they do not suffice, the rest is joined from 16 more points and
    the curve is not exact.
    """
    ends = sorted({each for each in hints if low < each < high} | {high})
    asked = _Asked(cost, points_max + len(ends) + 1)
    first = asked(low)
    pieces: list[Piece] = []
    start, is_exact = low, True
    for end in ends:
        try:
            for piece in _pieces(asked, start, end):
                pieces.append(piece)
                start = piece.end
        except _TooMany:
            is_exact = False
            break
    if not is_exact:
        step = (high - start) / GRID
        pieces += _joined(cost, start, [start + step * number for number in range(1, GRID)] + [high])
    return Curve(first, tuple(_merged(pieces)), is_exact)


def _pieces(cost: Cost, start: Fraction, end: Fraction) -> Iterator[Piece]:
    while start < end:
        line = _line(cost, start, end)
        off = next((x for x in _samples(start, end) if not _is_on(line, cost, x)), None)
        if off is None:
            yield Piece(start, end, line.value, line.slope)
            return
        reached = _break(cost, line, off)
        yield Piece(start, reached, line.value, line.slope)
        start = reached


def _line(cost: Cost, start: Fraction, end: Fraction) -> Piece:
    """The straight line on which the cost goes on from just above `start`."""
    step = (end - start) / _NEAR
    for _ in range(_SHRINKINGS):
        near, far = start + step / 2, start + step
        slope = _clean((cost(far) - cost(near)) / (far - near))
        line = Piece(start, far, _clean(cost(far) - slope * step), slope)
        if _is_on(line, cost, start + step / 4) and _is_on(line, cost, start + step * 3 / 4):
            break
        step /= _NEAR
    return line


def _samples(start: Fraction, end: Fraction) -> list[Fraction]:
    width = end - start
    return [start + width * eighths / 8 for eighths in (1, 3, 5, 7, 8)]


def _is_on(line: Piece, cost: Cost, x: Fraction) -> bool:
    return abs(cost(x) - line.at(x)) <= TOLERANCE


def _break(cost: Cost, line: Piece, off: Fraction) -> Fraction:
    """The last quantity, up to `off`, that lies on the line."""
    on = line.end
    for _ in range(_BISECTIONS):
        middle = (on + off) / 2
        if _is_on(line, cost, middle):
            on = middle
        else:
            off = middle
    found = simplest(on, off)
    return found if _is_on(line, cost, found) else on


def _joined(cost: Cost, start: Fraction, ends: Sequence[Fraction]) -> Iterator[Piece]:
    value = cost(start)
    for end in ends:
        reached = cost(end)
        yield Piece(start, end, value, (reached - value) / (end - start))
        start, value = end, reached


def _merged(pieces: Sequence[Piece]) -> Iterator[Piece]:
    kept: Piece | None = None
    for piece in pieces:
        if kept and piece.slope == kept.slope and abs(kept.at(piece.start) - piece.value) <= TOLERANCE:
            kept = Piece(kept.start, piece.end, kept.value, kept.slope)
            continue
        if kept:
            yield kept
        kept = piece
    if kept:
        yield kept


def crossings(first: Curve, second: Curve) -> list[Crossing]:
    """Where the cheaper of two costs over the same bounds changes, ascending, exact where both curves are."""
    found: list[Crossing] = []
    last: tuple[int, Fraction] | None = None  # the sign of the difference, and up to where it holds
    for start, end in _stretches(first, second):
        middle = (start + end) / 2
        sign = _sign(first.at(middle) - second.at(middle))
        if last and sign and sign != last[0]:
            at, until = last[1], start
            is_jump = at == until and not _touch(first, second, at)
            found.append(Crossing(at, until, last[0] < 0, sign < 0, is_jump))
        if sign:
            last = sign, end
    return found


def _stretches(first: Curve, second: Curve) -> Iterator[tuple[Fraction, Fraction]]:
    """The bounds, cut where a piece ends and where the curves meet."""
    ends = sorted({piece.end for curve in (first, second) for piece in curve.pieces})
    start = first.pieces[0].start
    for end in ends:
        before = first.just_above(start) - second.just_above(start)
        after = first.at(end) - second.at(end)
        if before * after < 0:
            meeting = _clean(start + (end - start) * before / (before - after))
            yield start, meeting
            start = meeting
        yield start, end
        start = end


def _touch(first: Curve, second: Curve, x: Fraction) -> bool:
    """Whether the difference is continuous at the quantity: then the curves meet there."""
    at, above = first.at(x) - second.at(x), first.just_above(x) - second.just_above(x)
    return abs(at) <= TOLERANCE and abs(above) <= TOLERANCE


def _sign(difference: Fraction) -> int:
    return 0 if abs(difference) <= TOLERANCE else 1 if difference > 0 else -1


def _clean(x: Fraction) -> Fraction:
    """The simplest fraction beside a number: what it is where only the last places were rounded."""
    return simplest(x - TOLERANCE, x + TOLERANCE)


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the smallest denominator in [low, high]."""
    if low <= 0 <= high:
        return Fraction(0)
    if high < 0:
        return -simplest(-high, -low)
    whole = floor(low)
    if whole == low or whole + 1 <= high:
        return Fraction(whole if whole == low else whole + 1)
    return whole + 1 / simplest(1 / (high - whole), 1 / (low - whole))

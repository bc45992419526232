"""The pieces of a subscription's life: time travel over three years, and the cases that people ask about."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.cycles import Cycle, Cycles
from billing.timelines import END_OF_TIME, Phase, Piece, Timeline, without
from metering.periods import Period

ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe"),
    *("Africa/Cairo", "America/Havana", "Pacific/Apia", "America/St_Johns", "Asia/Shanghai"),
]
ANCHORS = [date(2024, 1, 31), date(2024, 2, 29), date(2023, 12, 30), date(2024, 1, 1), date(2024, 5, 15)]
THREE_YEARS = timedelta(days=3 * 365 + 1)
A, B = 1, 2


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def moments(start, end):
    """Instants inside, often a midnight of somewhere."""
    minutes = int((end - start) / timedelta(minutes=1))
    return st.integers(1, minutes).map(lambda n: min(start + timedelta(minutes=15 * (n // 15)), end))


@st.composite
def cycles(draw, start, end):
    """A way of counting that changes up to three times: zone and anchor with a period, interval at once."""
    cycle = Cycle(
        draw(st.one_of(st.sampled_from(ANCHORS), st.dates(date(2023, 1, 1), date(2025, 12, 31)))),
        draw(st.sampled_from(["MONTH", "MONTH", "QUARTER", "YEAR", "WEEK"])),
        draw(st.sampled_from([1, 1, 1, 2, 3])),
        draw(st.sampled_from(ZONES)),
    )
    changes = [(start, cycle)]
    for at in sorted(draw(st.lists(moments(start, end), max_size=3))):
        is_other_interval = draw(st.booleans())
        since = at if is_other_interval else Cycles(tuple(changes)).start_from(at)
        if since <= changes[-1][0]:
            continue
        last = changes[-1][1]
        changes.append(
            (
                since,
                Cycle(
                    draw(st.sampled_from([last.anchor_date, *ANCHORS])),
                    draw(st.sampled_from(["MONTH", "WEEK"])) if is_other_interval else last.interval,
                    last.interval_count,
                    draw(st.sampled_from([last.timezone, *ZONES])),
                ),
            )
        )
    return Cycles(tuple(changes))


@st.composite
def lives(draw):
    """A subscription's life of up to three years, with changes of plan, a trial and pauses."""
    start = draw(moments(utc(2023, 12, 1), utc(2024, 12, 1)))
    end = draw(moments(start + timedelta(days=1), start + THREE_YEARS))
    cuts = sorted({start, end, *draw(st.lists(moments(start, end), max_size=4))})
    phases = tuple(Phase(Period(*bounds), draw(st.sampled_from([A, B]))) for bounds in pairwise(cuts))
    rests = sorted(set(draw(st.lists(moments(start, end), max_size=6))))
    pauses = tuple(Period(*rests[n : n + 2]) for n in range(0, len(rests) - 1, 2))
    trial_end_at = draw(st.none() | moments(start, start + timedelta(days=60)).filter(lambda at: at > start))
    return Timeline(Period(start, end), draw(cycles(start, end)), phases, pauses, trial_end_at)


def periods_of(life):
    """Every billing period that the life touches."""
    found, at = [], life.life.start
    while at < life.life.end:
        found.append(life.cycles.holding(at))
        at = found[-1].actual.end
    return found


class TestPieces:
    @settings(max_examples=50)
    @given(lives())
    def test_cover_the_life_less_its_pauses_without_gap_or_overlap(self, life):
        charged = [part for piece in life.pieces_from(life.life.start) for part in piece.parts]
        assert charged == sorted(charged, key=lambda part: part.start)
        assert all(before.end <= after.start for before, after in pairwise(charged))
        assert joined(charged) == joined(without(life.life, life.pauses))

    @settings(max_examples=50)
    @given(lives())
    def test_have_shares_that_add_up_to_one_with_pauses(self, life):
        for counted in periods_of(life):
            inside = life.life.intersect(counted.actual)
            rest = sum((pause.share_of(counted.whole) for pause in rests(life, inside)), Fraction(0))
            shares = sum((piece.share for piece in life.pieces(inside.start)), Fraction(0))
            assert shares + rest == inside.share_of(counted.whole)
            if inside == counted.whole:
                assert shares + rest == 1

    @settings(max_examples=50)
    @given(lives())
    def test_lie_in_one_period_on_one_plan_and_wholly_in_a_trial_or_not(self, life):
        for piece in life.pieces_from(life.life.start):
            assert piece.period.covers(piece.billed)
            plans = {
                phase.plan_id for phase in life.phases for part in piece.parts if phase.period.intersect(part)
            }
            assert len(plans) == 1
            trial = Period(life.life.start, life.trial_end_at or life.life.start)
            assert all((trial.intersect(part) == part) is piece.is_trial for part in piece.parts)
            assert all(
                piece.billed.start < pause.start < pause.end < piece.billed.end for pause in piece.pauses
            )

    @settings(max_examples=50)
    @given(lives())
    def test_are_found_again_by_any_instant_in_them(self, life):
        for piece in life.pieces_from(life.life.start):
            for part in piece.parts:
                assert life.piece_holding(part.start) == piece
            for pause in piece.pauses:
                assert life.piece_holding(pause.start) is None


class TestDues:
    @settings(max_examples=50)
    @given(lives())
    def test_are_the_ends_of_all_periods_and_the_end_of_the_life(self, life):
        found, at = [], life.next_billing_at(life.life.start)
        while at is not None:
            found.append(at)
            at = life.next_billing_at(at)
        assert found == [min(counted.actual.end, life.life.end) for counted in periods_of(life)]

    @settings(max_examples=50)
    @given(lives())
    def test_in_advance_are_the_starts_of_all_pieces_that_are_paid_for(self, life):
        found, at = [], life.next_advance_at(life.life.start)
        while at is not None:
            found.append(at)
            at = life.next_advance_at(at + timedelta(microseconds=1))
        pieces = life.pieces_from(life.life.start)
        assert found == [piece.billed.start for piece in pieces if not piece.is_trial]

    def test_end_with_a_pause_without_end(self):
        life = simple(Period(utc(2026, 10, 1), END_OF_TIME), pauses=(Period(utc(2026, 10, 11), END_OF_TIME),))
        assert life.next_advance_at(utc(2026, 10, 1, 1)) is None
        assert life.next_billing_at(utc(2026, 11, 1)) == utc(2026, 12, 1)
        assert life.pieces(utc(2026, 11, 5)) == []


class TestCycles:
    def test_run_from_the_old_end_to_the_new_zones_next_bound(self):
        # Berlin's November began an hour before UTC's: 719 of its 720 hours are left.
        berlin = Cycle(date(2026, 1, 1), "MONTH", 1, "Europe/Berlin")
        counted = Cycles(((utc(2026, 1, 1), MONTHLY), (utc(2026, 11, 1), berlin)))
        november = counted.holding(utc(2026, 11, 10))
        assert counted.holding(utc(2026, 10, 31)).actual.end == november.actual.start == utc(2026, 11, 1)
        assert november.actual == Period(utc(2026, 11, 1), utc(2026, 11, 30, 23))
        assert november.actual.share_of(november.whole) == Fraction(719, 720)
        assert counted.holding(utc(2026, 12, 10)).actual == counted.holding(utc(2026, 12, 10)).whole

    def test_have_a_short_period_where_the_new_zones_bound_comes_at_once(self):
        # New York's October ends four hours after UTC's.
        new_york = Cycle(date(2026, 1, 1), "MONTH", 1, "America/New_York")
        counted = Cycles(((utc(2026, 1, 1), MONTHLY), (utc(2026, 11, 1), new_york)))
        assert counted.holding(utc(2026, 11, 1)).actual == Period(utc(2026, 11, 1), utc(2026, 11, 1, 4))
        assert counted.holding(utc(2026, 11, 1)).whole == Period(utc(2026, 10, 1, 4), utc(2026, 11, 1, 4))

    def test_of_another_interval_cut_the_period_that_runs(self):
        yearly = Cycle(date(2026, 1, 1), "YEAR", 1, "UTC")
        counted = Cycles(((utc(2026, 1, 1), MONTHLY), (utc(2026, 10, 16), yearly)))
        assert counted.holding(utc(2026, 10, 5)).actual == Period(utc(2026, 10, 1), utc(2026, 10, 16))
        assert counted.holding(utc(2026, 10, 16)).actual == Period(utc(2026, 10, 16), utc(2027, 1, 1))


class TestPieceOfAPlan:
    def test_holds_a_pause_that_it_goes_on_after(self):
        life = simple(LIFE, pauses=(Period(utc(2026, 10, 11), utc(2026, 10, 21)),))
        (piece,) = life.pieces(utc(2026, 10, 1))
        assert piece == Piece(OCTOBER, OCTOBER, pauses=(Period(utc(2026, 10, 11), utc(2026, 10, 21)),))
        assert piece.share == Fraction(21, 31)

    def test_begins_and_ends_with_what_is_charged(self):
        pauses = (Period(utc(2026, 9, 20), utc(2026, 10, 6)), Period(utc(2026, 10, 30), utc(2026, 11, 3)))
        (piece,) = simple(LIFE, pauses=pauses).pieces(utc(2026, 10, 1))
        assert (piece.billed, piece.pauses) == (Period(utc(2026, 10, 6), utc(2026, 10, 30)), ())

    def test_is_another_one_after_a_pause_on_another_plan(self):
        phases = (
            Phase(Period(utc(2026, 1, 1), utc(2026, 10, 15)), A),
            Phase(Period(utc(2026, 10, 15), END_OF_TIME), B),
        )
        pauses = (Period(utc(2026, 10, 11), utc(2026, 10, 21)),)
        found = Timeline(LIFE, Cycles(((utc(2026, 1, 1), MONTHLY),)), phases, pauses).pieces(utc(2026, 10, 1))
        assert [piece.billed for piece in found] == [
            Period(utc(2026, 10, 1), utc(2026, 10, 11)),
            Period(utc(2026, 10, 21), utc(2026, 11, 1)),
        ]

    def test_counts_as_joined_since_its_plan_was_not_left(self):
        bounds = [utc(2026, month, 1) for month in (1, 2, 3, 4)]
        phases = [Phase(Period(*each), plan) for each, plan in zip(pairwise(bounds), (A, B, A), strict=True)]
        last = Phase(Period(utc(2026, 4, 1), END_OF_TIME), A, overrides={"seats": {"quantity": "2"}})
        life = Timeline(LIFE, Cycles(((utc(2026, 1, 1), MONTHLY),)), (*phases, last))
        assert life.joined_at(last) == utc(2026, 3, 1)


MONTHLY = Cycle(date(2026, 1, 1), "MONTH", 1, "UTC")
OCTOBER = Period(utc(2026, 10, 1), utc(2026, 11, 1))
LIFE = Period(utc(2026, 1, 1), END_OF_TIME)


def simple(life, pauses=()):
    """A life on one plan by the calendar month."""
    return Timeline(life, Cycles(((life.start, MONTHLY),)), (Phase(life, A),), pauses)


def joined(periods):
    found = []
    for period in periods:
        if found and found[-1].end == period.start:
            period = Period(found.pop().start, period.end)
        found.append(period)
    return found


def rests(life, inside):
    found = [pause.intersect(inside) for pause in life.pauses]
    return [pause for pause in found if pause is not None]

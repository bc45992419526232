import json

import pytest

from tests.bench import table
from tests.bench.rows import ROWS
from tests.bench.shape import Result, Row


def row(*, least: float | None = 0.5, is_less_better: bool = False) -> Row:
    return Row(
        name="r",
        title="a row",
        unit="events/s",
        against="a baseline",
        least=least,
        run=lambda _run: Result([]),
        is_less_better=is_less_better,
    )


class TestRatio:
    def test_is_the_median_of_the_rounds(self):
        # 10 / 100 = 0.1, 60 / 100 = 0.6, 90 / 100 = 0.9
        assert row().ratio(Result([(10, 100), (90, 100), (60, 100)])) == 0.6

    def test_compares_what_was_measured_at_the_same_moment(self):
        # The machine slowed down by half for a while: 50 / 100, 25 / 50, 24 / 50.
        assert row().ratio(Result([(50, 100), (25, 50), (24, 50)])) == 0.5

    def test_turns_round_where_less_is_better(self):
        assert row(is_less_better=True).ratio(Result([(250, 300)])) == 1.2


class TestVerdict:
    @pytest.mark.parametrize(
        ("rounds", "is_passed"), [([(50, 100)], True), ([(49, 100)], False), ([(51, 100)], True)]
    )
    def test_follows_the_least(self, rounds, is_passed):
        assert row().has_passed(Result(rounds)) is is_passed

    def test_passes_what_is_only_shown(self):
        assert row(least=None).has_passed(Result([(1, 100)]))

    def test_stands_in_the_table(self):
        assert table.lines(row(), Result([(49, 100)]))[0].endswith("0.490    0.50  BELOW")
        assert table.lines(row(), Result([(50, 100)]))[0].endswith("0.500    0.50  pass")
        assert table.lines(row(least=None), Result([(50, 100)]))[0].endswith("shown")


class TestRows:
    def test_have_names_of_their_own(self):
        names = [row.name for row in ROWS]
        assert len(set(names)) == len(names)

    def test_are_all_in_the_reference_page(self):
        from pathlib import Path

        page = Path("docs/bench.md").read_text()
        assert [row.name for row in ROWS if f"| `{row.name}` |" not in page] == []


class TestDocument:
    def test_keeps_every_round(self, tmp_path):
        from datetime import UTC, datetime

        from tests.bench.__main__ import QUICK
        from tests.bench.shape import Size

        result = Result([(49, 100), (51, 100), (50, 100)], ["a note"])
        at = datetime(2026, 10, 1, tzinfo=UTC)
        document = table.document(
            [(row(), result)], size=Size(**QUICK), postgres="18.0", began_at=at, seconds=12.34
        )
        table.write(tmp_path / "folder" / "bench.json", document)
        read = json.loads((tmp_path / "folder" / "bench.json").read_text())
        assert read["rows"][0]["rounds"] == [[49, 100], [51, 100], [50, 100]]
        assert (read["rows"][0]["ratio"], read["rows"][0]["passed"]) == (0.5, True)
        assert (read["began_at"], read["seconds"]) == ("2026-10-01T00:00:00+00:00", 12.3)

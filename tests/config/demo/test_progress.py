"""What a step shows while it goes on."""

import io

from config.demo import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


class TestProgress:
    def test_writes_plain_lines_at_the_quarters_where_there_is_no_terminal(self):
        stream = io.StringIO()
        shown = progress.Progress(name="Calls", total=1200, unit="events", stream=stream)
        for _batch in range(12):
            shown.advance(100)
        shown.finish("1,200 new")
        assert stream.getvalue().splitlines() == [
            "  Calls             300 of 1,200 events",
            "  Calls             600 of 1,200 events",
            "  Calls             900 of 1,200 events",
            "  Calls           1,200 of 1,200 events  1,200 new",
        ]

    def test_redraws_one_line_on_a_terminal(self):
        stream = Terminal()
        shown = progress.Progress(name="Calls", total=4, unit="events", stream=stream)
        shown.advance(2)
        assert stream.getvalue().endswith(f"\r  Calls           2 of 4 events  [{'#' * 14}{'.' * 14}]")
        shown.advance(2)
        shown.finish("4 new")
        assert stream.getvalue().endswith(f"\r  Calls           4 of 4 events  [{'#' * 28}]  4 new\n")
        assert stream.getvalue().count("\n") == 1

    def test_of_nothing_is_done_at_once(self):
        stream = io.StringIO()
        progress.Progress(name="Roll-up", total=0, unit="batches", stream=stream).finish()
        assert stream.getvalue() == "  Roll-up         0 of 0 batches\n"

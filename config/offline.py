"""Commands that are answered without Django, whose start alone takes longer than they do.

They are commands of `manage.py` like the others, and do the same: `quote FILE`, `quote --lines FILE`,
`estimate FILE` and `advise FILE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType

QUOTE, ESTIMATE, ADVISE = COMMANDS = ("quote", "estimate", "advise")
LINES = "--lines"


def takes(arguments: Sequence[str]) -> bool:
    """Whether the arguments are such a command in its plain form; whatever else is asked, Django answers."""
    return _file(arguments) is not None


def run(arguments: Sequence[str]) -> int:
    """The exit status of a command that `takes` says yes to. Raises failures.CannotRun."""
    from billing import quote_files
    from config.local import failures

    file = _file(arguments)
    assert file is not None
    try:
        return _answer(arguments[0], file, is_lines=LINES in arguments)
    except quote_files.RequestsUnreadable as error:
        raise failures.CannotRun(str(error)) from error


def _answer(command: str, file: str, *, is_lines: bool) -> int:
    from billing import answer_files, quote_files

    now = datetime.now(UTC)
    if command == QUOTE:
        return quote_files.answer(file=file, is_lines=is_lines, at=now, write=print, opened=_with_django)
    if command == ESTIMATE:
        from billing import estimating

        return answer_files.answer(file=file, to=estimating.estimate, write=print)
    from billing.advising import advice

    return answer_files.answer(
        file=file, to=lambda request: advice.advise(request, at=now, opened=_with_django), write=print
    )


def _file(arguments: Sequence[str]) -> str | None:
    if not arguments or arguments[0] not in COMMANDS:
        return None
    options = [LINES] if arguments[0] == QUOTE else []
    files = [each for each in arguments[1:] if each not in options]
    is_plain = len(files) == 1 and len(arguments) - len(files) <= 2
    return files[0] if is_plain and (files[0] == "-" or not files[0].startswith("-")) else None


def _with_django() -> ModuleType:
    import django

    from billing import quotes

    django.setup()
    return quotes.store()

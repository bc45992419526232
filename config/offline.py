"""Commands that are answered without Django, whose start alone takes longer than they do.

They are commands of `manage.py` like the others, and do the same: `quote FILE` and `quote --lines FILE`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType

COMMAND, LINES = "quote", "--lines"


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
        return quote_files.answer(
            file=file, is_lines=LINES in arguments, at=datetime.now(UTC), write=print, opened=_with_django
        )
    except quote_files.RequestsUnreadable as error:
        raise failures.CannotRun(str(error)) from error


def _file(arguments: Sequence[str]) -> str | None:
    if arguments[:1] != [COMMAND]:
        return None
    files = [each for each in arguments[1:] if each != LINES]
    is_plain = len(files) == 1 and len(arguments) - len(files) <= 2
    return files[0] if is_plain and (files[0] == "-" or not files[0].startswith("-")) else None


def _with_django() -> ModuleType:
    import django

    from billing import quotes

    django.setup()
    return quotes.store()

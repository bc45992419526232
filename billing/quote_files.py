"""Quote requests in files, answered as JSON on a stream: what `manage.py quote` does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from billing import quotes
from metering.documents import DocumentError, load_text

STANDARD_INPUT = "-"
EXIT_OK, EXIT_REFUSED = 0, 2


class RequestsUnreadable(Exception):
    """The file is not there, or holds no text."""


def answer(
    *,
    file: str,
    is_lines: bool,
    at: datetime,
    write: Callable[[str], object],
    opened: quotes.Store = quotes.store,
) -> int:
    """The exit status: 0, or 2 for a request that cannot be answered. Each answer is written as text.

    ``file``: a path, or - for standard input. ``is_lines``: every line is a request, and has its answer on a
    line, be it an error; the status is 0. ``opened``: see `quotes.answer`. Raises RequestsUnreadable.
    """
    try:
        with _opened(file) as requests:
            if is_lines:
                for number, line in enumerate(requests, start=1):
                    write(_json(_answer(line, f"line {number}", at, opened)))
                return EXIT_OK
            text = requests.read()
    except (OSError, UnicodeDecodeError) as error:
        raise RequestsUnreadable(f"{file} cannot be read: {error}") from error
    name = "the request" if file == STANDARD_INPUT else Path(file).name
    answered = _answer(text, name, at, opened)
    write(_json(answered, indent=2))
    return EXIT_REFUSED if "error" in answered else EXIT_OK


def _opened(file: str) -> AbstractContextManager[IO[str]]:
    return nullcontext(sys.stdin) if file == STANDARD_INPUT else open(file, encoding="utf-8")


def _answer(text: str, name: str, at: datetime, opened: quotes.Store) -> dict[str, Any]:
    try:
        return quotes.answer(request=load_text(text, name), at=at, opened=opened)
    except DocumentError as error:
        return error.answer()


def _json(answered: dict[str, Any], indent: int | None = None) -> str:
    return json.dumps(answered, ensure_ascii=False, indent=indent)

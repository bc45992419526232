"""Requests in files, each answered as JSON on a stream: what `manage.py estimate` and `advise` do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from billing.quote_files import EXIT_OK, EXIT_REFUSED, STANDARD_INPUT, RequestsUnreadable
from metering.documents import DocumentError, load_text


def answer(*, file: str, to: Callable[[Any], dict[str, Any]], write: Callable[[str], object]) -> int:
    """The exit status: 0, or 2 for a request that cannot be answered. The answer is written as text.

    ``file``: a path, or - for standard input. ``to``: answers the request, or raises DocumentError. Raises
    RequestsUnreadable.
    """
    try:
        text = sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequestsUnreadable(f"{file} cannot be read: {error}") from error
    name = "the request" if file == STANDARD_INPUT else Path(file).name
    try:
        answered, status = to(load_text(text, name)), EXIT_OK
    except DocumentError as error:
        answered, status = error.answer(), EXIT_REFUSED
    write(json.dumps(answered, ensure_ascii=False, indent=2))
    return status

#!/usr/bin/env python3
"""Django's commands, with the Python of .venv where the one that was called knows no Django."""

import importlib.util
import os
import sys


def main() -> int:
    _take_venv()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config import offline

    try:
        if offline.takes(sys.argv[1:]):
            return offline.run(sys.argv[1:])
        return _with_django()
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        words = _words(error)
        if words is None:
            raise
        sys.stderr.write("meterbook: {}\n".format(" ".join(str(words).split())))
        return 1


def _with_django() -> int:
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
    return 0


def _words(error: Exception) -> object | None:
    """One line for a failure that a person can do something about, or None."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import utils

    from config.local import failures

    if isinstance(error, utils.ProgrammingError):
        is_without_table = getattr(error.__cause__, "sqlstate", "") == "42P01"
        told = "the database has no tables for this yet: run `python manage.py migrate` or `make up`"
        return told if is_without_table else None
    if isinstance(error, utils.OperationalError):
        return f"the database does not answer: {error}"
    return error if isinstance(error, failures.CannotRun | ImproperlyConfigured) else None


def _take_venv() -> None:
    """Go on with the Python of .venv, unless a virtual environment is in use already or Django is here."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".venv")
    python = os.path.join(folder, "bin", "python")
    is_complete = os.path.exists(os.path.join(folder, "meterbook-complete.json")) and os.path.exists(python)
    if is_complete and sys.prefix == sys.base_prefix:
        for name in ("PYTHONPATH", "PYTHONHOME"):
            os.environ.pop(name, None)
        os.environ["PYTHONUTF8"] = "1"
        os.execv(python, [python, *sys.argv])  # noqa: S606
    if importlib.util.find_spec("django") is None:
        sys.exit("meterbook: Django is not installed for this Python: run `make install` first")


if __name__ == "__main__":
    sys.exit(main())

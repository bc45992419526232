#!/usr/bin/env python3
"""Django's commands, with the Python of .venv where the one that was called knows no Django."""

import os
import sys


def main() -> int:
    _take_venv()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import utils

    from config.local import failures

    try:
        execute_from_command_line(sys.argv)
    except failures.CannotRun as failure:
        return _tell(failure)
    except utils.ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", "") != "42P01":
            raise
        return _tell("the database has no tables for this yet: run `python manage.py migrate` or `make up`")
    except utils.OperationalError as error:
        return _tell(f"the database does not answer: {error}")
    except ImproperlyConfigured as error:
        return _tell(error)
    except KeyboardInterrupt:
        return 130
    return 0


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
    try:
        import django  # noqa: F401
    except ImportError:
        sys.exit("meterbook: Django is not installed for this Python: run `make install` first")


def _tell(problem: object) -> int:
    sys.stderr.write("meterbook: {}\n".format(" ".join(str(problem).split())))
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m config.demo``: real traces through the whole product, from events over HTTP to invoices.

``--check`` only says whether this database may be used, before anything is written into it. The demo itself
needs a migrated database, a running web process (METERBOOK_URL) and a running Celery worker, all on the same
DATABASE_URL and REDIS_URL; ``make demo`` brings all of them. ``--tenth`` takes every tenth row of each trace.
Exit status: 0 when every quantity and every invoice is as it must be, 1 when not, 2 when it cannot begin.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import time

import django
import django.db

from config.demo import failures


def main() -> int:
    """Runs the demo and returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m config.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--tenth", action="store_true", help="every tenth row of each trace")
    parser.add_argument("--check", action="store_true", help="only say whether this database may be used")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        if arguments.check:
            django.setup()
            from config.demo import world

            world.refuse_strangers()
            return 0
        url = os.environ.get("METERBOOK_URL", "")
        if not url:
            raise failures.DemoRefused("METERBOOK_URL is not set: `make demo` starts a server and sets it")
        django.setup()
        from django.conf import settings

        from config import celery  # noqa: F401  so that the roll-up can be woken
        from config.demo import acts

        began = time.monotonic()
        is_right = acts.play(
            url=url,
            every=10 if arguments.tenth else 1,
            folder=settings.EXPORTS_DIR / "2020-05" / "demo",
            at=datetime.datetime.now(datetime.UTC),
        )
        print(f"\nThe demo took {time.monotonic() - began:.0f} seconds.", end=" ")
        print("`make up` shows its result in the console." if is_right else "Something is not as it must be.")
        return 0 if is_right else 1
    except KeyboardInterrupt:
        return 130
    except failures.DemoRefused as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except django.db.OperationalError as error:
        print(f"\ndemo: the database does not answer: {str(error).splitlines()[0]}", file=sys.stderr)
        return 1
    except failures.DemoFailed as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.bench``: measures, prints one table, writes it as JSON. ``make bench`` gives it servers.

DATABASE_URL and REDIS_URL name servers; databases of its own are made beside the one that is named. Exit
status: 0 when every ratio reaches its least, 1 when one does not, 2 when it cannot be measured.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
import redis

FULL = {
    "rounds": 5,
    "door_events": 80_000,
    "door_seconds": 6,
    "memory_batches": 48,
    "rolled_events": 1_000_000,
    "statements": 3,
    "invoices": 10_000,
}
QUICK = {
    "rounds": 3,
    "door_events": 20_000,
    "door_seconds": 2,
    "memory_batches": 16,
    "rolled_events": 100_000,
    "statements": 1,
    "invoices": 500,
}
STORED_EVENTS = 10_000_000


def main() -> int:
    """Runs the measurements and returns the exit status."""
    arguments = _arguments()
    given = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if not all(given):
        print("bench: DATABASE_URL and REDIS_URL are not set: `make bench` starts servers", file=sys.stderr)
        return 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.bench import databases, shape

    try:
        return _measured(arguments, *given)
    except (databases.ServerUnfit, shape.MeasurementWrong) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except psycopg.OperationalError as error:
        print(f"bench: the database does not answer: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    from tests.bench.rows import ROWS

    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    names = [row.name for row in ROWS]
    parser.add_argument("--only", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--quick", action="store_true", help="a minute or two, for a first impression")
    parser.add_argument(
        "--large",
        nargs="?",
        type=int,
        const=STORED_EVENTS,
        default=0,
        metavar="EVENTS",
        help="the rows of the large database, which is kept for the next run; 10,000,000 events if not said",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the results go as JSON")
    return parser.parse_args()


def _measured(arguments: argparse.Namespace, database_url: str, redis_url: str) -> int:
    from config.local import places
    from tests.bench import databases, shape, table
    from tests.bench.rows import ROWS

    began_at, began = datetime.now(UTC), time.monotonic()
    size = shape.Size(**(QUICK if arguments.quick else FULL), stored_events=arguments.large)
    wanted = [
        row
        for row in ROWS
        if (row.name in arguments.only if arguments.only else row.is_large == bool(arguments.large))
    ]
    if any(row.is_large for row in wanted) and not size.stored_events:
        raise shape.MeasurementWrong("the rows of the large database are measured with --large")
    postgres = databases.check(database_url)
    database = databases.made(database_url, suffix="_bench", is_kept=False)
    broker_url = _broker_url(redis_url)
    print(
        f"PostgreSQL {postgres}, {os.cpu_count()} cores, {size.rounds} rounds\n\n{table.heading()}",
        flush=True,
    )
    results = []
    with databases.dropped_at_end(database_url, database):
        run = shape.Run(size=size, given_url=database_url, database=database, broker_url=broker_url)
        for row in wanted:
            result = row.run(run)
            results.append((row, result))
            print("\n".join(table.lines(row, result)), flush=True)
    redis.Redis.from_url(broker_url).flushdb()
    seconds = time.monotonic() - began
    path = arguments.json or places.local_folder(os.environ) / "bench.json"
    document = table.document(results, size=size, postgres=postgres, began_at=began_at, seconds=seconds)
    table.write(path, document)
    print(f"\n{seconds:.0f} seconds. As JSON: {path}")
    return 0 if all(row.has_passed(result) for row, result in results) else 1


def _broker_url(redis_url: str) -> str:
    """Another database of the same Redis: the calls for a worker that the web process sends reach nobody."""
    parts = urlsplit(redis_url)
    number = (int(parts.path.strip("/") or 0) + 8) % 16
    return urlunsplit(parts._replace(path=f"/{number}"))


if __name__ == "__main__":
    sys.exit(main())

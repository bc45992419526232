"""``python -m config.local.keeper``: PostgreSQL for commands of manage.py while no run is going on.

Says one line on standard output (ready, busy, or what is wrong) and then goes on in the background. Every
command holds a shared lock, which the kernel takes back even from one that was killed; when the last is gone,
PostgreSQL is ended.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from typing import IO

from config.local import attach, failures, places, processes, running, servers


def main() -> int:
    # Whoever waits for our word shall not wait for our end, nor become our parent.
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as word:
            _detach()
            return _keep(word)
    os.close(writing)
    with os.fdopen(reading) as word:
        print(word.read().strip(), flush=True)
    return 0


def _detach() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _keep(word: IO[str]) -> int:
    try:
        at = places.make(os.environ)
        with (
            (at.local / attach.USERS).open("a") as users,
            running.Run(purpose="run", title="a command of manage.py", at=at) as run,
        ):
            servers.publish(run, servers.start(run, is_database_only=True), is_keeper="yes")
            word.write(attach.READY)
            word.close()
            while _is_used(users):
                run.check()
                time.sleep(processes.POLL_S)
    except running.RunIsGoingOn:
        word.write(attach.BUSY)
    except running.Stopped:
        pass
    except failures.CannotRun as failure:
        if not word.closed:
            word.write(str(failure))
    return 0


def _is_used(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())

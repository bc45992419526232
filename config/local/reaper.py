"""``python -m config.local.reaper MARK STORE PURPOSE``: ends what a run leaves when it is killed.

Its standard input is a pipe of which the run alone holds the other end. When that closes, the run is over or
was killed; whatever of it is still there then is ended. A run that ended in order has left nothing to do.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from config.local import processes

GRACE_S = 5.0


def main(arguments: list[str]) -> None:
    mark, store, purpose = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # The checkout may be removed while a run stands in it.
    os.chdir("/")
    sys.stdin.buffer.read()
    processes.sweep(mark=mark, store=Path(store), purpose=purpose, grace_s=GRACE_S)


if __name__ == "__main__":
    main(sys.argv[1:])

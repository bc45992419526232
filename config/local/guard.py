"""Become another program that ends when its parent ends. Run as a file: it imports nothing of the project.

    python -I -S guard.py PARENT_PID SIGNAL UID:GID|- COMMAND [ARGUMENT ...]

It gives up root first where a user is named: the kernel forgets the death signal when the user changes.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, signal_number: int, *, after: Callable[[], None] = lambda: None) -> None:
    """Ask the kernel for ``signal_number`` when the thread that started this process ends.

    ``after`` is called before, but when all that is needed has been loaded: the user that it changes to may
    not be allowed to read this Python's own files. Leaves at once when the parent has ended already. Where
    ctypes or the call is missing, the reaper of the run (see `reaper`) remains.
    """
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        after()
    else:
        after()
        prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def become(owner: str) -> None:
    """Give up root for the user ``UID:GID``; ``-`` stays who we are."""
    if owner == "-":
        return
    uid, gid = (int(part) for part in owner.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    parent, signal_number, owner, *command = arguments
    # A shell starts its background jobs deaf to SIGINT; what ends our processes must be heard.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent(int(parent), int(signal_number), after=lambda: become(owner))
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])

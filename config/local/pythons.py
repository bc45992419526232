"""Which Python runs Meterbook: 3.11 to 3.14. Written for every Python 3 (see `__main__`)."""

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST = (3, 11)
NEWEST = (3, 14)


def is_suitable(version: "tuple[int, ...]") -> bool:
    """Whether a ``(major, minor)`` can run Meterbook: its packages exist for these only."""
    return OLDEST <= tuple(version) <= NEWEST


def find_on_path(environ: "Mapping[str, str]") -> "str | None":
    """The path of the newest suitable Python on PATH that really runs, or None.

    A file with the right name is not enough: version switchers put stand-ins on PATH that only complain.
    """
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        for folder in environ.get("PATH", os.defpath).split(os.pathsep):
            candidate = os.path.join(folder or ".", f"python3.{minor}")
            if os.access(candidate, os.X_OK) and _runs(candidate, (3, minor)):
                return candidate
    return None


def none_found(version: "tuple[int, ...]") -> str:
    """What to tell a person whose Python has this ``version`` when no other was found."""
    return (
        f"Python {text(OLDEST)} to {text(NEWEST)} is needed, but this is {text(version)} and PATH has "
        f"no other: install one, or name it: make PYTHON=/path/to/python{text(OLDEST)} ..."
    )


def _runs(candidate: str, version: "tuple[int, int]") -> bool:
    program = "import sys, venv, ctypes; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.check_output(
            [candidate, "-I", "-c", program], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.decode("ascii", "replace").strip() == text(version)


def text(version: "tuple[int, ...]") -> str:
    """A ``(major, minor)`` as people write it."""
    return ".".join(str(part) for part in version)

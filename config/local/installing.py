""".venv: made, filled, and marked as complete by a stamp that is written last."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from config.local import environment, failures, places, processes, pythons

RUNTIME = ("requirements.txt", "requirements-local.txt")
DEV = "requirements-dev.txt"
STAMP = "meterbook-complete.json"
# For a Python without ensurepip: Debian packs it apart.
PIP_WHEEL = next(Path(__file__).with_name("vendor").glob("pip-*.whl"))
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|Max retries exceeded|ConnectTimeout|Failed to establish|"
    r"name resolution|Network is unreachable|ProxyError"
)


class VenvCannotBeMade(failures.CannotRun):
    """The virtual environment could not be made or written."""


class PackagesCannotBeInstalled(failures.CannotRun):
    """pip ended with an error."""


def ensure(*, has_dev: bool, checkout: Path = places.CHECKOUT) -> None:
    """See that ``.venv`` of ``checkout`` holds what the requirements files name.

    One that was half made, moved or made by a Python that is gone is made again from nothing; one whose
    requirements changed is brought up to date. Raises `VenvCannotBeMade` or `PackagesCannotBeInstalled`.
    """
    wanted = _wanted(checkout, [*RUNTIME, *([DEV] if has_dev else [])])
    if _is_complete(checkout, wanted):
        return
    try:
        with (checkout / ".venv.lock").open("a") as lock:
            _wait_for(lock)
            if not _is_complete(checkout, wanted):
                _install(checkout, wanted)
    except (PermissionError, shutil.Error) as error:
        raise VenvCannotBeMade(
            f"{checkout / '.venv'} is not complete, and this user cannot write it ({error}): "
            "run `make install` as the owner of the checkout"
        ) from error
    except OSError as error:
        raise VenvCannotBeMade(f"{checkout / '.venv'} cannot be made: {error}") from error


def _wanted(checkout: Path, names: Iterable[str]) -> dict[str, str]:
    try:
        return {name: hashlib.sha256((checkout / name).read_bytes()).hexdigest() for name in names}
    except OSError as error:
        raise VenvCannotBeMade(f"{error.filename} cannot be read: {error.strerror}") from error


def _is_complete(checkout: Path, wanted: dict[str, str]) -> bool:
    stamp = _stamp(checkout)
    return _is_usable(checkout, stamp) and wanted.items() <= stamp.get("requirements", {}).items()


def _is_usable(checkout: Path, stamp: dict[str, Any]) -> bool:
    """Whether .venv was once complete, still stands where it was made, and its Python is still the same."""
    if not stamp or stamp.get("checkout") != str(checkout):
        return False
    return stamp.get("python") == _version_of(checkout / ".venv" / "bin" / "python")


def _stamp(checkout: Path) -> dict[str, Any]:
    try:
        stamp = json.loads((checkout / ".venv" / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _version_of(python: Path) -> str:
    try:
        return subprocess.run(
            [python, "-I", "-S", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def _wait_for(lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("Another command is installing into .venv of this checkout: waiting for it.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _install(checkout: Path, wanted: dict[str, str]) -> None:
    venv = checkout / ".venv"
    stamp = _stamp(checkout)
    if not _is_usable(checkout, stamp):
        _make_venv(venv)
        stamp = {}
    (venv / STAMP).unlink(missing_ok=True)
    # Everything installed before stays wanted: the versions of runtime and tests are chosen together.
    requirements = {**stamp.get("requirements", {}), **wanted}
    files = [part for name in requirements for part in ("-r", str(checkout / name))]
    print(f"Installing {', '.join(requirements)} into {venv}", flush=True)
    _pip([str(venv / "bin" / "python"), "-m", "pip", "install", *files], checkout)
    new = {
        "checkout": str(checkout),
        "python": _version_of(venv / "bin" / "python"),
        "requirements": requirements,
    }
    beside = venv / f"{STAMP}.new"
    beside.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
    beside.replace(venv / STAMP)


def _make_venv(venv: Path) -> None:
    print(
        f"Making the virtual environment {venv} with Python {'.'.join(map(str, sys.version_info[:3]))}",
        flush=True,
    )
    if venv.is_symlink() or venv.is_file():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(venv)
    has_pip = _has_ensurepip()
    command = [sys.executable, "-I", "-m", "venv", *([] if has_pip else ["--without-pip"]), str(venv)]
    done = subprocess.run(
        command,
        env=environment.cleaned(os.environ),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise VenvCannotBeMade(f"python -m venv failed: {said}")
    if not has_pip:
        # A wheel of pip can be run as it is, and so installs itself.
        python = str(venv / "bin" / "python")
        _pip([python, f"{PIP_WHEEL}/pip", "install", "--no-index", "-q", str(PIP_WHEEL)], venv.parent)


def _has_ensurepip() -> bool:
    """Whether pip can be unpacked from this Python: Debian leaves out the module, or the wheel beside it."""
    program = "import ensurepip; ensurepip.version()"
    return (
        subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, check=False).returncode
        == 0
    )


def _pip(command: list[str], cwd: Path) -> None:
    """Run pip, its progress shown; raises `PackagesCannotBeInstalled` with the likely reason."""
    with subprocess.Popen(
        # Nobody may write into .venv any more once the command that held its lock has ended.
        processes.guarded(command, stop_signal=signal.SIGKILL),
        cwd=cwd,
        env=environment.cleaned(os.environ),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as pip:
        said: list[str] = []
        assert pip.stderr is not None
        reader = threading.Thread(target=_pass_on, args=(pip.stderr, said), daemon=True)
        reader.start()
        try:
            code = pip.wait()
        except BaseException:
            pip.kill()
            raise
        reader.join(timeout=5)
    if code == 0:
        return
    if any(_NO_NETWORK.search(line) for line in said):
        raise PackagesCannotBeInstalled(
            "the packages could not be fetched: is there a network? "
            "(PIP_INDEX_URL names an index of your own, PIP_PROXY a proxy)"
        )
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
    told = errors[-1] if errors else f"pip ended with exit code {code}"
    raise PackagesCannotBeInstalled(
        f"the packages could not be installed for Python {pythons.text(sys.version_info[:2])}: {told}"
    )


def _pass_on(source: IO[bytes], said: list[str]) -> None:
    for line in source:
        said.append(line.decode("utf-8", "replace").strip())
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()

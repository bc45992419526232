"""Where everything of this checkout lies on the machine."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pwd
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from config.local import failures

CHECKOUT = Path(__file__).resolve().parent.parent.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
# As root nothing of the servers lies in the checkout: the user who owns them could not reach it.
ROOTS_STORES = Path("/var/tmp")  # noqa: S108  the folder made in it is checked to be root's own


class FolderCannotBeWritten(failures.CannotRun):
    """A folder that this run needs cannot be made or written."""


class StoreIsNotOurs(failures.CannotRun):
    """Somebody else made the folder in which root's servers would keep their files."""


class NobodyToOwnServers(failures.CannotRun):
    """Neither of the users exists that could own the servers of root."""


@dataclasses.dataclass(frozen=True)
class Owner:
    """The user under whom the servers run when root starts them."""

    name: str
    uid: int
    gid: int


@dataclasses.dataclass(frozen=True)
class Places:
    """``local``: secrets, state and logs. ``store``: files of the servers. ``owner``: None means oneself."""

    local: Path
    store: Path
    owner: Owner | None

    @property
    def logs(self) -> Path:
        return self.local / "logs"

    def mark(self, purpose: str) -> str:
        """The value of METERBOOK_RUN by which the processes of a run are found again."""
        return f"{_digest(self.local)}-{purpose}"


def local_folder(environ: Mapping[str, str]) -> Path:
    """The folder of this checkout's secrets and state: LOCAL_DIR, else ``.local``. Makes nothing."""
    chosen = environ.get("LOCAL_DIR", "").strip()
    return Path(chosen).absolute() if chosen else CHECKOUT / ".local"


def make(environ: Mapping[str, str]) -> Places:
    """The folders of this checkout, made where they were missing.

    Raises `FolderCannotBeWritten`, `StoreIsNotOurs` or `NobodyToOwnServers`.
    """
    local = local_folder(environ)
    make_folder(local)
    make_folder(local / "logs")
    if os.geteuid() != 0:
        return Places(local=local, store=local, owner=None)
    return Places(local=local, store=_root_store(environ, local), owner=_server_owner())


def make_folder(folder: Path) -> None:
    """Make ``folder`` for oneself alone, if it is missing; raises `FolderCannotBeWritten`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise FolderCannotBeWritten(
            f"{folder} cannot be made ({error.strerror}): name a folder of your own with LOCAL_DIR=..."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FolderCannotBeWritten(
            f"{folder} cannot be written by this user: name a folder of your own with LOCAL_DIR=..."
        )


def write_private(path: Path, text: str) -> None:
    """Replace the file ``path`` by ``text``, readable by its owner only, all of it or nothing."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def _root_store(environ: Mapping[str, str], local: Path) -> Path:
    is_chosen = bool(environ.get("LOCAL_DIR", "").strip())
    store = ROOTS_STORES / f"meterbook-{_digest(local if is_chosen else CHECKOUT)}"
    try:
        store.mkdir(mode=0o711)
    except FileExistsError:
        found = store.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
            raise StoreIsNotOurs(f"{store} was made by somebody else: look into it and remove it") from None
    except OSError as error:
        raise FolderCannotBeWritten(f"{store} cannot be made: {error.strerror}") from error
    store.chmod(0o711)
    return store


def forget_store_of_another_life(places: Places, purpose: str) -> None:
    """Remove the files of root's servers of ``purpose`` when their ``.local`` was removed.

    A normal user's files lie in ``.local`` and go with it; this makes the same true for root, so that a fresh
    clone at the path of an old one starts from nothing. Only for whoever holds the lock of the purpose.
    """
    if places.store == places.local:
        return
    name, twin = places.local / f"store-{purpose}", places.store / f"store-{purpose}"
    if not name.exists():
        write_private(name, secrets.token_hex(16))
    if twin.exists() and twin.read_text(encoding="utf-8") == name.read_text(encoding="utf-8"):
        return
    for entry in [*places.store.glob(f"*-{purpose}"), *places.store.glob(f"*-{purpose}.*")]:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.copy2(name, twin)


def _server_owner() -> Owner:
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return Owner(name=user.pw_name, uid=user.pw_uid, gid=user.pw_gid)
    raise NobodyToOwnServers(
        "PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody: "
        "run as another user, or set DATABASE_URL and REDIS_URL"
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]

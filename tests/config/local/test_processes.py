import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.local import places, processes

SLEEPER = "import time; time.sleep(600)"


@pytest.fixture
def started():
    """Processes to be killed at the end of the test, whatever became of it."""
    kept = []
    yield kept
    for one in kept:
        one.kill()
        one.wait()


def _sleeper(started, **more):
    one = subprocess.Popen([sys.executable, "-c", SLEEPER], **more)
    started.append(one)
    return one


def _parent(owner):
    """A program that starts a child under ``owner``, says its number, and waits."""
    return (
        "import os, time\n"
        "from pathlib import Path\n"
        "from config.local import places, processes\n"
        f"owner = {owner!r} and places.Owner(*{owner!r})\n"
        "child = processes.start(role='valkey', command=['/bin/sleep', '600'], env=dict(os.environ),\n"
        "                        cwd=Path('/'), mark='test-of-processes', owner=owner or None)\n"
        "while os.readlink(f'/proc/{child.popen.pid}/exe').rpartition('/')[2].startswith('python'):\n"
        "    time.sleep(0.01)\n"
        "print(child.popen.pid, flush=True)\n"
        "time.sleep(600)\n"
    )


class TestStart:
    def test_ends_the_child_when_the_parent_is_killed(self, started, wait_until):
        self._kill_the_parent(started, wait_until, owner=())

    def test_ends_it_also_as_another_user(self, started, wait_until):
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        user = pwd.getpwnam("nobody")
        self._kill_the_parent(started, wait_until, owner=("nobody", user.pw_uid, user.pw_gid))

    def _kill_the_parent(self, started, wait_until, owner):
        parent = subprocess.Popen(
            [sys.executable, "-c", _parent(owner)], cwd=places.CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        started.append(parent)
        child = processes.identity(int(parent.stdout.readline()))
        assert child is not None
        if owner:
            assert Path(f"/proc/{child.pid}").stat().st_uid == owner[1]
        parent.kill()
        wait_until(lambda: not child.is_running(), what="the end of the child", limit_s=20)


class TestIdentity:
    def test_is_running_until_the_process_ends(self, started):
        one = _sleeper(started)
        known = processes.identity(one.pid)
        assert known.is_running()
        one.kill()
        # Not yet collected by its parent: it runs no more all the same.
        os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
        assert not known.is_running()

    def test_is_not_taken_for_a_later_process_with_the_same_number(self, started):
        known = processes.identity(_sleeper(started).pid)
        assert not processes.Identity(known.pid, str(int(known.started) - 1), known.command).is_running()
        assert not processes.Identity(known.pid, known.started, "another program").is_running()

    def test_tells_when_it_began(self, started):
        known = processes.identity(_sleeper(started).pid)
        oneself = processes.identity(os.getpid())
        assert processes.began_at_s(known) >= processes.began_at_s(oneself)


class TestSweep:
    def _marked(self, started, mark, role):
        return _sleeper(started, env={**os.environ, "METERBOOK_RUN": mark, "METERBOOK_ROLE": role})

    def test_ends_what_bears_the_mark_and_nothing_else(self, started, tmp_path, wait_until):
        ours = self._marked(started, "mark-of-this-test", "worker")
        others = self._marked(started, "mark-of-another", "worker")
        for one in (ours, others):
            wait_until(lambda pid=one.pid: processes.identity(pid), what="the start")
        ended = processes.sweep(mark="mark-of-this-test", store=tmp_path, purpose="run")
        assert ended == [ours.pid]
        assert ours.wait(timeout=10) == -signal.SIGTERM
        assert others.poll() is None

    def test_kills_what_will_not_end(self, started, tmp_path):
        deaf = (
            "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); "
        )
        env = {**os.environ, "METERBOOK_RUN": "mark-of-deaf", "METERBOOK_ROLE": "web"}
        command = [sys.executable, "-c", deaf + "time.sleep(600)"]
        one = subprocess.Popen(command, env=env, stdout=subprocess.PIPE)
        started.append(one)
        one.stdout.readline()
        processes.sweep(mark="mark-of-deaf", store=tmp_path, purpose="run", grace_s=0.2)
        assert one.wait(timeout=10) == -signal.SIGKILL

    def test_leaves_a_person_alone_who_stands_in_the_data_folder(self, started, tmp_path):
        data = tmp_path / "postgres-15-run"
        data.mkdir()
        person = _sleeper(started, cwd=data)
        assert processes.sweep(mark="mark", store=tmp_path, purpose="run") == []
        assert person.poll() is None

"""Commands of manage.py on the embedded PostgreSQL: beside a run, and alone."""

import json
import os
import signal

import pytest

from config.local import attach, places, processes

COUNT = (
    "from django.db import connection; c = connection.cursor(); c.execute('select 1'); print(c.fetchone()[0])"
)


def _shell(program):
    return ("manage.py", "shell", "--no-imports", "-c", program)


class TestCommand:
    def test_starts_nothing_when_it_needs_no_database(self, repository):
        code, _out, err = repository.run("manage.py", "check")
        assert (code, err) == (0, "")
        assert list(repository.store().glob("postgres-*")) == []
        assert repository.left() == []

    def test_alone_starts_the_database_and_stops_it_at_its_end(self, repository):
        code, out, err = repository.run(*_shell(COUNT))
        assert (code, out, err) == (0, "1\n", "")
        assert list(repository.store().glob("postgres-*-run"))
        assert repository.left() == []

    def test_says_how_to_make_the_tables(self, repository):
        program = "from django.contrib.auth.models import User; User.objects.count()"
        code, out, err = repository.run(*_shell(program))
        assert (code, out) == (1, "")
        told = "the database has no tables for this yet: run `python manage.py migrate` or `make up`"
        assert err == f"meterbook: {told}\n"

    def test_shares_the_database_with_another_and_the_last_one_ends_it(self, repository, wait_until):
        wait = f"import os, time\nwhile not os.path.exists('{repository.local}/go'): time.sleep(0.05)"
        first = repository.start(*_shell(f"{COUNT}; print(flush=True)\n{wait}"))
        first.stdout.readline()
        waiting = repository.start(*_shell(COUNT + "; import time; print(flush=True); time.sleep(600)"))
        waiting.stdout.readline()
        (repository.local / "go").touch()
        first.communicate(timeout=60)
        assert repository.run(*_shell(COUNT))[1] == "1\n"
        # Killed: nothing of its own can clean up after it.
        waiting.kill()
        waiting.communicate()
        wait_until(lambda: not repository.left(), what="the end of the database", limit_s=30)

    def test_uses_the_servers_of_a_run(self, repository):
        script = repository.local / "hold.py"
        script.write_text(
            "import os, time\n"
            "from config.local import places, running, servers\n"
            "with running.Run(purpose='run', title='make up', at=places.make(os.environ)) as run:\n"
            "    servers.publish(run, servers.start(run))\n"
            "    print('holding', flush=True)\n"
            "    time.sleep(600)\n"
        )
        held = repository.start(script, PYTHONPATH=repository.path)
        assert held.stdout.readline() == "holding\n"
        state = json.loads((repository.local / "run.json").read_text())
        program = (
            "from django.conf import settings; from django.db import connection\n"
            "connection.ensure_connection()\n"
            "print(connection.settings_dict['PORT'], settings.REDIS_URL)"
        )
        _code, out, _err = repository.run(*_shell(program))
        assert out.split() == [state["DATABASE_URL"].split(":")[3].split("/")[0], state["REDIS_URL"]]
        assert held.poll() is None
        held.send_signal(signal.SIGTERM)
        held.communicate(timeout=60)
        assert repository.left() == []


class TestRunningState:
    @pytest.fixture
    def state(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LOCAL_DIR", str(tmp_path))
        oneself = processes.identity(os.getpid())
        known = {"pid": oneself.pid, "started": oneself.started, "command": oneself.command}
        known["REDIS_URL"] = "redis://127.0.0.1:7/0"

        def write(**changed):
            places.write_private(tmp_path / "run.json", json.dumps(known | changed))

        return write

    def test_is_believed_while_the_run_lives(self, state):
        state()
        assert attach.redis_url() == "redis://127.0.0.1:7/0"

    def test_of_a_run_that_was_killed_is_not_believed(self, state):
        state(started="1")
        assert attach.redis_url() is None
        state(command="something else")
        assert attach.redis_url() is None

    def test_is_none_where_nothing_was_written_or_half_of_it(self, state, tmp_path):
        assert attach.running_state() is None
        (tmp_path / "run.json").write_text('{"pid": 1')
        assert attach.running_state() is None


class TestSecrets:
    def test_are_made_once_and_are_different_in_each_checkout(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LOCAL_DIR", str(tmp_path / "one"))
        first = attach.secrets()
        assert attach.secrets() == first
        assert min(len(first[name]) for name in ("SECRET_KEY", "API_KEY_PEPPER")) >= 50
        monkeypatch.setenv("LOCAL_DIR", str(tmp_path / "two"))
        assert not set(first.values()) & set(attach.secrets().values())

    def test_are_readable_by_their_owner_only(self, tmp_path, monkeypatch):
        monkeypatch.setenv("LOCAL_DIR", str(tmp_path))
        attach.secrets()
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600

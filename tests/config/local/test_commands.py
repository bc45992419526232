"""``python -m config.local`` as a person meets it: the whole of `up`, and one line for what goes wrong."""

import http.client
import json
import os
import signal
import socket

import pytest

from config.local import installing, places, processes, sockets


@pytest.fixture
def installed(repository):
    """This checkout, whose .venv is complete; without one `up` would first install everything."""
    wanted = installing._wanted(places.CHECKOUT, installing.RUNTIME)
    if not installing._is_complete(places.CHECKOUT, wanted):
        pytest.skip("needs the .venv of `make install`")
    return repository


def _up(installed, **env):
    port = sockets.free_port()
    return installed.start("-m", "config.local", "up", PORT=port, **env), port


def _read_until(started, text):
    lines = []
    while not lines or text not in lines[-1]:
        line = started.stdout.readline()
        assert line, (lines, started.communicate())
        lines.append(line)
    return lines


class TestUp:
    def test_serves_prints_the_login_and_ends_in_order(self, installed):
        started, port = _up(installed)
        lines = _read_until(started, "Ctrl-C ends it.")
        assert f"The console: http://127.0.0.1:{port}/\n" in lines
        password = json.loads((installed.local / "secrets.json").read_text())["CONSOLE_PASSWORD"]
        assert f"Login: admin, password: {password}\n" in lines
        assert sockets.status_of(port, "/healthz") == 200
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=90)
        assert (started.returncode, err) == (0, "")
        assert "Stopping worker, web, Valkey and PostgreSQL." in out
        assert installed.left() == []

    def test_leaves_nothing_when_it_is_killed_and_starts_again_on_the_same_port(self, installed, wait_until):
        started, port = _up(installed)
        _read_until(started, "Ctrl-C ends it.")
        started.kill()
        started.wait()
        again = installed.start("-m", "config.local", "up", PORT=port)
        _read_until(again, "Ctrl-C ends it.")
        again.kill()
        again.wait()
        wait_until(lambda: not installed.left(), what="the end of everything", limit_s=60)
        with pytest.raises(ConnectionRefusedError):
            http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()

    def test_ends_when_a_process_ends_and_names_it(self, installed):
        started, _port = _up(installed)
        _read_until(started, "Ctrl-C ends it.")
        beat = next(pid for pid in installed.left() if " beat " in processes.identity(pid).command)
        os.kill(beat, signal.SIGKILL)
        _out, err = started.communicate(timeout=90)
        assert started.returncode == 1
        assert err == "meterbook: beat ended by signal 9; everything else was stopped\n"
        assert installed.left() == []

    def test_refuses_a_port_in_use_before_it_starts_anything(self, repository):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            code, out, err = repository.run("-m", "config.local", "up", PORT=port)
        assert (code, out) == (1, "")
        told = f"port {port} is in use by another program: choose another with `PORT=8123 make up`"
        assert err == f"meterbook: {told}\n"
        assert list(repository.store().glob("postgres-*")) == []

    def test_refuses_a_port_that_is_none(self, repository):
        code, _out, err = repository.run("-m", "config.local", "up", PORT="http")
        assert (code, err) == (1, "meterbook: PORT must be a number from 1 to 65535, not 'http'\n")


class TestMain:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [((), "a command is missing"), (("serve",), "there is no command 'serve'")],
    )
    def test_names_the_commands(self, repository, arguments, told):
        code, out, err = repository.run("-m", "config.local", *arguments)
        assert (code, out) == (2, "")
        assert err == f"meterbook: {told}; the commands are install, demo, up, test, lint, bench, compat\n"

    def test_passes_the_words_and_the_exit_code_of_pytest_on(self, installed):
        code, out, _err = installed.run(
            "-m", "config.local", "test", "--collect-only", "-q", "tests/no_such_test.py"
        )
        assert code == 4
        assert "no_such_test.py" in out + _err
        assert installed.left() == []


class TestManage:
    def test_says_how_to_install_when_django_is_missing(self, checkout):
        code, out, err = checkout.run("-S", "manage.py", "check")
        assert (code, out) == (1, "")
        assert err == "meterbook: Django is not installed for this Python: run `make install` first\n"

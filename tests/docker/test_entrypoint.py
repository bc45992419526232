"""The roles of the entrypoint as processes of their own, against the tests' PostgreSQL and Redis."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

ENTRYPOINT = Path("docker/entrypoint").resolve()
START_S = 60


@pytest.fixture
def environment(transactional_db):
    """The smallest environment of a role: the four required variables and where programs are."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url(connection.settings_dict["NAME"]),
        "REDIS_URL": settings.REDIS_URL,
        "SECRET_KEY": "a secret key for the processes of this test",
        "API_KEY_PEPPER": "a pepper for the processes of this test",
    }


@pytest.fixture
def start(environment):
    """Starts a role that stays, and ends it with the test."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, str(ENTRYPOINT), *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def database_url(name):
    parts = connection.settings_dict
    user, password = (urllib.parse.quote(parts[key], safe="") for key in ("USER", "PASSWORD"))
    return f"postgresql://{user}:{password}@{parts['HOST']}:{parts['PORT']}/{name}"


def run(environment, *arguments, entrypoint=ENTRYPOINT):
    return subprocess.run(
        [sys.executable, str(entrypoint), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def wait_for(condition, process):
    until = time.monotonic() + START_S
    while not condition():
        assert process.poll() is None, process.stderr.read().decode()
        assert time.monotonic() < until, "the role runs but did not come up"
        time.sleep(0.1)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def is_healthy(port):
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        web.request("GET", "/healthz")
        return web.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        web.close()


class TestWeb:
    def test_answers_and_is_found_healthy_and_ends_when_asked(self, start, environment):
        port = free_port()
        web = start("web", "--host", "127.0.0.1", "--port", str(port))
        wait_for(lambda: is_healthy(port), web)
        assert run(environment, "healthcheck", "web", str(port)).returncode == 0
        # The role is the started process itself: a signal to it ends everything.
        web.terminate()
        assert web.wait(timeout=START_S) == 0
        assert not is_healthy(port)

    def test_is_asked_for_a_host_that_it_serves(self, start, environment):
        environment["ALLOWED_HOSTS"] = "billing.example.com"
        port = free_port()
        web = start("web", "--host", "127.0.0.1", "--port", str(port))
        wait_for(lambda: run(environment, "healthcheck", "web", str(port)).returncode == 0, web)

    def test_is_unhealthy_where_nothing_answers(self, environment):
        port = free_port()
        check = run(environment, "healthcheck", "web", str(port))
        assert check.returncode == 1
        assert f"port {port} does not answer" in check.stderr


class TestWorker:
    def test_answers_a_ping(self, start, environment):
        worker = start("worker", "--concurrency", "1")
        wait_for(lambda: run(environment, "healthcheck", "worker").returncode == 0, worker)
        worker.terminate()
        assert worker.wait(timeout=START_S) == 0


class TestBeat:
    def test_keeps_its_schedule(self, start, environment, tmp_path):
        schedule = tmp_path / "schedule"
        beat = start("beat", "--schedule", str(schedule))
        wait_for(lambda: run(environment, "healthcheck", "beat", str(schedule)).returncode == 0, beat)
        beat.terminate()
        assert beat.wait(timeout=START_S) == 0

    def test_is_unhealthy_where_the_schedule_was_never_written(self, environment, tmp_path):
        check = run(environment, "healthcheck", "beat", str(tmp_path / "schedule"))
        assert check.returncode == 1
        assert "was never written" in check.stderr

    def test_is_unhealthy_where_the_schedule_is_old(self, environment, tmp_path):
        schedule = tmp_path / "schedule"
        schedule.touch()
        eleven_minutes_ago = time.time() - 660
        os.utime(schedule, (eleven_minutes_ago, eleven_minutes_ago))
        check = run(environment, "healthcheck", "beat", str(schedule))
        assert check.returncode == 1
        assert "was last written 66" in check.stderr


class TestMigrate:
    def test_makes_the_tables_of_an_empty_database(self, environment):
        name = f"{connection.settings_dict['NAME']}_migrate"
        with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as server:
            server.execute(f'drop database if exists "{name}"')
            server.execute(f'create database "{name}" template template0')
            try:
                environment["DATABASE_URL"] = database_url(name)
                migrate = run(environment, "migrate")
                assert migrate.returncode == 0, migrate.stderr
                with psycopg.connect(environment["DATABASE_URL"]) as made:
                    assert made.execute("select count(*) from billing_invoice").fetchone() == (0,)
            finally:
                server.execute(f'drop database if exists "{name}" with (force)')


class TestManage:
    def test_runs_a_command(self, environment):
        check = run(environment, "manage", "check")
        assert (check.returncode, "no issues" in check.stdout) == (0, True), check.stderr

    def test_gives_back_the_exit_code_of_the_command(self, environment):
        assert run(environment, "manage", "no_such_command").returncode == 1


class TestRefusal:
    def test_names_every_variable_that_is_missing(self):
        refused = run({"PATH": os.environ["PATH"], "SECRET_KEY": "x"}, "web")
        assert refused.returncode == 2
        assert refused.stderr == (
            "entrypoint: DATABASE_URL, REDIS_URL, API_KEY_PEPPER are not set;"
            " docker/.env.example explains each variable\n"
        )

    def test_names_a_variable_that_cannot_be_used(self):
        refused = run({"PATH": os.environ["PATH"], "WEB_THREADS": "many"}, "web")
        assert refused.returncode == 2
        assert refused.stderr == "entrypoint: WEB_THREADS must be a whole number from 1 to 1000, not 'many'\n"

    @pytest.mark.parametrize("arguments", [(), ("flower",)])
    def test_names_the_roles_for_one_that_does_not_exist(self, arguments):
        refused = run({"PATH": os.environ["PATH"]}, *arguments)
        assert refused.returncode == 2
        assert refused.stderr.endswith("the roles are web, worker, beat, migrate, manage, healthcheck\n")


class TestImage:
    def test_has_everything_that_the_product_needs(self, environment, tmp_path):
        """What the Dockerfile copies, and only that, in a folder of its own."""
        for line in Path("docker/Dockerfile").read_text().splitlines():
            if match := re.fullmatch(r"COPY (.+) (\S+)", line):
                for source in match[1].split():
                    target = tmp_path / (source if match[2] == "./" else match[2])
                    target.parent.mkdir(parents=True, exist_ok=True)
                    copy(Path(source), target)
        check = run(
            environment, "manage", "check", "--fail-level", "ERROR", entrypoint=tmp_path / "docker/entrypoint"
        )
        assert check.returncode == 0, check.stderr
        assert not (tmp_path / "config/demo").exists()


def copy(source, target):
    """As `docker build` would with Dockerfile.dockerignore, whose exclusions are written out here."""
    assert "config/demo" in Path("docker/Dockerfile.dockerignore").read_text().splitlines()
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "demo"))
    else:
        shutil.copy(source, target)

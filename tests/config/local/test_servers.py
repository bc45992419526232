"""The servers of one machine, started for real: by root and by a user without rights."""

import os
import signal
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest
import redis


def _answers(database, broker):
    """Whether both servers answer at their addresses; the database's own words."""
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "select current_user, rolsuper, pg_encoding_to_char(encoding), datcollate,"
            " current_setting('timezone') from pg_roles, pg_database"
            " where rolname = current_user and datname = current_database()"
        ).fetchone()
    with redis.Redis.from_url(broker) as client:
        assert client.ping()
    return row


def _end(held, checkout):
    held.send_signal(signal.SIGTERM)
    held.communicate(timeout=60)
    assert held.returncode == 0
    assert checkout.left() == []


class TestServers:
    def test_answer_with_a_role_that_is_no_superuser(self, checkout):
        held, database, broker = checkout.hold()
        assert _answers(database, broker) == ("meterbook", False, "UTF8", "C", "UTC")
        _end(held, checkout)

    def test_show_their_passwords_to_nobody(self, checkout):
        held, database, broker = checkout.hold()
        secrets = [address.split(":")[2].split("@")[0] for address in (database, broker)]
        told = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        assert not any(secret in told for secret in secrets)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(database.replace(secrets[0], "wrong"))
        with (
            pytest.raises(redis.AuthenticationError),
            redis.Redis.from_url(broker.replace(secrets[1], "x")) as client,
        ):
            client.ping()
        for path in (checkout.local / "run.json", *checkout.store().glob("*.password"), checkout.local):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
        _end(held, checkout)

    def test_keep_their_data_from_run_to_run(self, checkout):
        held, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            connection.execute("create table kept (n int)")
        _end(held, checkout)
        held, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)
        _end(held, checkout)

    def test_work_in_a_checkout_that_others_cannot_enter(self, hidden_checkout):
        held, database, broker = hidden_checkout.hold()
        assert _answers(database, broker)[0] == "meterbook"
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in hidden_checkout.left()}
        assert len(owners) == 2, "root's own processes, and the servers of another user"
        _end(held, hidden_checkout)

    def test_work_from_the_wheels_in_a_checkout_that_others_cannot_enter(self, hidden_checkout):
        held, database, broker = hidden_checkout.hold(LOCAL_SERVERS="wheel")
        assert _answers(database, broker)[0] == "meterbook"
        with psycopg.connect(database) as connection:
            assert connection.info.server_version // 10000 == 18
        _end(held, hidden_checkout)

    @pytest.mark.parametrize("choice", ["", "wheel"])
    def test_work_under_a_language_that_this_machine_does_not_know(self, checkout, choice):
        held, database, broker = checkout.hold(LANG="xx_XX", LC_ALL="xx_XX.latin1", LOCAL_SERVERS=choice)
        assert _answers(database, broker)[2] == "UTF8"
        _end(held, checkout)

    def test_refuse_a_choice_that_means_nothing(self, checkout):
        code, _out, err = checkout.run("-m", "hold", "run", LOCAL_SERVERS="docker")
        assert (code, err) == (1, "meterbook: LOCAL_SERVERS must be wheel or empty, not 'docker'\n")

    def test_of_the_user_are_taken_as_they_are(self, checkout):
        given = {"DATABASE_URL": "postgresql://db.example/x", "REDIS_URL": "redis://broker.example/0"}
        held, database, broker = checkout.hold(**given)
        assert {"DATABASE_URL": database, "REDIS_URL": broker} == given
        assert list(checkout.store().glob("postgres-*")) == []
        _end(held, checkout)


class TestUserWithoutRights:
    def test_is_told_in_one_line_what_to_do(self, checkout, nobody):
        user, python = nobody
        code, _out, err = checkout.run("-m", "config.local", "up", user=user, python=python)
        assert code == 1
        assert err == (
            f"meterbook: {checkout.local} cannot be made (Permission denied): "
            "name a folder of your own with LOCAL_DIR=...\n"
        )

    def test_runs_servers_in_a_folder_of_their_own(self, checkout, nobody):
        user, python = nobody
        folder = checkout.path.parent / "home"
        folder.mkdir()
        os.chown(folder, user.pw_uid, user.pw_gid)
        held, database, broker = checkout.hold(user=user, python=python, LOCAL_DIR=folder)
        assert _answers(database, broker)[0] == "meterbook"
        assert list(folder.glob("postgres-*-run"))
        held.send_signal(signal.SIGTERM)
        held.communicate(timeout=60)
        assert checkout.left() == []

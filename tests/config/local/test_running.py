import contextlib
import json
import os
import pwd
import signal
import subprocess

import psycopg

from config.local import postgres, processes


def _end(held):
    held.send_signal(signal.SIGTERM)
    held.communicate(timeout=60)


class TestRun:
    def test_is_refused_while_one_is_going_on_and_names_it(self, checkout):
        held, _database, _broker = checkout.hold()
        code, _out, err = checkout.run("-m", "hold", "run")
        assert code == 1
        assert err == (
            f"meterbook: a run is already going on in this checkout (make up, process {held.pid}): "
            "wait for it, or end it first\n"
        )
        _end(held)
        assert checkout.left() == []

    def test_goes_on_beside_one_for_tests(self, checkout):
        first, database, broker = checkout.hold("run")
        second, database_of_tests, broker_of_tests = checkout.hold("test")
        assert len({database, database_of_tests, broker, broker_of_tests}) == 4
        with psycopg.connect(database) as connection:
            assert connection.execute("show fsync").fetchone() == ("on",)
        with psycopg.connect(database_of_tests) as connection:
            assert connection.execute("show fsync").fetchone() == ("off",)
        _end(first)
        with psycopg.connect(database_of_tests) as connection:
            connection.execute("select 1")
        _end(second)
        assert checkout.left() == []

    def test_leaves_nothing_when_it_is_killed_and_the_next_one_starts_at_once(self, checkout, wait_until):
        held, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            connection.execute("create table committed (n int)")
        before = checkout.left()
        held.kill()
        held.wait()
        again, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*) from committed").fetchone() == (0,)
        assert not set(before) & set(checkout.left())
        again.kill()
        again.wait()
        wait_until(lambda: not checkout.left(), what="the end of everything", limit_s=30)

    def test_leaves_no_server_when_it_and_its_reaper_are_killed(self, checkout, wait_until):
        held, _database, _broker = checkout.hold()
        children = [processes.identity(pid) for pid in checkout.left()]
        reaper = next(one for one in children if "config.local.reaper" in one.command)
        os.kill(reaper.pid, signal.SIGKILL)
        held.kill()
        held.wait()
        wait_until(lambda: not checkout.left(), what="the end of the servers", limit_s=30)

    def test_starts_again_after_everything_was_killed_at_once(self, checkout, wait_until):
        held, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            connection.execute("create table committed (n int)")
        os.kill(held.pid, signal.SIGSTOP)
        for pid in checkout.left():
            # PostgreSQL's own may end by themselves before their turn, when their parent is gone.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        held.wait()
        wait_until(lambda: not checkout.left(), what="the end of everything", limit_s=30)
        assert list(checkout.store().glob("postgres-*-run/postmaster.pid"))
        again, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*) from committed").fetchone() == (0,)
        _end(again)

    def test_is_not_kept_from_starting_by_the_number_of_a_server_that_is_gone(self, checkout):
        held, _database, _broker = checkout.hold()
        data = next(checkout.store().glob("postgres-*-run"))
        lines = (data / "postmaster.pid").read_text().splitlines()
        _end(held)
        owner = pwd.getpwuid(data.stat().st_uid)
        who = {"user": owner.pw_uid, "group": owner.pw_gid} if os.geteuid() == 0 else {}
        # A live process of the same user that by chance got the number of the server.
        with subprocess.Popen(["/bin/sleep", "600"], cwd="/", **who) as stranger:
            (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
            os.chown(data / "postmaster.pid", owner.pw_uid, owner.pw_gid)
            again, database, _broker = checkout.hold()
            with psycopg.connect(database) as connection:
                connection.execute("select 1")
            assert stranger.poll() is None
            stranger.kill()
        _end(again)

    def test_ends_with_the_server_that_ends(self, checkout):
        held, _database, _broker = checkout.hold()
        program = next(
            one
            for pid in checkout.left()
            if "valkey" in (one := processes.identity(pid)).command and pid != held.pid
        )
        os.kill(program.pid, signal.SIGKILL)
        _out, err = held.communicate(timeout=60)
        assert held.returncode == 1
        assert err.startswith("meterbook: valkey ended by signal 9, see ")
        assert checkout.left() == []

    def test_makes_a_data_folder_again_that_was_half_made(self, checkout):
        held, _database, _broker = checkout.hold()
        data = next(checkout.store().glob("postgres-*-run"))
        _end(held)
        (data / "PG_VERSION").unlink()
        (data.parent / f"making-{data.name}").mkdir()
        again, database, _broker = checkout.hold()
        with psycopg.connect(database) as connection:
            connection.execute("select 1")
        _end(again)


class TestStore:
    def test_of_root_is_emptied_when_the_local_folder_was_removed(self, hidden_checkout):
        held, database, _broker = hidden_checkout.hold()
        with psycopg.connect(database) as connection:
            connection.execute("create table of_an_older_clone (n int)")
        _end(held)
        for path in sorted(hidden_checkout.local.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        again, database, _broker = hidden_checkout.hold()
        with psycopg.connect(database) as connection:
            assert connection.execute("select to_regclass('of_an_older_clone')").fetchone() == (None,)
        _end(again)


class TestState:
    def test_tells_where_the_servers_are_while_they_run(self, checkout):
        held, database, broker = checkout.hold()
        state = json.loads((checkout.local / "run.json").read_text())
        assert (state["DATABASE_URL"], state["REDIS_URL"], state["pid"]) == (database, broker, held.pid)
        _end(held)
        assert not (checkout.local / "run.json").exists()


class TestIsServer:
    def test_goes_by_command_line_and_start(self, checkout):
        held, _database, _broker = checkout.hold()
        data = next(checkout.store().glob("postgres-*-run"))
        pid, _folder, began_s = (data / "postmaster.pid").read_text().splitlines()[:3]
        assert postgres.is_server(pid=int(pid), data=data, began_s=began_s)
        assert not postgres.is_server(pid=int(pid), data=data, began_s=str(int(began_s) - 3600))
        assert not postgres.is_server(pid=int(pid), data=data / "other", began_s=began_s)
        assert not postgres.is_server(pid=held.pid, data=data, began_s=began_s)
        _end(held)

"""Answers of the command line, in a process of their own: what they start, and what they load."""

import json
import os
import subprocess
import sys

import pytest

from config import offline
from config.local import places

REQUEST = {
    "plan": {
        "code": "p",
        "currency": "USD",
        "components": [{"code": "fee", "price": {"model": "flat", "amount": "9.99"}}],
    },
    "period": {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"},
}
# The database's address leads nowhere: who asks it fails.
NOWHERE = "postgresql://nobody:x@127.0.0.1:9/nothing"


@pytest.fixture
def run(tmp_path):
    """Runs manage.py in a fresh process: (exit status, output, errors, what is left in its own folder)."""

    def run(*arguments, text=None, **env):
        folder = tmp_path / "local"
        folder.mkdir(exist_ok=True)
        clean = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")
        }
        ended = subprocess.run(
            [sys.executable, *arguments],
            cwd=places.CHECKOUT,
            env={**clean, "LOCAL_DIR": str(folder), **env},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return ended.returncode, ended.stdout, ended.stderr, list(folder.iterdir())

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps(REQUEST))
    return str(path)


class TestQuote:
    def test_of_what_is_given_inline_starts_no_server(self, run, file):
        code, out, err, left = run("manage.py", "quote", file)
        assert (code, json.loads(out)["total"], err, left) == (0, "9.99", "", [])

    def test_of_what_is_given_inline_loads_no_django(self, run, file):
        code, _out, err, _left = run("-X", "importtime", "manage.py", "quote", file)
        loaded = {line.rsplit("|", 1)[1].strip() for line in err.splitlines()}
        assert code == 0
        assert "billing.rating" in loaded
        assert {name.split(".")[0] for name in loaded} & {"django", "psycopg", "celery", "structlog"} == set()

    def test_with_lines_answers_each(self, run):
        text = f"{json.dumps(REQUEST)}\n{{\n"
        code, out, err, left = run("manage.py", "quote", "--lines", "-", text=text)
        answers = [json.loads(line) for line in out.splitlines()]
        assert (code, err, left) == (0, "", [])
        assert [each.get("total", each.get("error", {}).get("code")) for each in answers] == [
            "9.99",
            "invalid",
        ]

    def test_that_cannot_be_answered_has_exit_status_2(self, run):
        code, out, err, _left = run("manage.py", "quote", "-", text="{}")
        assert (code, json.loads(out)["error"]["field"], err) == (2, "period", "")

    def test_of_a_file_that_is_not_there_says_so(self, run):
        code, out, err, _left = run("manage.py", "quote", "nowhere.json")
        assert (code, out) == (1, "")
        assert err.startswith("meterbook: nowhere.json cannot be read")

    def test_of_something_stored_asks_the_database(self, run):
        request = json.dumps({**REQUEST, "plan": "gpu-cloud"})
        code, out, err, _left = run("manage.py", "quote", "-", text=request, DATABASE_URL=NOWHERE)
        assert (code, out) == (1, "")
        assert err.startswith("meterbook: the database does not answer")


ESTIMATE = {"model": "llama-3-70b", "gpus": ["H100-SXM"]}
ADVICE = {
    "workload": {"usage": [{"meter": "calls", "quantity": "10"}]},
    "plans": [REQUEST["plan"]],
    "period": REQUEST["period"],
}


class TestEstimateAndAdvice:
    @pytest.mark.parametrize(
        ("command", "request_", "member"), [("estimate", ESTIMATE, "figures"), ("advise", ADVICE, "plans")]
    )
    def test_of_what_is_given_inline_start_no_server_and_load_no_django(self, run, command, request_, member):
        text = json.dumps(request_)
        code, out, err, left = run("-X", "importtime", "manage.py", command, "-", text=text)
        loaded = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in err.splitlines()}
        assert (code, member in json.loads(out), left) == (0, True, [])
        assert loaded & {"django", "psycopg", "celery", "structlog"} == set()

    def test_that_cannot_be_answered_have_exit_status_2(self, run):
        for command, field in (("estimate", "model"), ("advise", "workload")):
            code, out, err, _left = run("manage.py", command, "-", text="{}")
            assert (code, json.loads(out)["error"]["field"], err) == (2, field, "")

    def test_of_a_file_that_is_not_there_say_so(self, run):
        code, out, err, _left = run("manage.py", "estimate", "nowhere.yaml")
        assert (code, out) == (1, "")
        assert err.startswith("meterbook: nowhere.yaml cannot be read")

    def test_of_a_customer_ask_the_database(self, run):
        workload = {"customer": "acme", "first_month": "2026-10"}
        text = json.dumps({**ADVICE, "workload": workload})
        code, out, err, _left = run("manage.py", "advise", "-", text=text, DATABASE_URL=NOWHERE)
        assert (code, out) == (1, "")
        assert err.startswith("meterbook: the database does not answer")


class TestTakes:
    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (["quote", "a.json"], True),
            (["quote", "-"], True),
            (["quote", "--lines", "a.json"], True),
            (["quote", "a.json", "--lines"], True),
            ([], False),
            (["quote"], False),
            (["quote", "--lines"], False),
            (["quote", "--help"], False),
            (["quote", "a.json", "b.json"], False),
            (["quote", "a.json", "--traceback"], False),
            (["quotes", "a.json"], False),
            (["estimate", "a.yaml"], True),
            (["estimate", "--lines", "a.yaml"], False),
            (["advise", "-"], True),
            (["advise", "a.yaml", "--traceback"], False),
            (["migrate"], False),
        ],
    )
    def test_the_plain_forms_of_the_command_only(self, arguments, expected):
        assert offline.takes(arguments) is expected

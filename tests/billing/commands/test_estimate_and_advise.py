"""The commands with Django, as any option beside the file calls them."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.billing.advising.plans import CASE


@pytest.fixture
def file(tmp_path):
    def write(request):
        path = tmp_path / "request.json"
        path.write_text(json.dumps(request))
        return str(path)

    return write


def run(command, file):
    out = StringIO()
    call_command(command, file, stdout=out)
    return json.loads(out.getvalue())


class TestEstimate:
    def test_is_answered(self, file):
        assert run("estimate", file({"model": "opt-13b"}))["model"]["name"] == "opt-13b"

    def test_that_cannot_be_read_is_said(self):
        with pytest.raises(CommandError, match="cannot be read"):
            run("estimate", "nowhere.json")


class TestAdvise:
    def test_is_answered(self, file):
        assert run("advise", file(CASE))["cheapest"] == "duration"

    def test_that_is_refused_has_exit_status_2(self, file):
        with pytest.raises(SystemExit) as error:
            run("advise", file({}))
        assert error.value.code == 2

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.world import catalog

PERIOD = {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}
METER = {
    "slug": "gpu_hours",
    "name": "GPU-hours",
    "unit": "GPU-hour",
    "event_type": "gpu.usage",
    "aggregation": "DURATION",
    "value": "gpu_count",
    "dimensions": {"gpu_type": "gpu_type"},
}
USAGE = [{"meter": "gpu_hours", "quantity": "12.5", "dimensions": {"gpu_type": "H100"}}]


def request(**fields):
    return {"plan": catalog.document(), "meters": [METER], "period": PERIOD, "usage": USAGE, **fields}


@pytest.fixture
def quote(tmp_path, capsys):
    """Runs the command on a file of that text; its standard output."""

    def run(text, *options, name="request.json"):
        path = tmp_path / name
        path.write_text(text)
        call_command("quote", *options, str(path))
        return capsys.readouterr().out

    return run


class TestQuote:
    def test_needs_no_database_when_all_is_given(self, quote):
        # without the mark django_db every use of the connection fails
        answer = json.loads(quote(json.dumps(request())))
        assert (answer["total"], answer["currency"]) == ("31.25", "USD")
        assert [(line["quantity"], line["unit"], line["mode"]) for line in answer["lines"]] == [
            ("12.5", "GPU-hour", "RESOURCE")
        ]

    def test_takes_yaml_too(self, quote):
        text = """
            plan: {code: p, currency: USD, components: [{code: fee, price: {model: flat, amount: 0.15}}]}
            period: {start: "2026-10-01T00:00:00Z", end: "2026-11-01T00:00:00Z"}
            usage: []
        """
        assert json.loads(quote(text, name="request.yaml"))["total"] == "0.15"

    def test_reads_standard_input(self, monkeypatch, capsys):
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(request())))
        call_command("quote", "-")
        assert json.loads(capsys.readouterr().out)["total"] == "31.25"

    @pytest.mark.django_db
    def test_finds_plan_and_meters_that_are_stored(self, quote):
        catalog.gpu_hours()
        catalog.plan()
        answer = json.loads(quote(json.dumps({"plan": "gpu-cloud", "period": PERIOD, "usage": USAGE})))
        assert (answer["total"], answer["lines"][0]["unit"]) == ("31.25", "GPU-hour")

    @pytest.mark.django_db
    def test_takes_the_version_asked_for(self, quote):
        catalog.gpu_hours()
        catalog.plan()
        catalog.plan(catalog.component(unit_amount="4"), at=catalog.OCTOBER.start)
        answer = json.loads(
            quote(json.dumps({"plan": "gpu-cloud", "plan_version": 2, "period": PERIOD, "usage": USAGE}))
        )
        assert answer["total"] == "50.00"

    @pytest.mark.django_db
    def test_takes_a_meter_that_nobody_knows_also_from_a_database_without_tables(self, quote):
        with connection.cursor() as cursor:
            cursor.execute("set local search_path to pg_catalog")
        answer = json.loads(quote(json.dumps(request(meters=[]))))
        assert (answer["total"], answer["lines"][0]["unit"]) == ("31.25", "")

    @pytest.mark.django_db
    @pytest.mark.parametrize("fields", [{}, {"plan_version": 7}])
    def test_refuses_a_plan_that_nobody_published(self, quote, capsys, fields):
        with pytest.raises(SystemExit) as caught:
            quote(json.dumps({"plan": "nowhere", "period": PERIOD, "usage": [], **fields}))
        assert caught.value.code == 2
        assert json.loads(capsys.readouterr().out)["error"]["field"] == "plan"

    @pytest.mark.parametrize(
        ("text", "code", "field"),
        [
            ("{", "invalid", ""),
            (json.dumps(request(colour="red")), "unknown_key", "colour"),
            (
                json.dumps(request(plan=catalog.document(catalog.component(where={"gpu_type": ["A100"]})))),
                "unpriced",
                "usage[0]",
            ),
        ],
    )
    def test_answers_an_error_with_exit_status_2(self, quote, capsys, text, code, field):
        with pytest.raises(SystemExit) as caught:
            quote(text)
        assert caught.value.code == 2
        error = json.loads(capsys.readouterr().out)["error"]
        assert (error["code"], error["field"]) == (code, field)
        assert error["message"]

    def test_refuses_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(CommandError, match="cannot be read"):
            call_command("quote", str(tmp_path / "none.json"))


class TestLines:
    def test_answer_each_request_also_after_a_bad_one(self, quote):
        good = json.dumps(request())
        answers = [json.loads(line) for line in quote(f"{good}\n{{\n\n{good}\n", "--lines").splitlines()]
        assert [each.get("total", each.get("error", {}).get("code")) for each in answers] == [
            "31.25",
            "invalid",
            "invalid",
            "31.25",
        ]

"""Errors of the API: all of one shape, whatever went wrong."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions

from metering.usage import events
from tests.metering.door.deliveries import new_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def failing(client, monkeypatch):
    """The answer of a view that raises what is given."""

    def answer(error):
        def fail(**_):
            raise error

        monkeypatch.setattr(events, "page", fail)
        return client.get("/api/v1/events", headers={"authorization": f"Bearer {new_key('read')}"})

    return answer


class TestProblems:
    @pytest.mark.parametrize(
        ("error", "status", "detail"),
        [
            (Http404("There is no such meter."), 404, "There is no such meter."),
            (PermissionDenied("Not yours."), 403, "Not yours."),
            (exceptions.NotFound("Gone."), 404, "Gone."),
            (exceptions.ParseError("JSON parse error"), 400, "JSON parse error"),
            (exceptions.MethodNotAllowed("PUT"), 405, 'Method "PUT" not allowed.'),
        ],
    )
    def test_say_what_is_wrong(self, failing, error, status, detail):
        answer = failing(error)
        body = answer.json()
        assert (answer.status_code, answer["content-type"]) == (status, "application/problem+json")
        assert set(body) == {"type", "title", "status", "detail", "code", "field"}
        assert (body["type"], body["status"], body["detail"]) == ("about:blank", status, detail)

    def test_name_each_field_that_is_wrong(self, failing):
        faults = {"lines": [{}, {"price": ["is missing"]}], "code": ["is taken", "is too long"]}
        body = failing(exceptions.ValidationError(faults)).json()
        assert body["errors"] == [
            {"field": "lines[1].price", "message": "is missing"},
            {"field": "code", "message": "is taken"},
            {"field": "code", "message": "is too long"},
        ]
        assert body["detail"] == "lines[1].price: is missing; code: is taken; code: is too long"

    @pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
    def test_of_a_database_that_is_away_ask_to_come_again(self, client, monkeypatch, error):
        from config.api import problems

        monkeypatch.setattr(problems.connection, "close", lambda: None)
        answer = problems.answer(error, {"view": None})
        assert (answer.status_code, answer["retry-after"]) == (503, "5")

    def test_of_our_own_faults_tell_nothing_of_them(self, failing):
        answer = failing(RuntimeError("secret"))
        assert (answer.status_code, answer["content-type"]) == (500, "application/problem+json")
        assert "secret" not in answer.content.decode()

    def test_are_written_in_json_whatever_is_asked_for(self, client):
        answer = client.get("/api/v1/events", headers={"accept": "text/html"})
        assert answer["content-type"] == "application/problem+json"
        assert answer.json()["status"] in (401, 406)

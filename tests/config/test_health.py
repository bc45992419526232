import pytest
from django.db import DatabaseError, connection


@pytest.mark.django_db
class TestHealthz:
    def test_answers_200_when_the_database_answers(self, client):
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_answers_503_when_it_does_not(self, client):
        def away(execute, sql, params, many, context):
            raise DatabaseError("the server closed the connection")

        with connection.execute_wrapper(away):
            answer = client.get("/healthz")
        assert answer.status_code == 503
        assert "closed" not in answer.content.decode()

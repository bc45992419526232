"""What stands between the console and somebody who should not be there."""

import pytest
from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def log_in(client, *, password, address="10.0.0.1"):
    return client.post(
        "/console/login/", {"username": "ada", "password": password, "next": "/console/"}, REMOTE_ADDR=address
    )


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", password=PASSWORD, is_staff=True)


class TestLogin:
    def test_is_refused_for_a_while_after_ten_wrong_passwords(self, client, ada):
        answers = [log_in(client, password="guess").status_code for _ in range(10)]
        assert answers == [200] * 9 + [429]
        refused = log_in(client, password=PASSWORD)
        assert refused.status_code == 429
        assert b"Too many wrong passwords" in refused.content

    def test_is_open_to_the_same_person_at_another_address(self, client, ada):
        for _ in range(10):
            log_in(client, password="guess")
        assert log_in(client, password=PASSWORD, address="10.0.0.2").status_code == 302

    def test_forgets_wrong_passwords_with_the_right_one(self, client, ada):
        for _ in range(9):
            log_in(client, password="guess")
        assert log_in(client, password=PASSWORD).status_code == 302
        assert log_in(client, password="guess").status_code == 200


class TestPasswords:
    def test_are_kept_as_argon2_hashes(self, settings):
        from config import settings as product

        settings.PASSWORD_HASHERS = product.PASSWORD_HASHERS
        assert User.objects.create_user("eve", password=PASSWORD).password.startswith("argon2$argon2id$")


class TestHeaders:
    def test_let_a_page_run_its_own_scripts_only(self, client, ada):
        client.force_login(ada)
        policy = client.get("/console/").headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self' 'unsafe-eval'" in policy
        assert "frame-ancestors 'none'" in policy

    def test_keep_the_session_away_from_scripts_and_other_sites(self, client, ada):
        log_in(client, password=PASSWORD)
        cookie = client.cookies["sessionid"]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"

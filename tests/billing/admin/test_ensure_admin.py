"""`manage.py ensure_admin`."""

import dataclasses
import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def run(settings, password=PASSWORD):
    settings.ENV = dataclasses.replace(settings.ENV, CONSOLE_PASSWORD=password)
    printed = io.StringIO()
    call_command("ensure_admin", stdout=printed, stderr=printed)
    return printed.getvalue()


class TestEnsureAdmin:
    def test_makes_the_user(self, settings):
        run(settings)
        assert User.objects.get().is_superuser
        assert User.objects.get(username="admin").check_password(PASSWORD)

    def test_prints_no_password(self, settings):
        assert PASSWORD not in run(settings)

    def test_changes_nothing_the_second_time(self, settings):
        run(settings)
        before = User.objects.values().get()
        run(settings)
        assert User.objects.values().get() == before

    def test_sets_the_new_password_and_gives_lost_rights_back(self, settings):
        run(settings)
        User.objects.update(is_active=False, is_superuser=False)
        run(settings, "another password")
        assert User.objects.get(username="admin").check_password("another password")
        assert User.objects.get().is_superuser

    def test_needs_a_password(self, settings):
        with pytest.raises(CommandError, match="CONSOLE_PASSWORD"):
            run(settings, "")
        assert not User.objects.exists()

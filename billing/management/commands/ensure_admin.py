"""Makes the console's user `admin`, or gives it the password of the environment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

USERNAME = "admin"


class Command(BaseCommand):
    """``manage.py ensure_admin``: safe to repeat; prints what was done, never the password."""

    help = "Creates or updates the console user admin with the password in CONSOLE_PASSWORD."

    def handle(self, *args: Any, **options: Any) -> None:
        password = settings.ENV.CONSOLE_PASSWORD
        if not password:
            raise CommandError("CONSOLE_PASSWORD is not set: it is the password that the user admin gets")
        user, is_new = User.objects.get_or_create(username=USERNAME)
        if not (user.is_active and user.is_staff and user.is_superuser):
            user.is_active = user.is_staff = user.is_superuser = True
            user.save(update_fields=["is_active", "is_staff", "is_superuser"])
        # An unchanged password keeps its hash: a new one would end every session that is open.
        if is_new or not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        self.stdout.write(f"The console user {USERNAME} {'is made' if is_new else 'is there'}.")

"""Django's PostgreSQL backend with an address that is looked up when it is needed."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from django.db.backends.postgresql import base
from django.db.backends.postgresql import client as postgresql_client

from config.local import attach, postgres


class DatabaseClient(postgresql_client.DatabaseClient):
    """psql for ``manage.py dbshell``, at the same address."""

    def runshell(self, parameters: list[str]) -> None:
        self.connection.attach()
        super().runshell(parameters)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the server of this checkout's run, or to one started for this command."""

    client_class = DatabaseClient

    def get_connection_params(self) -> dict[str, Any]:
        self.attach()
        return super().get_connection_params()

    def attach(self) -> None:
        """Write the present address into the settings: a run that was restarted has a new one."""
        address = urlsplit(attach.database_url())
        settings = self.settings_dict
        settings["HOST"] = address.hostname or ""
        settings["PORT"] = str(address.port or "")
        settings["USER"] = unquote(address.username or "")
        settings["PASSWORD"] = unquote(address.password or "")
        # None asks for the server's own database, test_... for that of the tests: both stay.
        if settings["NAME"] in ("", postgres.DATABASE):
            settings["NAME"] = unquote(address.path.lstrip("/"))

"""The description of the API: complete, true to the file in docs/, and readable on a page of our own.

To write docs/openapi.json anew: python tests/config/api/test_reference.py
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[3] / "docs" / "openapi.json"


def written() -> str:
    """The description as it stands in the file."""
    from config.api import reference

    return json.dumps(json.loads(reference.text()), indent=1, ensure_ascii=False) + "\n"


class TestDescription:
    def test_has_no_warnings_and_is_valid(self, tmp_path):
        from django.core.management import call_command

        file = tmp_path / "openapi.yaml"
        call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
        assert file.read_text().startswith("openapi: 3.1")

    def test_on_file_is_that_of_the_code(self):
        assert FILE.read_text() == written(), "write it anew: python tests/config/api/test_reference.py"

    def test_names_every_address_with_all_its_methods(self):
        from django.urls import get_resolver

        paths = json.loads(written())["paths"]
        missing = []
        for resolver in get_resolver().url_patterns:
            if str(resolver.pattern) != "api/v1/" or not hasattr(resolver, "url_patterns"):
                continue
            for each in resolver.url_patterns:
                path = "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(each.pattern))
                methods = [
                    m for m in ("get", "post", "patch", "put", "delete") if hasattr(each.callback.cls, m)
                ]
                missing += [(path, m) for m in methods if m not in paths.get(path, {})]
        assert missing == []
        assert len(paths) > 15

    def test_has_the_addresses_of_the_door(self):
        from metering.door import routes

        paths = json.loads(written())["paths"]
        assert set(routes.EVENT_PATHS) <= set(paths)
        assert set(paths[routes.EVENTS_PATH]) == {"get", "post"}
        assert f"{routes.WEBHOOK_PATH}{{name}}" in paths

    def test_gives_each_operation_a_name_of_its_own(self):
        paths = json.loads(written())["paths"]
        names = [operation["operationId"] for each in paths.values() for operation in each.values()]
        assert len(names) == len(set(names))

    def test_says_the_scope_that_each_operation_needs(self):
        paths = json.loads(written())["paths"]
        without = [
            operation["operationId"]
            for each in paths.values()
            for operation in each.values()
            if "scope `" not in operation["description"]
        ]
        assert without == ["send_signed_events"]


class TestPage:
    def test_is_served_with_everything_it_needs(self, client):
        page = client.get("/api/v1/docs/")
        assert page.status_code == 200
        addresses = re.findall(r'(?:src|href|data-schema)="([^"]+)"', page.content.decode())
        assert len(addresses) >= 6
        assert all(address.startswith("/") and not address.startswith("//") for address in addresses)
        for address in addresses:
            assert client.get(address).status_code == 200, address

    def test_has_no_script_of_its_own(self, client):
        """A content security policy that allows only files of this server lets it work."""
        page = client.get("/api/v1/docs/").content.decode()
        assert re.findall(r"<script(?![^>]* src=)[^>]*>|<style|\son\w+=", page) == []

    def test_reads_the_description_without_a_key(self, client):
        answer = client.get("/api/v1/openapi.json")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/vnd.oai.openapi+json")
        assert answer.json()["openapi"].startswith("3.1")


@pytest.mark.server
class TestDoor:
    def test_answers_as_it_is_described(self, web_server):
        """A receipt with a rejected event, and a refusal, against what was written by hand."""
        import jsonschema

        from tests.metering.door.deliveries import event, new_key, send

        described = json.loads(written())
        answers = described["paths"]["/api/v1/events"]["post"]["responses"]
        key = new_key()
        for body, status, media_type, answered in (
            ([event(), event("2", subject=None)], 200, "application/json", answers["200"]),
            (b"{", 400, "application/problem+json", answers["default"]),
        ):
            response = send(web_server, key, body)
            assert response.status == status
            schema = answered["content"][media_type]["schema"]
            jsonschema.validate(response.json(), {**schema, "components": described["components"]})


if __name__ == "__main__":
    sys.path.insert(0, str(FILE.parents[1]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django

    django.setup()
    FILE.write_text(written())

"""compose.yaml and what stands around it: the schema, and that no variable is unknown or forgotten."""

import dataclasses
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config import env

DOCKER = Path("docker")
# Variables that are no setting of Meterbook: those of the images, and the passwords of their servers.
OF_IMAGES = {
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "POSTGRES_INITDB_ARGS",
    "REDISCLI_AUTH",
    "VALKEYCLI_AUTH",
}
PASSWORDS = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD"}
SETTINGS = {field.name for field in dataclasses.fields(env.Env)}
ROLES = ("web", "worker", "beat", "migrate")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def interpolated(text):
    return set(re.findall(r"\$\{([A-Z0-9_]+)", text))


def example():
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return {line.partition("=")[0]: line.partition("=")[2] for line in lines if line and line[0] != "#"}


class TestCompose:
    def test_is_valid_by_the_schema_of_compose(self):
        run = subprocess.run(
            [
                sys.executable,
                "-m",
                "check_jsonschema",
                "--builtin-schema",
                "vendor.compose-spec",
                "docker/compose.yaml",
            ],
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout + run.stderr

    def test_gives_every_role_every_setting(self, compose):
        for role in ROLES:
            assert set(compose["services"][role]["environment"]) == SETTINGS

    def test_gives_the_images_only_variables_of_theirs(self, compose):
        given = {
            name for service in ("postgres", "valkey") for name in compose["services"][service]["environment"]
        }
        assert given == OF_IMAGES

    def test_asks_for_no_variable_that_nobody_reads(self):
        assert interpolated((DOCKER / "compose.yaml").read_text()) == SETTINGS | PASSWORDS

    def test_has_no_default_for_a_secret(self):
        text = (DOCKER / "compose.yaml").read_text()
        for name in ("SECRET_KEY", "API_KEY_PEPPER", *PASSWORDS):
            assert set(re.findall(rf"\$\{{{name}(:.)", text)) == {":?"}

    def test_checks_the_health_of_all_that_stay(self, compose):
        for name, service in compose["services"].items():
            assert ("healthcheck" in service) == (name != "migrate")

    def test_starts_the_roles_after_the_migration(self, compose):
        for role in ("web", "worker", "beat"):
            waits_for = compose["services"][role]["depends_on"]
            assert waits_for["migrate"] == {"condition": "service_completed_successfully"}
            assert waits_for["postgres"] == waits_for["valkey"] == {"condition": "service_healthy"}

    def test_names_every_volume_that_it_mounts(self, compose):
        mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
        assert {mount.partition(":")[0] for mount in mounts} == set(compose["volumes"])

    def test_opens_one_port_and_to_this_machine_only(self, compose):
        ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
        assert ports == ["127.0.0.1:8000:8000"]


class TestExample:
    def test_names_every_variable_that_compose_takes_and_no_other(self):
        assert set(example()) == interpolated((DOCKER / "compose.yaml").read_text())

    def test_holds_no_value(self):
        assert set(example().values()) == {""}

    def test_explains_each_variable(self):
        lines = (DOCKER / ".env.example").read_text().splitlines()
        unexplained = [
            line for before, line in itertools.pairwise(lines) if line.endswith("=") and before[:2] != "# "
        ]
        assert unexplained == []

    def test_is_what_git_takes_and_the_copy_is_not(self):
        assert "/.env" in (DOCKER / ".gitignore").read_text().splitlines()


class TestDockerfile:
    def test_runs_as_a_user_without_rights(self):
        text = (DOCKER / "Dockerfile").read_text()
        assert text.index("USER meterbook") < text.index("ENTRYPOINT")

    def test_installs_nothing_that_only_development_needs(self):
        text = (DOCKER / "Dockerfile").read_text()
        assert set(re.findall(r"requirements[a-z-]*\.txt", text)) == {"requirements.txt"}

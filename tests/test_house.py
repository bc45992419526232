"""The rules of the house that a program can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

SOURCES = [
    path
    for folder in ("config", "metering", "billing")
    for path in Path(folder).rglob("*.py")
    if "migrations" not in path.parts
]
LINES_MAX = 400


class TestDirections:
    def test_hold_as_pyproject_says(self):
        run = subprocess.run(
            [sys.executable, "-m", "importlinter.cli", "lint", "--no-cache"], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stdout


class TestFiles:
    def test_are_short_enough_to_be_read_in_one_go(self):
        long = {str(path): n for path in SOURCES if (n := len(path.read_text().splitlines())) > LINES_MAX}
        assert long == {}

    def test_say_what_they_are_for(self):
        silent = [
            str(path)
            for path in SOURCES
            if path.name not in ("__init__.py", "apps.py")
            and not ast.get_docstring(ast.parse(path.read_text()))
        ]
        assert silent == []


class TestSettings:
    def test_are_read_from_the_environment_in_one_file(self):
        allowed = {"config/settings.py", "config/env.py", "config/celery.py", "config/wsgi.py"}
        readers = [
            str(path)
            for path in SOURCES
            if "os.environ" in path.read_text() and "local" not in path.parts and "demo" not in path.parts
        ]
        assert set(readers) <= allowed


@pytest.mark.django_db
class TestMigrations:
    def test_are_complete(self):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)

    def test_are_linear(self):
        for app in ("metering", "billing"):
            numbers = [path.name[:4] for path in sorted(Path(app, "migrations").glob("0*.py"))]
            assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]

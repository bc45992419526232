"""The page about the article is run: its commands answer, without a server, what it says."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs" / "article.md").read_text(encoding="utf-8")
ENGLISH, CHINESE = PAGE.split("\n## 逐条对照\n")
ROWS = re.findall(r"^\| (.+) \| (.+) \| ?(.*?) ?\| (.+) \|$", PAGE, re.MULTILINE)
COMMANDS = {command: None for *_, command, _gives in ROWS if "manage.py" in command}


@cache
def answered(command: str) -> str:
    """What the command prints, in a process of its own that knows of no server."""
    _python, *arguments = command.strip("`").split()
    known = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=CHECKOUT, env=known, capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout


class TestArticle:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_commands_are_answered(self, command):
        assert "error" not in json.loads(answered(command))

    @pytest.mark.parametrize(
        ("command", "gives"), [row[2:] for row in ROWS if "manage.py" in row[2]], ids=lambda each: each[:40]
    )
    def test_numbers_in_bold_are_in_the_answers(self, command, gives):
        printed = answered(command)
        for number in re.findall(r"\*\*(.+?)\*\*", gives):
            assert re.search(rf"(?<![0-9.]){re.escape(number)}(?![0-9.])", printed), number

    def test_says_the_same_in_both_languages(self):
        rows = [
            re.findall(r"^\| .+ \| .+ \| ?(.*?) ?\| (.+) \|$", each, re.MULTILINE)
            for each in (ENGLISH, CHINESE)
        ]
        english, chinese = (
            [(command, re.findall(r"\*\*(.+?)\*\*", gives)) for command, gives in each[1:]] for each in rows
        )
        assert english == chinese
        assert len(english) == 12

    def test_links_lead_somewhere(self):
        for page in set(re.findall(r"\]\(([a-z]+\.md)", PAGE)):
            assert (CHECKOUT / "docs" / page).exists(), page

    def test_names_what_is_open(self):
        assert all(word in ENGLISH for word in ("**Open**", "alerts", "caps", "forecasts"))

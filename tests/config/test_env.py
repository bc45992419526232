import dataclasses
from pathlib import Path

import pytest

from config import env


class TestRead:
    def test_gives_the_defaults_for_an_empty_environment(self):
        assert env.read({}) == env.Env()

    def test_takes_a_blank_variable_as_not_set(self):
        assert env.read({"WEB_THREADS": "  "}).WEB_THREADS == 64

    def test_reads_each_kind_of_value(self):
        read = env.read({"DEBUG": "Yes", "WEB_THREADS": "8", "ALLOWED_HOSTS": "a.example, b.example,"})
        assert (read.DEBUG, read.WEB_THREADS, read.ALLOWED_HOSTS) == (True, 8, ("a.example", "b.example"))

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("DEBUG", "maybe"),
            ("WEB_THREADS", "0"),
            ("WEB_THREADS", "1001"),
            ("WEB_THREADS", "٣"),
            ("EXPORT_DAY", "29"),
            ("EXPORT_DAY", "-1"),
            ("LOG_LEVEL", "loud"),
            ("DATABASE_URL", "mysql://localhost/x"),
            ("REDIS_URL", "localhost:6379"),
        ],
    )
    def test_names_the_variable_that_cannot_be_used(self, name, text):
        with pytest.raises(env.EnvironmentInvalid, match=name):
            env.read({name: text})

    def test_does_not_repeat_an_address_that_may_hold_a_password(self):
        with pytest.raises(env.EnvironmentInvalid) as refused:
            env.read({"DATABASE_URL": "mysql://root:hunter2@db/x"})
        assert "hunter2" not in str(refused.value)


class TestReference:
    def test_names_every_variable(self):
        page = Path("docs/settings.md").read_text()
        missing = [field.name for field in dataclasses.fields(env.Env) if f"`{field.name}`" not in page]
        assert missing == []

"""SQL is put together by name, and what users wrote stays a parameter."""

from __future__ import annotations

import pytest

from metering.usage.contributions.fragments import Fragment, joined, sql


class TestSql:
    def test_keeps_parameters_in_the_order_of_the_text(self):
        inner = sql("a = {one} or b = {two}", two=2, one=1)
        assert sql("select {last} where {inner} and {last}", inner=inner, last=3) == Fragment(
            "select %s where a = %s or b = %s and %s", (3, 1, 2, 3)
        )

    def test_leaves_braces_without_a_name_alone(self):
        assert sql("data #>> '{}' = {path}", path="p") == Fragment("data #>> '{}' = %s", ("p",))

    def test_never_puts_a_text_into_the_sql(self):
        assert sql("{value}", value="'; drop table t; --").sql == "%s"

    def test_misses_no_name(self):
        with pytest.raises(KeyError, match="b"):
            sql("{a} {b}", a=1)


class TestJoined:
    def test_puts_fragments_one_after_another(self):
        assert joined(" and ", [sql("{a}", a=1), Fragment("true"), sql("{b}", b=2)]) == Fragment(
            "%s and true and %s", (1, 2)
        )

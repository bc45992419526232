"""Strict reading of YAML and JSON."""

from decimal import Decimal

import pytest

from metering.documents import DocumentError, load_text


class TestYaml:
    @pytest.mark.parametrize(
        "scalar",
        ["0.15", "10:30", "24:00", "no", "017", "1_000", "1e-05", "2026-10-01", ".inf", "0x10", "on", "<<"],
    )
    def test_reads_plain_scalars_as_text(self, scalar):
        assert load_text(f"a: {scalar}", "plan.yaml") == {"a": scalar}

    @pytest.mark.parametrize(
        ("scalar", "value"),
        [
            ("null", None),
            ("~", None),
            ("", None),
            ("true", True),
            ("False", False),
            ("'true'", "true"),
            ('"null"', "null"),
        ],
    )
    def test_knows_null_true_and_false(self, scalar, value):
        assert load_text(f"a: {scalar}", "plan.yaml") == {"a": value}

    def test_reads_lists_and_nested_mappings(self):
        text = "plan:\n  components:\n    - code: a\n      where: {model: [x, y]}\n"
        assert load_text(text, "f.yml") == {
            "plan": {"components": [{"code": "a", "where": {"model": ["x", "y"]}}]}
        }

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: 1\na: 2", "a: the key a stands here twice"),
            ("x:\n  - b: 1\n    b: 2", "x[0].b: the key b stands here twice"),
            ("a: &x 1\nb: *x", "alias"),
            ("a: !!python/object:os.system 1", "tag"),
            ("a: !!int 3", "tag"),
            ("a: [", "no YAML"),
            ("true: 1", "a key must be text"),
            ("? [a]\n: 1", "a key must be text"),
            ("a: 1\n---\nb: 2", "no YAML"),
            ('a: "\\0"', "cannot be stored"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises(DocumentError) as error:
            load_text(text, "plan.yaml")
        assert message in str(error.value)

    def test_refuses_a_document_of_a_hundred_levels(self):
        with pytest.raises(DocumentError, match="nested"):
            load_text("[" * 100 + "]" * 100, "plan.yaml")


class TestJson:
    def test_keeps_numbers_exact(self):
        text = '{"cost": 0.1000000000000000055511151231257827, "n": 10, "e": 1e-5}'
        assert load_text(text, "e.json") == {
            "cost": Decimal("0.1000000000000000055511151231257827"),
            "n": 10,
            "e": Decimal("0.00001"),
        }

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"a": 1, "a": 2}', "a: the key a stands here twice"),
            ('{"p": [{"b": 1, "b": 1}]}', "p[0].b: the key b stands here twice"),
            ('{"a": NaN}', "NaN is no number"),
            ('{"a": 1e99999}', "exponent"),
            ("[" + "9" * 5000 + "]", "digits"),
            ('{"a": "\\u0000"}', "cannot be stored"),
            ('{"a": "\\ud800"}', "cannot be stored"),
            ("{", "no JSON"),
            ("[" * 100_000, "nested too deeply"),
        ],
    )
    def test_refuses(self, text, message):
        with pytest.raises(DocumentError) as error:
            load_text(text, "-")
        assert message in str(error.value)

    def test_is_told_by_the_name_or_the_first_character(self):
        assert load_text('{"a": "1"}', "-") == {"a": "1"}
        assert load_text("a: 1", "-") == {"a": "1"}
        with pytest.raises(DocumentError):
            load_text("a: 1", "plan.json")

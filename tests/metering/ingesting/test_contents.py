from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.ingesting import contents


def content(data: str, *, time: int | None = 1) -> bytes:
    return contents.content(type="t", subject="s", time=time, data=contents.read(data.encode()))


class TestKey:
    def test_is_the_hash_of_a_json_array(self):
        assert contents.key(source="gateway", id="a-1") == hashlib.sha256(b'["gateway","a-1"]').digest()[:16]

    def test_keeps_source_and_id_apart(self):
        assert contents.key(source="ab", id="c") != contents.key(source="a", id="bc")


class TestContent:
    def test_is_the_hash_of_canonical_json(self):
        said = contents.content(
            type="llm.call",
            subject="acme",
            time=1_790_812_800_000_000,
            data=contents.read(b'{"b": 0.50, "a": 1.0, "c": null, "d": {"f": 1e2, "e": 1e-7}}'),
        )
        text = b'["llm.call","acme",1790812800000000,{"a":1,"b":0.5,"d":{"e":1E-7,"f":100}}]'
        assert said == hashlib.sha256(text).digest()[:16]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ('{"a": 1.0}', '{"a": 1}'),
            ('{"a": 1e-5}', '{"a": 0.00001}'),
            ('{"a": 1E+2}', '{"a": 100}'),
            ('{"a": -0.0}', '{"a": 0}'),
            ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'),
            ('{"a": 1, "b": null}', '{"a": 1}'),
            ('{"a": {"b": null}}', '{"a": {}}'),
            ('{"a": "\\u00e9"}', '{"a": "é"}'),
            ('{"a": 1, "a": 2}', '{"a": 2}'),
        ],
    )
    def test_is_equal_for_what_means_the_same(self, one, other):
        assert content(one) == content(other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ('{"a": 0.1}', '{"a": 0.1000000000000000055511151231257827}'),
            ('{"a": 1}', '{"a": "1"}'),
            ('{"a": 1}', '{"a": true}'),
            ('{"a": [null]}', '{"a": []}'),
            ('{"a": {}}', "{}"),
            ('{"a": 123456789012345678901234567890}', '{"a": 123456789012345678901234567891}'),
            ('{"a": [1, 2]}', '{"a": [2, 1]}'),
        ],
    )
    def test_differs_for_what_does_not(self, one, other):
        assert content(one) != content(other)

    def test_tells_an_absent_time_from_every_time(self):
        assert content("{}", time=None) != content("{}", time=0)


class TestRead:
    def test_keeps_every_digit(self):
        assert contents.read(b'{"a": 0.1000000000000000055511151231257827}') == {
            "a": Decimal("0.1000000000000000055511151231257827")
        }

    @pytest.mark.parametrize("text", ["1e30", "1e-30", "1" * 40, "0." + "0" * 18 + "1" * 40, "-1.5e+30"])
    def test_takes_a_number_at_the_bound(self, text):
        assert contents.read(b'{"a": %s}' % text.encode()) == {"a": Decimal(text)}

    @pytest.mark.parametrize(
        "text",
        [
            "1e31",
            "1e-31",
            "1e-20000",
            "1E+999999",
            "1" * 41,
            "1" * 5000,
            "0." + "1" * 41,
            "0." + "0" * 60 + "1",
        ],
    )
    def test_refuses_a_number_past_the_bound(self, text):
        with pytest.raises(contents.ContentInvalid):
            contents.read(b'{"a": %s}' % text.encode())

    def test_takes_many_digits_in_a_text(self):
        assert contents.read(b'{"a": "%s"}' % (b"1" * 60)) == {"a": "1" * 60}

    @pytest.mark.parametrize("text", [b'{"a": "\\u0000"}', b'{"a\\u0000": 1}', b'{"a": "\\u0000", "a": 1}'])
    def test_refuses_nul(self, text):
        with pytest.raises(contents.ContentInvalid, match="NUL"):
            contents.read(text)

    def test_takes_the_text_that_only_looks_like_nul(self):
        assert contents.read(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}

    def test_takes_32_levels(self):
        assert contents.read(b"[" * 32 + b"]" * 32) != []

    @pytest.mark.parametrize("levels", [33, 5_000, 50_000])
    def test_refuses_more_levels(self, levels):
        with pytest.raises(contents.ContentInvalid, match="32 levels"):
            contents.read(b"[" * levels + b"]" * levels)

    @pytest.mark.parametrize("text", [b'{"a": "\\ud800"}', b'{"a": NaN}', b"{", b'{"a": 01}', b'"\xff"', b""])
    def test_refuses_what_is_no_json(self, text):
        with pytest.raises(contents.ContentInvalid, match="JSON"):
            contents.read(text)

    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-(10**30), 10**30)
            | st.text(st.characters(exclude_characters="\0"))
            | st.decimals(-(10**12), 10**12, allow_nan=False, places=6),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=8,
        )
    )
    def test_agrees_with_another_reader(self, value):
        text = json.dumps(value, default=_Number, ensure_ascii=False)
        if "\\u0000" in text:
            return
        ours, theirs = contents.read(text.encode()), json.loads(text, parse_float=Decimal)
        assert _plain(ours) == _plain(_without_nulls(theirs))


class _Number(float):
    """Lets json.dumps write a Decimal as a number."""

    def __new__(cls, value: Decimal) -> _Number:
        number = super().__new__(cls, value)
        number.text = format(value, "f")
        return number

    def __repr__(self) -> str:
        return self.text


def _plain(value):
    """Numbers as fractions, so that 1 is not True and 1.0 is 1."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Fraction(value)
    return (type(value), value)


def _without_nulls(value):
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value

"""Money stories in plain text: every file beside this one is quoted, and must cost what its text works out by
hand.

A scenario is a title, a story, and two parts. `Request` holds a quote request in YAML, indented. `Due` says
what is expected, a line each, in the order of the invoice: a name, a colon, the sum as a person would write
it, and after the last "=" the amount. A name is a component's code, with its dimension values after it where
it has several lines, or `minimum of CODE`, `discount on GROUP`, `maximum of GROUP`, `plan minimum`, `discount
NAME`, `subtotal`, `total`. A request that must fail has `Refused` instead: the code, "at", and the field. A
request that says `like: FILE` begins with the request of that file.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from billing import market, rating
from metering.documents import DocumentError, load_text

SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))
KINDS = {
    "minimum": "minimum of {component}",
    "group_discount": "discount on {group}",
    "group_maximum": "maximum of {group}",
    "group_minimum": "minimum of {group}",
    "plan_minimum": "plan minimum",
    "trial": "trial",
}


def part(text: str, heading: str) -> str:
    """The indented lines below a heading, or "" where there is none."""
    found = re.search(rf"^{heading}\n((?:(?:    .*)?\n)+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def request_of(path: Path) -> dict[str, Any]:
    """The quote request of a scenario."""
    request = load_text(part(path.read_text(), "Request"), path.name + ".yaml")
    like = request.pop("like", None)
    return request if like is None else {**request_of(path.with_name(like)), **request}


def expected_of(path: Path) -> list[tuple[str, str]]:
    """What a scenario says is due, as (name, amount)."""
    rows = [line.strip() for line in part(path.read_text(), "Due").splitlines() if line.strip()]
    return [(row.split(":")[0].strip(), row.rsplit("=", 1)[1].replace(",", "").strip()) for row in rows]


def named(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """The answer in the same words."""
    rows = [(name_of(line), line["amount"]) for line in answer["lines"]]
    rows += [(f"discount {each['name']}", each["amount"]) for each in answer["discounts"]]
    return [*rows, ("subtotal", answer["subtotal"]), ("total", answer["total"])]


def name_of(line: dict[str, Any]) -> str:
    name = KINDS.get(line["kind"], "{component}").format(**line)
    return " ".join([name, *(value for _, value in sorted(line["dimensions"].items()))])


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
class TestScenario:
    def test_costs_what_its_text_works_out(self, path: Path):
        refused = part(path.read_text(), "Refused").strip()
        if refused:
            with pytest.raises(DocumentError) as error:
                rating.quote(request_of(path), resolve=market.resolve)
            assert f"{error.value.code} at {error.value.field}" == refused
            return
        expected = expected_of(path)
        names = {name for name, _ in expected}
        assert "total" in names
        answer = named(rating.quote(request_of(path), resolve=market.resolve))
        assert [row for row in answer if row[0] in names or row[0] != "subtotal"] == expected


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 26

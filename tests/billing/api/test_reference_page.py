"""docs/api.md says what there is: every address and every refusal."""

from __future__ import annotations

import json
import re
from pathlib import Path

from billing.api import idempotency, refusals
from config.api import reference

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "api.md").read_text()
# They only hold others together, and are never raised themselves.
FAMILIES = {
    "CreditRefused",
    "PaymentRefused",
    "PublishingRefused",
    "StatementRefused",
    "SubscriptionRefused",
    "TaxRefused",
}


def kinds(kind):
    """The exception and everything that is derived from it."""
    return {kind}.union(*(kinds(each) for each in kind.__subclasses__()))


class TestPage:
    def test_names_every_refusal_by_its_code(self):
        families = set().union(*(kinds(kind) for kind in (*refusals.INVALID, *refusals.CONFLICTS)))
        codes = {refusals.code(kind) for kind in families if kind.__name__ not in FAMILIES}
        assert len(codes) > 20
        assert {code for code in codes if f"| `{code}` |" not in PAGE} == set()

    def test_names_no_refusal_that_is_not_there(self):
        families = set().union(*(kinds(kind) for kind in (*refusals.INVALID, *refusals.CONFLICTS)))
        table = PAGE.partition("Further refusals:")[2].partition("\n## ")[0]
        listed = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
        codes = {refusals.code(kind) for kind in families}
        assert listed <= codes

    def test_names_how_sending_again_is_refused(self):
        for kind in (idempotency.KeyReused, idempotency.StillRunning):
            assert f"`{kind.default_code}`" in PAGE

    def test_is_one_of_those_that_name_every_address(self):
        pages = "".join(page.read_text() for page in DOCS.glob("*.md"))
        addresses = json.loads(reference.text())["paths"]
        names = {
            address: re.sub(r"\{(\w+)\}", lambda match: rf"({{{match[1]}}}|[A-Z]+|<{match[1]}>)", address)
            for address in addresses
        }
        missing = [address for address, name in names.items() if not re.search(name + r"(?![\w/{-])", pages)]
        assert missing == []

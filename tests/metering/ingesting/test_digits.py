"""No number of an event ever becomes a float: that would change its digits."""

from __future__ import annotations

import re
from pathlib import Path

from metering.door.formats import cloudevents

SOURCES = [path for folder in ("metering/door", "metering/ingesting") for path in Path(folder).rglob("*.py")]
# JSON is either left as text (Raw) or read with a hook for its numbers.
DECODERS = {
    "Decoder(msgspec.Raw)",
    "Decoder(list[msgspec.Raw])",
    "Decoder(dict[str, msgspec.Raw])",
    "Decoder(list[_Usual])",
    "Decoder(float_hook=_number)",
    "decode(fact.extensions, type=dict[str, msgspec.Raw])",
    "decode(text, type=msgspec.Raw)",
}


class TestDecoders:
    def test_leave_data_as_text_or_read_decimals(self):
        pattern = re.compile(r"msgspec\.json\.((?:Decoder|decode)\((?:[^()]|\([^()]*\))*\))")
        found = {re.sub(r"\s+", " ", call) for path in SOURCES for call in pattern.findall(path.read_text())}
        assert found == DECODERS

    def test_of_whole_events_leave_data_as_text(self):
        assert cloudevents._Usual.__annotations__["data"] == "msgspec.Raw"

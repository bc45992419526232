"""The words of rating's steps in a customer's language. Names, numbers and units in them stay as they are."""

from __future__ import annotations

import re

# What rating writes, and the same in each language; \1 is what stood in the brackets.
_PHRASES: tuple[tuple[str, dict[str, str]], ...] = (
    (r"^included: ", {"de": "enthalten: ", "zh": "含免费用量："}),
    (r"([0-9.]+)% discount on ", {"de": r"\1 % Rabatt auf ", "zh": r"\1% 折扣："}),
    (r"([0-9.]+)% discount: ", {"de": r"\1 % Rabatt: ", "zh": r"\1% 折扣："}),
    (r"([0-9.]+)% markup: ", {"de": r"\1 % Aufschlag: ", "zh": r"\1% 加价："}),
    (r"([0-9.]+)% of ", {"de": r"\1 % von ", "zh": r"\1% × "}),
    (r"\bfirst ([0-9.]+)", {"de": r"erste \1", "zh": r"前 \1"}),
    (r"\bover ([0-9.]+) up to ([0-9.]+)", {"de": r"über \1 bis \2", "zh": r"超过 \1 至 \2"}),
    (r"\bover ([0-9.]+)", {"de": r"über \1", "zh": r"超过 \1"}),
    (r"\bpackages of ([0-9.]+)", {"de": r"Pakete zu \1", "zh": r"包（每包 \1）"}),
    (r"([0-9]+) events free", {"de": r"\1 Ereignisse frei", "zh": r"\1 次免费"}),
    (r"([0-9]+) events\b", {"de": r"\1 Ereignisse", "zh": r"\1 次"}),
    (r"\bminimum of an event: ", {"de": "Mindestbetrag je Ereignis: ", "zh": "单次最低："}),
    (r"\bmaximum of an event: ", {"de": "Höchstbetrag je Ereignis: ", "zh": "单次最高："}),
    (r"\bnot chosen: ", {"de": "nicht gewählt: ", "zh": "未选用："}),
    (r"\bnot below zero: ", {"de": "nicht unter null: ", "zh": "不低于零："}),
    (r"\bmaximum: ", {"de": "Höchstbetrag: ", "zh": "封顶："}),
    (r"\bbilled before: ", {"de": "schon berechnet: ", "zh": "已计费："}),
    (r"^Minimum of ", {"de": "Mindestbetrag ", "zh": "最低消费："}),
    (r"^Maximum of ", {"de": "Höchstbetrag ", "zh": "封顶："}),
    (r"\bversion ([0-9]+)", {"de": r"Version \1", "zh": r"版本 \1"}),
    (r"\bflat\b", {"de": "pauschal", "zh": "固定费用"}),
)
_COMPILED = [(re.compile(pattern), by_language) for pattern, by_language in _PHRASES]


def translated(text: str, language: str) -> str:
    """The text with the phrases of rating in the language; English stays as it is."""
    for pattern, by_language in _COMPILED:
        if language in by_language:
            text = pattern.sub(by_language[language], text)
    return text

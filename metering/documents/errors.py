"""What is wrong with a document, and where."""

from difflib import get_close_matches


class DocumentError(ValueError):
    """A document, or a value in it, that cannot be taken.

    `code` is one of invalid, unknown_key, unpriced, unmeterable, currency, period; `field` is the path of the
    place, such as plan.components[2].price.tiers[0].upto, or "" for the document as a whole.
    """

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(code, message, field)
        self.code = code
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message

    def answer(self) -> dict[str, dict[str, str]]:
        """The JSON-ready error: {"error": {"code", "message", "field"}}."""
        return {"error": {"code": self.code, "message": str(self), "field": self.field}}


def invalid(message: str, field: str) -> DocumentError:
    """An error of the code `invalid`."""
    return DocumentError("invalid", message, field)


def suggestion(word: str, known: list[str]) -> str:
    """ ", did you mean up_to?" for the closest of the known words, or "" when none is close."""
    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), list(by_lower), n=1, cutoff=0.6)
    return f", did you mean {by_lower[near[0]]}?" if near else ""


def joined(path: str, key: str) -> str:
    """The path of a key below a path."""
    return f"{path}.{key}" if path else key

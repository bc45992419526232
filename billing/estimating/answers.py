"""The JSON Schema of an estimate."""

from typing import Any

from billing.estimating.figures import LETTERS, UNITS

TEXT: dict[str, Any] = {"type": "string"}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
NUMBER: dict[str, Any] = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}


def mapping(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The schema of an object with these members and no others; all but `optional` must be there."""
    required = [key for key in properties if key not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def listing(items: dict[str, Any]) -> dict[str, Any]:
    """The schema of a list of these."""
    return {"type": "array", "items": items}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


_FIGURE = mapping(
    {
        "key": TEXT,
        "name": TEXT,
        "letter": {"enum": list(LETTERS)},
        "value": NUMBER,
        "value_exact": TEXT,
        "unit": TEXT,
        "shown": TEXT,
        "formula": TEXT,
        "assumptions": TEXTS,
    },
    optional=("value_exact",),
)
_SIZES = ("parameters", "active_parameters", "layers", "hidden", "heads", "kv_heads", "head_dim")
_MODEL = mapping(
    {
        "name": TEXT,
        "kind": TEXT,
        **dict.fromkeys(_SIZES, COUNT),
        "latent": or_null(mapping({"rank": COUNT, "rope_dim": COUNT})),
        "context_max": or_null(COUNT),
        "source": TEXT,
    }
)
_GPU = mapping(
    {
        "gpu": TEXT,
        "source": TEXT,
        "memory": COUNT,
        "bandwidth": COUNT,
        "note": TEXT,
        "figures": listing(_FIGURE),
        "usage": {"type": "object", "additionalProperties": NUMBER},
    }
)


def schema() -> dict[str, Any]:
    """The JSON Schema of the answer to a request for an estimate."""
    return mapping(
        {
            "model": _MODEL,
            "unit": {"enum": list(UNITS)},
            "letters": mapping(dict.fromkeys(LETTERS, TEXT)),
            "figures": listing(_FIGURE),
            "gpus": listing(_GPU),
            "assumptions": TEXTS,
        }
    )

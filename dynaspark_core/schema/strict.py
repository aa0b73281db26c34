"""A schema, tightened as OpenAI does with `strict`. It checks no values."""

from collections.abc import Mapping
from typing import Any


def closed(schema: Any) -> Any:
    """The schema as OpenAI tightens it: an object has the members listed, all of them, no others; a map stays."""
    if isinstance(schema, list | tuple):
        return [closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    tight = {key: _closed_part(key, value) for key, value in schema.items()}
    names = tight.get("properties")
    if not isinstance(names, Mapping) or (not names and tight.get("additionalProperties")):
        return tight
    return {**tight, **({"required": list(names)} if names else {}), "additionalProperties": False}


def _closed_part(key: str, value: Any) -> Any:
    if key in {"properties", "$defs", "definitions"} and isinstance(value, Mapping):
        return {name: closed(part) for name, part in value.items()}
    is_alone = key == "allOf" and isinstance(value, list) and len(value) == 1  # of two closed objects none is both
    return closed(value) if is_alone or key in {"anyOf", "items", "additionalProperties"} else value

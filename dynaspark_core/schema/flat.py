"""Flat objects that fit as they are: said in one look, where a check of every keyword takes tens of microseconds."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

_NAMES: Mapping[type, tuple[str, ...]] = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    NoneType: ("null",),
}
"""The type of a value → the JSON types that it has for certain."""
_REMARKS = frozenset({"title", "description", "default", "examples"})
_OF_TYPES = _REMARKS | {"type"}
_OF_OBJECTS = _OF_TYPES | {"properties", "required", "additionalProperties", "$schema", "$defs", "definitions"}


def is_flat_fit(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether this is an object of listed members alone, each of them a single value that fits unconverted.

    False says nothing: where the value or the schema is not plain, `conform` knows. A text that begins with `{` is not
    plain: it may be an object written as text, which a wrapper holds.
    """
    properties, required = schema.get("properties"), schema.get("required", [])
    if schema.get("type") != "object" or not schema.keys() <= _OF_OBJECTS:
        return False
    if type(value) is not dict or type(properties) is not dict or type(required) is not list:
        return False
    for name in required:
        if type(name) is not str or name not in value:
            return False
    for name, item in value.items():  # noqa: SIM110  # a generator takes twice as long
        if name not in properties or not _takes(item, properties[name]):
            return False
    return True


def _takes(value: Any, part: Any) -> bool:
    if type(part) is not dict or (type(value) is str and value.lstrip().startswith("{")):
        return False
    if part.get("type") in _NAMES.get(type(value), ()):
        return part.keys() <= _OF_TYPES or (part.keys() <= _OF_TYPES | {"enum"} and _is_text_of(value, part["enum"]))
    choices = part.get("anyOf")
    if type(choices) is not list or not part.keys() <= _REMARKS | {"anyOf"}:
        return False
    kinds = [choice.get("type") for choice in choices if type(choice) is dict and choice.keys() <= _OF_TYPES]
    return len(kinds) == len(choices) and any(name in kinds for name in _NAMES.get(type(value), ()))


def _is_text_of(value: Any, allowed: Any) -> bool:
    return type(value) is str and type(allowed) is list and value in allowed

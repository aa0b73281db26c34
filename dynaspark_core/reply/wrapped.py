"""A value and what models put around it: a key that names it, a call with arguments, the form of a schema.

A value inside that fits is preferred to a wrapper that fits only because its schema lets unknown keys pass. A class
that has the wrapper's keys itself is no wrapper.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from dynaspark_core.reply.written import ARGUMENT_KEYS, LISTS, MAX_NESTED_WRAPPERS, NAME_KEYS, WRAPPERS, is_schema_echo
from dynaspark_core.schema import Check, Mismatch, UnknownKey, equal_json, fold_name, known_names

_KEYS = frozenset(
    {*ARGUMENT_KEYS, *WRAPPERS, *LISTS, "data", "result", "response", "output", "answer", "value", "object", "json"}
)
_SCHEMA_KEYS = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum"})
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_SCHEMA_ECHO = UnknownKey("", "this is the schema, not a value of it")
_AMBIGUOUS = UnknownKey("", "it can be read as more than one value")


def fit_value(value: Any, schema: Mapping[str, Any], *, name: str = "") -> Any | Mismatch:
    """The value as the schema has it, or the one that is wrapped in it; otherwise what is wrong with it.

    `name` is that of the tool whose arguments it is: such a key is a wrapper, as the schema's title is.
    """
    return Unwrapping(schema, name).fit(value)


class Unwrapping:
    """Fits values to one schema; see `fit_value`."""

    def __init__(self, schema: Mapping[str, Any], name: str = "") -> None:
        self._schema = schema
        self._check = Check(schema, needs_known_keys=True)
        self._names = {fold_name(name), fold_name(str(schema.get("title", "")))} - {""}

    @cached_property
    def _own(self) -> Mapping[str, bool]:
        """The keys of the class itself, and whether the schema says what they hold."""
        return known_names(self._schema)

    def fit(self, value: Any, level: int = 0) -> Any | Mismatch:
        """The value, or the one within; `level` counts the wrappers around it."""
        is_echo = is_schema_echo(value, self._schema.get("properties"))
        outer = _SCHEMA_ECHO if is_echo else self._check.conform(value)
        if isinstance(value, str) and outer is not value and self._own and (written := _object_in(value)) is not None:
            return self.fit(written, level)
        if not isinstance(value, dict) or level > MAX_NESTED_WRAPPERS:
            return outer
        if isinstance(outer, Mismatch):
            return self._only(_items(value, self._wrappers(value) or _only_key(value)), level, outer)
        wrappers = self._wrappers(value)
        if not wrappers or not self._own:
            return outer
        unlisted = self._only(_items(value, wrappers - self._own.keys()), level, outer)
        listed = self._only(_items(value, self._doubtful(value)), level, outer)
        if listed is not outer and listed not in ({}, []):
            return _AMBIGUOUS
        return outer if unlisted in ({}, []) else unlisted

    def _only(self, inner: Iterator[Any], level: int, outer: Any) -> Any | Mismatch:
        """The one value inside that fits; `outer` if none does."""
        found = [self.fit(item, level + 1) for item in inner]
        fits = [item for item in found if not isinstance(item, Mismatch)]
        if _AMBIGUOUS in found or not all(equal_json(item, fits[0]) for item in fits):
            return _AMBIGUOUS
        return fits[0] if fits else outer

    def _wrappers(self, value: Mapping[str, Any]) -> set[str]:
        keys = {key for key in value if key in _KEYS or fold_name(key) in self._names}
        return keys | {"properties"} if value.get("type") == "object" and "properties" in value else keys

    def _doubtful(self, value: Mapping[str, Any]) -> set[str]:
        """Keys of the class itself that may be a wrapper's: what they hold is free, and no other class is named."""
        names = [value[key] for key in NAME_KEYS if isinstance(value.get(key), str)]
        if names and not any(fold_name(name) in self._names for name in names):
            return set()
        return {key for key in self._wrappers(value) if self._own.get(key) is False}


def _items(value: Mapping[str, Any], keys: Collection[str]) -> Iterator[Any]:
    """What is wrapped under the keys."""
    for key in keys:
        item = value[key]
        if key in LISTS and isinstance(item, list) and len(item) == 1:
            yield item[0]
        elif key != "properties" or not _is_schema(item):
            yield item


def _object_in(text: str) -> Any:
    """The object that the text is as JSON; None if it is none."""
    try:
        return json.loads(text, strict=False) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return None


def _only_key(value: Mapping[str, Any]) -> set[str]:
    """The key of an object that has one, whatever its name, if it holds an array or object."""
    return {key for key, item in value.items() if len(value) == 1 and isinstance(item, dict | list)}


def _is_schema(properties: object) -> bool:
    """Whether it describes fields instead of giving their values."""
    parts = properties.values() if isinstance(properties, dict) else ()
    return any(isinstance(part, dict) and (part.get("type") in _TYPES or _SCHEMA_KEYS & part.keys()) for part in parts)

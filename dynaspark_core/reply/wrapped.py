"""A value and what models put around it: a key that names it, a call with arguments, the form of a schema.

A value inside that fits is preferred to a wrapper that fits only because its schema lets unknown keys pass. A class
that has the wrapper's keys itself is no wrapper.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any

from dynaspark_core.reply.written import ARGUMENT_KEYS, LISTS, MAX_NESTED_WRAPPERS, NAME_KEYS, WRAPPERS, is_schema_echo
from dynaspark_core.schema import Check, Mismatch, UnknownKey, equal_json, fold_name, is_flat_fit, known_names

_KEYS = frozenset(
    {*ARGUMENT_KEYS, *WRAPPERS, *LISTS, "data", "result", "response", "output", "answer", "value", "object", "json"}
)
_OF_CALLS = frozenset({"arguments", *LISTS, *WRAPPERS}) - {"tool", "call"}
"""Keys that hardly anything but a call has."""
ENVELOPE_KEYS = frozenset({*NAME_KEYS, "id", "index", "role", "status", "title", "type"})
"""Keys of a class that an envelope may have as well, so that they are no data of it."""
_SCHEMA_KEYS = frozenset({"$ref", "anyOf", "oneOf", "allOf", "enum"})
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_EMPTY: tuple[Any, ...] = ({}, [])
_SCHEMA_ECHO = UnknownKey("", "this is the schema, not a value of it")
_AMBIGUOUS = UnknownKey("", "it can be read as more than one value")
_OTHER_CALL = UnknownKey("", "it is a call, and its arguments do not fit the schema")


def fit_value(value: Any, schema: Mapping[str, Any], *, name: str = "") -> Any | Mismatch:
    """The value as the schema has it, or the one that is wrapped in it; otherwise what is wrong with it.

    `name` is that of the tool whose arguments it is: such a key is a wrapper, as the schema's title is.
    """
    return Unwrapping(schema, name).fit(value)


class Unwrapping:
    """Fits values to one schema; see `fit_value`."""

    def __init__(self, schema: Mapping[str, Any], name: str = "") -> None:
        self._schema, self._name = schema, name

    @cached_property
    def _check(self) -> Check:
        return Check(self._schema, needs_known_keys=True)

    @cached_property
    def _names(self) -> frozenset[str]:
        """What a wrapper may be called: the tool's name and the schema's title."""
        return frozenset({fold_name(self._name), fold_name(str(self._schema.get("title", "")))} - {""})

    @cached_property
    def _own(self) -> frozenset[str]:
        """The keys of the class itself."""
        try:
            return self._check.names(self._schema)[0]
        except RecursionError:
            return frozenset()

    @cached_property
    def _free(self) -> frozenset[str]:
        """Those that may be a wrapper's as well, as the schema does not say what they hold."""
        keys = [key for key in self._own if key == "properties" or self._wraps(key)]
        known = known_names(self._schema) if keys else {}
        return frozenset(key for key in keys if not known.get(key))

    def fit(self, value: Any, level: int = 0) -> Any | Mismatch:
        """The value, or the one within; `level` counts the wrappers around it."""
        if is_flat_fit(value, self._schema):
            return value  # none of its values could be what was wrapped
        is_echo = is_schema_echo(value, self._schema.get("properties"))
        outer = _SCHEMA_ECHO if is_echo else self._check.conform(value, is_within=level > 0)
        if isinstance(value, str) and outer is not value and self._own and (written := _object_in(value)) is not None:
            return self.fit(written, level)
        if not isinstance(value, dict) or level > MAX_NESTED_WRAPPERS:
            return outer
        if isinstance(outer, Mismatch):
            lone = {key for key, item in value.items() if len(value) == 1 and isinstance(item, dict | list)}
            return self._only(value, self._wrappers(value, value.keys()) or lone, level, outer)
        if not self._own:
            return outer
        listed = self._only(value, self._doubtful(value), level, outer)
        return self._within(value, level, outer) if listed is outer or listed in _EMPTY else _AMBIGUOUS

    def _within(self, value: Mapping[str, Any], level: int, outer: Any) -> Any | Mismatch:
        """What is under a key that the class does not have; `outer`, which fits as well, if that is no wrapper."""
        keys = self._wrappers(value, value.keys() - self._own)
        inner = self._only(value, keys, level, outer)
        if (value.keys() & self._own) - ENVELOPE_KEYS:
            return outer if inner is outer or inner in _EMPTY else _AMBIGUOUS
        is_named = any(fold_name(name) in self._names for name in _names_in(value))
        if inner is not outer and (is_named or inner not in _EMPTY):
            return inner
        if is_named:
            others = {key for key in value.keys() - keys - self._own if isinstance(value[key], dict)}
            if keys or self._only(value, others, level, outer) is not outer:
                return _OTHER_CALL if keys else _AMBIGUOUS
        is_call = any(isinstance(value[key], dict | list) and value[key] for key in keys & _OF_CALLS)
        return _OTHER_CALL if is_call else outer

    def _only(self, value: Mapping[str, Any], keys: Collection[str], level: int, outer: Any) -> Any | Mismatch:
        """The one value under the keys that fits; `outer` if none does."""
        if not keys:
            return outer
        found = [self.fit(item, level + 1) for item in _items(value, keys)]
        fits = [item for item in found if not isinstance(item, Mismatch)]
        if _AMBIGUOUS in found or not all(equal_json(item, fits[0]) for item in fits):
            return _AMBIGUOUS
        return fits[0] if fits else outer

    def _wraps(self, key: str) -> bool:
        return key in _KEYS or fold_name(key) in self._names

    def _wrappers(self, value: Mapping[str, Any], keys: Collection[str]) -> set[str]:
        """Those of the keys that are a wrapper's; `properties` is one only in the form of a schema."""
        is_form = value.get("type") == "object"
        return {key for key in keys if self._wraps(key) or (is_form and key == "properties")}

    def _doubtful(self, value: Mapping[str, Any]) -> Collection[str]:
        """Keys of the class itself that may be a wrapper's, if no other class is named."""
        keys = self._free & value.keys()
        names = _names_in(value) if keys else []
        if names and not any(fold_name(name) in self._names for name in names):
            return ()
        return self._wrappers(value, keys)


def _names_in(value: Mapping[str, Any]) -> list[str]:
    """The names of tools that an envelope may have."""
    return [value[key] for key in NAME_KEYS if isinstance(value.get(key), str)]


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


def _is_schema(properties: object) -> bool:
    """Whether it describes fields instead of giving their values."""
    parts = properties.values() if isinstance(properties, dict) else ()
    return any(isinstance(part, dict) and (part.get("type") in _TYPES or _SCHEMA_KEYS & part.keys()) for part in parts)

"""One check of a value against a schema: the order of the rules, what is known already, how deep and how long."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from dynaspark_core.schema.conditions import CONDITIONS
from dynaspark_core.schema.keywords import MAX_NAMES_SHOWN, RULES, Fit, Mismatch, Result, UnknownKey, join_path
from dynaspark_core.schema.names import anchors, listed_names
from dynaspark_core.schema.scalars import LIMITS, EnumIndex, is_type

MAX_SCHEMA_LEVELS = 150
"""Most levels of schemas within schemas that are checked: some 600 frames of the interpreter's 1,000."""
TOO_LARGE = "nested too deep, or too large, to be checked"
MAX_CHECKS = 200_000
"""Most checks of one value against one schema; nested unions over a large value can ask for more."""


def conform(value: Any, schema: Mapping[str, Any], *, needs_known_keys: bool = False) -> Any | Mismatch:
    """The value as the schema wants it, or the first `Mismatch`. The value given is not changed.

    Converted are, where the schema does not take the value as it is: "5" → 5, "true" → true, JSON text → array or
    object, 5 → "5", and a string that differs from one of an enum's in case alone. Nothing is filled in, rounded or
    left out.

    With `needs_known_keys` an object that has none of the keys which its schema lists, or one of them in another case,
    is an `UnknownKey`: JSON Schema lets it pass, but whoever reads the listed keys would find nothing. Schemas that
    list no `properties`, or that welcome others (`additionalProperties`, `patternProperties`), are checked as usual.
    """
    return Check(schema, needs_known_keys=needs_known_keys).conform(value)


def known_names(schema: Mapping[str, Any]) -> Mapping[str, bool]:
    """The keys that the schema lists for an object, and whether their schemas list keys as well.

    None where it welcomes others, or lists none.
    """
    check = Check(schema)
    try:
        names = listed_names(schema, check.target) or {}
        return {name: bool(listed_names(part, check.target)) for name, part in names.items()}
    except RecursionError:
        return {}


class Check:
    """Checks values against one schema. Results for containers are kept, so that unions within unions stay linear."""

    def __init__(self, root: Mapping[str, Any], *, needs_known_keys: bool = False) -> None:
        self._root = root
        self._needs_known_keys = needs_known_keys
        self._names: dict[int, tuple[frozenset[str], Mapping[str, str]]] = {}
        self._enums: dict[int, EnumIndex] = {}
        self._known: dict[tuple[int, int], tuple[Any, Result]] = {}
        self._depth = self._steps = 0
        self._is_exhausted = False

    def conform(self, value: Any) -> Any | Mismatch:
        """The value as the schema wants it, or what is wrong with it; see `conform`."""
        self._known = {}
        self._depth = self._steps = 0
        self._is_exhausted = False
        try:
            result = self.enter(value, self._root, "")
        except RecursionError:  # the caller's own stack was nearly used up
            return Mismatch("", TOO_LARGE)
        finally:
            self._known = {}
        if self._is_exhausted and isinstance(result, Fit):  # what was not checked may be under `not`
            return Mismatch("", TOO_LARGE)
        return result if isinstance(result, Mismatch) else result.value

    def enter(self, value: Any, schema: Any, path: str) -> Result:
        """The check of a whole value, a member or an item, before that of the parts of its schema."""
        if not self._needs_known_keys or not isinstance(schema, Mapping):
            return self.fit(value, schema, path)
        result = self._unknown_key(value, schema, path) or self.fit(value, schema, path)
        if isinstance(result, Fit) and isinstance(value, str):  # it may have become an object
            return self._unknown_key(result.value, schema, path) or result
        return result

    def _unknown_key(self, value: Any, schema: Mapping[str, Any], path: str) -> UnknownKey | None:
        if not isinstance(value, dict) or not value:
            return None
        names, folded = self.names(schema)
        if not names or value.keys() <= names:
            return None
        if names.isdisjoint(value):
            shown = ", ".join(sorted(names)[:MAX_NAMES_SHOWN])
            return UnknownKey(path, f"has none of the keys of the schema: {shown}")
        unknown = ((name, folded[fold_name(name)]) for name in value if name not in names and fold_name(name) in folded)
        meant = next(((name, known) for name, known in unknown if known not in value), None)
        return UnknownKey(join_path(path, meant[0]), f"must be written {meant[1]}") if meant else None

    def names(self, schema: Mapping[str, Any]) -> tuple[frozenset[str], Mapping[str, str]]:
        """The keys that the schema lists, and those without case and punctuation → as listed."""
        if id(schema) not in self._names:
            names = frozenset(listed_names(schema, self.target) or ())
            self._names[id(schema)] = names, {fold_name(name): name for name in names}
        return self._names[id(schema)]

    def fit(self, value: Any, schema: Any, path: str) -> Result:
        if schema is False:
            return Mismatch(path, "nothing is allowed here")
        if not isinstance(schema, Mapping) or _is_plain(value, schema):
            return Fit(value)
        key = (id(value), id(schema))
        if key in self._known:
            return self._known[key][1]
        self._steps += 1
        if self._depth > MAX_SCHEMA_LEVELS or self._steps > MAX_CHECKS:
            self._is_exhausted = True
            return Mismatch(path, TOO_LARGE)
        self._known[key] = value, Fit(value)  # a reference that comes back to the same value asks nothing new
        self._depth += 1
        result = self._through_keywords(value, schema, path)
        self._depth -= 1
        self._known[key] = value, result  # the value is kept too, or its id could be another's later
        if not isinstance(value, dict | list):
            del self._known[key]
        return result

    def _through_keywords(self, value: Any, schema: Mapping[str, Any], path: str) -> Result:
        if value is None and schema.get("nullable") is True:
            return Fit(value)
        fit = Fit(value)
        for keywords, rule in _RULES:
            if not keywords.isdisjoint(schema):
                result = rule(self, fit.value, schema, path)
                if isinstance(result, Mismatch):
                    return result
                fit = Fit(result.value, fit.is_coerced or result.is_coerced)
        if _LIMITED.isdisjoint(schema):
            return fit
        for keyword, limit in LIMITS.items():
            if keyword in schema and (reason := limit(fit.value, schema[keyword])):
                return Mismatch(path, reason)
        return fit

    def enum(self, schema: Mapping[str, Any]) -> EnumIndex:
        """The values that the schema's `enum` allows, read once."""
        if id(schema) not in self._enums:
            self._enums[id(schema)] = EnumIndex(schema["enum"])
        return self._enums[id(schema)]

    @cached_property
    def _anchors(self) -> Mapping[str, Any]:
        return anchors(self._root)

    def target(self, reference: object) -> Any:
        """The schema that a reference within the root names; True, which allows everything, if it leads nowhere."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return True
        if reference[1:2] not in {"", "/"}:
            return self._anchors.get(unquote(reference[1:]), True)
        node: Any = self._root
        for step in filter(None, unquote(reference[1:]).split("/")):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and int(name[:6]) < len(node):
                node = node[int(name[:6])]
            elif isinstance(node, Mapping) and name in node:
                node = node[name]
            else:
                return True
        return node


def fold_name(name: str) -> str:
    """The name without case and punctuation."""
    return "".join(char for char in name.casefold() if char.isalnum())


_RULES = (*RULES, *CONDITIONS)
_LIMITED = frozenset(LIMITS)
_MORE_THAN_TYPE = _LIMITED.union(*(keywords for keywords, _ in _RULES)) - {"type"}


def _is_plain(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the schema asks for no more than a type, and the value has it."""
    name = schema.get("type", "")
    return isinstance(name, str) and _MORE_THAN_TYPE.isdisjoint(schema) and is_type(value, name)

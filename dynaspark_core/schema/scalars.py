"""Single values against single JSON Schema keywords: types, equality, limits, and the conversions that cannot be wrong.

Objects, arrays, unions and references are in `keywords`.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

ABSENT: Any = object()
"""No value; None is one."""

MAX_NAMES_SHOWN = 20
"""Most names or values that a message lists."""
MAX_DIGITS = 300
"""Most digits of a number in text that is converted; Python itself refuses 4,300 digits."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: (
        not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
_WORDS = {"null": "null", "boolean": "a boolean", "integer": "an integer", "array": "an array", "object": "an object"}


def is_type(value: Any, name: str) -> bool:
    """Whether the value has the JSON type; a type that JSON does not have is every value's."""
    test = _TYPES.get(name)
    return test is None or test(value)


def type_test(name: str) -> Callable[[Any], bool]:
    """What says whether a value has the JSON type; a type that JSON does not have is every value's."""
    return _TYPES.get(name, lambda _: True)


def name_types(names: Sequence[str]) -> str:
    """The types as words of a sentence."""
    return " or ".join(_WORDS.get(name, f"a {name}") for name in names)


def describe_value(value: Any) -> str:
    """The value in a few words: its JSON type and how it begins."""
    kind = next((name for name, test in _TYPES.items() if test(value)), "value outside JSON")
    if kind in {"array", "object", "null"}:
        return name_types([kind])
    return f"{name_types([kind])} ({json_excerpt(value)})"


def json_excerpt(value: Any, limit: int = 60) -> str:
    """The value as JSON, cut to `limit` characters."""
    if isinstance(value, int) and value.bit_length() > 4 * MAX_DIGITS:
        return "a number of many digits"
    value = value[: limit + 1] if isinstance(value, str) else value
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "…"
    return text if len(text) <= limit else f"{text[:limit]}…"


def equal_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, but true is not 1."""
    waiting = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if left is right:
            continue
        if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            waiting += zip(left, right, strict=True)
        elif isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
            waiting += ((left[key], right[key]) for key in left)
        elif isinstance(left, list | dict | bool) or isinstance(right, list | dict | bool) or left != right:
            return False
    return True


class Identities:
    """Equal keys for values that are equal in JSON. What is nested has a number, so that no part is looked at twice."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []

    def of(self, value: Any) -> Hashable:
        """The key of the value."""
        if isinstance(value, bool):
            return "boolean", value
        if not isinstance(value, list | dict):
            return value  # type: ignore[no-any-return]  # of JSON, only arrays and objects cannot be hashed
        if id(value) in self._seen:
            return "number", self._seen[id(value)]
        items = value if isinstance(value, list) else value.values()
        parts = tuple(map(self.of, items))
        key = ("array", parts) if isinstance(value, list) else ("object", frozenset(zip(value, parts, strict=True)))
        number = self._numbers.setdefault(key, len(self._numbers))
        if any(isinstance(item, list | dict) for item in items):
            self._seen[id(value)] = number
            self._kept.append(value)  # or its id could be another's later
        return "number", number

    def forget(self) -> None:
        """Let go of the values; their keys stay the same."""
        self._seen, self._kept = {}, []


class EnumIndex:
    """The allowed values of an `enum` or a `const`, hashed once."""

    def __init__(self, allowed: Sequence[Any], identities: Identities) -> None:
        self._identities = identities
        self._keys = {identities.of(item) for item in allowed}
        self._sizes = {(type(item), len(item)) for item in allowed if isinstance(item, list | dict)}
        folded = Counter(item.casefold() for item in allowed if isinstance(item, str))
        self._alike = {
            item.casefold(): item for item in allowed if isinstance(item, str) and folded[item.casefold()] == 1
        }
        shown = ", ".join(json_excerpt(item) for item in allowed[:MAX_NAMES_SHOWN])
        self.demand = f"must be {shown}" if len(allowed) == 1 else f"must be one of {shown}"

    def find(self, value: Any) -> Any:
        """The value itself if it is allowed, or the only allowed one that differs in case alone; otherwise ABSENT."""
        if isinstance(value, list | dict) and (type(value), len(value)) not in self._sizes:
            return ABSENT
        if self._identities.of(value) in self._keys:
            return value
        return self._alike.get(value.casefold(), ABSENT) if isinstance(value, str) else ABSENT


def coerce(value: Any, names: Sequence[str]) -> Any:
    """The value as one of the types, when just one reading is possible and nothing is lost; else ABSENT."""
    if isinstance(value, str):
        found = (_READERS[name](value) for name in names if name in _READERS)
        return next((item for item in found if item is not ABSENT), ABSENT)
    if isinstance(value, int) and not isinstance(value, bool) and "string" in names:
        return str(value) if value.bit_length() < 3 * MAX_DIGITS else ABSENT
    return ABSENT


def _integer(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS and _INTEGER.match(text) and text != "-0" else ABSENT


def _number(text: str) -> Any:
    whole = _integer(text)
    if whole is not ABSENT or len(text) > MAX_DIGITS:
        return whole
    try:
        value = float(text)
    except ValueError:
        return ABSENT
    return value if math.isfinite(value) and repr(value) == text else ABSENT


def _container(opener: str, kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        if not text.lstrip().startswith(opener):
            return ABSENT
        try:
            value = json.loads(text, strict=False, parse_constant=_refuse)
        except (ValueError, RecursionError):
            return ABSENT
        return value if isinstance(value, kind) else ABSENT

    return read


def _refuse(name: str) -> Any:
    raise ValueError(name)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": lambda text: {"true": True, "false": False}.get(text, ABSENT),
    "array": _container("[", list),
    "object": _container("{", dict),
}

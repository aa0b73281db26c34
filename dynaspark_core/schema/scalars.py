"""Single values against single JSON Schema keywords: types, equality, limits, and the conversions that cannot be wrong.

Objects, arrays, unions and references are in `keywords`.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

ABSENT: Any = object()
"""No value; None is one."""

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
        if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
            waiting += zip(left, right, strict=True)
        elif isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
            waiting += ((left[key], right[key]) for key in left)
        elif isinstance(left, list | dict | bool) or isinstance(right, list | dict | bool):
            if left is not right:
                return False
        elif left != right:
            return False
    return True


def frozen(value: Any) -> Any:
    """The value as something that can be hashed; two are equal if the values are so in JSON."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, list):
        return "array", tuple(map(frozen, value))
    if isinstance(value, dict):
        return "object", frozenset((key, frozen(item)) for key, item in value.items())
    return value


class EnumIndex:
    """The allowed values of an `enum` or a `const`, hashed once."""

    def __init__(self, allowed: Sequence[Any]) -> None:
        self.allowed = allowed
        self._values = {frozen(item) for item in allowed}
        folded = Counter(item.casefold() for item in allowed if isinstance(item, str))
        self._alike = {
            item.casefold(): item for item in allowed if isinstance(item, str) and folded[item.casefold()] == 1
        }

    def find(self, value: Any) -> Any:
        """The value itself if it is allowed, or the only allowed one that differs in case alone; otherwise ABSENT."""
        if frozen(value) in self._values:
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


def _is_number(*values: Any) -> bool:
    return all(is_type(value, "number") for value in values)


def _at_least(value: Any, bound: Any) -> str:
    return f"must be at least {json_excerpt(bound)}" if _is_number(value, bound) and value < bound else ""


def _at_most(value: Any, bound: Any) -> str:
    return f"must be at most {json_excerpt(bound)}" if _is_number(value, bound) and value > bound else ""


def _above(value: Any, bound: Any) -> str:
    return f"must be greater than {json_excerpt(bound)}" if _is_number(value, bound) and value <= bound else ""


def _below(value: Any, bound: Any) -> str:
    return f"must be less than {json_excerpt(bound)}" if _is_number(value, bound) and value >= bound else ""


def _multiple(value: Any, step: Any) -> str:
    if not _is_number(value, step) or step <= 0:
        return ""
    try:
        is_whole = value % step == 0 if isinstance(value, int) and isinstance(step, int) else not (value / step) % 1
    except (OverflowError, ValueError):
        return ""
    return "" if is_whole else f"must be a multiple of {json_excerpt(step)}"


def _pattern(value: Any, pattern: Any) -> str:
    if not isinstance(value, str) or not isinstance(pattern, str):
        return ""
    matches = _matcher(pattern)
    return "" if matches is None or matches(value) else f"must match the pattern {pattern}"


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], bool] | None:
    """Whether a text holds the pattern, in linear time; None for a pattern that the linear engine does not know.

    The standard library's engine takes 20 s for `^(a+)+$` and 28 letters, and the text is the model's.
    """
    from pydantic_core import SchemaError, SchemaValidator, core_schema  # noqa: PLC0415 - slow, only for patterns

    try:
        validator = SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))
    except SchemaError:
        return None
    return validator.isinstance_python


def _size(kind: type, unit: str, *, is_least: bool) -> Callable[[Any, Any], str]:
    word = "at least" if is_least else "at most"

    def limit(value: Any, bound: Any) -> str:
        if not isinstance(value, kind) or not _is_number(bound):
            return ""
        count = len(value)  # type: ignore[arg-type]  # str, list and dict all have a length
        return (
            f"must have {word} {json_excerpt(bound)} {unit}" if (count < bound if is_least else count > bound) else ""
        )

    return limit


def _unique(value: Any, is_asked: Any) -> str:
    if not isinstance(value, list) or is_asked is not True:
        return ""
    return "must not hold the same item twice" if len(set(map(frozen, value))) < len(value) else ""


LIMITS: Mapping[str, Callable[[Any, Any], str]] = {
    "minimum": _at_least,
    "maximum": _at_most,
    "exclusiveMinimum": _above,
    "exclusiveMaximum": _below,
    "multipleOf": _multiple,
    "minLength": _size(str, "characters", is_least=True),
    "maxLength": _size(str, "characters", is_least=False),
    "pattern": _pattern,
    "minItems": _size(list, "items", is_least=True),
    "maxItems": _size(list, "items", is_least=False),
    "uniqueItems": _unique,
    "minProperties": _size(dict, "members", is_least=True),
    "maxProperties": _size(dict, "members", is_least=False),
}
"""Keyword → what is wrong with a value, in words, or nothing."""

"""Limits of single values: bounds, lengths, counts, patterns."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from dynaspark_core.schema.scalars import is_type, json_excerpt

Limit = Callable[[Any, Any], str]
"""A value and what a keyword bounds it by → what is wrong with it, in words, or nothing."""


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


LIMITS: Mapping[str, Limit] = {
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
    "minProperties": _size(dict, "members", is_least=True),
    "maxProperties": _size(dict, "members", is_least=False),
}
"""Keyword → what is wrong with a value, in words, or nothing."""

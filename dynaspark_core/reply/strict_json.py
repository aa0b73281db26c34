"""One JSON value: strictly and in C first, tolerantly only where that fails. What the strict reader took is final."""

import json
import math
from dataclasses import dataclass
from typing import Any

from dynaspark_core.reply.lenient_json import MAX_LEVELS, LenientReader
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.schema import equal_json


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _without_doubles(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; none that has a key twice, as one of the two values would be lost."""
    found = dict(members)
    if len(found) < len(members) and not all(
        found[key] is value or equal_json(found[key], value) for key, value in members
    ):
        raise ValueError
    return found


_STRICT = json.JSONDecoder(
    strict=False, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_without_doubles
)


_FIRST_WINDOW_CHARS = 4_096
_TAIL_CHARS = 12
"""A JSON error this near to the end may be one of text that has not come yet: a number, a literal, an escape."""


@dataclass(frozen=True, slots=True)
class Open:
    """No value yet. `is_hopeless` says that no more text can make it one."""

    is_hopeless: bool


def strict_value(text: str, start: int) -> tuple[Any, int] | Open:
    """The JSON value at `start` and where it ends, or why there is none. Strings may hold line breaks.

    It looks through windows that grow, because an error costs as much as the text in which it is reported.
    """
    size = _FIRST_WINDOW_CHARS
    while True:
        value = _in_window(text[start : start + size], start)
        if isinstance(value, tuple) or value.is_hopeless or start + size >= len(text):
            return value
        size *= 8


def _in_window(text: str, offset: int) -> tuple[Any, int] | Open:
    try:
        value, end = _STRICT.raw_decode(text)
    except RecursionError:
        return _deep_value(text, offset)
    except json.JSONDecodeError as error:
        is_at_end = error.pos >= len(text) - _TAIL_CHARS or error.msg.startswith("Unterminated")
        return Open(is_hopeless=not is_at_end)
    except ValueError:  # NaN, a number of more digits than Python converts, a key that is there twice
        return Open(is_hopeless=True)
    if text.count("[", 0, end) + text.count("{", 0, end) > MAX_LEVELS and is_deep(value):
        return Open(is_hopeless=True)
    return value, offset + end


def _deep_value(text: str, offset: int) -> tuple[Any, int] | Open:
    """The value read without recursion, where the interpreter's stack was used up."""
    reader = LenientReader(text, 0, len(text))
    try:
        return reader.value(), offset + reader.position
    except Unreadable as error:
        return Open(is_hopeless=not error.is_cut)


def is_deep(value: Any) -> bool:
    """Whether the value is nested more than `MAX_LEVELS` levels deep."""
    level = [value]
    for _ in range(MAX_LEVELS):
        level = [
            item
            for node in level
            if isinstance(node, dict | list)
            for item in (node.values() if isinstance(node, dict) else node)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def lenient_value(text: str, start: int, end: int, *, is_closed: bool = False) -> tuple[Any, int]:
    """The value at `start`, strictly read if it can be, else tolerantly, and where it ends. Raises `Unreadable`."""
    strict = strict_value(text, start)
    if isinstance(strict, tuple) and strict[1] <= end:
        return strict
    reader = LenientReader(text, start, end, is_closed=is_closed)
    value = reader.value()
    return value, reader.position

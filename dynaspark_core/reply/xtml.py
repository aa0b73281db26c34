"""Arguments between Kimi's tokens: `<|open|>argument key="x" type="string"<|sep|>…<|close|>argument<|sep|>`.

A value is raw text, or JSON of another type, and may hold any token: it ends where the next argument or the end of the
call follows at once.
"""

import html
import re
from typing import Any

from dynaspark_core.reply.atoms import Sign, chars, maybe, seq, word
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.vendor_words import NAME

OPENER = Sign(
    seq(
        maybe(seq(word("<|open|>tools<|sep|>"), chars(r"\s", 0, 24))),
        word('<|open|>call tool="'),
        NAME,
        word('"'),
        chars(r"[^<>|\n]", 0, 40),
        word("<|sep|>"),
    ),
    '<|open|>call tool="f" index="1"<|sep|>',
    "<|open|>tools<|sep|>",
)
_END = r"<\|close\|>call<\|sep\|>"
CLOSER = re.compile(rf"{_END}(?=\s*+(?:<\|open\|>call |<\|close\|>(?:tools|message)<))")
"""The end of a call behind which the next one begins, or the list of calls ends: any other may be part of a value."""
_ARGUMENT = re.compile(r'\s*+<\|open\|>argument key="([^"<>\n]{1,256})"(?: type="(\w{1,16})")?<\|sep\|>')
_VALUE_END = re.compile(rf"<\|close\|>argument<\|sep\|>(?=\s*+(?:<\|open\|>argument |{_END}|\Z))")
_CALL_END = re.compile(rf"\s*+{_END}\s*+\Z")


def is_xtml(text: str, start: int, end: int) -> bool:
    """Whether a body of this kind begins at `start`."""
    return text.startswith(("<|open|>argument", "<|close|>call"), start, end)


def read_xtml(text: str, start: int, end: int, *, is_closed: bool) -> dict[str, Any]:
    """The arguments. Raises `Unreadable`."""
    found: dict[str, Any] = {}
    position = start
    while (argument := _ARGUMENT.match(text, position, end)) is not None:
        closing = _VALUE_END.search(text, argument.end(), end)
        if closing is None:
            raise Unreadable(argument.end(), "a value does not end", is_cut=not is_closed, in_string=True)
        name = html.unescape(argument[1])
        if name in found:
            raise Unreadable(argument.start(), f"{name} is given twice")
        found[name] = _typed(text, argument.end(), closing.start(), argument[2] or "string")
        position = closing.end()
    is_over = is_closed and not text[position:end].strip()
    if not is_over and _CALL_END.match(text, position, end) is None:
        raise Unreadable(position, "expected the next argument or the end of the call", is_cut=not is_closed)
    return found


def _typed(text: str, start: int, end: int, kind: str) -> Any:
    """A value of this JSON type. Raises `Unreadable`."""
    if kind == "string":
        return text[start:end]
    value, after = lenient_value(text, start, end, is_closed=True)
    if text[after:end].strip():
        raise Unreadable(after, f"expected the end of a value of type {kind}")
    return value

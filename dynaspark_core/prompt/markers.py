"""Our own markers, and how text that is inserted is kept from forging them.

Only writing: what a prompt may hold. `reply.signs` knows what a reply may hold. The markers are
`<turn>`, `<tools>`, `<tool_call>` and `<tool_result>`; a model reads them also with blanks, zero-width characters,
other cases and full-width or mathematical letters in them, so every one of these spellings is escaped.
"""

import re
from functools import cache

_OPENERS = "<＜﹤"  # noqa: RUF001 - the forms of "<" that Unicode normalisation (NFKC) maps to it
_BLANK = (
    r"[\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]*+"
)
_MATH_STYLES = range(0x1D400, 0x1D6A4, 52)
"""First letters of the 13 mathematical alphabets, each of 26 capitals and 26 small letters (Unicode, block 1D400)."""


def _spellings(letter: str) -> str:
    """A character class of the letter in every case, width and mathematical style."""
    index = ord(letter) - ord("a")
    wide = chr(0xFF21 + index) + chr(0xFF41 + index)
    styled = "".join(chr(first + index) + chr(first + 26 + index) for first in _MATH_STYLES)
    return f"[{letter}{letter.upper()}{wide}{styled}]"


def _spaced(word: str) -> str:
    """A pattern of the word with anything invisible between its letters; an underscore may be missing or a dash."""
    gap = rf"(?:[_\uff3f\u2010-\u2015-]{_BLANK})?+"
    return "".join(gap if char == "_" else _spellings(char) + _BLANK for char in word)


_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
MAX_ATTRIBUTE_CHARACTERS = 200
"""Longest name in an attribute, in characters; APIs allow names of 64."""


@cache
def _marker() -> re.Pattern[str]:
    """Finds the `<` of a marker. Made when the first `<` comes: its classes take milliseconds to compile."""
    tool = rf"{_spaced('tool')}(?:{_spaced('_call')}|{_spaced('_result')}|{_spaced('s')})"
    return re.compile(rf"[{_OPENERS}](?={_BLANK}(?:[/\\\uff0f]{_BLANK})*+(?:{tool}|{_spaced('turn')}))")


def _holds_opener(text: str) -> bool:
    return "<" in text or "＜" in text or "﹤" in text  # noqa: RUF001


def escape(text: str) -> str:
    """The text, in which no spelling of our markers is left: their `<` is written `&lt;`. Other `<` stay."""
    return _marker().sub("&lt;", text) if _holds_opener(text) else text


def escape_json(text: str) -> str:
    r"""JSON text of the same value without our markers: their `<`, which stands in strings, is written `\u003c`."""
    return _marker().sub(lambda found: f"\\u{ord(found[0]):04x}", text) if _holds_opener(text) else text


def attribute(value: str) -> str:
    """The value as it may be written between double quotes: one line, no markup, cut to `MAX_ATTRIBUTE_CHARACTERS`."""
    if value.isidentifier() and len(value) <= MAX_ATTRIBUTE_CHARACTERS:
        return value
    line = "".join(char if char.isprintable() else " " for char in value[:MAX_ATTRIBUTE_CHARACTERS])
    return line.translate(_ATTRIBUTE)

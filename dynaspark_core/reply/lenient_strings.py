"""Strings as models write them: where one ends, and what it says.

A closing quote is known by what follows it, so that a quote which was not escaped can stay part of its string. Each
character is looked at a bounded number of times. What encloses strings is `lenient_json`'s.
"""

import re
from collections.abc import Mapping
from typing import Literal

StringRole = Literal["key", "member", "element", "argument", "whole"]
"""What a string is: an object's key or member, an element, a call's argument, or the whole value."""

BLANK = r"(?:[\s\x00-\x20\xa0\u200b-\u200d\u2060\ufeff]++|//[^\n]*+|#[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+"
"""Blanks and comments. Also NBSP, BOM and zero-width characters, which copies of web pages leave behind."""

QUOTES: Mapping[str, str] = {
    '"': '"',
    "'": "'",
    "`": "`",
    "“": "”“\"",
    "”": "”\"",
    "‘": "’‘'",  # noqa: RUF001 - smart quotes as delimiters
    "’": "’'",  # noqa: RUF001 - wide forms, smart quotes
    "「": "」",
    "«": "»",
    "＂": "＂",  # noqa: RUF001 - wide forms, smart quotes
}  # fmt: skip
"""Opening quote → the quotes that may close it."""

_KEY = r"(?:\"(?:[^\"\n\\]|\\[^\n]){0,200}+\"|'[^'\n]{0,200}'|[“”][^”\n]{0,200}[”\"]|[A-Za-z_$][\w$-]{0,200})"
_NEXT_KEY = rf"[,，]{BLANK}(?:{_KEY}{BLANK}[:：]|[}}\]]|\Z)"  # noqa: RUF001 - wide forms, smart quotes
_MISSING_COMMA = r"\s+\"[\w$-]{1,64}\"\s*:"
_AFTER: Mapping[StringRole, re.Pattern[str]] = {
    "key": re.compile(rf"{BLANK}[:：]"),  # noqa: RUF001 - wide forms, smart quotes
    "member": re.compile(rf"{BLANK}(?:[}}\]｝］]|\Z|{_NEXT_KEY})|{_MISSING_COMMA}"),  # noqa: RUF001 - wide forms, smart quotes
    "element": re.compile(rf"{BLANK}(?:[}}\])］｝]|\Z|[,，]{BLANK}(?:[\"'“”‘’\[{{\]\d(+-]|[tfnTFN][a-z]|\Z))"),  # noqa: RUF001 - wide forms, smart quotes
    "argument": re.compile(rf"{BLANK}(?:[)}}\]]|\Z|,{BLANK}(?:[A-Za-z_]\w*\s*=|[)\]]|\Z))"),
    "whole": re.compile(rf"{BLANK}\Z"),
}  # fmt: skip
_STOPS = {opener: re.compile(rf"[{re.escape(closers)}\\]") for opener, closers in QUOTES.items()}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|.)", re.DOTALL)
_PYTHON_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4}|.)", re.DOTALL)
_MARKDOWN = re.compile(r"(?<!\\)((?:\\\\)*)\\_")
_COLON = re.compile(r"\s*:")
_DRIVE = re.compile(r"[A-Za-z]:\\(?!\\)")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_PYTHON = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "\n": "", "a": "\a",
           "v": "\v", "0": "\0"}  # fmt: skip


class UnterminatedString(Exception):  # noqa: N818 - a signal between two readers, never an error of the caller
    """The string that began at `position` has no end (`is_open`), or an inner quote that belongs to no pair."""

    def __init__(self, position: int, *, is_open: bool) -> None:
        super().__init__(position)
        self.position, self.is_open = position, is_open


def end_of_string(text: str, start: int, end: int, role: StringRole) -> int:
    """Where the string at `start` (its opening quote) has its closing quote. Raises `UnterminatedString`.

    Quotes within it that were not escaped must come in pairs, as around a word. Anything else may be two strings with
    an operator between them.
    """
    quote = text[start]
    stops, closers, after = _STOPS[quote], QUOTES[quote], _AFTER[role]
    position, is_paired = start + 1, True
    while (stop := stops.search(text, position, end)) is not None:
        position = stop.end()
        if stop[0] == "\\" and "\\" not in closers:
            position += 1
        elif _is_apostrophe(text, stop.start(), end):
            continue
        elif after.match(text, position, end) is not None and is_paired:
            return stop.start()
        elif _is_inner(text, start, stop.start(), role, is_first=is_paired):
            is_paired = not is_paired
        else:
            raise UnterminatedString(stop.start(), is_open=False)
    raise UnterminatedString(start, is_open=True)


def _is_apostrophe(text: str, position: int, end: int) -> bool:
    is_mark = text[position] in "'’"  # noqa: RUF001 - wide forms, smart quotes
    return is_mark and position + 1 < end and text[position - 1].isalnum() and text[position + 1].isalnum()


def _is_inner(text: str, start: int, position: int, role: StringRole, *, is_first: bool) -> bool:
    """Whether the quote at `position` can be the first (or second) one around a word within the string."""
    before, after = text[position - 1], text[position + 1 : position + 2]
    if role in {"element", "whole"} or _COLON.match(text, position + 1):
        return False
    if not is_first:
        return not before.isspace()
    is_bound = (
        position == start + 1 or before.isspace() or before in "([{<>,;:-" or (before == "=" and role == "member")
    )
    return is_bound and not after.isspace()


def decode_string(raw: str, *, is_python: bool = False) -> str:
    """What the text between the quotes says; escapes that the language does not know stay, with their backslash."""
    if "\\" not in raw:
        return raw
    if not is_python and _DRIVE.match(raw) and _has_unknown(raw):
        return raw
    if is_python:
        return _PYTHON_ESCAPE.sub(lambda found: _python_escape(found[1]), raw)
    return _ESCAPE.sub(lambda found: _json_escape(found[1]), raw)


def _has_unknown(raw: str) -> bool:
    """Whether an escape is none of JSON's, as in a Windows path that was written with single backslashes."""
    return any(len(found[1]) == 1 and found[1] not in _SIMPLE for found in _ESCAPE.finditer(raw))


def _json_escape(code: str) -> str:
    if len(code) == 1:
        return _SIMPLE.get(code, "\\" + code)
    high = int(code[1:5], 16)
    if len(code) == 5:
        return chr(high)
    low = int(code[7:], 16)
    if 0xD800 <= high < 0xDC00:
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return chr(high) + chr(low)


def _python_escape(code: str) -> str:
    return _PYTHON.get(code, "\\" + code) if len(code) == 1 else chr(int(code[1:], 16))


def plain_key(raw: str) -> str:
    r"""A key or a name as it was meant, its escapes left: markdown's `\_` is an underscore there."""
    return _MARKDOWN.sub(r"\1_", raw) if "\\_" in raw else raw

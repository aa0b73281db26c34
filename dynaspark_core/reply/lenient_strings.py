"""Strings as models write them: where one ends, and what it says.

A closing quote is known by what follows it, so that a quote which was not escaped can stay part of its string. Each
character is looked at a bounded number of times. What encloses strings is `lenient_json`'s.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

StringRole = Literal["key", "member", "element", "argument", "whole"]
"""What a string is: an object's key or member, an element, a call's argument, or the whole value."""

_GAP = r"[\s\x00-\x20\xa0\u200b-\u200d\u2060\ufeff]++"
BLANK = rf"(?:{_GAP}|//[^\n]*+|#[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z))*+"
"""Blanks and comments. Also NBSP, BOM and zero-width characters, which copies of web pages leave behind.

A comment without an end takes the rest of the text, which is then cut off: so none is looked through twice.
"""
_NEAR = rf"(?:{_GAP}|(?://|#)[^\n]{{0,300}}+(?=\n|\Z)|/\*(?:[^*]|\*(?!/)){{0,300}}+(?:\*/|\Z)){{0,4}}+"
"""Blanks and comments behind a quote. Such a comment may hold quotes as well, so its length is bounded."""

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
TOKENED = re.compile(r'(<\|"\|>|<escape>)(?:(?P<text>.*?)\1|(?P<open>))', re.DOTALL)
"""A string between two of Gemma's tokens, in which nothing is escaped; `open` is empty where it does not end."""

_KEY = r"(?:\"(?:[^\"\n\\]|\\[^\n]){0,200}+\"|'[^'\n]{0,200}'|[“”][^”\n]{0,200}[”\"]|[A-Za-z_$][\w$-]{0,200})"
_NEXT_KEY = rf"[,，]{_NEAR}(?:{_KEY}{_NEAR}[:：]|[}}\]]|\Z)"  # noqa: RUF001 - wide forms, smart quotes
_MISSING_COMMA = r"\s+\"[\w$-]{1,64}\"\s*:"
_AFTER: Mapping[StringRole, re.Pattern[str]] = {
    "key": re.compile(rf"{_NEAR}(?:[:：]|\Z)"),  # noqa: RUF001 - wide forms, smart quotes
    "member": re.compile(rf"{_NEAR}(?:[}}\]｝］]|\Z|{_NEXT_KEY})|{_MISSING_COMMA}"),  # noqa: RUF001 - wide forms, smart quotes
    "element": re.compile(rf"{_NEAR}(?:[}}\])］｝]|\Z|[,，]{_NEAR}(?:[\"'“”‘’\[{{\]\d(+-]|[tfnTFN][a-z]|\Z))"),  # noqa: RUF001 - wide forms, smart quotes
    "argument": re.compile(rf"{_NEAR}(?:[)}}\]]|\Z|,{_NEAR}(?:[A-Za-z_]\w*\s*=|[)\]]|\Z))"),
    "whole": re.compile(rf"{_NEAR}\Z"),
}  # fmt: skip
_STOPS = {opener: re.compile(rf"[{re.escape(closers)}\\]") for opener, closers in QUOTES.items()}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}(?:\\u[dD][c-fC-F][0-9a-fA-F]{2})?|.)", re.DOTALL)
_PYTHON_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4}|.)", re.DOTALL)
_MARKDOWN = re.compile(r"(?<!\\)((?:\\\\)*)\\_")
_COLON = re.compile(r"\s*:")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_PYTHON = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "\n": "", "a": "\a",
           "v": "\v", "0": "\0"}  # fmt: skip


class UnterminatedString(Exception):  # noqa: N818 - a signal between two readers, never an error of the caller
    """The string that began at `position` has no end (`is_open`), or an inner quote that belongs to no pair."""

    def __init__(self, position: int, *, is_open: bool) -> None:
        super().__init__(position)
        self.position, self.is_open = position, is_open


class AmbiguousEscape(Exception):  # noqa: N818 - a signal between two readers, never an error of the caller
    """The escape `code` may be one, or part of a path that was written with single backslashes."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


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
    r"""What the text between the quotes says; escapes that the language does not know stay, with their backslash.

    Where there is one of these, the writer doubled no backslash: then `\b` and `\f` stay as well (a regex, LaTeX).
    Raises `AmbiguousEscape` for a `\n`, `\t`, `\r` or `\u0041` in a path of such a string.
    """
    if "\\" not in raw:
        return raw
    escape, known, code_point = _LANGUAGES[is_python]
    if all(len(found[1]) > 1 or found[1] in known for found in escape.finditer(raw)):
        return escape.sub(lambda found: known[found[1]] if found[1] in known else code_point(found[1]), raw)
    for path in _PATH.finditer(raw):
        for code in escape.findall(path[0]):
            if code[0] in _AMBIGUOUS and (len(code) > 1 or code in known):
                raise AmbiguousEscape(code)
    whole = _LEADING.sub(lambda found: 2 * found[0], raw)
    return escape.sub(lambda found: _single(found[1], known, code_point), whole)


def _single(code: str, known: Mapping[str, str], code_point: Callable[[str], str]) -> str:
    """An escape of a string with single backslashes."""
    if len(code) > 1:
        return code_point(code)
    return "\\" + code if code in _UNLIKELY else known.get(code, "\\" + code)


def _json_code_point(code: str) -> str:
    high, low = int(code[1:5], 16), int(code[7:] or "0", 16)
    if 0xD800 <= high < 0xDC00 and low:
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    return chr(high) + (chr(low) if low else "")


def _python_code_point(code: str) -> str:
    return chr(int(code[1:], 16))


_LANGUAGES = {False: (_ESCAPE, _SIMPLE, _json_code_point), True: (_PYTHON_ESCAPE, _PYTHON, _python_code_point)}
"""Whether it is Python → its escapes, those of one character, and what the others say."""
_UNLIKELY = frozenset("bfav0")
"""Control characters that nobody writes next to a single backslash."""
_AMBIGUOUS = frozenset("ntruxU")
_SHARE = r"(?<!\S)\\\\(?=[\w.$-]+\\(?!\\))"
_PATH = re.compile(rf"(?:(?<!\w)[A-Za-z]:(?=\\)|{_SHARE})[^\s\"<>|]*+")
"""`C:\\new`, `\\\\server\\share`; up to a blank."""
_LEADING = re.compile(_SHARE)
"""The two backslashes of `\\\\server\\share`, which are two also where none is doubled."""


def plain_key(raw: str) -> str:
    r"""A key or a name as it was meant, its escapes left: markdown's `\_` is an underscore there."""
    return _MARKDOWN.sub(r"\1_", raw) if "\\_" in raw else raw

"""Our own markers, and how text that is inserted is kept from forging them.

Only writing: what a prompt may hold. `reply.signs` knows what a reply may hold. The markers are
`<turn>`, `<tools>`, `<tool_call>` and `<tool_result>`; a model reads them also with blanks, zero-width characters and
combining marks in them, in other cases, and in letters that only look different, so these spellings are escaped too.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from string import ascii_lowercase
from unicodedata import normalize

_OPENERS = "<＜﹤≮"  # noqa: RUF001 - "<" and what Unicode decomposes (NFKD) to it
_SIGNS = (
    r"!-~\xa1-\xac\xae-\xbf\xd7\xf7\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2100-\u27ff\u2801-\u2bff\u2e00-\u2e7f\u3001-\u3029"
    r"\u3030-\u303f\ufe30-\ufe6f\uff01-\uff60\U0001f000-\U0001faff"
)
_BLANK = rf"(?:[^\w{_SIGNS}]|[\u115f\u1160\u3164\uffa0])*+"
"""What is no letter, digit or sign of its own: blanks, controls, zero-width characters, marks of any script, and the
Korean letters that show nothing."""
_LETTERS = (
    (0xAA, 0xBB), (0xC0, 0x250), (0x2B0, 0x2E5),
    (0x1D2C, 0x1DC0), (0x1E00, 0x1F00), (0x2070, 0x20A0), (0x2100, 0x2190), (0x2460, 0x2500), (0xA7F2, 0xA7F5),
    (0xFF21, 0xFF5B), (0x1D400, 0x1D800), (0x1F110, 0x1F150),
)  # fmt: skip
"""Where Unicode keeps letters that decompose (NFKD) to a plain one: accented, raised, letter-like, circled, full-width,
mathematical and squared, and Roman numerals."""
_PICTURES = (0x1F150, 0x1F170, 0x1F1E6)
"""First letters of three alphabets that do not decompose: negative circled, negative squared, regional indicators."""


@cache
def _forms() -> Mapping[str, str]:
    """The forms of each small letter, as a part of a character class."""
    forms = {letter: letter + letter.upper() for letter in ascii_lowercase}
    for code in (code for first, end in _LETTERS for code in range(first, end)):
        base = normalize("NFKD", chr(code)).strip("()")[:1].lower()
        if base in forms:
            forms[base] += chr(code)
    for first in _PICTURES:
        for index, letter in enumerate(ascii_lowercase):
            forms[letter] += chr(first + index)
    return forms


def _spaced(word: str) -> str:
    """A pattern of the word with anything invisible between its letters; an underscore may be missing or a dash."""
    gap = rf"(?:[_\uff3f\u2010-\u2015-]{_BLANK})?+"
    return "".join(gap if char == "_" else f"[{_forms()[char]}]" + _BLANK for char in word)


_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
MAX_ATTRIBUTE_CHARACTERS = 200
"""Longest name in an attribute, in characters; APIs allow names of 64."""


@cache
def _marker(opener: str) -> re.Pattern[str]:
    """Finds the `<` of a marker. Made when the first `<` comes: its classes take milliseconds to compile.

    A plain letter that is no `t` begins none of our words, as in `<b>` and `</div>`: that is seen at once.
    """
    tool = rf"{_spaced('tool')}(?:{_spaced('_call')}|{_spaced('_result')}|{_spaced('s')})"
    return re.compile(
        rf"{opener}(?!/?[0-9A-SU-Za-su-z])(?={_BLANK}(?:[/\\\uff0f]{_BLANK})*+(?:{tool}|{_spaced('turn')}))"
    )


def escape(text: str, by: str | Callable[[re.Match[str]], str] = "&lt;") -> str:
    """The text, in which no spelling of our markers is left: their `<` is written `&lt;`. Other `<` stay.

    Where there is one form of `<` only, the pattern begins with that character, and is eight times as fast.
    """
    if not text.isascii() and ("＜" in text or "﹤" in text or "≮" in text):  # noqa: RUF001
        return _marker(f"[{_OPENERS}]").sub(by, text)
    return _marker("<").sub(by, text) if "<" in text else text


def json_escape(found: re.Match[str]) -> str:
    r"""What `escape` writes in JSON, so that the value stays the same: `\u003c` for the `<` of a marker."""
    return f"\\u{ord(found[0]):04x}"


def attribute(value: str) -> str:
    """The value as it may be written between double quotes: one line, no markup, cut to `MAX_ATTRIBUTE_CHARACTERS`."""
    if value.isidentifier() and len(value) <= MAX_ATTRIBUTE_CHARACTERS:
        return value
    line = "".join(char if char.isprintable() else " " for char in value[:MAX_ATTRIBUTE_CHARACTERS])
    return escape(line.translate(_ATTRIBUTE))

"""The tolerant reader of JSON: for text that the strict one refused, with repairs whose meaning is unique.

It reads from left to right once, with a stack of its own and a bounded depth. Repaired are quotes, Python's literals,
trailing commas, comments, bare keys, unescaped inner quotes, and one missing closer where a closing tag follows.
Everything cut off, computed, left out (`...`) or left open (`<city>`) is refused: guessing there would run a call that
nobody asked for.
"""

import re
from collections.abc import Mapping
from typing import Any

from dynaspark_core.reply.lenient_strings import (
    BLANK,
    QUOTES,
    TOKENED,
    AmbiguousEscape,
    StringRole,
    UnterminatedString,
    decode_string,
    end_of_string,
    plain_key,
)
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.schema import equal_json

MAX_LEVELS = 500
"""Most levels of nesting that are read."""
MAX_DIGITS = 300
"""Most digits of a number that is read; Python itself refuses 4,300 digits."""
MAX_ITEMS = 100_000
"""Most values within a value that needs repair."""

_BLANK = re.compile(BLANK)
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F))) - {"/", "#"}  # neither blank nor the beginning of a comment
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(\.[0-9]+)?|(\.[0-9]+))([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z_][\w.]*")
_BARE_KEY = re.compile(r"(?:[^\W\d]|\$|\\_)(?:[\w$-]|\\_)*+")
_AFTER_NUMBER = frozenset(" \t\r\n,}])/#;，｝］\xa0")  # noqa: RUF001 - wide forms, smart quotes
_LITERALS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
_CLOSERS: Mapping[str, str] = {"{": "}", "[": "]", "(": ")", "｛": "}", "［": "]"}  # noqa: RUF001 - wide forms, smart quotes
_PLAIN: Mapping[str, str] = {"｝": "}", "］": "]", "，": ",", "：": ":"}  # noqa: RUF001 - wide forms, smart quotes


class LenientReader:
    """One value of `text` between `start` and `end`. `is_closed` says that a closing tag follows `end`."""

    def __init__(self, text: str, start: int, end: int, *, is_closed: bool = False, is_python: bool = False) -> None:
        self.text, self.position, self.end = text, start, end
        self._is_closed, self._is_python = is_closed, is_python
        self._stack: list[_Frame] = []
        self._items = 0

    def value(self, role: StringRole = "whole") -> Any:
        """The value at the position, which is moved behind it. Raises `Unreadable`."""
        base = len(self._stack)
        while True:
            self._items += 1
            if self._items > MAX_ITEMS:
                raise Unreadable(self.position, f"more than {MAX_ITEMS:,} values to repair", is_excessive=True)
            opener = self.peek()
            if opener in _CLOSERS:
                self._open(opener)
                if not self._closes():
                    self._key()
                    continue
                value = self._stack.pop().value
            else:
                value = self._scalar(self._stack[-1].role if len(self._stack) > base else role)
            while len(self._stack) > base:
                frame = self._stack[-1]
                if frame.closer == "}" and frame.key in frame.value and not equal_json(frame.value[frame.key], value):
                    raise Unreadable(self.position, f"{frame.key!r} is given twice")
                frame.add(value)
                if not self._is_over(value):
                    self._key()
                    break
                value = self._stack.pop().value
            else:
                return value

    def peek(self) -> str:
        """The next character that is neither blank nor comment, as its plain form; empty at the end."""
        if self.position < self.end and (char := self.text[self.position]) in _VISIBLE:
            return char
        self.position = _BLANK.match(self.text, self.position, self.end).end()  # type: ignore[union-attr]  # it matches ""
        char = self.text[self.position : self.position + 1] if self.position < self.end else ""
        return _PLAIN.get(char, char)

    def refuse(self, why: str) -> Unreadable:
        """The error at the position: cut off if the text ends there."""
        if self.position >= self.end:
            return Unreadable(self.position, "the text ends too early", is_cut=not self._is_closed)
        found = self.text[self.position : min(self.position + 12, self.end)]
        return Unreadable(self.position, f"{why}, found {found!r}")

    def _open(self, opener: str) -> None:
        if len(self._stack) >= MAX_LEVELS:
            raise Unreadable(self.position, f"nested more than {MAX_LEVELS} levels deep", is_excessive=True)
        self.position += 1
        self._stack.append(_Frame(_CLOSERS[opener]))

    def _closes(self) -> bool:
        """Whether the innermost container closes here; then the position is behind its closer."""
        char = self.peek()
        if char == self._stack[-1].closer:
            self.position += 1
            return True
        if char and char in "}])":
            raise Unreadable(self.position, f"expected {self._stack[-1].closer!r}, found {char!r}")
        return False

    def _is_over(self, last: Any) -> bool:
        """Whether the innermost container ends after its `last` value; else the position is behind the comma."""
        char = self.peek()
        if char == ",":
            self.position += 1
            return self._closes()
        if not char:
            if self._is_closed and len(self._stack) == 1 and isinstance(last, str | dict | list):
                return True
            raise self.refuse("")
        if self._closes():
            return True
        is_member = self._stack[-1].closer == "}" and char == '"'
        is_block = self._stack[-1].closer == "]" and char == "{" and isinstance(last, dict)
        if is_member or is_block:
            return False  # a missing comma: nothing but a comma fits between the two
        raise self.refuse(f"expected ',' or {self._stack[-1].closer!r}")

    def _key(self) -> None:
        """Reads the key of the next member, if the innermost container has keys."""
        frame = self._stack[-1]
        if frame.closer != "}":
            return
        char = self.peek()
        if char in QUOTES:
            frame.key = self._string("key")
        else:
            bare = _BARE_KEY.match(self.text, self.position, self.end)
            frame.key = self._between_tokens("key") if bare is None else plain_key(bare[0])
            self.position = bare.end() if bare is not None else self.position
        if self.peek() != ":":
            raise self.refuse("expected ':' after a key")
        self.position += 1

    def _scalar(self, role: StringRole) -> Any:
        char = self.peek()
        if char in QUOTES:
            return self._string(role)
        if char.isdecimal() or char in {"+", "-", "."}:
            return self._number()
        word = _WORD.match(self.text, self.position, self.end)
        if word is None:
            return self._between_tokens("value")
        if word[0] not in _LITERALS:
            cut = word.end() >= self.end and any(literal.startswith(word[0]) for literal in _LITERALS)
            raise Unreadable(self.position, f"{word[0][:40]!r} is no JSON value", is_cut=cut and not self._is_closed)
        if word.end() >= self.end and self._stack:
            raise Unreadable(self.end, "the text ends too early", is_cut=not self._is_closed)
        self.position = word.end()
        return _LITERALS[word[0]]

    def _number(self) -> int | float:
        found = _NUMBER.match(self.text, self.position, self.end)
        if found is None:
            raise self.refuse("expected a number")
        if found.end() - found.start() > MAX_DIGITS:
            raise Unreadable(found.start(), f"a number has more than {MAX_DIGITS} digits", is_excessive=True)
        if found.end() >= self.end and self._stack:
            self.position = self.end
            raise self.refuse("")
        if found.end() < self.end and self.text[found.end()] not in _AFTER_NUMBER:
            raise Unreadable(found.end(), f"a number is followed by {self.text[found.end()]!r}")
        self.position = found.end()
        value: int | float = float(found[0]) if any(found.groups()) else int(found[0])
        if value in {float("inf"), float("-inf")}:
            raise Unreadable(found.start(), "a number is too large")
        return value

    def _string(self, role: StringRole) -> str:
        start = self.position
        opener = self.text[start]
        if opener in "\"'" and self.text.startswith(opener * 3, start):
            return self._triple(opener * 3)
        try:
            close = end_of_string(self.text, start, self.end, role)
        except UnterminatedString as error:
            if not error.is_open:
                raise Unreadable(error.position, "a quote within a string is not escaped") from None
            why = "a string does not end"
            raise Unreadable(start, why, is_cut=not self._is_closed, in_string=role != "key") from None
        raw, self.position = self.text[start + 1 : close], close + 1
        raw = plain_key(raw) if role == "key" else raw
        if opener == "`" and "${" in raw:
            raise Unreadable(close, "a template string is no JSON value")
        return self._decoded(raw)

    def _triple(self, quotes: str) -> str:
        start = self.position
        close = self.text.find(quotes, start + 3, self.end)
        if close == -1:
            raise Unreadable(start, "a string does not end", is_cut=not self._is_closed, in_string=True)
        self.position = close + 3
        return self._decoded(self.text[start + 3 : close])

    def _between_tokens(self, kind: str) -> str:
        found = TOKENED.match(self.text, self.position, self.end)
        if found is None:
            raise self.refuse(f"expected a {kind}")
        if found["open"] is not None:
            raise Unreadable(found.start(), "a string does not end", is_cut=not self._is_closed, in_string=True)
        self.position = found.end()
        return found["text"]

    def _decoded(self, raw: str) -> str:
        try:
            return decode_string(raw, is_python=self._is_python)
        except AmbiguousEscape as error:
            why = rf"\{error.code} may be an escape or part of a path; write \\ for each backslash"
            raise Unreadable(self.position, why) from None


class _Frame:
    """An open container: what it holds so far, its closer, and the key of the member that is being read."""

    __slots__ = ("closer", "key", "role", "value")

    def __init__(self, closer: str) -> None:
        self.closer = closer
        self.key = ""
        self.value: Any = {} if closer == "}" else []
        self.role: StringRole = "member" if closer == "}" else "element"

    def add(self, value: Any) -> None:
        if self.closer == "}":
            self.value[self.key] = value
        else:
            self.value.append(value)

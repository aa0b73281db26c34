"""What to look for while text is held: each piece is looked at once, so that waiting costs nothing twice."""

import re
from dataclasses import dataclass
from typing import Protocol

_OUTSIDE = {
    '"': re.compile(r'["{}\[\]]'),
    "\"'": re.compile(r"[\"'{}\[\]\\]"),
}
_INSIDE = {'"': re.compile(r'["\\]'), "'": re.compile(r"['\\]")}
MAX_TAG_CHARACTERS = 64
"""A closing tag or a marker is looked for across the borders of pieces, up to this length."""


COUNTED = "<[\n"
"""The signs that a reply may not have without end; see `HeldText.is_crowded`."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What no piece has that is plain text: the characters that are none, and a pattern for longer pieces.

    With `are_counted`, plain text has none of the signs that are counted.
    """

    characters: str
    pattern: re.Pattern[str]
    are_counted: bool


def any_of(characters: str) -> Signs:
    """Each of the characters is a sign."""
    return Signs(characters, re.compile(f"[{re.escape(characters)}]"), are_counted=set(characters) >= set(COUNTED))


class Watch(Protocol):
    """Says of a new piece whether it may decide what is held."""

    def __call__(self, piece: str, /) -> bool: ...


class Balance:
    """Counts the brackets of a text that begins with one; strings between the `quotes` are passed over."""

    def __init__(self, quotes: str = '"') -> None:
        self._depth = 0
        self._outside = self._pattern = _OUTSIDE[quotes]
        self._skip = False

    def end(self, text: str, start: int = 0) -> int:
        """Where in the text the first bracket is closed, or -1. To be called with each next piece until then."""
        position = start
        if self._skip and start < len(text):
            position, self._skip = start + 1, False
        while (found := self._pattern.search(text, position)) is not None:
            position = found.end()
            char = found[0]
            if char in _INSIDE:
                self._pattern = _INSIDE[char] if self._pattern is self._outside else self._outside
            elif char == "\\":
                self._skip = position >= len(text)
                position += 1
            else:
                self._depth += 1 if char in "{[" else -1
                if self._depth <= 0:
                    return position
        return -1


class PatternWatch:
    """Looks for a pattern of at most `MAX_TAG_CHARACTERS` characters; `tail` is the text before the first piece."""

    def __init__(self, pattern: re.Pattern[str], tail: str) -> None:
        self._pattern = pattern
        self._tail = tail[-MAX_TAG_CHARACTERS:]

    def __call__(self, piece: str) -> bool:
        text = self._tail + piece
        self._tail = text[-MAX_TAG_CHARACTERS:]
        return self._pattern.search(text) is not None


class ValueWatch:
    """Waits for the end of a JSON value, or for one of the `tags` once the text has doubled since the last look.

    Each of them begins with `<` and is at most `MAX_TAG_CHARACTERS` long.
    """

    def __init__(self, balance: Balance, tags: re.Pattern[str], text: str, start: int) -> None:
        self._balance = balance
        self._tags = tags
        self._tail = text[max(start, len(text) - MAX_TAG_CHARACTERS) :]
        self._length = self._last = len(text) - start
        self.is_over = False

    def __call__(self, piece: str) -> bool:
        self._length += len(piece)
        self.is_over = self.is_over or self._balance.end(piece) >= 0
        text = self._tail + piece
        self._tail = text[-MAX_TAG_CHARACTERS:]
        if self.is_over or "<" not in text or self._length < 2 * self._last:
            return self.is_over
        return self._tags.search(text) is not None


class BalanceWatch:
    """Waits for the end of a bracketed text; `end` is where it is, counted as `length` was, or -1."""

    def __init__(self, balance: Balance, length: int) -> None:
        self._balance = balance
        self._length = length
        self.end = -1

    def __call__(self, piece: str) -> bool:
        end = self._balance.end(piece)
        if end >= 0:
            self.end = self._length + end
        self._length += len(piece)
        return end >= 0

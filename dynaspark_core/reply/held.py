"""The text of a reply that is not decided yet: pieces come in, and whoever reads waits for what decides a place.

Waiting costs each piece once: it is looked at when it comes, and joined to the text when it may decide something.
"""

import re
from collections.abc import Callable, Generator

from dynaspark_core.reply.atoms import MAX_SIGN_CHARACTERS, Sign
from dynaspark_core.reply.watch import MAX_TAG_CHARACTERS, PatternWatch, Watch

Waiting = Generator[None, None, bool]
Steps = Generator[None, None, None]
Seeking = Generator[None, None, re.Match[str] | None]
Placing = Generator[None, None, int]

_MIN_TRIMMED = 4_096
_SCAN_FACTOR = 8
_SCAN_FLOOR = 65_536
_FAILURES_FLOOR = 32
_FAILURE_CHARACTERS = 256
"""So much text may hold one more call that cannot be read, beyond the floor."""
_MOST_SIGNS = 64_000
"""So many `<`, `[` and line breaks outside of calls are looked at. A megabyte of HTML has some 50,000."""
_JOINED_SHARE = 64
"""Of long text that is held, so many times a piece is joined at most: a piece waits until it is this part of it."""


class HeldText:
    """`text[position:]` is undecided; `scan` is where the search for calls goes on in it."""

    # few replies set these; with more than 30 attributes of its own an object is slow
    _objects_from = _pending_end = 0
    """Places in the whole text."""
    _scanned = _passed = 0

    def __init__(self) -> None:
        self.text = ""
        self.position = self.scan = 0
        self.is_final = False
        self._pieces: list[str] = []
        self._waiting = 0
        self._is_due = False
        self._watch: Watch | None = None
        self._found: dict[re.Pattern[str], tuple[int, re.Match[str] | None, int]] = {}
        self._trimmed = self._signs = self._counted = 0

    def add(self, piece: str) -> bool:
        """Take the next piece; returns whether it may decide something."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if not (self._is_due or self._watch is None or self._watch(piece)):
            return False
        self._is_due = True
        return self._waiting * _JOINED_SHARE >= len(self.text) - _MIN_TRIMMED

    def more(self, watch: Watch | None = None) -> Waiting:
        """Wait for more text, until the watch sees something in it. False if there is no more."""
        if self.is_final:
            return False
        self._watch = watch
        yield
        self._watch, self._is_due, self._waiting = None, False, 0
        self.text += "".join(self._pieces)
        self._pieces.clear()
        return True

    def trim(self) -> None:
        """Forget what was decided once it is most of the text. Places of before are not good any more."""
        if self.position >= _MIN_TRIMMED and 2 * self.position >= len(self.text):
            self._forget()

    def _forget(self) -> None:
        if self.position:
            self._drop(self.position)

    def _drop(self, done: int) -> None:
        """Forget the text up to a place."""
        if done > self._counted:
            self.is_crowded(done)
        self._counted -= done
        if self._found:
            self._found.clear()
        self.text = self.text[done:]
        self.scan -= done
        self._trimmed += done
        self.position = 0

    def match(self, sign: Sign, at: int) -> Seeking:
        """The match of the sign at a place, as soon as the text that has come decides it."""
        while not self.is_final and len(self.text) - at <= MAX_SIGN_CHARACTERS and sign.begun.match(self.text, at):
            yield from self.more()
        return sign.whole.match(self.text, at)

    def visible(self, at: int, blank: Callable[[str], bool] = str.isspace) -> Placing:
        """The place of the next character that is not blank, waiting for it; the end of the text if there is none."""
        place = at
        while True:
            while place < len(self.text) and blank(self.text[place]):
                place += 1
            if place < len(self.text) or not (yield from self.more(lambda piece: not all(map(blank, piece)))):
                return place

    def find(self, pattern: re.Pattern[str], start: int) -> re.Match[str] | None:
        """The first match from `start` on. What was looked through for the same pattern is not looked through again."""
        begin, found, seen = self._found.get(pattern, (len(self.text) + 1, None, 0))
        if begin > start or (found is not None and found.start() < start):
            begin, found, seen = start, None, start
        if found is None and seen < len(self.text):
            found = pattern.search(self.text, max(start, seen - MAX_TAG_CHARACTERS))
        self._found[pattern] = begin, found, len(self.text)
        return found

    def seek(self, pattern: re.Pattern[str], start: int) -> Seeking:
        """The first match from `start` on, waiting for it; None if the text ends without one.

        A match that reaches the end of the text may be none when more comes.
        """
        while (found := self.find(pattern, start)) is None or (
            found.end() >= len(self.text) and found[0][-1:].isalnum()
        ):
            tail = self.text[max(start, len(self.text) - MAX_TAG_CHARACTERS) :]
            if not (yield from self.more(PatternWatch(pattern, tail) if found is None else None)):
                return found
            if found is not None:
                del self._found[pattern]
                start = found.start()
        return found

    def within_budget(self, start: int, end: int) -> bool:
        """Whether one more tolerant look at `text[start:end]` keeps all such looks within a multiple of the text."""
        self._scanned += end - start
        return self._scanned <= _SCAN_FACTOR * (self._trimmed + end) + _SCAN_FLOOR

    def is_crowded(self, end: int) -> bool:
        """Whether the text up to `end` that was no call holds so many signs that no more are looked at."""
        if end > self._counted:
            text, begin = self.text, self._counted
            self._signs += text.count("<", begin, end) + text.count("[", begin, end) + text.count("\n", begin, end)
            self._counted = end
        return self._signs > _MOST_SIGNS

    def use(self, end: int) -> None:
        """The text up to `end` is decided, and no text of the reply."""
        self.position = self.scan = self._counted = end

    def is_too_many(self, failures: int, place: int) -> bool:
        """Whether the text up to the place holds so many calls that cannot be read that no more are looked at."""
        return failures > _FAILURES_FLOOR + (self._trimmed + place) // _FAILURE_CHARACTERS

    # ---- where the search is

    def go_on(self, place: int) -> None:
        """Continue the search at a place: nothing before it is a call, or it is held."""
        self.scan = place

    def pass_objects(self, end: int) -> None:
        """Look for no object or list before `end`: all up to there is inside one that is text."""
        self._objects_from = max(self._objects_from, self._trimmed + end)

    def may_begin_object(self, place: int) -> bool:
        """Whether no object that is text reaches over the place."""
        return self._trimmed + place >= self._objects_from

    def pass_over(self, opening: int) -> None:
        """Continue behind what might have opened a call, and did not."""
        self._passed += 1
        self.scan = opening + 1

    def may_be_doubtful(self, place: int) -> bool:
        """Whether what only looks like a call is worth reading here: not behind too many that were none."""
        return not self.is_too_many(self._passed, place)

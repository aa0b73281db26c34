"""What stands before a place in the undecided text: the questions that decide whether a call there is meant."""

import re

from dynaspark_core.reply.atoms import MAX_INDENT_CHARACTERS
from dynaspark_core.reply.context import Context
from dynaspark_core.reply.held import HeldText
from dynaspark_core.reply.written import RawCall

_LINE_BEGINS = re.compile(rf"\n[ \t]{{0,{MAX_INDENT_CHARACTERS}}}\Z")


class Places(HeldText):
    """The undecided text behind the shown text, which `context` knows, and behind the calls that are held."""

    def __init__(self) -> None:
        super().__init__()
        self.context = Context()
        self._pending: list[RawCall] = []

    def begin_of_line(self, place: int) -> int:
        """The line break before a place that is the first of its line but for an indent; else the place."""
        found = _LINE_BEGINS.search(self.text, max(self.position, place - MAX_INDENT_CHARACTERS - 1), place)
        return found.start() if found is not None else place

    def gap(self, place: int) -> str:
        """The undecided text before a place, behind held calls."""
        return self.text[self._pending_end - self._trimmed if self._pending else self.position : place]

    def is_quoted(self, place: int) -> bool:
        """Whether a place, before which only blanks are undecided, is a quotation."""
        return not self._pending and self.context.is_quoted(self.gap(place))

    def is_within_word(self, place: int) -> bool:
        """Whether the place is right behind a letter or a digit."""
        return not self.gap(place) and not self._pending and self.context.ends_word()

    def is_announced(self, place: int, *, closely: bool = False) -> bool:
        """Whether the line before a place at the beginning of a line announces an example."""
        return not self._pending and not self.is_line_begun(place) and self.context.announces_example(closely=closely)

    def is_line_begun(self, place: int) -> bool:
        """Whether anything but blanks stands before the place on its line."""
        return "\n" not in self.gap(place) and (bool(self._pending) or self.context.is_begun())

    def has_words_before(self, place: int) -> bool:
        """Whether words stand before the place on its line."""
        return "\n" not in self.gap(place) and not self._pending and self.context.has_words()

"""Calls that stand as a block of their own, at the beginning of a line: which kind of block begins there.

Answers hold such blocks too. So these are calls only if they could run as they are, and if nothing but other calls
follows; the rest is text.
"""

import re
from collections.abc import Callable, Generator, Mapping

from dynaspark_core.reply.buffer import Reading, Steps
from dynaspark_core.reply.fences import fence
from dynaspark_core.reply.heads import head
from dynaspark_core.reply.offers import balanced, offer
from dynaspark_core.reply.react import action
from dynaspark_core.reply.signs import INDENT_LIMIT, OTHER_TURN, OTHER_TURN_UNDECIDED

_INDENT = re.compile(rf"[ \t]{{0,{INDENT_LIMIT}}}+")
_LEAK = re.compile(r"tool_code\s*\n")
_LEAK_UNDECIDED = re.compile(r"t(?:o(?:o(?:l(?:_(?:c(?:o(?:d(?:e\s{0,9})?)?)?)?)?)?)?)?\Z")


def block(reading: Reading, at: int) -> Steps:
    """What the line that begins at `at` begins: a call in a block of its own, or text."""
    if reading.has_calls and (yield from is_other_turn(reading, at)):
        reading.cut()
        return
    while (place := _after_indent(reading.text, at)) >= len(reading.text):
        if not (yield from reading.more()):
            break
    begin = _BLOCKS.get(reading.text[place : place + 1])
    reading.scan = max(reading.scan, at)
    if begin is not None:
        yield from begin(reading, place)


def _after_indent(text: str, at: int) -> int:
    found = _INDENT.match(text, at)
    return found.end() if found is not None else at


def is_other_turn(reading: Reading, at: int) -> Generator[None, None, bool]:
    """Whether somebody else's turn begins here."""
    while OTHER_TURN_UNDECIDED.match(reading.text, at) and (yield from reading.more()):
        pass
    return OTHER_TURN.match(reading.text, at) is not None


def leak(reading: Reading, at: int) -> Steps:
    """A whole reply of Python after the word tool_code, which Gemini lets slip."""
    while _LEAK_UNDECIDED.match(reading.text, at) and (yield from reading.more()):
        pass
    found = _LEAK.match(reading.text, at)
    if found is None:
        return
    while (yield from reading.more(_never)):
        pass
    offer(reading, "python", found.end(), len(reading.text))


def _never(_: str) -> bool:
    return False


def _bracket(reading: Reading, at: int) -> Steps:
    """An object or a list that stands free."""
    reading.scan = at + 1
    if at < reading.objects_from:
        return
    kind = yield from head(reading, at)
    if not kind:
        return
    end = yield from balanced(reading, at, kind)
    if end is None:
        reading.objects_from = len(reading.text)
        if offer(reading, kind, at, len(reading.text.rstrip())):
            return
        if kind == "message" and reading.is_untouched:
            reading.reject(reading.text[at:], "truncated", "the reply ends within a call", len(reading.text))
    elif not offer(reading, kind, at, end):
        reading.objects_from = end


_BLOCKS: Mapping[str, Callable[[Reading, int], Steps]] = {
    "{": _bracket,
    "[": _bracket,
    "`": fence,
    "~": fence,
    "A": action,
    "*": action,
}

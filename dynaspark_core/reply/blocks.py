"""Calls that stand as a block of their own, at the beginning of a line: which kind of block begins there.

Answers hold such blocks too. So these are calls only if they could run as they are, and if nothing but other calls
follows; the rest is text.
"""

import re
from collections.abc import Callable, Generator, Mapping

from dynaspark_core.reply.buffer import ReplyBuffer, Steps
from dynaspark_core.reply.fences import read_fence
from dynaspark_core.reply.heads import kind_of_block
from dynaspark_core.reply.offers import closing_bracket, offer_calls
from dynaspark_core.reply.react import read_action
from dynaspark_core.reply.signs import MAX_INDENT_CHARACTERS, OTHER_TURN, OTHER_TURN_UNDECIDED

_INDENT = re.compile(rf"[ \t]{{0,{MAX_INDENT_CHARACTERS}}}+")
_LEAK = re.compile(r"tool_code\s*\n")
_LEAK_UNDECIDED = re.compile(r"t(?:o(?:o(?:l(?:_(?:c(?:o(?:d(?:e\s{0,9})?)?)?)?)?)?)?)?\Z")


def read_block(buffer: ReplyBuffer, at: int) -> Steps:
    """Read what the line at `at` begins: a call in a block of its own, or text."""
    if buffer.has_calls and (yield from is_other_turn(buffer, at)):
        buffer.cut()
        return
    while (place := _INDENT.match(buffer.text, at).end()) >= len(buffer.text):  # type: ignore[union-attr]  # matches the empty text
        if not (yield from buffer.more()):
            break
    begin = _BLOCKS.get(buffer.text[place : place + 1])
    buffer.scan = max(buffer.scan, at)
    if begin is not None:
        yield from begin(buffer, place)


def is_other_turn(buffer: ReplyBuffer, at: int) -> Generator[None, None, bool]:
    """Whether somebody else's turn begins here."""
    while OTHER_TURN_UNDECIDED.match(buffer.text, at) and (yield from buffer.more()):
        pass
    return OTHER_TURN.match(buffer.text, at) is not None


def read_bare_tool_code(buffer: ReplyBuffer, at: int) -> Steps:
    """Read a whole reply of Python after the bare word tool_code, as Gemini sometimes writes it."""
    while _LEAK_UNDECIDED.match(buffer.text, at) and (yield from buffer.more()):
        pass
    found = _LEAK.match(buffer.text, at)
    if found is None:
        return
    while (yield from buffer.more(lambda _: False)):
        pass
    offer_calls(buffer, "python", found.end(), len(buffer.text))


def _bracket(buffer: ReplyBuffer, at: int) -> Steps:
    """Read an object or a list on lines of its own."""
    buffer.scan = at + 1
    if at < buffer.objects_from:
        return
    kind = yield from kind_of_block(buffer, at)
    if not kind:
        return
    end = yield from closing_bracket(buffer, at, kind)
    if end is None:
        buffer.objects_from = len(buffer.text)
        if offer_calls(buffer, kind, at, len(buffer.text.rstrip())):
            return
        if kind == "message" and buffer.is_untouched:
            buffer.reject(buffer.text[at:], "truncated", "the reply ends within a call", len(buffer.text))
    elif not offer_calls(buffer, kind, at, end):
        buffer.objects_from = end


_BLOCKS: Mapping[str, Callable[[ReplyBuffer, int], Steps]] = {
    "{": _bracket,
    "[": _bracket,
    "`": read_fence,
    "~": read_fence,
    "A": read_action,
    "*": read_action,
}

"""Calls that stand as a block of their own, at the beginning of a line: which kind of block begins there.

Answers hold such blocks too. So these are calls only if they could run as they are, and if nothing but other calls
follows; the rest is text.
"""

import re
from collections.abc import Callable, Generator, Mapping

from dynaspark_core.reply.atoms import (
    MAX_INDENT_CHARACTERS,
    Sign,
    ahead,
    anycase,
    chars,
    either,
    maybe,
    seq,
    word,
    words,
)
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.fences import read_fence
from dynaspark_core.reply.heads import Kind, kind_of_block
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.offers import closing_bracket, offer_calls
from dynaspark_core.reply.react import read_action
from dynaspark_core.reply.shown import JSON_TEXT, show_object
from dynaspark_core.reply.signs import OTHER_TURN
from dynaspark_core.reply.tokens import read_sign
from dynaspark_core.reply.vendors import TOKEN

Joining = Generator[None, None, int | None]
_INDENT = re.compile(rf"[ \t]{{0,{MAX_INDENT_CHARACTERS}}}+")
LEAK = Sign(seq(word("tool_code"), chars("[ \t]", 0, 9), chars(r"[\r\n]", 1, 2)), "tool_code\n", "tool_code is")
"""The word that Gemini lets slip before Python."""
PRINTED = Sign(
    seq(
        chars(r"\s", 0, 24), maybe(seq(word("print"), chars(r"\s", 0, 4), word("("), chars(r"\s", 0, 4))),
        word("default_api"), chars(r"\s", 0, 4), word("."),
    ),
    "print(default_api.", "print(x)",
)  # fmt: skip
_BARE_CODE = Sign(either(LEAK.atom, PRINTED.atom), "tool_code\n", "tool_code is")
LEFTOVER = Sign(
    either(
        seq(anycase(word("json")), chars("[ \t]", 0, 9), chars(r"[\r\n]", 1, 2), chars(r"\s", 0, 24),
            ahead(chars(r"[{\[<`~]", 1, 1))),
        seq(chars(r"\*", 0, 2), word("Action:"), chars(r"\*", 0, 2), chars(r"\s", 0, 32),
            ahead(words("```", "~~~", "{"))),
    ),
    "json\n{", "json is a format", "Action: f\n",
)  # fmt: skip
"""A line that belongs to the call behind it."""


def read_block(buffer: ReplyBuffer, at: int) -> Steps:
    """Read what the line at `at` begins: a call in a block of its own, or text."""
    if buffer.has_calls and (yield from buffer.match(OTHER_TURN, at)) is not None:
        buffer.cut()
        return
    while (place := _INDENT.match(buffer.text, at).end()) >= len(buffer.text):  # type: ignore[union-attr]  # matches the empty text
        if not (yield from buffer.more()):
            break
    buffer.go_on(max(buffer.scan, at))
    if buffer.text[place : place + 1] not in BLOCKS:
        return
    left = (yield from buffer.match(LEFTOVER, place)) if buffer.text[place] in "jJA*" else None
    if buffer.context.is_markup():
        return
    place = left.end() if left is not None else place
    begin = BLOCKS.get(buffer.text[place : place + 1])
    if begin is not None:
        yield from begin(buffer, place)


def read_bare_code(buffer: ReplyBuffer, at: int) -> Steps:
    """Read a whole reply of Python calls, bare or after the word tool_code, as Gemini sometimes writes it."""
    if (yield from buffer.match(_BARE_CODE, at)) is None:
        return
    leak = LEAK.whole.match(buffer.text, at)
    while (yield from buffer.more(lambda _: False)):
        pass
    offer_calls(buffer, "python", leak.end() if leak is not None else at, len(buffer.text))


def _bracket(buffer: ReplyBuffer, at: int) -> Steps:
    """Read an object or a list on lines of its own, and the objects that are joined to it."""
    place: int | None = at
    while place is not None:
        place = yield from _one_bracket(buffer, place)


def _one_bracket(buffer: ReplyBuffer, at: int) -> Joining:
    """Read one object or list. Returns where an object begins that is joined to it."""
    buffer.go_on(at + 1)
    if not buffer.may_begin_object(at):
        return None
    kind = yield from kind_of_block(buffer, at)
    if not kind or buffer.is_announced(at):
        if (yield from buffer.match(JSON_TEXT, at)) is not None:
            yield from show_object(buffer, at)
        return None
    end = yield from closing_bracket(buffer, at, kind)
    if end is not None and offer_calls(buffer, kind, at, end):
        return (yield from _joined(buffer, end))
    if end is None:
        _offer_open(buffer, kind, at)
    else:
        buffer.pass_objects(end)
        buffer.go_on(end)
    return None


def _offer_open(buffer: ReplyBuffer, kind: Kind, at: int) -> None:
    """Read what no bracket closes before the reply ends."""
    buffer.pass_objects(len(buffer.text))
    if offer_calls(buffer, kind, at, len(buffer.text.rstrip())):
        return
    if kind == "message" and buffer.is_untouched:
        buffer.reject(buffer.text[at:], "truncated", "the reply ends within a call", len(buffer.text))


def _joined(buffer: ReplyBuffer, end: int) -> Joining:
    """Where an object begins behind one: in its line, or after a comma or a semicolon, with which a reply may end."""
    place = yield from buffer.visible(end)
    sign = buffer.text[place : place + 1]
    if sign in {",", ";"}:
        place = yield from buffer.visible(place + 1)
    if sign == ";":
        buffer.hold((), place)
    is_in_line = sign in {",", ";"} or "\n" not in buffer.text[end:place]
    return place if is_in_line and buffer.text[place : place + 1] == "{" else None


def _square(buffer: ReplyBuffer, at: int) -> Steps:
    """Read a list, or a token of a vendor that begins like one."""
    token = yield from buffer.match(TOKEN, at)
    yield from read_sign(buffer, at) if token is not None else _bracket(buffer, at)


def _nothing(_buffer: ReplyBuffer, _at: int) -> Steps:
    """Read nothing: the line is text."""
    yield from ()


BLOCKS: Mapping[str, Callable[[ReplyBuffer, int], Steps]] = {
    "{": _bracket,
    "[": _square,
    "`": read_fence,
    "~": read_fence,
    "A": read_action,
    "*": read_action,
    "<": read_sign,
    "f": read_sign,
    "j": _nothing,
    "J": _nothing,
}
"""What begins a block, and what reads it."""

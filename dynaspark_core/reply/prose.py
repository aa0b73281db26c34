"""How text without calls is read: text and reasoning, without what leads it and without the turns of others."""

import re
import sys
from functools import partial

from dynaspark_core.reply.atoms import MAX_INDENT_CHARACTERS, Sign, anycase, chars, maybe, seq, unless, word, words
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.shown import FENCE, JSON_TEXT, show_fence, show_object
from dynaspark_core.reply.thoughts import HEADS, LEADING, OPENING, THOUGHTS, THOUGHTS_BEGIN, THOUGHTS_END
from dynaspark_core.reply.watch import COUNTED, MAX_TAG_CHARACTERS, any_of

TURN = Sign(
    seq(word("<"), chars(r"\s", 0, 4), maybe(word("/")), chars(r"\s", 0, 4), anycase(word("turn")), unless(r"[\w\-]")),
    "</turn>", "<turnstile>",
)  # fmt: skip
"""Where a model that was given turns starts to write the turns of others, its own answer has ended."""
_IN_TEXT = any_of(COUNTED)
"""All that `_TRIGGER` finds, and more."""
_BLANKS = re.compile(r"\s*+")
_TAGS = anycase(words("turn", "think", "scratch", "reason"))
_TRIGGER = re.compile(
    rf"<(?=[\s/\\]{{0,9}}(?:{_TAGS.whole}|{_TAGS.begun}))"
    rf"|\n(?=[ \t]{{0,{MAX_INDENT_CHARACTERS}}}(?:\Z|[{{\[]|`{{1,2}}\Z|```|~{{1,2}}\Z|~~~))"
)


def reading(*, has_turns: bool) -> tuple[ReplyBuffer, Steps]:
    """A new reply, and the steps that read it; with `has_turns` it ends where the model begins another's turn."""
    buffer = ReplyBuffer()
    return buffer, _steps(buffer, has_turns=has_turns)


def _steps(buffer: ReplyBuffer, *, has_turns: bool) -> Steps:
    """The main loop: from one place that may end the reply to the next."""
    yield from buffer.more()
    yield from pass_lead(buffer, has_turns=has_turns)
    show = _show_before if has_turns else _show_with_break
    idle = partial(_show_before, buffer) if has_turns else buffer.show
    yield from _at_line(buffer, buffer.position)
    while not buffer.is_cut:
        found = _TRIGGER.search(buffer.text, buffer.scan)
        show(buffer, found.start() if found is not None else len(buffer.text))
        if found is None:
            buffer.go_on(len(buffer.text))
            if not (yield from buffer.more_text(idle, _IN_TEXT)):
                return
        elif found[0] == "\n":
            yield from _at_line(buffer, found.end())
        else:
            buffer.go_on(found.end())
            yield from _read_tag(buffer, found.start(), has_turns=has_turns)


def _read_tag(buffer: ReplyBuffer, at: int, *, has_turns: bool) -> Steps:
    """Read what a `<` begins: a turn of somebody else, reasoning, or text."""
    is_turn = has_turns and (yield from buffer.match(TURN, at)) is not None
    closer = yield from buffer.match(THOUGHTS_END, at)
    opener = yield from buffer.match(THOUGHTS_BEGIN, at)
    if not (is_turn or closer or opener) or buffer.is_quoted(at):
        return
    if is_turn:
        buffer.cut()
    elif closer is not None:
        buffer.show(at)
        buffer.skip(closer.end())
    elif opener is not None:
        yield from read_aside(buffer, opener)


def read_aside(buffer: ReplyBuffer, opener: re.Match[str]) -> Steps:
    """Read reasoning within the text; where it is never closed, its opener is text."""
    closer = yield from buffer.seek(THOUGHTS_END.whole, opener.end())
    if closer is None:
        return
    buffer.show(opener.start())
    buffer.skip(opener.end())
    buffer.think(closer.start())
    buffer.skip(closer.end())


def _show_before(buffer: ReplyBuffer, place: int) -> None:
    """Show the text before a place; line breaks right before it wait, as a turn may end there."""
    text = buffer.text[buffer.position : place]
    end = len(text.rstrip())
    border = text.find("\n", end)
    buffer.show(place if border < 0 else buffer.position + border)


def _show_with_break(buffer: ReplyBuffer, place: int) -> None:
    """Show the text before a place, and a line break that is there."""
    buffer.show(place + buffer.text.startswith("\n", place))


def _at_line(buffer: ReplyBuffer, at: int) -> Steps:
    """Show a fence or JSON that begins a line; nothing in it ends the reply."""
    buffer.go_on(at)
    place = yield from buffer.visible(at, " \t".__contains__)
    if place - at > MAX_INDENT_CHARACTERS:
        return
    begin = buffer.text[place : place + 1]
    if begin in {"`", "~"} and (fence := (yield from buffer.match(FENCE, place))) is not None:
        yield from show_fence(buffer, fence.end() - 1, fence[0])
    elif begin in {"{", "["} and (yield from buffer.match(JSON_TEXT, place)) is not None:
        yield from show_object(buffer, place)


def pass_lead(buffer: ReplyBuffer, *, has_turns: bool = True) -> Steps:
    """Pass over what leads a reply: reasoning, our own opening line, a vendor's line before the text; and blanks."""
    while (yield from buffer.match(LEADING, buffer.position)) is not None:
        for opener, closer in THOUGHTS:
            found = opener.whole.match(buffer.text, buffer.position)
            if found is not None:
                buffer.skip(found.end())
                yield from _pass_thought(buffer, closer)
                break
        else:
            head = next((head for sign in HEADS if (head := sign.whole.match(buffer.text, buffer.position))), None)
            if head is None or (head.re is OPENING.whole and not has_turns):
                return
            buffer.skip(head.end())
            if "final" in head[0]:
                buffer.pass_objects(sys.maxsize)  # its object is an answer in JSON
        yield from _blanks(buffer)


def _pass_thought(buffer: ReplyBuffer, closer: Sign) -> Steps:
    """Give leading reasoning as it comes, up to its closer or the end of the reply."""
    while (end := closer.whole.search(buffer.text, buffer.position)) is None:
        tail = max(buffer.position, len(buffer.text) - MAX_TAG_CHARACTERS)
        begun = closer.begun.search(buffer.text, tail)  # at the end of the text, if nowhere else
        buffer.think(begun.start() if begun is not None else len(buffer.text))
        if not (yield from buffer.more_text()):
            buffer.think(len(buffer.text))
            buffer.is_truncated = True
            return
    buffer.think(end.start())
    buffer.skip(end.end())


def _blanks(buffer: ReplyBuffer) -> Steps:
    while True:
        buffer.skip(_BLANKS.match(buffer.text, buffer.position).end())  # type: ignore[union-attr]  # it matches ""
        if buffer.position < len(buffer.text) or not (yield from buffer.more_text()):
            return

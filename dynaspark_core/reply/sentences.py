"""Whether a call that is written within a line was meant, or is a part of what the line says; and its acceptance.

Where the call ends is known then, but for its closing tag.
"""

# ruff: noqa: RUF001 - punctuation of other languages

import re
from collections.abc import Generator
from dataclasses import replace

from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.context import CLOSING
from dynaspark_core.reply.envelope import Envelope, Found
from dynaspark_core.reply.held import Steps, Waiting
from dynaspark_core.reply.vendors import ENDING
from dynaspark_core.reply.written import RawCall

_BLANKS = re.compile(r"\s*+")
_CLOSING_REST = re.compile(r"(?:\s*+[}\]])?(?:\s*+;)?")
_FENCED_REST = re.compile(rf"{_CLOSING_REST.pattern}(?:\s*+(?:`{{3,}}|~{{3,}}))?")
_PARTIAL = re.compile(r"(?:<[^<>]{0,40}|\[[A-Z_/]{0,24}|`{1,2}|~{1,2})?\Z")
_GOES_ON = frozenset(",.;:!?)]}(…。、，；：！？）」』-–—/&=+%|>")
_EMPHASIS = " \t*_~"


def leave_quoted(buffer: ReplyBuffer, opened: Envelope, end: int) -> Waiting:
    """Leave an envelope that ends at `end` as text if the line or the paragraph before it speaks of it."""
    if not (yield from _is_quoted(buffer, opened.start, end)):
        return False
    buffer.pass_objects(end)
    buffer.go_on(end)
    return True


def _is_quoted(buffer: ReplyBuffer, start: int, end: int) -> Waiting:
    if not buffer.is_line_begun(start):
        return buffer.is_announced(start, closely=True)
    if not buffer.has_words_before(start):
        return False
    if buffer.context.is_list_point():
        return True
    place = yield from buffer.visible(end, _EMPHASIS.__contains__)
    while (token := (yield from buffer.match(ENDING, place))) is not None:
        place = yield from buffer.visible(token.end(), _EMPHASIS.__contains__)
    if place == end and buffer.context.ends_cased() and buffer.gap(start) == "":
        return False  # the tag is set between two words without a blank: no sentence reads so
    return _goes_on(buffer.text[place : place + 1], is_close=place == end, is_new=buffer.context.ends_sentence())


def _goes_on(char: str, *, is_close: bool, is_new: bool) -> bool:
    """Whether the sentence before a call goes on with this character. `is_new`: one had ended before the call."""
    if char.isalnum():
        return char.islower() or not (char.istitle() or is_new)
    if char == "`":
        return not is_new
    return (char in CLOSING and is_close) or char in _GOES_ON if char else False


def settle(buffer: ReplyBuffer, opened: Envelope, found: Found) -> Steps:
    """Accept what was found, or leave it as text if it is quoted or the envelope is not one of calls alone."""
    if not opened.is_explicit and (found.error or not buffer.judge.would_accept(found.calls)):
        buffer.pass_over(opened.start)
        return
    end = found.end
    if not found.is_closed:
        end = yield from _end(buffer, opened, end)
    if found.reason != "truncated" and (yield from leave_quoted(buffer, opened, end)):
        return
    if found.calls:
        text = buffer.text[opened.start : end]
        buffer.accept([_whole(call, opened, text) for call in found.calls], end)
    if found.error:
        buffer.reject(found.raw, found.reason, found.error, end, opened.name or buffer.judge.name_in(found.raw))


def _end(buffer: ReplyBuffer, opened: Envelope, end: int) -> Generator[None, None, int]:
    """Where an envelope ends whose calls end at `end`: after its closing tag, if there is one."""
    rest = _FENCED_REST if opened.has_fence else _CLOSING_REST
    while True:
        position = rest.match(buffer.text, end).end()  # type: ignore[union-attr]  # matches the empty text
        after = _BLANKS.match(buffer.text, position).end()  # type: ignore[union-attr]  # the same
        closer = opened.closer.match(buffer.text, position) or opened.closer.match(buffer.text, after)
        if closer is not None:
            return closer.end()
        if not _PARTIAL.match(buffer.text, after) or not (yield from buffer.more()):
            return position if buffer.text[position - 1 : position] in {"`", "~"} else end


def _whole(call: RawCall, opened: Envelope, text: str) -> RawCall:
    """The call; one whose own text is only its name or only its arguments is known by the text of its envelope."""
    raw = text if opened.name is not None or call.raw == call.name or not call.raw else call.raw
    return replace(call, raw=raw, beside=call.beside | opened.attributes)

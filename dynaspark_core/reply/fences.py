"""Calls in fences. A fence of calls alone (`tool_call`, `tool_code`) is explicit, as tags are.

Others (`json`, `python`, no language) offer what they hold, if that is calls and nothing else. Every other fence is
shown as it comes, and nothing in it is a call.
"""

import re

from dynaspark_core.reply.atoms import END, Sign, ahead, chars, either, maybe, run, seq, word, words
from dynaspark_core.reply.body import read_body
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.envelope import Envelope
from dynaspark_core.reply.heads import Kind, kind_of_block
from dynaspark_core.reply.held import Seeking, Steps, Waiting
from dynaspark_core.reply.offers import closing_bracket, may_offer, offer_calls, read_calls
from dynaspark_core.reply.shown import FENCE, FENCE_END, TICKS, show_fence
from dynaspark_core.reply.signs import CLOSER, EXPLICIT, TAG, family
from dynaspark_core.reply.tags import read_envelope
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.watch import PatternWatch
from dynaspark_core.reply.written import RawCall

_INLINE = chars("[ \t]", 0, 40)
CLOSING = Sign(seq(TICKS, _INLINE, either(ahead(words("\n", "</turn", "<turn ")), END)), "```", "``", "```json")
"""The last line of a fence."""
_SPACE = chars(r"\s", 0, 4)
_WORD = seq(chars("[A-Za-z_]", 1, 1), run(r"\w", 0, 60))
PRINTED_API = Sign(
    either(
        seq(maybe(seq(_WORD, _SPACE, word("="), _SPACE)), maybe(seq(word("print"), _SPACE, word("("), _SPACE)),
            word("default_api"), _SPACE, word(".")),
        seq(word("["), _SPACE, _WORD, run(r"[\w.]", 0, 60), _SPACE, word("(")),
    ),
    "print(default_api.", "print(x)", "[1]",
)  # fmt: skip
"""Python that is meant as a call, not as code to look at."""
_CALL_FENCE_END = re.compile(r"(?:\n[ \t]{0,12}|(?<=[\])};]))(?:```|~~~)")
_CALLED = re.compile(
    r"""(?:"(?:\\.|[^"\\\n])*+"|'(?:\\.|[^'\\\n])*+'|\#[^\n]*+)|(default_api\s*\.\s*)?\b([A-Za-z_][\w.]{0,127})\s*\("""
)
"""What code calls; strings and comments are passed over."""
_BETWEEN = " \t\r\n,;"
_BLANKS = re.compile(r"\s*+")

CODE_FENCES = frozenset({"tool_code", "toolcode"})
CALL_FENCES = frozenset({"tool_call", "tool_calls", "toolcall", "tool-call", *CODE_FENCES})
OBJECT_FENCES = frozenset({"", "json", "json5", "jsonc", "javascript", "js", "tool", "tools", "text", "plaintext"})
TAG_FENCES = frozenset({"", "xml", "html", "json", "text", "plaintext", "tool", "tools"})
PYTHON_FENCES = frozenset({"", "python", "py", "tool", "tools"})


def read_fence(buffer: ReplyBuffer, at: int) -> Steps:
    """Read the fence that begins at `at`: the calls in it, or its text."""
    found = yield from buffer.match(FENCE, at)
    if found is None:
        buffer.go_on(at + 1)
        return
    language = found["language"].lower()
    if (yield from _is_of_calls(buffer, found, language)):
        yield from read_envelope(buffer, Envelope(at, found.end(), _CALL_FENCE_END))
    elif language in CALL_FENCES or buffer.is_announced(at) or not (yield from _soft_fence(buffer, found, language)):
        yield from show_fence(buffer, max(buffer.scan, found.end() - 1), found[0])


def _is_of_calls(buffer: ReplyBuffer, found: re.Match[str], language: str) -> Waiting:
    """Whether it is a fence of calls, not an example of one, and no code: Gemini marks Python as it marks calls."""
    if language not in CALL_FENCES or buffer.is_announced(found.start()):
        return False
    if language not in CODE_FENCES:
        return True
    begin = yield from buffer.visible(found.end())
    if buffer.text[begin : begin + 1] in {"{", "<", ""}:
        return True
    end = yield from _content_end(buffer, begin)
    code = buffer.text[begin : end.start() if end is not None else len(buffer.text)]
    called = (call for call in _CALLED.finditer(code) if call[2])
    return any(call[1] or buffer.judge.names.find(call[2]) is not None for call in called)


def _soft_fence(buffer: ReplyBuffer, found: re.Match[str], language: str) -> Waiting:
    """Hold the calls of a fence that has nothing else in it; returns whether it does."""
    buffer.go_on(found.end())
    begin = yield from buffer.visible(found.end())
    char = buffer.text[begin : begin + 1]
    if char in {"{", "["} and language in OBJECT_FENCES | PYTHON_FENCES:
        kind = yield from kind_of_block(buffer, begin)
        if kind == "python" or (kind and language in OBJECT_FENCES):
            return (yield from _fenced_values(buffer, kind, begin))
    if char == "<" and language in TAG_FENCES:
        tag = yield from buffer.match(TAG, begin)
        if tag is not None and tag["slash"] == "" and family(tag) in EXPLICIT:
            return (yield from _fenced_tags(buffer, begin))
    if language in PYTHON_FENCES and (yield from buffer.match(PRINTED_API, begin)) is not None:
        end = yield from _content_end(buffer, begin)
        if end is None:
            return offer_calls(buffer, "python", begin, len(buffer.text))
        return offer_calls(buffer, "python", begin, end.start(), end.end())
    return False


def _fenced_values(buffer: ReplyBuffer, kind: Kind, begin: int) -> Waiting:
    """Hold values one after the other up to the closing fence."""
    calls: list[RawCall] = []
    place = begin
    while buffer.text[place : place + 1] in {"{", "["}:
        if not buffer.within_budget(place, place):
            return False
        end = yield from closing_bracket(buffer, place, kind)
        if end is None:
            buffer.within_budget(place, len(buffer.text))  # the next fence may be as open
            return False
        found = read_calls(buffer, kind, place, end)
        if not may_offer(buffer, found):
            buffer.go_on(end)
            return False
        calls += found
        place = yield from buffer.visible(end, _BETWEEN.__contains__)
    closing = yield from buffer.match(CLOSING, place)
    if closing is None and place < len(buffer.text):
        return False
    buffer.hold(calls, closing.end() if closing is not None else place)
    return True


def _content_end(buffer: ReplyBuffer, begin: int) -> Seeking:
    while (end := FENCE_END.search(buffer.text, begin)) is None or (end.end() >= len(buffer.text)):
        if not (yield from buffer.more(PatternWatch(FENCE_END, buffer.text[max(begin, len(buffer.text) - 40) :]))):
            break
    return end


def _fenced_tags(buffer: ReplyBuffer, begin: int) -> Waiting:
    """Hold envelopes one after the other, with nothing between them, in a fence."""
    closing = yield from _content_end(buffer, begin)
    end = closing.start() if closing is not None else len(buffer.text)
    calls: list[RawCall] = []
    place = begin
    try:
        while (found := TAG.whole.match(buffer.text, place, end)) is not None and family(found) in EXPLICIT:
            closer = CLOSER.whole.search(buffer.text, found.end(), end)
            body_end = closer.start() if closer is not None else end
            calls += read_body(buffer.text, found.end(), body_end, is_closed=closer is not None)
            place = closer.end() if closer is not None else end
            place = _BLANKS.match(buffer.text, place, end).end()  # type: ignore[union-attr]  # it matches ""
    except Unreadable:
        return False
    if place < end or not buffer.judge.would_accept(calls):
        return False
    buffer.hold(calls, closing.end() if closing is not None else end)
    return True

"""Calls in fences. A fence of calls alone (`tool_call`, `tool_code`) is explicit, as tags are.

Others (`json`, `python`, no language) offer what they hold, if that is calls and nothing else. Every other fence is
shown as it comes, and nothing in it is a call.
"""

import re
from collections.abc import Generator

from dynaspark_core.reply.body import read_body
from dynaspark_core.reply.buffer import ReplyBuffer, Steps
from dynaspark_core.reply.envelope import Envelope
from dynaspark_core.reply.heads import Kind, kind_of_block
from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.offers import closing_bracket, offer_calls, read_calls
from dynaspark_core.reply.signs import CLOSER, EXPLICIT, TAG, family
from dynaspark_core.reply.tags import read_envelope
from dynaspark_core.reply.watch import PatternWatch
from dynaspark_core.reply.written import RawCall

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([\w+.-]{0,30})[ \t]*(?:\r?\n|(?=[\[{<]))")
_FENCE_UNDECIDED = re.compile(r"(?:`{1,40}|~{1,40})[ \t]*[\w+.-]{0,30}[ \t]*\r?\Z")
_FENCE_END = re.compile(r"\n[ \t]{0,12}(?:`{3,}|~{3,})[ \t]*(?=\n|\Z)")
_CALL_FENCE_END = re.compile(r"(?:\n[ \t]{0,12}|(?<=[\])};]))(?:```|~~~)")
_CLOSING = re.compile(r"\s*+(?:(?:`{3,}|~{3,})[ \t]*(?=\n|\Z))?")
_CLOSING_UNDECIDED = re.compile(r"\s*+(?:`{1,40}|~{1,40})?[ \t]*\Z")
_PRINTED_API = re.compile(r"(?:[A-Za-z_]\w*\s*=\s*)?(?:print\s*\(\s*)?default_api\s*\.|\[\s*[A-Za-z_][\w.]*\s*\(")
_PRINTED_API_UNDECIDED = re.compile(r"(?:[A-Za-z_]\w{0,60}|\[\s*[\w.]{0,60})?[\w\s=(.]{0,24}\Z")

_MAYBE_END = re.compile(r"\n[ \t]{0,12}(?:`{0,40}|~{0,40})[ \t]{0,9}\Z")

CALL_FENCES = frozenset({"tool_call", "tool_calls", "toolcall", "tool-call", "tool_code", "toolcode"})
OBJECT_FENCES = frozenset({"", "json", "json5", "jsonc", "javascript", "js", "tool", "tools", "text", "plaintext"})
TAG_FENCES = frozenset({"", "xml", "html", "json", "text", "plaintext", "tool", "tools"})
PYTHON_FENCES = frozenset({"", "python", "py", "tool", "tools"})


def read_fence(buffer: ReplyBuffer, at: int) -> Steps:
    """Read the fence that begins at `at`: the calls in it, or its text."""
    while _FENCE_UNDECIDED.match(buffer.text, at) and (yield from buffer.more()):
        pass
    found = _FENCE.match(buffer.text, at)
    if found is None:
        buffer.scan = at + 1
        return
    language = found[2].lower()
    if language in CALL_FENCES:
        yield from read_envelope(buffer, Envelope(at, found.end(), _CALL_FENCE_END))
    elif not (yield from _soft_fence(buffer, found, language)):
        yield from _literal_fence(buffer, max(buffer.scan, found.end() - 1))


def _soft_fence(buffer: ReplyBuffer, found: re.Match[str], language: str) -> Generator[None, None, bool]:
    """Hold the calls of a fence that has nothing else in it; returns whether it does."""
    begin = found.end()
    buffer.scan = begin
    while begin >= len(buffer.text) or buffer.text[begin].isspace():
        if begin < len(buffer.text):
            begin += 1
        elif not (yield from buffer.more()):
            return False
    char = buffer.text[begin]
    if char in "{[" and language in OBJECT_FENCES | PYTHON_FENCES:
        kind = yield from kind_of_block(buffer, begin)
        if kind == "python" or (kind and language in OBJECT_FENCES):
            return (yield from _fenced_values(buffer, kind, begin))
    if char == "<" and language in TAG_FENCES and (yield from _is_tag(buffer, begin)):
        return (yield from _fenced_tags(buffer, begin))
    if language in PYTHON_FENCES:
        while _PRINTED_API_UNDECIDED.match(buffer.text, begin) and (yield from buffer.more()):
            pass
        if _PRINTED_API.match(buffer.text, begin):
            end = yield from _content_end(buffer, begin)
            if end is None:
                return offer_calls(buffer, "python", begin, len(buffer.text))
            return offer_calls(buffer, "python", begin, end.start(), end.end())
    return False


def _fenced_values(buffer: ReplyBuffer, kind: Kind, begin: int) -> Generator[None, None, bool]:
    """Values one after the other up to the closing fence."""
    calls: list[RawCall] = []
    place = begin
    while buffer.text[place : place + 1] in {"{", "["}:
        end = yield from closing_bracket(buffer, place, kind)
        if end is None:
            return False
        found = read_calls(buffer, kind, place, end)
        if not buffer.judge.would_accept(found):
            buffer.scan = end
            return False
        calls += found
        while _CLOSING_UNDECIDED.match(buffer.text, end) and (yield from buffer.more()):
            pass
        place = _end_of_fence(buffer, end)
    if place == end and place < len(buffer.text):
        return False
    buffer.hold(calls, place)
    return True


def _end_of_fence(buffer: ReplyBuffer, end: int) -> int:
    """After the closing fence, or where something else stands."""
    found = _CLOSING.match(buffer.text, end)
    if found is None:
        return end
    is_closed = found[0].strip() or found.end() >= len(buffer.text)
    return found.end() if is_closed or buffer.text[found.end()] in "{[" else end


def _is_tag(buffer: ReplyBuffer, at: int) -> Generator[None, None, bool]:
    while (found := TAG.match(buffer.text, at)) is None and len(buffer.text) - at < 24:
        if not (yield from buffer.more()):
            break
    return found is not None and found["slash"] is None and family(found) in EXPLICIT


def _content_end(buffer: ReplyBuffer, begin: int) -> Generator[None, None, re.Match[str] | None]:
    while (end := _FENCE_END.search(buffer.text, begin)) is None or (end.end() >= len(buffer.text)):
        if not (yield from buffer.more(PatternWatch(_FENCE_END, buffer.text[max(begin, len(buffer.text) - 40) :]))):
            break
    return end


def _fenced_tags(buffer: ReplyBuffer, begin: int) -> Generator[None, None, bool]:
    """Envelopes one after the other, with nothing between them, in a fence."""
    closing = yield from _content_end(buffer, begin)
    end = closing.start() if closing is not None else len(buffer.text)
    calls: list[RawCall] = []
    place = begin
    try:
        while (found := TAG.match(buffer.text, place, end)) is not None and family(found) in EXPLICIT:
            closer = CLOSER.search(buffer.text, found.end(), end)
            body_end = closer.start() if closer is not None else end
            calls += read_body(buffer.text, found.end(), body_end, is_closed=closer is not None)
            place = closer.end() if closer is not None else end
            place += len(buffer.text[place:end]) - len(buffer.text[place:end].lstrip())
    except Unreadable:
        return False
    if place < end or not buffer.judge.would_accept(calls):
        return False
    buffer.hold(calls, closing.end() if closing is not None else end)
    return True


def _literal_fence(buffer: ReplyBuffer, begin: int) -> Steps:
    """Show a fence to its end, as it comes: nothing in it is a call."""
    buffer.scan = begin
    while (end := _FENCE_END.search(buffer.text, buffer.scan)) is None or end.end() >= len(buffer.text):
        border = buffer.text.rfind("\n", buffer.scan)
        is_held = border >= 0 and _MAYBE_END.match(buffer.text, border)
        buffer.scan = border if is_held else len(buffer.text)
        buffer.show(buffer.scan)
        if not (yield from buffer.more_text()):
            break
    buffer.scan = end.end() if end is not None else len(buffer.text)
    buffer.show(buffer.scan)

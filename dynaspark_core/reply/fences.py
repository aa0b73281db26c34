"""Calls in fences. A fence of calls alone (`tool_call`, `tool_code`) is explicit, as tags are.

Others (`json`, `python`, no language) offer what they hold, if that is calls and nothing else. Every other fence is
shown as it comes, and nothing in it is a call.
"""

import re
from collections.abc import Generator

from dynaspark_core.reply.body import read_body
from dynaspark_core.reply.buffer import Reading, Steps
from dynaspark_core.reply.envelope import Envelope
from dynaspark_core.reply.heads import Kind, head
from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.offers import balanced, calls_in, offer
from dynaspark_core.reply.signs import CLOSER, EXPLICIT, TAG, family
from dynaspark_core.reply.tags import envelope
from dynaspark_core.reply.watch import PatternWatch
from dynaspark_core.reply.written import Written

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


def fence(reading: Reading, at: int) -> Steps:
    """A fence that begins at `at`: the calls in it, or its text."""
    while _FENCE_UNDECIDED.match(reading.text, at) and (yield from reading.more()):
        pass
    found = _FENCE.match(reading.text, at)
    if found is None:
        reading.scan = at + 1
        return
    language = found[2].lower()
    if language in CALL_FENCES:
        yield from envelope(reading, Envelope(at, found.end(), _CALL_FENCE_END))
    elif not (yield from _soft_fence(reading, found, language)):
        yield from _literal_fence(reading, max(reading.scan, found.end() - 1))


def _soft_fence(reading: Reading, found: re.Match[str], language: str) -> Generator[None, None, bool]:
    """Holds the calls of a fence that has nothing else in it."""
    begin = found.end()
    reading.scan = begin
    while begin >= len(reading.text) or reading.text[begin].isspace():
        if begin < len(reading.text):
            begin += 1
        elif not (yield from reading.more()):
            return False
    char = reading.text[begin]
    if char in "{[" and language in OBJECT_FENCES | PYTHON_FENCES:
        kind = yield from head(reading, begin)
        if kind == "python" or (kind and language in OBJECT_FENCES):
            return (yield from _fenced_values(reading, kind, begin))
    if char == "<" and language in TAG_FENCES and (yield from _is_tag(reading, begin)):
        return (yield from _fenced_tags(reading, begin))
    if language in PYTHON_FENCES:
        while _PRINTED_API_UNDECIDED.match(reading.text, begin) and (yield from reading.more()):
            pass
        if _PRINTED_API.match(reading.text, begin):
            return (yield from _fenced_python(reading, begin))
    return False


def _fenced_values(reading: Reading, kind: Kind, begin: int) -> Generator[None, None, bool]:
    """Values one after the other up to the closing fence."""
    calls: list[Written] = []
    place = begin
    while reading.text[place : place + 1] in {"{", "["}:
        end = yield from balanced(reading, place, kind)
        if end is None:
            return False
        found = calls_in(reading, kind, place, end)
        if not reading.judge.would_accept(found):
            reading.scan = end
            return False
        calls += found
        while _CLOSING_UNDECIDED.match(reading.text, end) and (yield from reading.more()):
            pass
        place = _end_of_fence(reading, end)
    if place == end and place < len(reading.text):
        return False
    reading.pend(calls, place)
    return True


def _end_of_fence(reading: Reading, end: int) -> int:
    """After the closing fence, or where something else stands."""
    found = _CLOSING.match(reading.text, end)
    if found is None:
        return end
    is_closed = found[0].strip() or found.end() >= len(reading.text)
    return found.end() if is_closed or reading.text[found.end()] in "{[" else end


def _is_tag(reading: Reading, at: int) -> Generator[None, None, bool]:
    while (found := TAG.match(reading.text, at)) is None and len(reading.text) - at < 24:
        if not (yield from reading.more()):
            break
    return found is not None and found["slash"] is None and family(found) in EXPLICIT


def _content_end(reading: Reading, begin: int) -> Generator[None, None, re.Match[str] | None]:
    while (end := _FENCE_END.search(reading.text, begin)) is None or (end.end() >= len(reading.text)):
        if not (yield from reading.more(PatternWatch(_FENCE_END, reading.text[max(begin, len(reading.text) - 40) :]))):
            break
    return end


def _fenced_python(reading: Reading, begin: int) -> Generator[None, None, bool]:
    end = yield from _content_end(reading, begin)
    if end is None:
        return offer(reading, "python", begin, len(reading.text))
    return offer(reading, "python", begin, end.start(), end.end())


def _fenced_tags(reading: Reading, begin: int) -> Generator[None, None, bool]:
    """Envelopes one after the other, with nothing between them, in a fence."""
    closing = yield from _content_end(reading, begin)
    end = closing.start() if closing is not None else len(reading.text)
    calls: list[Written] = []
    place = begin
    try:
        while (found := TAG.match(reading.text, place, end)) is not None and family(found) in EXPLICIT:
            closer = CLOSER.search(reading.text, found.end(), end)
            body_end = closer.start() if closer is not None else end
            calls += read_body(reading.text, found.end(), body_end, is_closed=closer is not None)
            place = closer.end() if closer is not None else end
            place += len(reading.text[place:end]) - len(reading.text[place:end].lstrip())
    except Unreadable:
        return False
    if place < end or not reading.judge.would_accept(calls):
        return False
    reading.pend(calls, closing.end() if closing is not None else end)
    return True


def _literal_fence(reading: Reading, begin: int) -> Steps:
    """Shows a fence to its end, as it comes: nothing in it is a call."""
    reading.scan = begin
    while (end := _FENCE_END.search(reading.text, reading.scan)) is None or end.end() >= len(reading.text):
        border = reading.text.rfind("\n", reading.scan)
        is_held = border >= 0 and _MAYBE_END.match(reading.text, border)
        reading.scan = border if is_held else len(reading.text)
        reading.show(reading.scan)
        if not (yield from reading.more_text()):
            break
    reading.scan = end.end() if end is not None else len(reading.text)
    reading.show(reading.scan)

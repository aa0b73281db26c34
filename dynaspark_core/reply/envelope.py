"""The calls of one opened envelope: by strict values first, else by the tolerant reader up to a closing tag."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from typing import Any

from dynaspark_core.messages import InvalidReason
from dynaspark_core.messages.making import QuicklyMade
from dynaspark_core.reply.body import OBJECT, read_body
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.held import Waiting
from dynaspark_core.reply.signs import (
    ATTRIBUTES,
    CLOSER,
    EXPLICIT,
    FUNCTION_CLOSER,
    FUNCTIONS,
    IDENTITY,
    NAME_ATTRIBUTE,
    NEXT_CALL,
    STOP,
)
from dynaspark_core.reply.strict_json import Open, strict_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.vendors import TOKEN
from dynaspark_core.reply.watch import Balance, ValueWatch
from dynaspark_core.reply.written import MAX_CALLS, TOO_MANY_CALLS, RawCall, unwrap_calls
from dynaspark_core.reply.xml import WRAPPER, name_of

_SEPARATOR = re.compile(r"[\s,;\xa0\ufeff]*+")
MAX_LATER = 8
"""Most closing tags within strings that are passed over in search of the one that ends the call."""
_GOES_ON = frozenset("\"'“:=+)")
"""What would go on with an object that has ended: it was closed too early."""


@dataclass(frozen=True, slots=True)
class Envelope(QuicklyMade):
    """An opened envelope: where it and its body begin, what closes it, the name that its tag gave.

    `wrapper` is the tag's name with its namespace, where XML in it has own tags. `attributes` are remarks, unless
    the tool has such a parameter. `is_explicit`: only calls are written like this, so a broken one is reported.
    """

    start: int
    body: int
    closer: re.Pattern[str]
    name: str | None = None
    is_explicit: bool = True
    is_closer_inside: bool = False
    is_self_closing: bool = False
    is_token: bool = False
    has_fence: bool = False
    wrapper: str = ""
    depth: int = 0
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Found(QuicklyMade):
    """The calls of an envelope and where they end; with an `error` the text `raw` after them could not be read."""

    calls: list[RawCall]
    end: int
    is_closed: bool = False
    raw: str = ""
    reason: InvalidReason = "malformed"
    error: str = ""


Finding = Generator[None, None, Found]


def opened_by(found: re.Match[str], name: str, *, is_closing: bool) -> Envelope:
    """The envelope that a tag of this family opens."""
    attribute = NAME_ATTRIBUTE.search(found["rest"])
    label = found.string[found.start() + 1 : found.end("name")]
    has_wrapper = not is_closing and WRAPPER.fullmatch(label) is not None
    is_closed = "/" in found["end"]
    is_function = name in FUNCTIONS and (attribute is not None or name == "invoke") and not is_closed
    return Envelope(
        start=found.start(),
        body=found.start() if is_function else found.end(),
        closer=FUNCTION_CLOSER.whole if is_function else CLOSER.whole,
        name=attribute[1].strip() if attribute is not None and "=" in found["rest"] else None,
        is_explicit=name in EXPLICIT and not is_closing,
        is_closer_inside=is_function,
        is_self_closing=is_closed,
        wrapper=name_of(label) if has_wrapper else "",
        attributes=frozenset(ATTRIBUTES.findall(found["rest"])) - IDENTITY,
    )


def read_values(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Finding:
    """The calls in one or more JSON values from `begin`."""
    calls: list[RawCall] = []
    position: int | None = begin
    while position is not None:
        at = position
        value = yield from read_strict_value(buffer, at)
        after = (yield from _next(buffer, opened, value[1])) if value is not None else _Next(is_wrong=True)
        if value is None or after.is_wrong:
            return (yield from read_up_to_closer(buffer, opened, at, calls))
        calls += unwrap_calls(value[0], buffer.text[at : value[1]], name=opened.name)
        if len(calls) > MAX_CALLS:
            return (yield from unread(buffer, opened, begin, [], Unreadable(at, TOO_MANY_CALLS)))
        position, end = after.begin, value[1]
    if not calls:
        return Found(calls, end, raw=buffer.text[begin:end], error="there is no call in it")
    return Found(calls, end)


def read_strict_value(buffer: ReplyBuffer, at: int) -> Generator[None, None, tuple[Any, int] | None]:
    """The JSON value at a place and where it ends, as soon as it does; None once there can be none."""
    value = strict_value(buffer.text, at)
    while isinstance(value, Open):
        balance = Balance()
        if value.is_hopeless or balance.end(buffer.text, at) >= 0:
            return None
        watch = ValueWatch(balance, STOP.whole, buffer.text, at)
        if not (yield from buffer.more(watch)):
            return None
        value = strict_value(buffer.text, at)
        if watch.is_over and isinstance(value, Open):
            return None
    return value


@dataclass(frozen=True, slots=True)
class _Next:
    """What follows an object: another that begins here, nothing more of the call, or something wrong."""

    begin: int | None = None
    is_wrong: bool = False


def _next(buffer: ReplyBuffer, opened: Envelope, end: int) -> Generator[None, None, _Next]:
    while True:
        text = buffer.text
        begin = _after(text, end)
        is_extra = text[begin : begin + 1] in {"}", "]"} and "," not in text[end:begin]
        begin = _after(text, begin + 1) if is_extra else begin
        if begin < len(text) or not (yield from buffer.more()):
            break
    char = text[begin : begin + 1]
    if opened.is_token and (yield from buffer.match(TOKEN, begin)) is not None:
        return _Next()
    if is_extra:
        return _Next(is_wrong=char not in {"", "<", "`", "~"})
    if char and char in "{[":
        return _Next(begin)
    is_comma_wrong = "," in text[end:begin] and char not in {"", "<", "`"}
    is_wrong = is_comma_wrong or char in _GOES_ON or char in {"}", "]"}
    is_prose = not is_wrong and char not in ({"", "<"} if opened.name is not None else {"", "<", "`", "~"})
    return _Next(is_wrong=is_wrong or (is_prose and (yield from _has_more(buffer, opened, begin))))


def _has_more(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Waiting:
    """Whether an object is in the words between a call and the closing tag: it would be lost with them."""
    border = yield from buffer.seek(first_of(opened.closer, STOP.whole.pattern), begin)
    is_closed = border is not None and opened.closer.match(buffer.text, border.start()) is not None
    return border is not None and is_closed and OBJECT.search(buffer.text, begin, border.start()) is not None


def _after(text: str, position: int) -> int:
    found = _SEPARATOR.match(text, position)
    return found.end() if found is not None else position


def read_up_to_closer(buffer: ReplyBuffer, opened: Envelope, begin: int, calls: list[RawCall] | None = None) -> Finding:
    """The calls from `begin` up to a closing tag, after the `calls` that were read already."""
    calls = [] if calls is None else calls
    border = yield from buffer.seek(first_of(opened.closer, STOP.whole.pattern), begin)
    end, after, is_closed = _ends(buffer, opened, border)
    try:
        stop = after if opened.is_closer_inside else end
        found = _read(buffer, opened, begin, stop, is_closed=is_closed)
    except Unreadable as error:
        later = (yield from _later(buffer, opened, begin, border)) if border is not None and error.in_string else None
        if later is not None:
            return Found(calls + later.calls, later.end, is_closed=True)
        return (yield from unread(buffer, opened, begin, calls, error))
    return Found(calls + found, after, is_closed=is_closed)


def unread(buffer: ReplyBuffer, opened: Envelope, begin: int, calls: list[RawCall], error: Unreadable) -> Finding:
    """The `calls`, and the text from `begin` up to a closing tag as one that cannot be read."""
    border = yield from buffer.seek(first_of(opened.closer, STOP.whole.pattern), begin)
    end, after, _ = _ends(buffer, opened, border)
    raw = buffer.text[begin:end].strip() if opened.is_explicit else ""
    reason: InvalidReason = "truncated" if error.is_cut and end >= len(buffer.text) else "malformed"
    return Found(calls, after, is_closed=True, raw=raw, reason=reason, error=error.located(buffer.text, begin))


def _ends(buffer: ReplyBuffer, opened: Envelope, border: re.Match[str] | None) -> tuple[int, int, bool]:
    """Where the text of an envelope ends, where it ends with its closing tag, and whether there is one."""
    end = border.start() if border is not None else len(buffer.text)
    closer = opened.closer.match(buffer.text, end)
    return end, closer.end() if closer is not None else end, closer is not None


def _read(buffer: ReplyBuffer, opened: Envelope, begin: int, end: int, *, is_closed: bool) -> list[RawCall]:
    if not buffer.within_budget(begin, end):
        raise Unreadable(begin, "there are too many broken calls to read them all")
    if opened.is_token and buffer.text[begin : begin + 1] in {"{", "["} and Balance().end(buffer.text[begin:end]) < 0:
        raise Unreadable(begin, "a bracket is not closed", is_cut=not is_closed)
    name = None if opened.is_closer_inside else opened.name
    calls = read_body(buffer.text, begin, end, is_closed=is_closed, name=name)
    if not calls:
        raise Unreadable(begin, "there is no call in it")
    return calls


@cache
def first_of(closer: re.Pattern[str], other: str) -> re.Pattern[str]:
    """A pattern of a closing tag or of something else."""
    return re.compile(f"{closer.pattern}|{other}")


def _later(
    buffer: ReplyBuffer, opened: Envelope, begin: int, first: re.Match[str]
) -> Generator[None, None, Found | None]:
    """The calls up to a later closing tag, where the first tag was in a string; never over the next call."""
    start = max(first.end(), first.start() + 1)
    for _ in range(MAX_LATER):
        if NEXT_CALL.whole.match(buffer.text, first.start()):
            return None
        border = yield from buffer.seek(first_of(opened.closer, NEXT_CALL.whole.pattern), start)
        closer = opened.closer.match(buffer.text, border.start()) if border is not None else None
        if border is None or closer is None:
            return None
        first, start = border, max(closer.end(), border.start() + 1)
        end = closer.end() if opened.is_closer_inside else closer.start()
        try:
            return Found(_read(buffer, opened, begin, end, is_closed=True), closer.end(), is_closed=True)
        except Unreadable as error:
            if not error.in_string:
                return None
    return None

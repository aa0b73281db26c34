"""The calls of one opened envelope: by strict values first, else by the tolerant reader up to a closing tag."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from typing import Any

from dynaspark_core.messages import InvalidReason
from dynaspark_core.reply.body import read_body
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.signs import STOP
from dynaspark_core.reply.strict_json import Open, strict_value
from dynaspark_core.reply.watch import Balance, ValueWatch
from dynaspark_core.reply.written import RawCall, unwrap_calls

_SEPARATOR = re.compile(r"[\s,;\xa0\ufeff]*+")
_CLOSING_REST = re.compile(r"\s*+[}\]]?\s*+;?\s*+(?:(?:`{3,}|~{3,})\s*+)?")
_PARTIAL = re.compile(r"(?:<[^<>]{0,40}|`{1,2}|~{1,2})?\Z")
_GOES_ON = frozenset("\"'“:=+)")
"""What would go on with an object that has ended: it was closed too early."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An opened envelope: where it and its body begin, what closes it, the name that its tag gave.

    `is_explicit`: nothing but a call is written like this, so a broken one is reported; any other is text then.
    """

    start: int
    body: int
    closer: re.Pattern[str]
    name: str | None = None
    is_explicit: bool = True
    is_closer_inside: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The calls of an envelope and where they end; with an `error` the text `raw` after them could not be read."""

    calls: list[RawCall]
    end: int
    is_closed: bool = False
    raw: str = ""
    reason: InvalidReason = "malformed"
    error: str = ""


Finding = Generator[None, None, Found]


def read_values(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Finding:
    """The calls in one or more JSON values from `begin`."""
    calls: list[RawCall] = []
    position: int | None = begin
    while position is not None:
        at = position
        value = yield from read_strict_value(buffer, at)
        after = (yield from _next(buffer, value[1])) if value is not None else _Next(is_wrong=True)
        if value is None or after.is_wrong:
            return (yield from read_up_to_closer(buffer, opened, at, calls))
        calls += unwrap_calls(value[0], buffer.text[at : value[1]], name=opened.name)
        position, end = after.begin, value[1]
    return Found(calls, end)


def read_strict_value(buffer: ReplyBuffer, at: int) -> Generator[None, None, tuple[Any, int] | None]:
    """The JSON value at a place and where it ends, as soon as it does; None once there can be none."""
    value = strict_value(buffer.text, at)
    while isinstance(value, Open):
        balance = Balance()
        if value.is_hopeless or balance.end(buffer.text, at) >= 0:
            return None
        watch = ValueWatch(balance, STOP, buffer.text, at)
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


def _next(buffer: ReplyBuffer, end: int) -> Generator[None, None, _Next]:
    while True:
        text = buffer.text
        begin = _after(text, end)
        is_extra = text[begin : begin + 1] in {"}", "]"} and "," not in text[end:begin]
        if is_extra:
            begin = _after(text, begin + 1)
        if begin < len(text) or not (yield from buffer.more()):
            break
    char = text[begin : begin + 1]
    if is_extra:
        return _Next(is_wrong=char not in {"", "<", "`", "~"})
    if char and char in "{[":
        return _Next(begin)
    is_comma_wrong = "," in text[end:begin] and char not in {"", "<", "`"}
    return _Next(is_wrong=is_comma_wrong or char in _GOES_ON or char in {"}", "]"})


def _after(text: str, position: int) -> int:
    found = _SEPARATOR.match(text, position)
    return found.end() if found is not None else position


def end_of_envelope(buffer: ReplyBuffer, opened: Envelope, end: int) -> Generator[None, None, int]:
    """Where an envelope ends whose calls end at `end`: after its closing tag, if there is one."""
    while True:
        found = _CLOSING_REST.match(buffer.text, end)
        position = found.end() if found is not None else end
        closer = opened.closer.match(buffer.text, position)
        if closer is not None:
            return closer.end()
        if not _PARTIAL.match(buffer.text, position) or not (yield from buffer.more()):
            is_fence = found is not None and found[0].rstrip()[-1:] in {"`", "~"}
            return position if is_fence else end


def read_up_to_closer(buffer: ReplyBuffer, opened: Envelope, begin: int, calls: list[RawCall] | None = None) -> Finding:
    """The calls from `begin` up to a closing tag, after the `calls` that were read already."""
    calls = [] if calls is None else calls
    closer, end = yield from _border(buffer, opened, begin)
    stop = closer.end() if closer is not None and opened.is_closer_inside else end
    try:
        found = _read(buffer, opened, begin, stop, is_closed=closer is not None)
    except Unreadable as error:
        later = (yield from _later(buffer, opened, begin, closer)) if closer is not None and error.in_string else None
        if later is not None:
            return Found(calls + later.calls, later.end, is_closed=True)
        raw = buffer.text[begin:end].strip() if opened.is_explicit else ""
        reason: InvalidReason = "truncated" if error.is_cut and end >= len(buffer.text) else "malformed"
        after = closer.end() if closer is not None else end
        return Found(calls, after, is_closed=True, raw=raw, reason=reason, error=error.located(buffer.text, begin))
    return Found(calls + found, closer.end() if closer is not None else end, is_closed=closer is not None)


def _read(buffer: ReplyBuffer, opened: Envelope, begin: int, end: int, *, is_closed: bool) -> list[RawCall]:
    if not buffer.within_budget(begin, end):
        raise Unreadable(begin, "there are too many broken calls to read them all")
    calls = read_body(buffer.text, begin, end, is_closed=is_closed, name=opened.name)
    if not calls:
        raise Unreadable(begin, "there is no call in it")
    return calls


def _border(
    buffer: ReplyBuffer, opened: Envelope, begin: int
) -> Generator[None, None, tuple[re.Match[str] | None, int]]:
    """The first closing tag after `begin`, unless the envelope is stopped before it; and where the body ends."""
    found = yield from buffer.seek(_border_of(opened.closer), begin)
    if found is None:
        return None, len(buffer.text)
    return opened.closer.match(buffer.text, found.start()), found.start()


@cache
def _border_of(closer: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(f"{closer.pattern}|{STOP.pattern}")


def _later(
    buffer: ReplyBuffer, opened: Envelope, begin: int, first: re.Match[str]
) -> Generator[None, None, Found | None]:
    """The calls up to a later closing tag, where the first stood in a string: the second or the last before a stop."""
    stop = yield from buffer.seek(STOP, first.end())
    limit = stop.start() if stop is not None else len(buffer.text)
    closers = list(opened.closer.finditer(buffer.text, first.end(), limit))
    for closer in dict.fromkeys((*closers[:1], *closers[-1:])):
        end = closer.end() if opened.is_closer_inside else closer.start()
        try:
            return Found(_read(buffer, opened, begin, end, is_closed=True), closer.end(), is_closed=True)
        except Unreadable:
            continue
    return None

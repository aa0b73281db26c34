"""Calls in XML while they come: where each ends, and whether what follows leaves a doubt about that.

A value may hold whatever ends a call. So a call counts only if no closing tag of its kind is left over before the next
call or the end of the reply; and where the closing tag of the wrapper is missing, only if nothing else follows.
"""

import re
from collections.abc import Generator
from dataclasses import dataclass, replace

from dynaspark_core.messages import InvalidReason
from dynaspark_core.reply.atoms import Sign, chars, either, maybe, run, seq, word
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.envelope import Envelope, Finding, Found, read_up_to_closer, unread
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.signs import MARKER
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.written import RawCall
from dynaspark_core.reply.xml import CALL, END, FUNCTION_LABEL, HEAD, TAGS, WRAPPER_LABEL, OpenCall, name_of

_BLANKS = run(r"\s", 0, 24)
NEXT = Sign(
    either(
        seq(word("<"), WRAPPER_LABEL, maybe(seq(chars(r"[\s=:]", 1, 1), chars("[^<>]", 0, 128))), word(">"), _BLANKS,
            either(chars(r"[{\[`]", 1, 1), seq(chars(r"[\w.\-]", 1, 128), _BLANKS, word("<arg_key>")),
                seq(word("<"), FUNCTION_LABEL))),
        CALL,
        MARKER.atom,
    ),
    "<tool_call>\n{", "<tool_call> is a tag", "</tool_call>",
)  # fmt: skip
"""What begins the next call, or the turn of somebody else."""
_FOLLOWS = re.compile(rf"{END.whole.pattern}|<(?:{FUNCTION_LABEL.whole}|{WRAPPER_LABEL.whole})|{MARKER.whole.pattern}")
_CUT_TAG = re.compile(r"<\s{0,4}\\?/[^<>]{0,64}\Z")


@dataclass(frozen=True, slots=True)
class _Rest:
    """What follows a call: where it ends with the closing tag of its wrapper, and what is wrong with it.

    `goes_on`: another call of the same wrapper begins there.
    """

    end: int
    is_closed: bool = False
    goes_on: bool = False
    error: str = ""
    reason: InvalidReason = "malformed"


Resting = Generator[None, None, _Rest]


def read_marked_calls(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Finding:
    """The calls from `begin`: all XML of a wrapper, or one function that is alone; any other text up to a closer."""
    calls: list[RawCall] = []
    position = begin
    while (head := (yield from buffer.match(HEAD, position))) is not None:
        call = OpenCall(head, opened.wrapper)
        yield from _read_to_end(buffer, call)
        if call.end < 0:
            error = Unreadable(position, "a value or the call does not end", is_cut=True)
            return (yield from unread(buffer, opened, position, calls, error))
        rest = yield from _rest_after(buffer, opened.wrapper, call)
        try:
            if not rest.error:
                calls.append(call.read(buffer.text))
        except Unreadable as unreadable:
            rest = replace(rest, error=unreadable.why)
        if rest.error:
            raw = buffer.text[position : rest.end].strip() if opened.is_explicit else ""
            return Found(calls, rest.end, is_closed=True, raw=raw, reason=rest.reason, error=rest.error)
        position = rest.end
        if not rest.goes_on or opened.is_closer_inside:
            return Found(calls, position, is_closed=rest.is_closed or opened.is_closer_inside)
    return (yield from read_up_to_closer(buffer, opened, position, calls))


def _read_to_end(buffer: ReplyBuffer, call: OpenCall) -> Steps:
    """Read the tags of a call up to the one that ends it, if there is one."""
    position = call.body
    while (closing := (yield from buffer.seek(END.whole, position))) is not None:
        if not buffer.within_budget(position, closing.end()):
            return
        if any(map(call.take, TAGS.finditer(buffer.text, position, closing.end()))):
            return
        position = closing.end()


def _rest_after(buffer: ReplyBuffer, wrapper: str, call: OpenCall) -> Resting:
    """What follows a call: the closing tag of the wrapper or its next call, then nothing that leaves a doubt."""
    end, is_closed = call.end, False
    place = yield from buffer.visible(end)
    closing = yield from buffer.match(END, place)
    if wrapper and closing is not None and name_of(closing["end"]) == wrapper:
        end, is_closed = closing.end(), True
        place = yield from buffer.visible(end)
    following = yield from buffer.match(NEXT, place)
    if wrapper and not is_closed and following is not None and following["call"] is not None:
        return _Rest(place, goes_on=True)
    rest = _Rest(end) if following is not None else (yield from _left_over(buffer, call, end))
    if wrapper and not is_closed and not rest.error:
        is_cut = place >= len(buffer.text)
        return _Rest(end, error=f"</{wrapper}> is missing", reason="truncated" if is_cut else "malformed")
    return replace(rest, is_closed=is_closed)


def _left_over(buffer: ReplyBuffer, call: OpenCall, end: int) -> Resting:
    """What is left over of a call's closing tags behind its end, up to the next call or the turn of somebody else."""
    at = last = end
    while (tag := (yield from buffer.seek(_FOLLOWS, at))) is not None:
        closing = END.whole.match(buffer.text, tag.start())
        if closing is None and (yield from buffer.match(NEXT, tag.start())) is not None:
            break
        at = tag.end()
        last = at if closing is not None and name_of(closing["end"]) in call.names else last
    if last > end:
        return _Rest(last, error="a closing tag is left over")
    if tag is None and _CUT_TAG.search(buffer.text, at) is not None:
        return _Rest(len(buffer.text), error="a closing tag is left over", reason="truncated")
    return _Rest(end)

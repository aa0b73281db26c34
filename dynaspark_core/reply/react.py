"""Calls in the ReAct form: `Action: name`, then `Action Input: {…}` on lines of their own. The first one counts.

After it the model plays the tool itself (`Observation:`), so nothing after the first action is read.
"""

import re
from dataclasses import replace

from dynaspark_core.messages import InvalidReason
from dynaspark_core.reply.body import read_body
from dynaspark_core.reply.buffer import ReplyBuffer, Steps, Waiting
from dynaspark_core.reply.envelope import read_strict_value
from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.signs import beginning
from dynaspark_core.reply.written import RawCall

_LABEL = r"\*{0,2}Action(?: ?\d{1,2})?\*{0,2} ?:\*{0,2}"
_NAME = r"""[ \t]*[`"'\[*]{0,2}([A-Za-z_][\w.\-/]{0,127})(?:\(\))?[`"'\]*]{0,2}[ \t]*"""
_INPUT = r"\*{0,2}Action Input(?: ?\d{1,2})?\*{0,2} ?:\*{0,2}"
_ACTION = re.compile(rf"{_LABEL}{_NAME}\r?\n\s{{0,8}}{_INPUT}\s*+")
_LONE_ACTION = re.compile(rf"{_LABEL}{_NAME}(?:\r?\n\s{{0,8}})?(?=\Z|\*{{0,2}}Observation)")
_STARS = r"\*{0,2}"
_BEGUN_LABEL = (_STARS, *"Action", " ?", r"\d{0,2}", _STARS, " ?", ":", _STARS)
_BEGUN_NAME = (r"[ \t]*", r"[`\"'\[*]{0,2}", r"[A-Za-z_][\w.\-/]{0,127}", r"\(?", r"\)?", r"[`\"'\]*]{0,2}", r"[ \t]*")
_BEGUN_INPUT = beginning(_STARS, *"Action Input", " ?", r"\d{0,2}", _STARS, " ?", ":", _STARS, r"\s*")
_BEGUN_RESULT = beginning(_STARS, *"Observation")
_UNDECIDED = re.compile(
    rf"{beginning(*_BEGUN_LABEL, *_BEGUN_NAME)}"
    rf"|{''.join(_BEGUN_LABEL)}{''.join(_BEGUN_NAME)}(?:\r\Z|\r?\n\s{{0,8}}(?:{_BEGUN_INPUT}|{_BEGUN_RESULT}))"
)
_END = re.compile(r"\n\s{0,8}\*{0,2}(?:Observation|Thought|Action|Final Answer)\b|</?\s?turn\b|<\s?tool_result\b")


def read_action(buffer: ReplyBuffer, at: int) -> Steps:
    """Read the action that begins at `at`, if one does; otherwise the text goes on."""
    while _UNDECIDED.match(buffer.text, at) and (yield from buffer.more()):
        pass
    found = _ACTION.match(buffer.text, at)
    if found is None:
        _alone(buffer, at)
        return
    if (yield from _strictly(buffer, found)):
        return
    end = yield from buffer.seek(_END, found.end())
    _leniently(buffer, found, end.start() if end is not None else len(buffer.text), is_closed=end is not None)


def _alone(buffer: ReplyBuffer, at: int) -> None:
    """Read an action without input: a call of a tool that needs none."""
    lone = _LONE_ACTION.match(buffer.text, at)
    buffer.scan = at + 1
    if lone is None:
        return
    call = RawCall(lone[0].strip(), lone[1], {})
    if buffer.judge.would_accept([call]):
        buffer.accept([call], lone.end())
        buffer.cut()


def _strictly(buffer: ReplyBuffer, found: re.Match[str]) -> Waiting:
    if buffer.text[found.end() : found.end() + 1] != "{":
        return False
    value = yield from read_strict_value(buffer, found.end())
    if value is None or not isinstance(value[0], dict):
        return False
    buffer.accept([RawCall(buffer.text[found.start() : value[1]], found[1], value[0], value[0])], value[1])
    buffer.cut()
    return True


def _leniently(buffer: ReplyBuffer, found: re.Match[str], end: int, *, is_closed: bool) -> None:
    raw = buffer.text[found.start() : end].strip()
    try:
        calls = read_body(buffer.text, found.end(), end, is_closed=is_closed, name=found[1])
    except Unreadable as error:
        if buffer.judge.names.find(found[1]) is None:
            buffer.scan = found.end()
            return
        reason: InvalidReason = "truncated" if error.is_cut else "malformed"
        buffer.reject(raw, reason, error.located(buffer.text, found.start()), end, found[1])
    else:
        if len(calls) > 1:
            buffer.reject(raw, "malformed", "an action has one input", end, found[1])
        else:
            buffer.accept([replace(call, raw=raw, name=found[1]) for call in calls], end)
    buffer.cut()

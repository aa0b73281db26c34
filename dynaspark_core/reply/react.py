"""Calls in the ReAct form: `Action: name`, then `Action Input: {…}` on lines of their own. The first one counts.

After it the model plays the tool itself (`Observation:`), so nothing after the first action is read.
"""

import re
from dataclasses import replace

from dynaspark_core.messages import InvalidReason
from dynaspark_core.reply.atoms import END, Sign, ahead, chars, either, group, maybe, seq, word
from dynaspark_core.reply.body import read_body
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.envelope import read_strict_value
from dynaspark_core.reply.held import Steps, Waiting
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.written import RawCall

_STARS = chars(r"\*", 0, 2)
_NUMBER = maybe(seq(chars(" ", 0, 1), chars(r"\d", 1, 2)))
_LABEL = seq(_STARS, word("Action"), _NUMBER, _STARS, chars(" ", 0, 1), word(":"), _STARS)
_NAME = seq(
    chars("[ \t]", 0, 8), chars("[`\"'\\[*]", 0, 2),
    group("name", seq(chars("[A-Za-z_]", 1, 1), chars(r"[\w.\-/]", 0, 127))), maybe(word("()")),
    chars("[`\"'\\]*]", 0, 2), chars("[ \t]", 0, 8),
)  # fmt: skip
_LINE = seq(chars("[\r\n]", 1, 2), chars(r"\s", 0, 8))
_INPUT = seq(_STARS, word("Action Input"), _NUMBER, _STARS, chars(" ", 0, 1), word(":"), _STARS)
ACTION = Sign(seq(_LABEL, _NAME, _LINE, _INPUT), "**Action:** `f`\nAction Input:", "Action: f\n", "Action plan")
"""Up to the input of an action."""
LONE_ACTION = Sign(
    seq(_LABEL, _NAME, maybe(_LINE), either(END, ahead(seq(_STARS, word("Observation"))))),
    "Action: f\n", "Action: buy milk", "Action: f, then g",
)  # fmt: skip
"""An action without an input, with nothing behind it."""
_END = re.compile(r"\n\s{0,8}\*{0,2}(?:Observation|Thought|Action|Final Answer)\b|</?\s?turn\b|<\s?tool_result\b")


def read_action(buffer: ReplyBuffer, at: int) -> Steps:
    """Read the action that begins at `at`, if one does; otherwise the text goes on."""
    found = yield from buffer.match(ACTION, at)
    lone = yield from buffer.match(LONE_ACTION, at)
    if _is_log(buffer, at) or buffer.is_announced(at):
        buffer.go_on(at + 1)
    elif found is None:
        _alone(buffer, at, lone)
    else:
        begin = yield from buffer.visible(found.end())
        if not (yield from _strictly(buffer, found, begin)):
            end = yield from buffer.seek(_END, begin)
            stop = end.start() if end is not None else len(buffer.text)
            _leniently(buffer, found, begin, stop, is_closed=end is not None)


def _is_log(buffer: ReplyBuffer, at: int) -> bool:
    """Whether the action is indented deeper than the text before it, as a log within prose is."""
    line = buffer.text[buffer.text.rfind("\n", 0, at) + 1 : at]
    return 0 <= buffer.context.indent() < len(line)


def _alone(buffer: ReplyBuffer, at: int, lone: re.Match[str] | None) -> None:
    """Read an action without input: a call of a tool without parameters, else one that was cut."""
    buffer.go_on(at + 1)
    if lone is None or buffer.judge.names.find(lone["name"]) is None:
        return
    if buffer.judge.takes_nothing(lone["name"]):
        buffer.accept([RawCall(lone[0].strip(), lone["name"], {})], lone.end())
    else:
        error = "the reply ends before the action's input"
        buffer.reject(lone[0].strip(), "truncated", error, lone.end(), lone["name"])
    buffer.cut()


def _strictly(buffer: ReplyBuffer, found: re.Match[str], begin: int) -> Waiting:
    if buffer.text[begin : begin + 1] != "{":
        return False
    value = yield from read_strict_value(buffer, begin)
    if value is None:
        return False
    raw = buffer.text[found.start() : value[1]]
    buffer.accept([RawCall(raw, found["name"], value[0], value[0])], value[1])
    buffer.cut()
    return True


def _leniently(buffer: ReplyBuffer, found: re.Match[str], begin: int, end: int, *, is_closed: bool) -> None:
    raw = buffer.text[found.start() : end].strip()
    name = found["name"]
    if not is_closed and begin >= end:
        _alone(buffer, found.start(), found)
        return
    try:
        calls = read_body(buffer.text, begin, end, is_closed=is_closed, name=name)
    except Unreadable as error:
        if buffer.judge.names.find(name) is None:
            buffer.go_on(found.end())
            return
        reason: InvalidReason = "truncated" if error.is_cut else "malformed"
        buffer.reject(raw, reason, error.located(buffer.text, found.start()), end, name)
    else:
        if len(calls) == 1:
            buffer.accept([replace(calls[0], raw=raw)], end)
        else:
            buffer.reject(raw, "malformed", "an action has one input", end, name)
    buffer.cut()

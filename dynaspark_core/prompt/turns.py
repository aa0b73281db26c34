"""Past calls and their results as text, in exactly the form that the tool section asks for.

Models go on in the form that they see, so a past call is written as a future one should be. Ids become short aliases
(c1, c2 …), counted through one conversation: services and frameworks use long random ids, or the same ones every turn.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from dynaspark_core.messages import InvalidToolCall, Message, ToolCall
from dynaspark_core.prompt.markers import attribute, escape, escape_json

MAX_RAW_CHARACTERS = 4_000
"""Longest raw text of an unreadable call in a prompt, in characters."""
Call = ToolCall | InvalidToolCall
Numbered = tuple[int | None, str]
"""A result block and the number of its call; None for a result of no known call."""


encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""The value as JSON text; what JSON does not know is written as its str()."""


class Aliases:
    """The short ids of one conversation's calls, and which call each result answers.

    An id that comes again names the newest call.
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        self._calls: dict[str | None, tuple[int, str]] = {}

    def add(self, asked: Message) -> list[tuple[int, Call]]:
        """The numbers of the message's calls, which are new."""
        calls: tuple[Call, ...] = (*asked.tool_calls, *asked.invalid_tool_calls)
        numbered = [(next(self._numbers), call) for call in calls]
        self._calls |= {call.id: (number, call.name or "") for number, call in numbered if call.id}
        return numbered

    def find(self, result: Message) -> tuple[int | None, str]:
        """The number and the tool's name of the call that has the result's id; None and no name without such a call."""
        return self._calls.get(result.tool_call_id, (None, ""))

    def match(self, calls: Sequence[tuple[int, Call]], results: Sequence[Message]) -> list[tuple[int | None, str]]:
        """For each result that follows these calls the number of the call that it answers, and its tool's name.

        The rules in their order: an id that one of the calls has; the id of an older call; the tool's name, where the
        first call of that tool without a result is meant; for a result without a name, the first call without one.
        """
        ids = Counter(call.id for _, call in calls)
        by_id = {call.id: (number, call.name or "") for number, call in calls if call.id and ids[call.id] == 1}
        names = {call.name for _, call in calls}
        found: list[tuple[int | None, str] | None] = [
            by_id.get(result.tool_call_id or "")
            or (None if result.tool_call_id in ids.keys() | names else self._calls.get(result.tool_call_id))
            for result in results
        ]
        free = [(number, call.name or "") for number, call in calls if (number, call.name or "") not in found]
        for fits in (_has_name_of, _has_no_name):
            for index, result in enumerate(results):
                fitting = next((call for call in free if fits(result, call[1])), None)
                if found[index] is None and fitting is not None:
                    found[index] = fitting
                    free.remove(fitting)
        return [call or (None, "") for call in found]


def _has_name_of(result: Message, tool: str) -> bool:
    """Whether it is a result of the tool; some write the tool's name where the call's id belongs."""
    return bool(tool) and tool in (result.name, result.tool_call_id)


def _has_no_name(result: Message, _tool: str) -> bool:
    return not result.name


def cut_middle(text: str, limit: int) -> str:
    """The text, of which at most `limit` characters are left around a marker that gives the original length."""
    if len(text) <= limit:
        return text
    head, tail = limit - limit // 4, limit // 4
    left_out = len(text) - head - tail
    return f"{text[:head]}\n[… {left_out} of {len(text)} characters left out …]\n{text[len(text) - tail :]}"


def json_line(value: object) -> str:
    """The value as one line of JSON that holds none of our markers; what JSON does not know is written as its str()."""
    try:
        text = encode(value)
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:  # lone surrogates
        text = json.dumps(value, default=str)
    except RecursionError:
        text = "".join(_pieces(value))
    return escape_json(text)


def _pieces(value: object) -> Iterator[str]:
    """The JSON text of a value nested deeper than the interpreter's stack allows."""
    stack: list[Any] = [iter((value,))]
    closers = [""]
    while stack:
        for item in stack[-1]:
            if isinstance(item, _Text):
                yield item
            elif isinstance(item, Mapping):
                yield "{"
                stack.append(_members(item))
                closers.append("}")
                break
            elif isinstance(item, list | tuple):
                yield "["
                stack.append(_elements(item))
                closers.append("]")
                break
            else:
                yield json.dumps(item, default=str)
        else:
            stack.pop()
            yield closers.pop()


class _Text(str):
    """JSON text that is ready."""

    __slots__ = ()


def _members(items: Mapping[Any, Any]) -> Iterator[object]:
    for index, (key, value) in enumerate(items.items()):
        yield _Text((", " if index else "") + json.dumps(str(key)) + ": ")
        yield value


def _elements(items: Sequence[Any]) -> Iterator[object]:
    for index, value in enumerate(items):
        if index:
            yield _Text(", ")
        yield value


def call_block(name: str, arguments: Mapping[str, Any], alias: str = "") -> str:
    """One call in the form that the tool section asks for."""
    opener = f'<tool_call id="{alias}">' if alias else "<tool_call>"
    return f"{opener}\n{json_line({'name': name, 'arguments': arguments})}\n</tool_call>"


def call_blocks(calls: Iterable[tuple[int, Call]]) -> list[str]:
    """The blocks of calls with their numbers, the unreadable ones included."""
    return [_call_text(call, f"c{number}") for number, call in calls]


def _call_text(call: Call, alias: str) -> str:
    if call.name is not None and call.arguments is not None:
        return call_block(call.name, call.arguments, alias)
    raw = call.raw if isinstance(call, InvalidToolCall) else ""
    return f'<tool_call id="{alias}">\n{escape(cut_middle(raw, MAX_RAW_CHARACTERS))}\n</tool_call>'


def _result_block(alias: str, name: str, status: str, text: str) -> str:
    identity = (f' id="{alias}"' if alias else "") + (f' name="{attribute(name)}"' if name else "")
    return f'<tool_result{identity} status="{status}">\n{text}\n</tool_result>'


def result_block(message: Message, text: str, call: tuple[int | None, str]) -> Numbered:
    """The block of a tool message with its text; `call` is the number and the tool's name of the call it answers."""
    number, name = call
    return number, _result_block(f"c{number}" if number else "", message.name or name, message.status, text)


def result_turn(blocks: Iterable[Numbered]) -> str:
    """The turn of result blocks, in the order of their calls; results of no known call stand last."""
    ordered = sorted(blocks, key=lambda entry: (entry[0] is None, entry[0] or 0))
    return "\n".join(('<turn role="tool">', *(block for _, block in ordered))) + "</turn>"


def missing_result(number: int, call: Call) -> Numbered:
    """The result block of a call to which there is no result."""
    alias = f"c{number}"
    if isinstance(call, ToolCall):
        return number, _result_block(alias, call.name, "missing", "There is no result of this call.")
    reason = escape(cut_middle(f"This call was not run ({call.reason}). {call.error}".rstrip(), MAX_RAW_CHARACTERS))
    return number, _result_block(alias, call.name or "", "error", reason)

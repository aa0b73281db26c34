"""Past calls and their results as text, in exactly the form that the tool section asks for.

Models go on in the form that they see, so a past call is written as a future one should be. Ids become short aliases
(c1, c2 …), counted through one conversation: services and frameworks use long random ids, or the same ones every turn.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from dynaspark_core.messages import InvalidToolCall, Message, ToolCall
from dynaspark_core.prompt.markers import attribute, escape, escape_json

MAX_RAW_CHARACTERS = 4_000
"""Longest raw text of an unreadable call in a prompt, in characters."""


encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""The value as JSON text; what JSON does not know is written as its str()."""


class Aliases:
    """The short ids and the tools of one conversation's calls. A call id that comes again names the newest call."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._calls: dict[str | None, tuple[int, str]] = {}

    def add(self, call: ToolCall | InvalidToolCall) -> str:
        """The alias of a new call."""
        number = next(self._numbers)
        self._calls[call.id] = number, call.name or ""
        return f"c{number}"

    def find(self, call_id: str | None) -> tuple[int | None, str]:
        """The number in the alias and the tool's name; None and no name for an id that no call had."""
        return self._calls.get(call_id, (None, ""))


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


def call_blocks(message: Message, aliases: Aliases) -> list[str]:
    """The blocks of an assistant message's calls, the unreadable ones included."""
    blocks = [call_block(call.name, call.arguments, aliases.add(call)) for call in message.tool_calls]
    for call in message.invalid_tool_calls:
        alias = aliases.add(call)
        if call.name is not None and call.arguments is not None:
            blocks.append(call_block(call.name, call.arguments, alias))
        else:
            raw = escape(cut_middle(call.raw, MAX_RAW_CHARACTERS))
            blocks.append(f'<tool_call id="{alias}">\n{raw}\n</tool_call>')
    return blocks


def _result_block(alias: str, name: str, status: str, text: str) -> str:
    identity = (f' id="{alias}"' if alias else "") + (f' name="{attribute(name)}"' if name else "")
    return f'<tool_result{identity} status="{status}">\n{text}\n</tool_result>'


Numbered = tuple[int | None, str]
"""A result block and the number of its call; None for a result of no known call."""


def result_block(message: Message, text: str, aliases: Aliases) -> Numbered:
    """The block of a tool message with its text; a message without a name gets that of its call."""
    number, name = aliases.find(message.tool_call_id)
    return number, _result_block(f"c{number}" if number else "", message.name or name, message.status, text)


def result_turn(blocks: Iterable[Numbered]) -> str:
    """The turn of result blocks, in the order of their calls; results of no known call stand last."""
    ordered = sorted(blocks, key=lambda entry: (entry[0] is None, entry[0] or 0))
    return "\n".join(('<turn role="tool">', *(block for _, block in ordered))) + "</turn>"


def unanswered(asked: Message, later: Sequence[Message], aliases: Aliases) -> list[Numbered]:
    """A result block for each call of `asked` to which none of the `later` messages is the result."""
    answered = {message.tool_call_id for message in later if message.role == "tool"}
    calls: tuple[ToolCall | InvalidToolCall, ...] = (*asked.tool_calls, *asked.invalid_tool_calls)
    return [_no_result(call, aliases) for call in calls if call.id not in answered]


def _no_result(call: ToolCall | InvalidToolCall, aliases: Aliases) -> Numbered:
    number, _ = aliases.find(call.id)
    alias = f"c{number}"
    if isinstance(call, ToolCall):
        return number, _result_block(alias, call.name, "missing", "There is no result of this call.")
    reason = escape(cut_middle(f"This call was not run ({call.reason}). {call.error}".rstrip(), MAX_RAW_CHARACTERS))
    return number, _result_block(alias, call.name or "", "error", reason)

"""Past calls and their results as text, in exactly the form that the tool section asks for.

Models go on in the form that they see, so a past call is written as a future one should be. Ids become short aliases
(c1, c2 …), counted through one conversation: services and frameworks use long random ids, or the same ones every turn.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from dynaspark_core.messages import InvalidToolCall, Message, ToolCall
from dynaspark_core.prompt.markers import attribute, escape, json_escape

MAX_RAW_CHARACTERS = 4_000
"""Longest raw text of an unreadable call in a prompt, in characters."""


_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""Line ends that JSON leaves as they are in a string."""
encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""The value as JSON text; what JSON does not know is written as its str()."""


Call = ToolCall | InvalidToolCall


class Aliases:
    """The short ids of one conversation's calls, which result answers which call, and which calls have none yet.

    Among the calls of the last assistant turn, a result answers the one with its id, if only one has it. Otherwise it
    answers the first unanswered one of its tool's name (some integrations write the name as the id), and one that says
    neither the first unanswered one. A result that comes late answers the newest call with its id.
    """

    def __init__(self) -> None:
        self._numbers = count(1)
        self._calls: dict[int, Call] = {}
        self._newest: dict[str, int] = {}
        self._turn: list[int] = []
        self._unanswered: dict[int, Call] = {}

    @property
    def has_unanswered(self) -> bool:
        """Whether a call of the last assistant turn has no result yet."""
        return bool(self._unanswered)

    def begin_turn(self) -> Sequence[str]:
        """Begin an assistant turn, whose calls later results answer. Returns a block for each older one without any."""
        blocks = [*self.unanswered_blocks()] if self._unanswered else ()
        self._turn.clear()
        self._unanswered.clear()
        return blocks

    def add(self, call: Call) -> str:
        """The alias of a new call."""
        number = next(self._numbers)
        self._calls[number] = self._unanswered[number] = call
        if call.id:
            self._newest[call.id] = number
        self._turn.append(number)
        return f"c{number}"

    def answer(self, result: Message) -> tuple[int | None, str | None]:
        """The number and the tool's name of the call that this answers; None for both if it answers none."""
        number = self._match(result)
        if number is None:
            return None, None
        self._unanswered.pop(number, None)
        return number, self._calls[number].name

    def _match(self, result: Message) -> int | None:
        given = result.tool_call_id or ""
        with_id = [number for number in self._turn if self._calls[number].id == given] if given else []
        if len(with_id) == 1:
            return with_id[0]
        waiting = [number for number in with_id or self._turn if number in self._unanswered]
        named = [number for number in waiting if self._calls[number].name in {result.name or given, given}]
        if named or with_id:
            return next(iter(named or waiting), None)
        says_nothing = not result.name and not (given and any(self._calls[number].id for number in waiting))
        return self._newest.get(given) if given in self._newest else waiting[0] if waiting and says_nothing else None

    def unanswered_blocks(self) -> Iterator[str]:
        """A result block for each call that has no result: of one that was refused it says why."""
        for number, call in self._unanswered.items():
            if isinstance(call, ToolCall):
                yield _block(number, call.name, "missing", "There is no result of this call.")
            else:
                reason = f"This call was not run ({call.reason}). {call.error}".rstrip()
                yield _block(number, call.name, "error", escape(cut_middle(reason, MAX_RAW_CHARACTERS)))


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
            text = _OTHER_LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    except UnicodeEncodeError:  # lone surrogates
        text = json.dumps(value, default=str)
    except RecursionError:
        text = "".join(_pieces(value))
    return escape(text, json_escape)


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


def result_block(result: Message, text: str, aliases: Aliases) -> str:
    """The block of a tool's message with its text; a message without a name gets that of its call."""
    number, name = aliases.answer(result)
    return _block(number, result.name or name, result.status, text)


def _block(number: int | None, name: str | None, status: str, text: str) -> str:
    identity = (f' id="c{number}"' if number else "") + (f' name="{attribute(name)}"' if name else "")
    return f'<tool_result{identity} status="{status}">\n{text}\n</tool_result>'


def tool_turn(block: str) -> str:
    """The turn of one result."""
    return f'<turn role="tool">\n{block}</turn>'

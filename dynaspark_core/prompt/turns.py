"""Past calls and their results as text, in exactly the form that the tool section asks for.

Models go on in the form that they see, so a past call is written as a future one should be. Ids become short aliases
(c1, c2 …), counted through one conversation: services and frameworks use long random ids, or the same ones every turn.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring
from types import NoneType
from typing import Any

from dynaspark_core.messages import InvalidToolCall, Message, ToolCall
from dynaspark_core.prompt.markers import attribute, escape, json_escape

MAX_RAW_CHARACTERS = 4_000
"""Longest raw text of an unreadable call in a prompt, in characters."""


_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]")
"""Line ends that JSON leaves as they are in a string."""
encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
"""The value as JSON text; what JSON does not know is written as its str()."""
_WRITERS: Mapping[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: int.__repr__,
    bool: {False: "false", True: "true"}.__getitem__,
    NoneType: lambda _: "null",
}
"""Type → what writes its values as `encode` does, which makes an encoder for each value: 2 µs."""


Call = ToolCall | InvalidToolCall


class Aliases:
    """The short ids of one conversation's calls, which result answers which call, and which calls have none yet.

    Among the calls of the last assistant turn, a result answers the one with its id, if only one has it. Otherwise it
    answers the first unanswered one of its tool's name (some integrations write the name as the id), and one that says
    neither the first unanswered one. A result that comes late answers the newest call with its id.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []  # the first is c1
        self._newest: dict[str, int] = {}
        self._before = 0  # the number of the last call before the turn
        self._repeated: set[str] = set()  # ids that several calls of the turn have
        self._unanswered: dict[int, Call] = {}

    @property
    def has_unanswered(self) -> bool:
        """Whether a call of the last assistant turn has no result yet."""
        return bool(self._unanswered)

    def begin_turn(self) -> Sequence[str]:
        """Begin an assistant turn, whose calls later results answer. Returns a block for each older one without any."""
        self._before = len(self.calls)
        if not (self._unanswered or self._repeated):
            return ()
        blocks = [*self.unanswered_blocks()]
        self._repeated.clear()
        self._unanswered.clear()
        return blocks

    def add(self, call: Call) -> int:
        """The number of a new call."""
        self.calls.append(call)
        number = len(self.calls)
        self._unanswered[number] = call
        if call.id:
            if self._newest.get(call.id, 0) > self._before:
                self._repeated.add(call.id)
            self._newest[call.id] = number
        return number

    def answer(self, result: Message) -> tuple[int | None, str | None]:
        """The number and the tool's name of the call that this answers; None for both if it answers none."""
        given = result.tool_call_id or ""
        number = self._newest.get(given, 0)
        if number <= self._before or given in self._repeated:
            number = self._match(result, given) or 0
        if not number:
            return None, None
        self._unanswered.pop(number, None)
        return number, self.calls[number - 1].name

    def _match(self, result: Message, given: str) -> int | None:
        """The number of the call that a result answers whose id no call of the turn has, or several have."""
        turn = {number: self.calls[number - 1] for number in range(self._before + 1, len(self.calls) + 1)}
        with_id = [number for number, call in turn.items() if call.id == given] if given else []
        waiting = [number for number in with_id or turn if number in self._unanswered]
        named = [number for number in waiting if turn[number].name in {result.name or given, given}]
        if named or with_id:
            return next(iter(named or waiting), None)
        says_nothing = not result.name and not (given and any(turn[number].id for number in waiting))
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
        return _on_one_line(encode(value))
    except UnicodeEncodeError:  # lone surrogates
        text = json.dumps(value, default=str)
    except RecursionError:
        text = "".join(_pieces(value))
    return escape(text, json_escape)


def _on_one_line(text: str) -> str:
    """JSON text without other line ends and our markers. Raises `UnicodeEncodeError` for lone surrogates."""
    if not text.isascii():
        text.encode()
        text = _OTHER_LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
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


def _call_line(name: str, arguments: dict[str, Any]) -> str:
    """The call as `json_line` writes it, member by member: mostly there are few, and they are plain."""
    members = []
    try:
        for key, value in arguments.items():
            write = _WRITERS.get(type(value), encode)
            members.append(f"{encode_basestring(key)}: {write(value)}")
        return _on_one_line(f'{{"name": {encode_basestring(name)}, "arguments": {{{", ".join(members)}}}}}')
    except (AttributeError, RecursionError, TypeError, UnicodeEncodeError):  # there is more in it
        return json_line({"name": name, "arguments": arguments})


def call_blocks(message: Message, aliases: Aliases) -> Iterator[str]:
    """The blocks of an assistant message's calls, the unreadable ones included, in the form that the tools ask for."""
    for call in message.tool_calls:
        yield _call_block(aliases.add(call), _call_line(call.name, call.arguments))
    for broken in message.invalid_tool_calls:
        if broken.name is not None and broken.arguments is not None:
            written = _call_line(broken.name, broken.arguments)
        else:
            written = escape(cut_middle(broken.raw, MAX_RAW_CHARACTERS))
        yield _call_block(aliases.add(broken), written)


def _call_block(number: int, written: str) -> str:
    return f'<tool_call id="c{number}">\n{written}\n</tool_call>'


def result_turn(result: Message, text: str, aliases: Aliases) -> str:
    """The turn of a tool's message with its text; a message without a name gets that of its call."""
    number, name = aliases.answer(result)
    return tool_turn(_block(number, result.name or name, result.status, text))


def _block(number: int | None, name: str | None, status: str, text: str) -> str:
    identity = f' id="c{number}"' if number else ""
    named = f' name="{attribute(name)}"' if name else ""
    return f'<tool_result{identity}{named} status="{status}">\n{text}\n</tool_result>'


def tool_turn(block: str) -> str:
    """The turn of one result."""
    return f'<turn role="tool">\n{block}</turn>'

"""A call that the model was told to make: written as a value alone, or beside other values for the same tool."""

import json
import re
from collections.abc import Mapping
from typing import Any

from dynaspark_core.errors import OutputError
from dynaspark_core.messages import Chat, Reply, ToolCall
from dynaspark_core.reply.candidates import candidates
from dynaspark_core.reply.context import Context
from dynaspark_core.reply.judge import Judge
from dynaspark_core.reply.value import read_object
from dynaspark_core.reply.written import NAME_KEYS, RawCall, compact_json
from dynaspark_core.schema import equal_json

_MARKUP = re.compile(r"\s*(?:(?:`{3,}|~{3,})\w*|<[^<>]{1,80}>|\*{0,2}Action(?: Input)?\*{0,2}:.*)?\s*")
"""A line of the markup around a call."""
_LEAD_CHARACTERS = 400
"""How far before a value the words are looked for that announce it."""


def call_in_text(reply: Reply, chat: Chat) -> ToolCall | None:
    """The call of the one tool there is, its arguments the value in the reply's text; None beside any other call."""
    tools = chat.offered()
    if len(tools) != 1 or reply.tool_calls or reply.invalid_tool_calls:
        return None
    try:
        value = read_object(reply.text, tools[0].parameters)
    except OutputError:
        return None
    if all(is_example(reply.text, found.start) for found in candidates(reply.text) if not found.error):
        return None
    judge = Judge(chat.tools, chat.tool_choice, untrusted=chat.untrusted_texts())
    if _is_named(value, judge, tools[0].name):
        return None
    call = judge.check(RawCall(compact_json(value), tools[0].name, value, value))
    return call if isinstance(call, ToolCall) else None


def _is_named(value: Any, judge: Judge, name: str) -> bool:
    """Whether one of the values is the tool's name, under a key that is no parameter: so others may be none, too."""
    keys = [key for key in NAME_KEYS if isinstance(value, dict) and isinstance(value.get(key), str)]
    return any(judge.names.find(value[key]) is not None and not judge.takes(name, key) for key in keys)


def is_example(text: str, start: int) -> bool:
    """Whether the words before the value at `start`, and before the markup around it, announce an example."""
    lines = text[max(0, start - _LEAD_CHARACTERS) : start].split("\n")
    while lines and _MARKUP.fullmatch(lines[-1]):
        lines.pop()
    context = Context()
    context.add("\n".join(lines))
    return context.announces_example()


def is_in_doubt(reply: Reply, chat: Chat) -> bool:
    """Whether only one call was allowed, of one tool, and the reply has other values for it that count the same."""
    tools = chat.offered()
    if chat.parallel_tool_calls or len(tools) != 1 or not reply.tool_calls:
        return False
    first = reply.tool_calls[0].arguments
    late = [call.arguments for call in reply.invalid_tool_calls if call.reason == "not_allowed"]
    beside = (reply.text, *(json.dumps(value) for value in late if not equal_json(value, first)))
    return not all(is_only_value(text, first, tools[0].parameters) for text in beside)


def is_only_value(text: str, value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether no other value in the text counts as much as this one, which was written behind it."""
    try:
        if equal_json(read_object(text, schema), value):
            return True
    except OutputError:
        return True
    try:
        return equal_json(read_object(f"{text}\n{json.dumps(value)}", schema), value)
    except OutputError:
        return False

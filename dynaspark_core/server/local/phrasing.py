"""How a conversation is put to a model: messages for its chat template, and the schema that binds its reply.

Here for a model that reads well: it gets what the prompt says. `few_shot` does it for one that does not. Pure values.
"""

import json
from dataclasses import dataclass
from itertools import groupby
from typing import assert_never

from dynaspark_core.server.local.request_kind import Call, FreeText, Offered, Schema, Value, Wanted
from dynaspark_core.server.local.turns import Conversation, Turn


@dataclass(frozen=True, slots=True)
class Phrased:
    """What the model gets: the messages, the last one of the user; and what its reply is.

    With a `schema` the reply is JSON of that schema. `before` and `after` are written around it, not by the model; with
    `is_begun` the model reads `before` as the beginning of its reply.
    """

    messages: tuple[Turn, ...]
    schema: Schema | None = None
    before: str = ""
    after: str = ""
    is_begun: bool = False


def phrase(conversation: Conversation, wanted: Wanted, seen: str) -> Phrased:
    """The conversation, the tools before it, and all that its closing says.

    `seen`, what is known of the file, follows the last user text.
    """
    turns = (Turn("system", conversation.opening), *conversation.turns) if conversation.opening else conversation.turns
    messages = merged((*chat(turns, seen), Turn("user", conversation.closing)))
    match wanted:
        case FreeText():
            return Phrased(messages)
        case Call((tool,)):
            return call(messages, tool, is_begun=True)
        case Call(tools):
            any_of: Schema = {"anyOf": [_call_schema(tool) for tool in tools]}
            return Phrased(messages, any_of, "<tool_call>\n", "\n</tool_call>", is_begun=True)
        case Value(schema):
            return Phrased(messages, schema)
        case _:
            assert_never(wanted)


def call(messages: tuple[Turn, ...], tool: Offered, *, is_begun: bool) -> Phrased:
    """The question whose reply is the tool's arguments, and that becomes a call of it."""
    before = f'<tool_call>\n{{"name": {json.dumps(tool.name, ensure_ascii=False)}, "arguments": '
    return Phrased(messages, _arguments(tool), before, "}\n</tool_call>", is_begun)


def chat(turns: tuple[Turn, ...], seen: str) -> tuple[Turn, ...]:
    """The turns as chat templates take them: system first, then user and assistant in alternation, user last.

    Results of tools, and system text that comes later, are told by the user.
    """
    start = next((index for index, turn in enumerate(turns) if turn.role != "system"), len(turns))
    told = [turn if turn.role == "assistant" else Turn("user", turn.text) for turn in turns[start:]]
    if not told or told[-1].role == "assistant":
        told.append(Turn("user", ""))
    if seen:
        last = max(index for index, turn in enumerate(told) if turn.role == "user")
        told.insert(last + 1, Turn("user", seen))
    return merged((*turns[:start], *told))


def merged(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns; neighbours of one role are one, an empty line between their texts."""
    groups = ((role, [turn.text for turn in group]) for role, group in groupby(turns, lambda turn: turn.role))
    return tuple(Turn(role, "\n\n".join(filter(None, texts))) for role, texts in groups)


def _call_schema(tool: Offered) -> Schema:
    return {
        "type": "object",
        "properties": {"name": {"const": tool.name}, "arguments": _arguments(tool)},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _arguments(tool: Offered) -> Schema:
    return {"type": "object"} | dict(tool.parameters)

"""A call in the prompt's own form is read at once where it is whole. The same call in pieces is read the long way."""

from itertools import cycle, product
from typing import Any

import pytest
from cases.costly import Costly
from cases.replies import CALL, TOOLS
from hypothesis import given
from hypothesis import strategies as st
from steps import counted, steps_of

from dynaspark_core.messages import Done
from dynaspark_core.reply.reader import ReplyReader

BEFORE = (
    "", "\n", "Sure.\n\n", "I call ", "I call it: ", "“", "`", "```\n", "<pre>\n", "<!-- ", "> ", "- Use ", "1. ", "(",
    "For example:\n", "An example:\n\n", "Format: ", "<think>", "<think>so</think>", "x", "<tool_call>", CALL,
    f"{CALL}and ", f"{CALL}\n\n", '[{"name": "get_weather", "arguments": {"city": "Rome"}}]\n', '{"a": [\n', "Action: ",
)  # fmt: skip
BODIES = (
    CALL,
    CALL.replace("\n", ""),
    '<tool_call>\n\n {"arguments": {"city": "Oslo"}, "name": "get_weather"}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "</tool_call>"}}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}, "id": "1"}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo", "city": "Rome"}}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"town": 5}}</tool_call>',
    '<tool_call>{"name": "get_weather"}</tool_call>',
    '<tool_call>{"name": null, "arguments": {"city": "Oslo"}}</tool_call>',
    '<tool_call>{"name": "nobody", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}};</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}, </tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": NaN}}</tool_call>',
    '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_calls>',
    '<tool_call>{"name": "multi_tool_use.parallel", "arguments": {"tool_uses": []}}</tool_call>',
    '<tool_call>{"name": "multi_tool_use.parallel", "arguments": {"tool_uses": [{"tool": "add"}]}}</tool_call>',
)
AFTER = ("", "\n", "”", "`", " is how.", ", then", ".\nDone.", "</tool_call>", "\n```", "</pre>", "\nUser: no", CALL)
OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {"parallel_tool_calls": False}, {"tool_choice": "get_weather"}, {"tool_choice": "required"},
    {"untrusted": f"It says {CALL}"},
)  # fmt: skip


def outcome(pieces: list[str] | str, options: dict[str, Any]) -> tuple[Any, ...]:
    reader = ReplyReader(TOOLS, **options)
    for piece in pieces:
        reader.feed(piece)
    done = reader.close()[-1]
    assert isinstance(done, Done)
    reply = done.reply
    calls = [(call.name, repr(call.arguments)) for call in reply.tool_calls]
    refused = [(call.name, call.reason, call.error, call.raw, call.arguments) for call in reply.invalid_tool_calls]
    return reply.text, calls, refused, reply.finish_reason, reply.reasoning


@pytest.mark.parametrize("before", BEFORE)
def test_it_is_read_as_in_pieces(before: str) -> None:
    for (body, after), options in zip(product(BODIES, AFTER), cycle(OPTIONS), strict=False):
        text = before + body + after
        assert outcome([text], options) == outcome(text, options), (text, options)


PART = st.sampled_from([*BEFORE, *AFTER])


@given(st.lists(PART, max_size=3).map("".join), st.sampled_from(BODIES), PART, PART, st.sampled_from(OPTIONS))
def test_it_is_read_as_in_pieces_wherever_it_stands(
    before: str, body: str, first: str, then: str, options: dict[str, Any]
) -> None:
    text = before + body + first + then
    assert outcome([text], options) == outcome(text, options)


def test_it_costs_little() -> None:
    """The long way takes twice as many steps."""
    work = Costly("whole", f"{CALL}\n").read(counted, 10_000)
    work()  # patterns are compiled once
    assert steps_of(work) < 90_000

"""A call that the model was told to make, written as a value alone or beside other values."""

from typing import Any

import pytest

from dynaspark_core import Chat, InvalidToolCall, Message, Reply, Tool, ToolCall
from dynaspark_core.errors import ToolCallError
from dynaspark_core.messages import Done, TextDelta
from dynaspark_core.repair import Repairs, repair_chat
from dynaspark_core.reply.reader import read_reply
from dynaspark_core.reply.required import call_in_text, is_example, is_in_doubt, is_only_value

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}
PERSON, OTHER = Tool("Person", "", SCHEMA), Tool("Other", "", SCHEMA)
BO, AL = {"name": "Bo", "age": 3}, {"name": "Al", "age": 4}
TEXT, ANOTHER = '{"name": "Bo", "age": "3"}', '{"name": "Al", "age": 4}'
FENCED = f"```json\n{TEXT}\n```\nA year later it would be {ANOTHER}."


def chat(
    *, choice: str = "Person", tools: tuple[Tool, ...] = (PERSON,), parallel: bool = False, result: str = ""
) -> Chat:
    said = (Message("user", ("Who?",)), *([Message("tool", (result,), tool_call_id="c")] if result else []))
    return Chat(said, tools=tools, tool_choice=choice, parallel_tool_calls=parallel)


def refused(arguments: dict[str, Any], reason: Any = "not_allowed") -> InvalidToolCall:
    return InvalidToolCall("", reason, "x", "Person", "", arguments)


def test_the_value_in_the_text_is_the_call() -> None:
    for asked in (chat(), chat(choice="required"), chat(tools=(PERSON, OTHER)), chat(parallel=True)):
        call = call_in_text(Reply(FENCED), asked)
        assert call is not None
        assert (call.name, call.arguments) == ("Person", BO)


@pytest.mark.parametrize(
    ("reply", "asked"),
    [
        (Reply("I do not know."), chat()),
        (Reply(f"{TEXT}\n{ANOTHER}"), chat()),
        (Reply('{"age": 3}'), chat()),
        (Reply('{"tool": "Person", "name": "Bo"}'), chat()),
        (Reply('```json\n{"action": "person", "name": "Bo", "age": 3}\n```\nDone.'), chat()),
        (Reply(f"Please provide a name. For instance {TEXT} or {ANOTHER}"), chat()),
        (Reply(FENCED), chat(choice="required", tools=(PERSON, OTHER))),
        (Reply(FENCED, tool_calls=(ToolCall("Person", AL, "x"),)), chat()),
        (Reply(FENCED, invalid_tool_calls=(refused(AL, "malformed"),)), chat()),
        (Reply(FENCED), chat(result='Call it with {"name": "Bo", "age": 3}')),
        (Reply("[1]"), chat(tools=(Tool("Person", "", {"type": "array"}),))),
    ],
)
def test_what_is_no_call(reply: Reply, asked: Chat) -> None:
    assert call_in_text(reply, asked) is None


@pytest.mark.parametrize(("characters", "is_announced"), [(400, True), (401, False)])
def test_how_far_before_a_value_an_example_is_announced(characters: int, is_announced: bool) -> None:
    """The markup around the value counts."""
    begin, end = "example ", ":\n```json\n"
    text = f"{begin}{'x' * (characters - len(begin + end))}{end}"
    assert is_example(f"{text}{TEXT}", len(text)) is is_announced


CALL = (ToolCall("Person", BO, "x"),)


@pytest.mark.parametrize(
    ("reply", "asked", "is_doubtful"),
    [
        (Reply("", CALL), chat(), False),
        (Reply("Here:", CALL), chat(), False),
        (Reply(TEXT, CALL), chat(), False),
        (Reply(ANOTHER, CALL), chat(), True),
        (Reply(f"{ANOTHER}\nNo, better:", CALL), chat(), False),
        (Reply(f"Unlike {ANOTHER} it is", CALL), chat(), False),
        (Reply("", CALL, (refused(AL),)), chat(), True),
        (Reply("", CALL, (refused(BO),)), chat(), False),
        (Reply("", CALL, (refused(BO), refused(AL))), chat(choice="required"), True),
        (Reply("", CALL, (refused(AL, "malformed"),)), chat(), False),
        (Reply("", CALL, (refused(AL),)), chat(parallel=True), False),
        (Reply("", CALL, (refused(AL),)), chat(choice="required", tools=(PERSON, OTHER)), False),
        (Reply(ANOTHER, (), (refused(AL),)), chat(), False),
    ],
)
def test_other_values_beside_a_call(reply: Reply, asked: Chat, is_doubtful: bool) -> None:
    assert is_in_doubt(reply, asked) is is_doubtful
    again = repair_chat(asked, reply)
    if is_doubtful:
        assert again is not None
        assert (
            "The reply holds different arguments for Person, and only one call of it is allowed."
            in again.messages[-1].text
        )
    elif reply.tool_calls:
        assert again is None
    assert repair_chat(chat(choice="auto", tools=asked.tools), Reply(reply.text, CALL)) is None


def test_which_values_are_the_only_ones() -> None:
    assert is_only_value("", BO, SCHEMA)
    assert is_only_value('{"name": "B', BO, SCHEMA)
    assert is_only_value(f"{TEXT}\n{ANOTHER}", BO, SCHEMA)
    assert not is_only_value(ANOTHER, BO, SCHEMA)


@pytest.mark.parametrize("most", [0, 1])
def test_no_repair_is_asked_for_a_value_in_the_text(most: int) -> None:
    repairs = Repairs(chat(), most)
    assert repairs.feed(TextDelta(FENCED)) == []
    call, done = repairs.feed(Done(Reply(FENCED)))
    assert repairs.chat is None
    assert isinstance(call, ToolCall)
    assert isinstance(done, Done)
    assert done.reply == Reply("", (call,), finish_reason="tool_calls")
    assert call.arguments == BO


@pytest.mark.parametrize("most", [0, 1])
def test_arguments_that_stay_in_doubt_are_an_error(most: int) -> None:
    reply = Reply(f"No, or:\n{ANOTHER}", (ToolCall("Person", BO, "call_1"),), finish_reason="tool_calls")
    repairs = Repairs(chat(choice="required"), most)
    for _ in range(most):
        assert repairs.feed(Done(reply)) == []
    with pytest.raises(ToolCallError, match="different arguments, and no word says which ones count") as caught:
        repairs.feed(Done(reply))
    assert '{"name": "Bo", "age": 3}' in caught.value.text
    assert ANOTHER in caught.value.text


@pytest.mark.parametrize("arguments", ["[1]", '{"items": [1]}'])
def test_arguments_are_an_object_whatever_the_schema_says(arguments: str) -> None:
    tool = Tool("list", "", {"type": "array", "items": {"type": "integer"}})
    reply = read_reply(f'<tool_call>{{"name": "list", "arguments": {arguments}}}</tool_call>', [tool])
    assert not reply.tool_calls
    assert [(call.reason, call.error) for call in reply.invalid_tool_calls] == [
        ("malformed", '"arguments" must be a JSON object')
    ]

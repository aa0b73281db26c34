"""`dictionaries.messages_from`: a question as a programmer writes it → messages."""

import json
from typing import Any

import pytest

from dynaspark_core.content.dictionaries import messages_from, read_call_blocks
from dynaspark_core.errors import ConfigError, ForbiddenImageError
from dynaspark_core.messages import ImageRef, InvalidToolCall, Message, ToolCall

WEB = "https://pictures.example/cat.png"
PICTURE = ImageRef("bytes", b"picture")
CALL = ToolCall("weather", {"city": "Oslo"}, "c1")


def test_a_text_is_one_user_message() -> None:
    assert messages_from("hi") == (Message("user", ("hi",)),)


@pytest.mark.parametrize(
    ("role", "ours"),
    [
        ("system", "system"),
        ("developer", "system"),
        ("user", "user"),
        ("human", "user"),
        ("assistant", "assistant"),
        ("ai", "assistant"),
        ("model", "assistant"),
        ("tool", "tool"),
    ],
)
def test_every_role_has_its_place(role: str, ours: Any) -> None:
    assert messages_from([{"role": role, "content": "hi"}]) == (Message(ours, ("hi",)),)


def test_dictionaries_and_messages_may_stand_in_one_list() -> None:
    ours = Message("assistant", ("b",))
    assert messages_from([{"role": "user", "content": "a"}, ours]) == (Message("user", ("a",)), ours)


@pytest.mark.parametrize("value", [{"role": "user", "content": "hi"}, Message("user", ("hi",))])
def test_a_single_message_needs_no_list(value: object) -> None:
    assert messages_from(value) == (Message("user", ("hi",)),)


def test_content_may_be_a_list_of_blocks() -> None:
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": WEB}}]
    assert messages_from([{"role": "user", "content": content}])[0].content == ("What is this?", ImageRef("url", WEB))


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
        {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": {"city": "Oslo"}}},
        {"id": "c1", "name": "weather", "args": {"city": "Oslo"}, "type": "tool_call"},
        {"id": "c1", "name": "weather", "parameters": {"city": "Oslo"}},
        {"tool_id": "c1", "tool_name": "weather", "tool_kwargs": {"city": "Oslo"}},
        {"block_type": "tool_call", "tool_call_id": "c1", "tool_name": "weather", "tool_kwargs": '{"city": "Oslo"}'},
    ],
)
def test_calls_are_read_in_each_shape(call: dict[str, Any]) -> None:
    (message,) = messages_from([{"role": "assistant", "content": None, "tool_calls": [call]}])
    assert message == Message("assistant", (), tool_calls=(CALL,))


@pytest.mark.parametrize("arguments", ["", "{}", None, {}])
def test_a_call_may_have_no_arguments(arguments: object) -> None:
    call = {"id": "c1", "function": {"name": "now", "arguments": arguments}}
    assert messages_from([{"role": "assistant", "tool_calls": [call]}])[0].tool_calls == (ToolCall("now", {}, "c1"),)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [('{"city": ', "not JSON"), ("[1]", "of type list"), ("[" * 100_000, "not JSON"), ("3", "of type int")],
)
def test_a_call_that_cannot_be_read_is_kept_as_invalid(arguments: str, words: str) -> None:
    call = {"id": "c1", "function": {"name": "weather", "arguments": arguments}}
    (message,) = messages_from([{"role": "assistant", "content": "", "tool_calls": [call]}])
    (kept,) = message.invalid_tool_calls
    assert (kept.raw, kept.reason, kept.id, kept.name) == (arguments, "malformed", "c1", "weather")
    assert words in kept.error


def test_a_call_without_a_name_is_kept_as_invalid() -> None:
    call = {"id": "c1", "function": {"arguments": "{}"}}
    (message,) = messages_from([{"role": "assistant", "content": "", "tool_calls": [call]}])
    assert [kept.reason for kept in message.invalid_tool_calls] == ["missing_name"]


def test_a_tools_result_keeps_id_name_and_status() -> None:
    entry = {"role": "tool", "tool_call_id": "c1", "name": "weather", "content": "no network", "status": "error"}
    expected = Message("tool", ("no network",), name="weather", tool_call_id="c1", status="error")
    assert messages_from([entry]) == (expected,)


def test_old_function_calls_are_tied_to_their_results_by_name() -> None:
    asked, answered = messages_from(
        [
            {"role": "assistant", "content": None, "function_call": {"name": "now", "arguments": "{}"}},
            {"role": "function", "name": "now", "content": "noon"},
        ]
    )
    assert asked.tool_calls[0].id == answered.tool_call_id == "function_now"


def test_anthropic_calls_and_results_in_the_content_are_not_lost() -> None:
    messages = messages_from(
        [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "rain", "is_error": False},
                    {"type": "text", "text": "And now?"},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c2", "is_error": True}]},
        ]
    )
    assert messages == (
        Message("assistant", ("I look.",), tool_calls=(CALL,)),
        Message("tool", ("rain",), tool_call_id="c1"),
        Message("user", ("And now?",)),
        Message("tool", (), tool_call_id="c2", status="error"),
    )


@pytest.mark.parametrize("content", ["rain", [{"type": "text", "text": "rain"}], ["rain"]])
def test_a_result_that_langchain_has_wrapped_is_one(content: object) -> None:
    result = {"type": "tool_result", "tool_use_id": "c1", "content": content, "is_error": True}
    wrapped = {"type": "non_standard", "value": result}
    expected = (Message("tool", ("rain",), tool_call_id="c1", status="error"),)
    assert messages_from([{"role": "user", "content": [wrapped]}]) == expected
    assert messages_from([{"role": "user", "content": (result,)}]) == expected


RESULTS: dict[str, tuple[dict[str, Any], Message]] = {
    "Bedrock": (
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "rain"}, {"json": {"mm": 3}}], "status": "success"}},
        Message("tool", ("rain", "\n", '{"mm": 3}'), tool_call_id="c1"),
    ),
    "Bedrock, failed": (
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "no network"}], "status": "error"}},
        Message("tool", ("no network",), tool_call_id="c1", status="error"),
    ),
    "Google": (
        {"functionResponse": {"name": "weather", "response": {"result": "rain"}}},
        Message("tool", ('{"result": "rain"}',), name="weather"),
    ),
    "Google's Python": (
        {"function_response": {"id": "c1", "name": "weather", "response": {"error": "no network"}}},
        Message("tool", ('{"error": "no network"}',), name="weather", tool_call_id="c1", status="error"),
    ),
    "Google, with a picture": (
        {
            "functionResponse": {
                "name": "weather",
                "response": {},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "cGljdHVyZQ=="}}],
            }
        },
        Message("tool", ("{}", ImageRef("base64", "cGljdHVyZQ==")), name="weather"),
    ),
    "OpenAI": (
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        Message("tool", ("rain",), tool_call_id="c1"),
    ),
    "OpenAI, of free text": (
        {"type": "custom_tool_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "rain"}]},
        Message("tool", ("rain",), tool_call_id="c1"),
    ),
}


@pytest.mark.parametrize(("block", "expected"), RESULTS.values(), ids=RESULTS)
def test_every_block_that_is_a_result_is_one(block: dict[str, Any], expected: Message) -> None:
    question: dict[str, Any] = {"type": "text", "text": "And now?"}
    for given in (block, {"type": "non_standard", "value": block}):
        messages = messages_from([{"role": "user", "content": [given, question]}])
        assert messages == (expected, Message("user", ("And now?",)))


@pytest.mark.parametrize("block", [{"toolResult": "rain"}, {"functionResponse": None}])
def test_what_only_looks_like_a_result_is_an_error(block: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"messages\[0\]\.content\[0\]: a block without a type"):
        messages_from([{"role": "user", "content": [block]}])


@pytest.mark.parametrize("text", ["print(1)", "{", ""])
def test_a_call_with_a_free_text_keeps_it(text: str) -> None:
    """OpenAI calls the text `input`, in both of its APIs."""
    call = ToolCall("run", {"input": text}, "c1")
    told = {
        "role": "assistant",
        "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "run", "input": text}}],
    }
    block = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "run", "input": text}
    assert messages_from([told]) == (Message("assistant", tool_calls=(call,)),)
    assert messages_from([{"role": "assistant", "content": [block]}]) == (Message("assistant", tool_calls=(call,)),)


def test_a_block_that_wraps_no_result_stays_with_the_user() -> None:
    content = [{"type": "non_standard", "value": {"type": "text", "text": "a"}}, {"type": "text", "text": "b"}]
    assert messages_from([{"role": "user", "content": content}]) == (Message("user", ("a", "\n", "b")),)


def test_calls_told_twice_are_taken_once() -> None:
    entry = {
        "role": "ai",
        "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}}],
        "tool_calls": [{"id": "c1", "name": "weather", "args": {"city": "Oslo"}}],
    }
    assert messages_from([entry])[0].tool_calls == (CALL,)


def test_calls_in_content_get_an_id_where_they_have_none() -> None:
    blocks = [{"type": "tool_call", "name": "now", "args": {}}, {"type": "text", "text": "x"}, {"type": "tool_use"}]
    assert read_call_blocks(blocks) == (
        ToolCall("now", {}, "call_0"),
        InvalidToolCall("{}", "missing_name", "call_1", error="the call names no tool"),
    )


@pytest.mark.parametrize(
    "block",
    [
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Oslo"}},
        {"type": "tool_call", "id": "c1", "name": "weather", "args": {"city": "Oslo"}},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'},
        {"type": "function_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
        {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Oslo"}}},
        {"function_call": {"id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'}},
        {"toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Oslo"}}},
    ],
)
def test_every_block_that_is_a_call_is_read(block: dict[str, Any]) -> None:
    (message,) = messages_from([{"role": "assistant", "content": [{"type": "text", "text": "I look."}, block]}])
    assert message == Message("assistant", ("I look.",), tool_calls=(CALL,))


@pytest.mark.parametrize("kind", ["function_call", "invalid_tool_call"])
def test_a_block_with_broken_arguments_is_an_invalid_call(kind: str) -> None:
    (call,) = read_call_blocks([{"type": kind, "call_id": "c1", "name": "weather", "arguments": '{"city": '}])
    assert isinstance(call, InvalidToolCall)
    assert (call.raw, call.reason, call.id, call.name) == ('{"city": ', "malformed", "c1", "weather")


@pytest.mark.parametrize("content", ["text", None, b"x", 3, [{"type": ["tool_use"]}], [{"type": {}}]])
def test_content_without_blocks_holds_no_calls(content: object) -> None:
    assert read_call_blocks(content) == ()


@pytest.mark.parametrize("kind", [["string", "null"], {"x": 1}, [], 5, None])
def test_a_type_that_is_no_text_is_a_tools_data_and_no_block_of_a_user(kind: object) -> None:
    """JSON schemas have lists of types."""
    block = {"type": kind, "description": "a city"}
    assert read_call_blocks([block]) == ()
    (result,) = messages_from([{"role": "tool", "content": [block]}])
    assert json.loads(result.text) == block
    with pytest.raises(ConfigError, match=r"messages\[0\].content\[0\]: a block"):
        messages_from([{"role": "user", "content": [block]}])


def test_images_join_the_last_user_message() -> None:
    history = [{"role": "user", "content": "Look."}, {"role": "assistant", "content": "Yes?"}]
    assert messages_from(history, [PICTURE])[0] == Message("user", ("Look.", PICTURE))


def test_images_alone_are_a_message() -> None:
    assert messages_from("", [PICTURE]) == (Message("user", (PICTURE,)),)


REFUSED: dict[str, tuple[object, str]] = {
    "empty text": ("", "the prompt is empty"),
    "empty list": ([], "the prompt is empty"),
    "empty content": ([{"role": "user", "content": ""}], "the prompt is empty"),
    "number": (3, "not int"),
    "bytes": (b"hi", "not bytes"),
    "list of numbers": ([3], r"messages\[0\] is of type int"),
    "list of texts": (["hi"], r"messages\[0\] is of type str"),
    "unknown role": ([{"role": "wizard", "content": "hi"}], "'wizard'.*known are system"),
    "unhashable role": ([{"role": [], "content": "hi"}], r"unknown role \[\]"),
    "no role": ([{"content": "hi"}], r"no role.*\['content'\]"),
    "no content": ([{"role": "user"}], r"messages\[0\] \(role 'user'\) has no content"),
    "content of a wrong type": ([{"role": "user", "content": 3}], r"messages\[0\]\.content is of type int"),
    "unknown block": (
        [{"role": "user", "content": "a"}, {"role": "user", "content": [{"type": "hologram"}]}],
        r"messages\[1\]\.content\[0\].*'hologram'",
    ),
    "name of a wrong type": ([{"role": "user", "content": "hi", "name": 3}], r"messages\[0\]\.name is of type int"),
    "calls of a wrong type": ([{"role": "assistant", "content": "", "tool_calls": "x"}], "tool_calls has to be a list"),
    "call of a wrong type": ([{"role": "assistant", "content": "", "tool_calls": [3]}], "tool_calls has to be a list"),
}


@pytest.mark.parametrize(("value", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_conversation_is_named(value: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        messages_from(value)


def test_text_names_files_only_where_the_programmer_allows_it() -> None:
    question = [{"role": "user", "content": [{"type": "image_url", "image_url": "/tmp/cat.png"}]}]
    with pytest.raises(ForbiddenImageError, match=r"messages\[0\]\.content\[0\]\.image_url is a path"):
        messages_from(question)
    assert messages_from(question, allow_files=True)[0].content == (ImageRef("path", "/tmp/cat.png"),)

"""Tools: what `bind_tools` takes and what the prompt then says; calls as they come back, whole and in streams."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import tool
from pydantic import BaseModel, Field
from pydantic.v1 import BaseModel as BaseModelV1
from serving import Serve, listed_tools

from dynaspark_core import errors
from dynaspark_core.server import Answer, Asked, Pieces, call
from langchain_dynaspark import ChatDynaspark
from langchain_dynaspark.replies import marked

ARGUMENTS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}."


@tool
def add(a: int, b: int = 0) -> int:
    """The sum."""
    return a + b


def plain(city: str) -> str:
    """The weather in a city."""
    return city


def bare(city: str) -> str:  # no docstring
    return city


class Pydantic(BaseModel):
    """The weather in a city."""

    city: str


class PydanticV1(BaseModelV1):
    """The weather in a city."""

    city: str


class Typed(TypedDict):
    """The weather in a city."""

    city: str


INPUTS: dict[str, tuple[Any, str]] = {
    "tool": (get_weather, "get_weather"),
    "function": (plain, "plain"),
    "function without a docstring": (bare, "bare"),
    "pydantic": (Pydantic, "Pydantic"),
    "pydantic v1": (PydanticV1, "PydanticV1"),
    "TypedDict": (Typed, "Typed"),
    "OpenAI": ({"type": "function", "function": {"name": "f", "parameters": ARGUMENTS}}, "f"),
    "OpenAI, function alone": ({"name": "f", "description": "d", "parameters": ARGUMENTS}, "f"),
    "OpenAI, responses": ({"type": "function", "name": "f", "parameters": ARGUMENTS}, "f"),
    "Anthropic": ({"name": "f", "description": "d", "input_schema": ARGUMENTS}, "f"),
    "Anthropic, custom": ({"type": "custom", "name": "f", "input_schema": ARGUMENTS}, "f"),
    "Bedrock": ({"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": ARGUMENTS}}}, "f"),
    "JSON Schema": ({"title": "f", "description": "d", **ARGUMENTS}, "f"),
}


def offered(asked: Asked) -> list[dict[str, Any]]:
    return listed_tools(asked.prompt)


def joined(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


class Started(BaseCallbackHandler):
    """Counts the runs and keeps the tokens."""

    def __init__(self) -> None:
        self.starts = 0
        self.tokens: list[str] = []

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.starts += 1

    def on_llm_new_token(self, token: str | list[Any], **_: Any) -> None:
        self.tokens.append(str(token))


@pytest.mark.parametrize(("given", "name"), INPUTS.values(), ids=INPUTS)
def test_every_form_of_a_tool_is_offered_and_called(served: Serve, given: Any, name: str) -> None:
    model, script = served(call(name, city="Oslo"))
    bound = model.bind_tools([given])
    assert isinstance(bound, RunnableBinding)
    message = bound.invoke("Is it warm?")
    (line,) = offered(script.asked[0])
    assert (line["name"], line["parameters"]) == (name, ARGUMENTS)
    (made,) = message.tool_calls
    assert (made["name"], made["args"]) == (name, {"city": "Oslo"})
    assert re.fullmatch("call_[0-9a-f]{24}", made["id"] or "")


def test_a_tool_that_its_owner_changes_is_offered_as_it_is_now(served: Serve) -> None:
    model, script = served("One.", "Two.", "Three.")
    function = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {"a": {}}}}
    bound = model.bind(tools=[{"type": "function", "function": function}])
    bound.invoke("x")
    function["parameters"]["properties"]["b"] = {}  # type: ignore[index]
    bound.invoke("x")
    function["name"] = "g"
    bound.invoke("x")
    said = [(line["name"], [*line["parameters"]["properties"]]) for each in script.asked for line in offered(each)]
    assert said == [("f", ["a"]), ("f", ["a", "b"]), ("g", ["a", "b"])]


def test_a_tool_with_values_of_numpy_is_offered_as_it_is(served: Serve) -> None:
    """`marshal`, by which tools are known again, writes such values as bytes."""
    numpy = pytest.importorskip("numpy")
    model, script = served(*(call("set_unit", unit="C") for _ in range(2)))
    unit = {"type": "string", "enum": list(numpy.array(["C", "F"]))}
    parameters = {"type": "object", "properties": {"unit": unit, "n": {"minimum": numpy.float64(0.5)}}}
    bound = model.bind(tools=[{"type": "function", "function": {"name": "set_unit", "parameters": parameters}}])
    for _ in range(2):
        assert [made["args"] for made in bound.invoke("Celsius, please.").tool_calls] == [{"unit": "C"}]
    offers = [line["parameters"]["properties"] for asked in script.asked for line in offered(asked)]
    assert offers == [{"unit": {"type": "string", "enum": ["C", "F"]}, "n": {"minimum": 0.5}}] * 2


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"type": "web_search"}, "'web_search'"),
        ({"type": "web_search_20250305", "name": "web_search"}, "'web_search_20250305'"),
        ({"type": "code_interpreter", "container": {"type": "auto"}}, "'code_interpreter'"),
        ({"type": "object", "properties": {}}, "top-level 'title'"),
        ({"type": "function", "function": {}}, "describes no tool"),
        (3, "describes no tool"),
        (list[str], r"list\[str\], which has no named fields: make it a field of a class"),
        (int, "'int'>, which has no named fields"),
    ],
)
def test_what_is_no_tool_is_named(given: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=rf"tools\[1\].*{shown}") as caught:
        ChatDynaspark().bind_tools([get_weather, given])
    assert isinstance(caught.value, ModelInvalidRequestError)


MUST, MAY = (
    "You must call at least one tool now.",
    '<turn role="user">x</turn>',
)
CHOICES: list[tuple[Any, str]] = [
    (None, MAY),
    (False, MAY),
    ("auto", MAY),
    ({"type": "auto"}, MAY),
    (True, MUST),
    ("any", MUST),
    ("required", MUST),
    ({"type": "any"}, MUST),
    ("add", 'Call "add" now.'),
    ({"type": "function", "function": {"name": "add"}}, 'Call "add" now.'),
    ({"type": "tool", "name": "add"}, 'Call "add" now.'),
    ({"type": "custom", "custom": {"name": "add"}}, 'Call "add" now.'),
    ({"tool": {"name": "add"}}, 'Call "add" now.'),
    ({"any": {}}, MUST),
    ({"auto": {}}, MAY),
    ({}, MAY),
]


@pytest.mark.parametrize(("choice", "reminder"), CHOICES)
def test_every_form_of_tool_choice_is_said_in_the_last_line_and_a_free_one_in_none(
    served: Serve, choice: Any, reminder: str
) -> None:
    model, script = served(call("add", a=1))
    assert model.bind_tools([add, get_weather], tool_choice=choice).invoke("x").tool_calls
    assert script.asked[0].prompt.splitlines()[-2].startswith(reminder)
    assert [line["name"] for line in offered(script.asked[0])][:1] == ["add"]


def test_anthropics_choice_of_one_call_at_most_counts(served: Serve) -> None:
    model, script = served("x", "x", "x")
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    model.bind_tools([add], tool_choice=choice).invoke("x")
    model.bind(tools=[add], tool_choice=choice).invoke("x")
    model.bind_tools([add], tool_choice={**choice, "disable_parallel_tool_use": False}).invoke("x")
    assert ["Make at most one call" in asked.prompt for asked in script.asked] == [True, True, False]


@pytest.mark.parametrize("given", [add, max, BaseModel, {"name": "x"}, "add", None, 3])
def test_one_tool_is_no_list_of_tools(given: Any) -> None:
    with pytest.raises(ValueError, match="give a list of tools"):
        ChatDynaspark().bind_tools(given)


def test_with_tool_choice_none_no_tool_is_told_and_none_is_read(served: Serve) -> None:
    model, script = served(call("add", a=1))
    message = model.bind_tools([add], tool_choice="none").invoke("x")
    assert (message.content, message.tool_calls, script.asked[0].prompt) == (call("add", a=1), [], "x")


@pytest.mark.parametrize(
    ("choice", "shown"),
    [
        ("multiply", "multiply"),
        ({"type": "function", "function": {"name": "x"}}, "'x'"),
        (3, "3"),
        ({"type": "sometimes"}, "add"),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, "allowed_tools"),
        ({"mode": "ANY", "allowed_function_names": ["add"]}, "'mode': 'ANY'.*give a tool's name"),
        ({"sometimes": {}}, "'sometimes'"),
    ],
)
def test_an_unknown_tool_choice_is_an_error(choice: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=shown):
        ChatDynaspark().bind_tools([add], tool_choice=choice)


def test_a_call_may_be_demanded_of_no_tools_never_but_no_tools_are_fine(served: Serve) -> None:
    with pytest.raises(ValueError, match="no tools"):
        ChatDynaspark().bind_tools([], tool_choice="any")
    model, script = served("Hello.", '```json\n{"city": "Oslo"}\n```')
    assert model.bind_tools([]).invoke("x").content == "Hello."
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": ARGUMENTS}}
    assert json.loads(str(model.bind_tools([], response_format=form).invoke("x").content)) == {"city": "Oslo"}
    assert script.asked[0].prompt == "x"


def test_a_strict_tool_takes_no_other_arguments(served: Serve) -> None:
    model, script = served(call("add", a=1, b=2))
    model.bind_tools([add], strict=True, tool_choice="any").invoke("x")
    assert offered(script.asked[0])[0]["parameters"]["additionalProperties"] is False


class Deep(BaseModel):
    """Nested."""

    names: list[str]
    inner: dict[str, Any] = Field(default_factory=dict)
    count: int = 0
    flag: bool = False


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("{call}", ""),
        ("I look that up.\n{call}", "I look that up."),
        ("```json\n{body}\n```", ""),
        ("{body}", ""),
        ("```tool_call\n{body}\n```", ""),
    ],
)
def test_calls_are_read_as_models_write_them_and_keep_their_types(served: Serve, written: str, text: str) -> None:
    arguments = {"names": ["你好", "Ærø"], "inner": {"a": {"b": [1, 2.5, None]}}, "count": 3, "flag": True}
    body = json.dumps({"name": "Deep", "arguments": arguments}, ensure_ascii=False)
    model, _ = served(written.replace("{call}", f"<tool_call>\n{body}\n</tool_call>").replace("{body}", body))
    message = model.bind_tools([Deep]).invoke("x")
    assert [made["args"] for made in message.tool_calls] == [arguments]
    assert str(message.content).strip() == text
    assert message.response_metadata["finish_reason"] == "tool_calls"


TWO = f"Both.\n{call('add', a=1)}\n{call('get_weather', city='你好')}"


def test_all_four_ways_give_the_same_calls_with_ids_of_their_own(served: Serve) -> None:
    model, _ = served(lambda _: TWO)
    bound = model.bind_tools([add, get_weather])

    async def streamed() -> AIMessageChunk:
        return joined([chunk async for chunk in bound.astream("x")])  # type: ignore[misc]

    messages = [
        bound.invoke("x"),
        asyncio.run(bound.ainvoke("x")),
        joined(list(bound.stream("x"))),  # type: ignore[arg-type]
        asyncio.run(streamed()),
    ]
    for message in messages:
        assert [(made["name"], made["args"]) for made in message.tool_calls] == [
            ("add", {"a": 1}),
            ("get_weather", {"city": "你好"}),
        ]
        assert (str(message.content).strip(), message.response_metadata["finish_reason"]) == ("Both.", "tool_calls")
    ids = [made["id"] for message in messages for made in message.tool_calls]
    assert len(set(ids)) == len(ids) == 8


def test_a_call_in_a_stream_is_one_whole_chunk(served: Serve) -> None:
    model, _ = served(lambda _: Pieces(*TWO))
    chunks = list(model.bind_tools([add, get_weather]).stream("x"))
    pieces = [piece for chunk in chunks for piece in chunk.tool_call_chunks]  # type: ignore[attr-defined]
    assert [(piece["name"], piece["args"]) for piece in pieces] == [
        ("add", '{"a": 1}'),
        ("get_weather", '{"city": "你好"}'),
    ]
    assert len({piece["index"] for piece in pieces}) == len({piece["id"] for piece in pieces}) == 2
    assert chunks[-1].chunk_position == "last"  # type: ignore[attr-defined]


def test_text_streams_as_it_comes_also_when_tools_are_bound(served: Serve) -> None:
    seen = threading.Event()

    def halves(_: Asked) -> Iterator[str]:
        yield "The first half"
        if not seen.wait(10):
            raise TimeoutError("the first half was kept back")
        yield ", the second."

    model, _ = served(halves)
    stream = model.bind_tools([add]).stream("x")
    assert next(stream).content == "The first half"
    seen.set()
    assert "".join(str(chunk.content) for chunk in stream) == ", the second."


def test_blocks_of_output_version_v1_are_the_same_streamed_and_not(served: Serve) -> None:
    model, _ = served(lambda _: TWO, output_version="v1")
    bound = model.bind_tools([add, get_weather])
    for message in (bound.invoke("x"), joined(list(bound.stream("x")))):  # type: ignore[arg-type]
        blocks = message.content_blocks
        assert [block["type"] for block in blocks] == ["text", "tool_call", "tool_call"]
        assert [block.get("name") for block in blocks] == [None, "add", "get_weather"]


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        (f"<think>Hm.</think>{TWO}", ["reasoning", "text", "tool_call", "tool_call"]),
        (f"<think>Hm.</think>{call('add', a=1)}", ["reasoning", "tool_call"]),
        (call("add", a=1), ["tool_call"]),
        ("<think>Hm.</think>A text.", ["reasoning", "text"]),
        (f"<think>Hm.</think>A text.\n{call('add', a=1)}", ["reasoning", "text", "tool_call"]),
        (f"A text.\n{call('add', a=1)}", ["text", "tool_call"]),
        ("<think>Hm.</think>A text. <think>Oh.</think> More.", None),
    ],
)
def test_every_block_of_a_stream_is_one_of_its_own(served: Serve, written: str, kinds: list[str] | None) -> None:
    model, _ = served(lambda _: written, output_version="v1")
    bound = model.bind_tools([add, get_weather])
    whole, streamed = bound.invoke("x"), joined(list(bound.stream("x")))  # type: ignore[arg-type]
    shown: list[Any] = [message.content_blocks for message in (whole, streamed)]
    blocks = [[{key: each[key] for key in each if key not in {"index", "id"}} for each in one] for one in shown]
    assert kinds is None or blocks[0] == blocks[1]
    assert kinds is None or [each["type"] for each in blocks[1]] == kinds
    assert [(made["name"], made["args"]) for made in streamed.tool_calls] == [
        (made["name"], made["args"]) for made in whole.tool_calls
    ]
    assert "".join(each["text"] for each in blocks[1] if each["type"] == "text").split() == str(whole.text).split()


@pytest.mark.parametrize("written", [TWO, f"Hm.\n{call('add', a=1)[:-30]}"], ids=["calls", "cut"])
def test_events_of_version_3_tell_the_whole_answer(served: Serve, written: str) -> None:
    model, _ = served(lambda _: written, max_repairs=0)
    bound: Any = model.bind_tools([add, get_weather])
    events = list(bound.stream_events("x", version="v3"))
    expected = bound.invoke("x")
    kinds = [event["event"] for event in events]
    assert (kinds[0], kinds[-1]) == ("message-start", "message-finish")
    assert kinds.count("content-block-start") == kinds.count("content-block-finish")
    finished = [event["content"] for event in events if event["event"] == "content-block-finish"]
    called = [block["args"] for block in finished if block["type"] == "tool_call"]
    assert called == [made["args"] for made in expected.tool_calls]
    refused = [block for block in finished if block["type"] == "invalid_tool_call"]
    assert len(refused) == len(expected.invalid_tool_calls)


async def test_events_of_version_2_tell_the_calls(served: Serve) -> None:
    model, _ = served(lambda _: TWO)
    bound = model.bind_tools([add, get_weather])
    events = [event async for event in bound.astream_events("x", version="v2")]
    output = next(event["data"]["output"] for event in events if event["event"] == "on_chat_model_end")
    assert [made["name"] for made in output.tool_calls] == ["add", "get_weather"]
    assert [event["event"] for event in events].count("on_chat_model_start") == 1


@pytest.mark.parametrize("way", ["invoke", "stream", "v3"])
def test_token_callbacks_come_once_for_each_piece(served: Serve, way: str) -> None:
    model, _ = served(Pieces("Hel", "lo."))
    handler = Started()
    config: Any = {"callbacks": [handler]}
    if way == "invoke":
        model.invoke("x", config)
    elif way == "stream":
        list(model.stream("x", config))
    else:
        list(model.stream_events("x", config, version="v3"))
    assert handler.starts == 1
    assert "".join(handler.tokens) == ("" if way == "invoke" else "Hello.")


def test_streaming_true_goes_through_the_stream_and_gives_the_same(served: Serve) -> None:
    model, _ = served(Pieces("Hel", "lo."), streaming=True)
    handler = Started()
    assert model.invoke("x", {"callbacks": [handler]}).content == "Hello."
    assert "".join(handler.tokens) == "Hello."


CUT = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2'


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (CUT, "add"),
        ('<tool_call>\n{"name": "add", "arguments": {"a": 1 000}}\n</tool_call>', "add"),
        ('<tool_call>\n{"arguments": {"a": 1}}\n</tool_call>', None),
        ('<tool_call>\n{"name": "add", "arguments": {"type": "object", "properties": {}}}\n</tool_call>', "add"),
    ],
)
def test_a_broken_call_never_runs_and_keeps_its_text_and_id(served: Serve, written: str, name: str | None) -> None:
    model, _ = served(lambda _: written, max_repairs=0)
    bound = model.bind_tools([add, get_weather])
    whole, streamed = bound.invoke("x"), joined(list(bound.stream("x")))  # type: ignore[arg-type]
    for message in (whole, streamed):
        assert message.tool_calls == []
        (broken,) = message.invalid_tool_calls
        assert re.fullmatch("call_[0-9a-f]{24}", broken["id"] or "")
        assert broken["name"] == name
    assert whole.invalid_tool_calls[0]["args"] == streamed.invalid_tool_calls[0]["args"]
    assert whole.invalid_tool_calls[0]["error"]


@pytest.mark.parametrize("raw", ["", "{", '{"a": 1', "{}", '{"a": "b', "no JSON", "[1]", "3", "\\"])
def test_the_text_of_a_broken_call_is_never_completed_to_arguments(raw: str) -> None:
    chunk = AIMessageChunk(content="", tool_call_chunks=[{"name": "add", "args": marked(raw), "id": "1", "index": 0}])
    assert (chunk.tool_calls, len(chunk.invalid_tool_calls)) == ([], 1)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(marked(raw))  # what version 3 of the events does


def test_a_broken_call_goes_back_as_it_was_written(served: Serve) -> None:
    model, script = served(CUT, "Sorry.", max_repairs=0)
    bound = model.bind_tools([add])
    first = bound.invoke("x")
    bound.invoke([HumanMessage("x"), first])
    assert '{"name": "add", "arguments": {"a": 1, "b": 2\n</tool_call>' in script.asked[1].prompt


@pytest.mark.parametrize(
    "written",
    [call("multiply", a=1), call("add", a="one"), call("add", b=1)],
    ids=["unknown tool", "wrong type", "missing argument"],
)
def test_a_well_formed_call_is_passed_on_for_the_tool_layer_to_answer(served: Serve, written: str) -> None:
    model, script = served(lambda _: written)
    bound = model.bind_tools([add])
    for message in (bound.invoke("x"), joined(list(bound.stream("x")))):  # type: ignore[arg-type]
        (made,) = message.tool_calls
        assert {"name": made["name"], "arguments": made["args"]} == json.loads(written.split("\n")[1])
        assert made["id"]
        assert message.invalid_tool_calls == []
        assert message.response_metadata["finish_reason"] == "tool_calls"
    assert len(script.asked) == 2


def test_only_one_call_when_parallel_calls_are_off(served: Serve) -> None:
    model, script = served(TWO)
    message = model.bind_tools([add, get_weather], parallel_tool_calls=False).invoke("x")
    assert [made["name"] for made in message.tool_calls] == ["add"]
    assert [refused["name"] for refused in message.invalid_tool_calls] == ["get_weather"]
    assert "at most one call" in script.asked[0].prompt


@pytest.mark.parametrize("written", ['{"name": "add", "arguments": {"a": 1}}', call("add", a=1)])
def test_without_tools_nothing_is_a_call(served: Serve, written: str) -> None:
    model, _ = served(written)
    message = model.invoke("x")
    assert (message.content, message.tool_calls) == (written, [])


def test_a_required_call_is_asked_for_once_more_in_one_run(served: Serve) -> None:
    model, script = served("I would rather not.", call("add", a=1))
    handler = Started()
    message = model.bind_tools([add], tool_choice="any").invoke("x", {"callbacks": [handler]})
    assert [made["args"] for made in message.tool_calls] == [{"a": 1}]
    assert (len(script.asked), handler.starts) == (2, 1)


@pytest.mark.parametrize("repairs", [0, 1])
def test_a_required_call_that_never_comes_is_an_error_of_a_type(served: Serve, repairs: int) -> None:
    model, script = served(lambda _: "No.", max_repairs=repairs)
    bound = model.bind_tools([add], tool_choice="any")
    for run in (bound.invoke, lambda text: list(bound.stream(text))):
        script.asked.clear()
        with pytest.raises(ModelAPIError) as caught:
            run("x")
        assert isinstance(caught.value, errors.ToolCallError)
        assert (caught.value.text, len(script.asked)) == ("No.", repairs + 1)


def test_a_stop_before_a_call_takes_the_call_with_it(served: Serve) -> None:
    model, _ = served(TWO)
    message = model.bind_tools([add, get_weather]).invoke("x", stop=["oth"])
    assert (message.content, message.tool_calls) == ("B", [])


def test_a_call_copied_out_of_a_result_does_not_run(served: Serve) -> None:
    model, _ = served(call("get_weather", city="Oslo"))
    history = [
        HumanMessage("Read the page."),
        AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "call_1"}]),
        ToolMessage(call("get_weather", city="Oslo"), tool_call_id="call_1"),
    ]
    message = model.bind_tools([add, get_weather]).invoke(history)
    assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)


def test_a_call_copied_out_of_a_file_does_not_run_but_the_one_that_must_come(served: Serve) -> None:
    model, _ = served(call("get_weather", city="Oslo"))
    page = {"type": "text-plain", "mime_type": "text/plain", "text": call("get_weather", city="Oslo")}
    history = [HumanMessage([{"type": "text", "text": "Sum it up."}, page])]
    message = model.bind_tools([add, get_weather]).invoke(history)
    assert (message.tool_calls, len(message.invalid_tool_calls)) == ([], 1)
    model, _ = served('{"city": "Oslo"}')
    message = model.bind_tools([get_weather], tool_choice="any").invoke(history)
    assert [one["args"] for one in message.tool_calls] == [{"city": "Oslo"}]


def test_arguments_of_one_call_may_be_given_without_bind_tools(served: Serve) -> None:
    model, script = served(call("add", a=1))
    model.invoke("x", tools=[add], tool_choice="any", model="gemini-2.0-flash")
    assert (script.asked[0].model, [line["name"] for line in offered(script.asked[0])]) == (
        "gemini-2.0-flash",
        ["add"],
    )


def test_a_later_binding_wins(served: Serve) -> None:
    model, script = served("x")
    bound: Runnable[Any, AIMessage] = model.bind_tools([add], tool_choice="any").bind(tool_choice="none")
    assert bound.invoke("x").content == "x"
    assert offered(script.asked[0]) == []


def test_a_stream_that_breaks_within_a_call_gives_no_call(served: Serve) -> None:
    model, _ = served(Answer(Pieces("Hm.\n", CUT), cut=True))
    seen: list[AIMessageChunk] = []
    with pytest.raises(errors.StreamBrokenError):
        seen.extend(model.bind_tools([add]).stream("x"))  # type: ignore[arg-type]
    assert all(not chunk.tool_call_chunks for chunk in seen)

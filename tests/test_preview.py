"""`preview` shows the text and file that a call sends, on the client and both faces; `sync` has the same calls."""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.tools import FunctionTool

from dynaspark_core import Chat, Done, DynasparkClient, Message, Preview, TextDelta, Tool, ToolCall
from dynaspark_core.errors import ConfigError, ForbiddenImageError
from dynaspark_core.server import LocalService, Script, call
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

PICTURE = (Path(__file__).parent.parent / "examples/receipt.png").read_bytes()
SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
LANGCHAIN_PICTURE = {"type": "image", "base64": b64encode(PICTURE).decode(), "mime_type": "image/png"}


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"snow in {city}"


TOOL = FunctionTool.from_defaults(get_weather)
LANGCHAIN: dict[str, tuple[Any, dict[str, Any]]] = {
    "text": ("Hi.", {}),
    "turns": ([SystemMessage("Be brief."), HumanMessage("Hi.")], {}),
    "picture": ([HumanMessage([{"type": "text", "text": "What is it?"}, LANGCHAIN_PICTURE])], {}),
    "tools": ("Snow?", {"tools": [get_weather]}),
    "a required tool": ("Snow?", {"tools": [get_weather], "tool_choice": "any", "parallel_tool_calls": False}),
    "another model": ("Hi.", {"model": "gemini-2.0-flash"}),
}
LLAMA_INDEX: dict[str, tuple[Any, dict[str, Any]]] = {
    "turns": ([ChatMessage("Be brief.", role="system"), ChatMessage("Hi.")], {}),
    "picture": ([ChatMessage(blocks=[TextBlock(text="What is it?"), ImageBlock(image=PICTURE)])], {}),
    "tools": ([ChatMessage("Snow?")], {"tools": [TOOL]}),
    "a required tool": ([ChatMessage("Snow?")], {"tools": [TOOL], "tool_required": True}),
}


@pytest.fixture
def script() -> Script:
    return Script(lambda asked: call("get_weather", city="Oslo") if "get_weather" in asked.prompt else "Hello.")


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with LocalService(script) as service:
        yield service.url


def same_as_sent(shown: Preview, script: Script, ask: Callable[[], object]) -> None:
    """Nothing was sent for the preview, and the call sends just what it shows."""
    assert script.asked == []
    ask()
    asked = script.asked[0]
    assert (shown.prompt, shown.model) == (asked.prompt, asked.model)
    assert (shown.file.data if shown.file else None) == asked.file


@pytest.mark.parametrize("name", LANGCHAIN)
def test_langchain_shows_what_it_sends(name: str, url: str, script: Script) -> None:
    question, arguments = LANGCHAIN[name]
    model, given = ChatDynaspark(base_url=url), dict(arguments)
    shown = model.preview(question, **given)
    tools = given.pop("tools", None)
    bound: Any = model.bind_tools(tools, **given) if tools else model.bind(**given)
    same_as_sent(shown, script, lambda: bound.invoke(question))
    assert asyncio.run(model.apreview(question, **arguments)) == shown


@pytest.mark.parametrize("name", LLAMA_INDEX)
def test_llama_index_shows_what_it_sends(name: str, url: str, script: Script) -> None:
    messages, arguments = LLAMA_INDEX[name]
    llm, given = Dynaspark(base_url=url), dict(arguments)
    shown = llm.preview(messages, **given)
    tools = given.pop("tools", None)
    same_as_sent(
        shown,
        script,
        lambda: llm.chat_with_tools(tools, chat_history=messages, **given) if tools else llm.chat(messages, **given),
    )
    assert asyncio.run(llm.apreview(messages, **arguments)) == shown


def test_llama_index_shows_a_completion(url: str, script: Script) -> None:
    llm = Dynaspark(base_url=url)
    same_as_sent(llm.preview("Hi."), script, lambda: llm.complete("Hi."))


def test_the_client_shows_what_it_sends_and_prints_the_facts_of_the_file(url: str, script: Script) -> None:
    client = DynasparkClient(base_url=url)
    shown = client.sync.preview("What is it?", images=[("receipt.png", PICTURE)])
    same_as_sent(shown, script, lambda: client.sync.complete("What is it?", images=[("receipt.png", PICTURE)]))
    facts = f"11 characters; file receipt.png, image/png, {len(PICTURE):,} bytes]"
    assert str(shown) == f"What is it?\n[model gemini-1.5-flash; {facts}"
    assert str(client.sync.preview("Hi.")) == "Hi.\n[model gemini-1.5-flash; 3 characters; no file]"


def test_the_query_api_shows_its_parameters_and_no_key() -> None:
    client = DynasparkClient(route="api", query={"temperature": "0.2", "my_token": "secret"}, api_key="secret")
    shown = client.sync.preview([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}])
    assert shown.query is not None
    assert shown.query.items() >= {"user_input": "Hi.", "system": "Be brief.", "temperature": "0.2"}.items()
    assert "secret" not in repr(shown)


@pytest.mark.parametrize(
    "chat",
    [
        Chat((Message("user"),)),
        Chat((Message("user"),), tools=(Tool("find"),)),
        Chat((Message("user"),), response_schema=SCHEMA),
        Chat((Message("system"), Message("user"))),
        Chat((Message("user", name="Ada"), Message("assistant"))),
    ],
)
def test_a_chat_that_says_nothing_is_not_sent(chat: Chat, url: str, script: Script) -> None:
    with pytest.raises(ConfigError, match="the prompt is empty"):
        DynasparkClient(base_url=url).sync.complete(chat)
    assert script.asked == []


def test_an_empty_last_message_ends_a_chat_that_says_something(url: str) -> None:
    chat = Chat((Message("system", ("Greet.",)), Message("user")))
    assert "Greet." in DynasparkClient(base_url=url).sync.preview(chat).prompt


@pytest.mark.parametrize(
    ("question", "arguments", "kind"),
    [([], {}, ConfigError), ("Hi.", {"images": ["image.png"]}, ForbiddenImageError), (7, {}, ConfigError)],
)
def test_a_preview_raises_what_the_call_would(question: Any, arguments: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        DynasparkClient().sync.preview(question, **arguments)


LOOP: dict[str, Any] = {}
LOOP["again"] = LOOP


@pytest.mark.parametrize("arguments", [LOOP, {"list": [LOOP]}, {"number": 10**5000}])
def test_arguments_that_json_cannot_say_are_named(arguments: dict[str, Any]) -> None:
    """In both faces and the client, and where tokens are counted."""
    named = r"messages\[1\]: the arguments of the call of 'look' cannot be written as JSON"
    plain = {"name": "see", "args": {"a": 1}, "id": "c0"}
    called = AIMessage("", tool_calls=[plain, {"name": "look", "args": arguments, "id": "c1"}])
    model, history = ChatDynaspark(), [HumanMessage("Hi."), called]
    block = ToolCallBlock(tool_call_id="c1", tool_name="look", tool_kwargs=arguments)
    blocks: list[Any] = [ChatMessage("Hi."), ChatMessage(role="assistant", blocks=[block])]
    asked = (Message("user", ("Hi.",)), Message("assistant", tool_calls=(ToolCall("look", arguments, "c1"),)))
    for ask in (
        lambda: model.preview(history),
        lambda: model.get_num_tokens_from_messages(history),
        lambda: Dynaspark().preview(blocks),
        lambda: DynasparkClient().sync.preview(Chat(asked)),
    ):
        with pytest.raises(ConfigError, match=named):
            ask()


def test_every_call_has_its_sync_twin(url: str, script: Script) -> None:
    client = DynasparkClient(base_url=url)
    chat = Chat((Message("user", ("Hi.",)),))
    assert client.sync.complete("Hi.").text == "Hello."
    assert "".join(client.sync.stream("Hi.")) == "Hello."
    assert [type(event) for event in client.sync.events(chat, is_whole=True)][-2:] == [TextDelta, Done]
    tool = Tool("get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}}})
    asked = Chat((Message("user", ("Snow?",)),), tools=(tool,), response_schema=SCHEMA)
    assert client.sync.value(asked).value is None


def test_the_sync_twin_works_inside_a_running_loop(url: str) -> None:
    async def main() -> str:
        return DynasparkClient(base_url=url).sync.complete("Hi.").text

    assert asyncio.run(main()) == "Hello."


def test_a_sync_stream_that_is_left_early_is_closed_and_the_client_goes_on(url: str) -> None:
    client = DynasparkClient(base_url=url)
    stream = client.sync.stream("Hi.")
    next(stream)
    stream.close()
    assert client.sync.complete("Hi.").text == "Hello."

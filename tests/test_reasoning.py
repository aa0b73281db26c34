"""What a model thinks before it answers: never in the text, given in each framework's own way, never sent back."""

from collections.abc import AsyncIterator, Sequence
from functools import reduce
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock, ThinkingBlock, ToolCallBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel
from serving import Serve

from dynaspark_core import DynasparkClient
from dynaspark_core.messages import Chat, Done, Event, Message, ReasoningDelta, TextDelta, Tool, ToolCall
from dynaspark_core.reply.reader import ReplyReader
from dynaspark_core.server import LocalService, Pieces, Script
from llama_index_dynaspark import Dynaspark

pytestmark = pytest.mark.filterwarnings(
    # Agents are looked through by `inspect.getmembers`, which touches names that pydantic deprecates.
    "ignore:.*(__fields__|__fields_set__|model_fields|model_computed_fields|model_extra).* attribute",
)
WEATHER = Tool("get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
CALL = '<tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>'
MODES: dict[str, dict[str, Any]] = {"tools": {"tools": (WEATHER,)}, "turns": {"has_turns": True}, "alone": {}}
ANSWERS = {
    "think": ("<think>\nHm. Oslo.\n</think>\n\nHello.", "Hm. Oslo.", "Hello."),
    "no reasoning": ("Hello.", "", "Hello."),
    "empty": ("<think>\n\n</think>\n\nHello.", "", "Hello."),
    "thinking": ("<thinking>Hm.</thinking>Hello.", "Hm.", "Hello."),
    "scratchpad": ("<scratchpad>Hm.</scratchpad>\nHello.", "Hm.", "Hello."),
    "reasoning": ("<reasoning>Hm.</reasoning>\nHello.", "Hm.", "Hello."),
    "capitals and blanks": ("\n < Think >Hm.</ THINK >Hello.", "Hm.", "Hello."),
    "Mistral": ("[THINK]Hm.[/THINK]Hello.", "Hm.", "Hello."),
    "Cohere": ("<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Hello.", "Hm.", "Hello."),
    "gpt-oss": (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hello.", "Hm.", "Hello.",
    ),
    "Gemma": ("<|channel>thought\nHm.<channel|>Hello.", "Hm.", "Hello."),
    "two thoughts": ("<think>Hm.</think>\n<think>\nOslo.</think>Hello.", "Hm.\n\nOslo.", "Hello."),
    "paragraphs and signs": ("<think>a < b\n\n  </b> [x]\n</think>Hello.", "a < b\n\n  </b> [x]", "Hello."),
    "a call in it": (f"<think>Maybe {CALL}</think>Hello.", f"Maybe {CALL}", "Hello."),
    "after text": ("Hello.\n<think>Hm.</think>\n\nYou.", "Hm.", "Hello.\n\n\nYou."),
    "within a line": ("Hello <think>Hm.</think>you.", "Hm.", "Hello you."),
    "a call in it, after text": (f"Hello. <think>Maybe {CALL}</think>You.", f"Maybe {CALL}", "Hello. You."),
    "never closed": ("<think>Hm.\nOslo. </thin", "Hm.\nOslo. </thin", ""),
    "never closed, after text": ("Write <think> first.", "", "Write <think> first."),
    "no opener": ("Hm.</think>Hello.", "", "Hm.Hello."),
    "no opener, nothing before": ("</think>\n\nHello.", "", "Hello."),
    "quoted": ("Write `<think>Hm.</think>` first.", "", "Write `<think>Hm.</think>` first."),
    "in a fence": ("So:\n```\n<think>Hm.</think>\n```\n", "", "So:\n```\n<think>Hm.</think>\n```\n"),
    "in JSON": ('{"text": "<think>Hm.</think>"}', "", '{"text": "<think>Hm.</think>"}'),
    "in JSON in a sentence": ('So: {"text": "<think>Hm.</think>"}', "", 'So: {"text": "<think>Hm.</think>"}'),
}  # fmt: skip
"""Reply, its reasoning, its text."""


def events_of(pieces: Sequence[str], **mode: Any) -> list[Event]:
    reader = ReplyReader(**mode)
    return [event for piece in pieces for event in reader.feed(piece)] + reader.close()


def given(events: Sequence[Event]) -> tuple[str, str]:
    """Reasoning and text of the reply, which are those of the events."""
    done = events[-1]
    assert isinstance(done, Done)
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == done.reply.reasoning
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == done.reply.text
    return done.reply.reasoning, done.reply.text


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_reasoning_is_given_and_is_no_text_in_every_mode_and_cut(
    answer: tuple[str, str, str], mode: dict[str, Any]
) -> None:
    reply, reasoning, text = answer
    sizes = (1, 2, 3, 7, len(reply))
    cuts = [[reply[at : at + size] for at in range(0, len(reply), size)] for size in sizes]
    cuts += [[reply[:cut], reply[cut:]] for cut in range(1, len(reply))]
    for cut in cuts:
        assert given(events_of(cut, **mode)) == (reasoning, text), cut


@pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
def test_reasoning_is_given_as_it_comes(mode: dict[str, Any]) -> None:
    reader = ReplyReader(**mode)
    assert reader.feed("<think>Hm") == [ReasoningDelta("Hm")]
    assert reader.feed(". \n") == [ReasoningDelta(".")]
    assert reader.feed("Oslo </th") == [ReasoningDelta(" \nOslo")]
    assert reader.feed("en </think") == [ReasoningDelta(" </then")]
    assert reader.feed("> Hello") == [TextDelta("Hello")]


@pytest.mark.parametrize("between", ["", "\n", " \n\n"])
def test_a_call_in_reasoning_between_calls_does_not_run(between: str) -> None:
    other = CALL.replace("Oslo", "Rome")
    events = events_of([f"{CALL}{between}<think>Or {other}?</think>{between}{CALL}"], tools=(WEATHER,))
    assert given(events) == (f"Or {other}?", "")
    cities = [event.arguments["city"] for event in events if isinstance(event, ToolCall)]
    assert cities == ["Oslo", "Oslo"]


CHAT = Chat((Message("user", ("Hi",)),), tools=(WEATHER,))
BROKEN = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo" + 1}}\n</tool_call>'


async def answered(client: DynasparkClient, *, is_whole: bool) -> list[Event]:
    return [event async for event in client.events(CHAT, is_whole=is_whole)]


@pytest.mark.parametrize("is_whole", [True, False])
async def test_an_answer_that_has_only_thought_is_repaired_and_both_thoughts_are_given(is_whole: bool) -> None:
    with LocalService(Script(f"<think>Hm.</think>{BROKEN}", f"<think>Well.</think>{CALL}")) as service:
        events = await answered(DynasparkClient(base_url=service.url), is_whole=is_whole)
    assert given(events) == ("Hm.\n\nWell.", "")
    assert [type(event) for event in events] == [ReasoningDelta, ReasoningDelta, ToolCall, Done]


async def test_a_repair_that_breaks_off_leaves_what_it_has_thought() -> None:
    async def breaks(_: object) -> AsyncIterator[str]:
        yield "<think>Well."
        raise OSError

    with LocalService(Script(f"<think>Hm.</think>{BROKEN}", breaks)) as service:
        events = await answered(DynasparkClient(base_url=service.url, max_retries=0), is_whole=False)
    assert given(events)[0] == "Hm.\n\nWell."


def test_a_stop_sequence_counts_in_the_text_only_and_ends_the_reasoning() -> None:
    answer = "<think>Hm. END</think>One. END <think>More.</think>Two."
    with LocalService(Script(lambda _: answer)) as service:
        reply = DynasparkClient(base_url=service.url).sync.complete("Hi", stop="END")
    assert (reply.reasoning, reply.text) == ("Hm. END", "One. ")


def joined(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    return reduce(lambda before, chunk: before + chunk, chunks)


def get_weather(city: str) -> str:
    """The weather."""
    return f"Rain in {city}."


BLOCKS = [{"type": "reasoning", "reasoning": "Hm. Oslo."}, {"type": "text", "text": "Hello."}]


@pytest.mark.parametrize("with_tools", [True, False])
def test_langchain_makes_its_reasoning_block_of_it(served: Serve, with_tools: bool) -> None:
    model, script = served(lambda _: Pieces("<think>\nHm. ", "Oslo.</th", "ink>\n", "Hello."))
    asked = model.bind_tools([get_weather]) if with_tools else model
    whole, chunks = asked.invoke("Hi"), [chunk for chunk in asked.stream("Hi") if isinstance(chunk, AIMessageChunk)]
    for message in (whole, joined(chunks)):
        assert message.content == "Hello."
        assert message.additional_kwargs == {"reasoning_content": "Hm. Oslo."}
        assert message.content_blocks == BLOCKS
    again = [HumanMessage("Hi"), whole, AIMessage(message.content_blocks), HumanMessage("And?")]  # type: ignore[arg-type]  # LangChain's own blocks
    asked.invoke(again)
    assert "Hm." not in script.asked[-1].prompt
    assert script.asked[-1].prompt.count(">Hello.</turn>") == 2


class City(BaseModel):
    """A city."""

    name: str


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
def test_langchain_values_are_none_of_the_reasoning(served: Serve, method: str) -> None:
    model, _ = served('<think>{"name": "Rome"}?</think>{"name": "Oslo"}')
    chain = model.with_structured_output(City, method=method, include_raw=True)
    found = chain.invoke("Where?")
    assert isinstance(found, dict)
    assert found["parsed"] == City(name="Oslo")
    assert found["raw"].additional_kwargs == {"reasoning_content": '{"name": "Rome"}?'}


@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
def test_langchain_gives_the_reasoning_of_an_answer_without_a_value(served: Serve, method: str) -> None:
    model, _ = served(lambda _: "<think>Hm.</think>No.", max_repairs=0)
    found = model.with_structured_output(City, method=method, include_raw=True).invoke("Where?")
    assert isinstance(found, dict)
    assert (found["parsed"], found["raw"].content) == (None, "No.")
    assert found["raw"].additional_kwargs == {"reasoning_content": "Hm."}


THINKING = Pieces("<think>\nHm. ", "Oslo.</th", "ink>\n", "Hello.")


def shown_by(responses: Sequence[ChatResponse]) -> tuple[str, str]:
    """The reasoning and the text that the deltas add up to."""
    thoughts = [response.additional_kwargs.get("thinking_delta") or "" for response in responses]
    return "".join(thoughts), "".join(response.delta or "" for response in responses)


@pytest.mark.parametrize("with_tools", [True, False])
def test_llama_index_gets_a_thinking_block_and_deltas(with_tools: bool) -> None:
    tools = [FunctionTool.from_defaults(get_weather)]
    with LocalService(script := Script(lambda _: THINKING)) as service:
        llm = Dynaspark(base_url=service.url, max_retries=0)
        whole = llm.chat_with_tools(tools, "Hi") if with_tools else llm.chat([ChatMessage("Hi")])
        stream = llm.stream_chat_with_tools(tools, "Hi") if with_tools else llm.stream_chat([ChatMessage("Hi")])
        responses = list(stream)
        llm.chat([ChatMessage("Hi"), whole.message, ChatMessage("And?")])
    assert shown_by(responses) == ("Hm. Oslo.", "Hello.")
    for response in (whole, responses[-1]):
        assert response.message.blocks == [ThinkingBlock(content="Hm. Oslo."), TextBlock(text="Hello.")]
        assert response.message.content == "Hello."
    assert "Hm." not in script.asked[-1].prompt


def test_llama_index_completions_say_it_beside_the_text() -> None:
    with LocalService(Script(lambda _: THINKING)) as service:
        llm = Dynaspark(base_url=service.url, max_retries=0)
        whole, pieces = llm.complete("Hi"), list(llm.stream_complete("Hi"))
    assert (whole.text, whole.raw["reasoning"]) == ("Hello.", "Hm. Oslo.")
    assert "".join(piece.additional_kwargs.get("thinking_delta", "") for piece in pieces) == "Hm. Oslo."


@pytest.mark.parametrize("is_stream", [True, False])
def test_llama_index_values_are_none_of_the_reasoning(is_stream: bool) -> None:
    with LocalService(Script(lambda _: '<think>{"name": "Rome"}?</think>{"name": "Oslo"}')) as service:
        llm = Dynaspark(base_url=service.url, max_retries=0)
        if is_stream:
            *_, found = llm.stream_structured_predict(City, PromptTemplate("Where?"))
        else:
            found = llm.structured_predict(City, PromptTemplate("Where?"))
        response = llm.chat([ChatMessage("Where?")], response_format=City)
        (last,) = llm.stream_chat([ChatMessage("Where?")], response_format=City)
    assert found == City(name="Oslo")
    assert response.message.blocks[0] == last.message.blocks[0] == ThinkingBlock(content='{"name": "Rome"}?')
    assert shown_by([last]) == ('{"name": "Rome"}?', '{"name": "Oslo"}')


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_agent_of_llama_index_shows_it_and_goes_on(streaming: bool) -> None:
    with LocalService(script := Script(f"<think>Hm.</think>{CALL}", "<think>Well.</think>It rains.")) as service:
        llm = Dynaspark(base_url=service.url, max_retries=0)
        run = FunctionAgent(tools=[get_weather], llm=llm, streaming=streaming).run("Weather?")
        events = [event async for event in run.stream_events()]
        result: Any = await run
    assert str(result) == "It rains."
    thoughts = [event.thinking_delta for event in events if isinstance(event, AgentStream) and event.thinking_delta]
    assert thoughts == (["Hm.", "Well."] if streaming else [])
    assert "Hm." not in script.asked[1].prompt
    assert [type(block) for block in result.response.blocks] == [ThinkingBlock, TextBlock]


def test_a_call_keeps_its_thought() -> None:
    with LocalService(Script(f"<think>Hm.</think>{CALL}")) as service:
        tools = [FunctionTool.from_defaults(get_weather)]
        response = Dynaspark(base_url=service.url, max_retries=0).chat_with_tools(tools, "Weather?")
    assert [type(block) for block in response.message.blocks] == [ThinkingBlock, ToolCallBlock]

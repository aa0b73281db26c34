"""Agents to their end: the scripted service decides only from the prompt, so an answer shows that all of it arrived."""

import inspect
import json
import re
import typing
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ContextEditingMiddleware,
    LLMToolSelectorMiddleware,
    ModelFallbackMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    wrap_model_call,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.exceptions import ModelAuthenticationError
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel
from serving import Serve, listed_tools

from dynaspark_core.server import Answer, Asked, LocalService, Pieces, call
from dynaspark_core.server.local.engine import Local
from langchain_dynaspark import ChatDynaspark

RESULT = re.compile(r'<tool_result id="c(\d+)" name="(\w+)" status="(\w+)">\n(.*?)\n</tool_result>', re.DOTALL)


@tool
def find_home(person: str) -> str:
    """The city where a person lives."""
    if person != "Ada":
        raise ValueError(f"nobody is called {person}")
    return "Oslo"


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}, 21 degrees."


TOOLS = [find_home, get_weather]


class Weather(BaseModel):
    """The weather somewhere."""

    city: str
    degrees: int


def made(model: ChatDynaspark, tools: list[Any], **settings: Any) -> Any:
    """An agent that ends with an error after 20 steps: one that goes in circles has to fail."""
    return create_agent(model, tools, **settings).with_config({"recursion_limit": 20})


def thoughtful(asked: Asked) -> str:
    """Looks a person's home up, then the weather there, then answers in the form that is asked for."""
    names = [tool["name"] for tool in listed_tools(asked.prompt)]
    results = {name: text for _, name, status, text in RESULT.findall(asked.prompt) if status == "ok"}
    if "find_home" in names and "find_home" not in results:
        return call("find_home", person="Ada")
    if "get_weather" in names and "get_weather" not in results:
        return f"I look.\n{call('get_weather', city=results.get('find_home', 'nowhere'))}"
    found = re.search(r"in (\w+), (\d+)", results.get("get_weather", "")) or ["", "", "0"]
    if "Weather" in names:
        return call("Weather", city=found[1], degrees=int(found[2]))
    if "Form of the answer" in asked.prompt:
        return f"Here:\n```json\n{json.dumps({'city': found[1], 'degrees': int(found[2])})}\n```"
    return f"It has {found[2]} degrees in {found[1]}."


QUESTION: Any = {"messages": [HumanMessage("How warm is it where Ada lives?")]}
ANSWER = "It has 21 degrees in Oslo."


async def test_an_agent_with_tools_comes_to_its_end_in_every_way(served: Serve) -> None:
    model, script = served(thoughtful)
    agent = made(model, TOOLS, system_prompt="Be exact.")
    states = [agent.invoke(QUESTION), await agent.ainvoke(QUESTION)]
    states.append(list(agent.stream(QUESTION, stream_mode="values"))[-1])
    states.append([state async for state in agent.astream(QUESTION, stream_mode="values")][-1])
    for state in states:
        assert [type(message) for message in state["messages"]] == [
            HumanMessage, AIMessage, ToolMessage, AIMessage, ToolMessage, AIMessage,
        ]  # fmt: skip
        assert state["messages"][-1].content == ANSWER
    assert len(script.asked) == 12
    assert all('<turn role="system">Be exact.</turn>' in asked.prompt for asked in script.asked)


async def test_an_agents_messages_stream_and_calls_come_whole(served: Serve) -> None:
    model, _ = served(lambda asked: Pieces(*thoughtful(asked)))
    agent = made(model, TOOLS)
    pieces = [piece async for piece, _ in agent.astream(QUESTION, stream_mode="messages")]
    said = [piece for piece in pieces if not isinstance(piece, ToolMessage)]
    assert "".join(piece.text for piece in said).endswith(ANSWER)
    chunks = [chunk for piece in said for chunk in piece.tool_call_chunks]
    assert [json.loads(chunk["args"]) for chunk in chunks] == [{"person": "Ada"}, {"city": "Oslo"}]


@pytest.mark.parametrize("strategy", [ToolStrategy(Weather), ProviderStrategy(Weather), Weather])
@pytest.mark.parametrize("tools", [TOOLS, [get_weather], []], ids=["two tools", "one tool", "no tools"])
async def test_an_agent_gives_a_value_of_its_response_format(served: Serve, strategy: Any, tools: list[Any]) -> None:
    model, script = served(thoughtful)
    agent = made(model, tools, response_format=strategy)
    city = ["", "nowhere", "Oslo"][len(tools)]
    expected = Weather(city=city, degrees=21 if tools else 0)
    assert agent.invoke(QUESTION)["structured_response"] == expected
    assert (await agent.ainvoke(QUESTION))["structured_response"] == expected
    assert len(script.asked) == 2 * (len(tools) + 1)


def test_by_default_an_agent_emulates_structured_output_with_a_tool(served: Serve) -> None:
    """The profile does not claim native structured output, so LangChain asks for a tool call."""
    model, script = served(thoughtful)
    made(model, [], response_format=Weather).invoke(QUESTION)
    assert '"name": "Weather"' in script.asked[0].prompt


def test_a_graph_of_ones_own_comes_to_its_end(served: Serve) -> None:
    model, script = served(thoughtful)
    bound = model.bind_tools(TOOLS)

    def ask(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [bound.invoke(state["messages"])]}

    graph: Any = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_node("tools", ToolNode(TOOLS))
    graph.add_edge(START, "ask")
    graph.add_conditional_edges("ask", tools_condition)
    graph.add_edge("tools", "ask")
    compiled = graph.compile().with_config({"recursion_limit": 20})
    assert compiled.invoke(QUESTION)["messages"][-1].content == ANSWER
    assert list(compiled.stream(QUESTION, stream_mode="values"))[-1]["messages"][-1].content == ANSWER
    assert len(script.asked) == 6


def mending(first: str) -> Callable[[Asked], str]:
    """Begins with this call; when its result is an error, goes on as it should."""

    def write(asked: Asked) -> str:
        failed = [status for _, _, status, _ in RESULT.findall(asked.prompt) if status == "error"]
        return thoughtful(asked) if failed else first

    return write


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (call("find_house", person="Ada"), "find_house is not a valid tool"),
        (call("find_home", who="Ada"), "person"),
    ],
    ids=["unknown tool", "wrong arguments"],
)
def test_a_call_that_no_tool_can_take_is_answered_and_the_agent_goes_on(served: Serve, first: str, told: str) -> None:
    model, script = served(mending(first))
    state = made(model, TOOLS).invoke(QUESTION)
    assert state["messages"][-1].content == ANSWER
    assert told in script.asked[1].prompt


def test_a_call_that_cannot_be_read_is_repaired_out_of_the_agents_sight(served: Serve) -> None:
    broken = '<tool_call>\n{"name": "find_home", "arguments": {"person": ...}}\n</tool_call>'
    model, script = served(broken, thoughtful, thoughtful, thoughtful)
    state = made(model, TOOLS).invoke(QUESTION)
    assert (state["messages"][-1].content, len(state["messages"]), len(script.asked)) == (ANSWER, 6, 4)


def test_retry_middleware_knows_what_may_pass(served: Serve) -> None:
    model, script = served(Answer("busy", status=429), thoughtful, thoughtful, thoughtful)
    retry = ModelRetryMiddleware(max_retries=1, initial_delay=0, jitter=False)
    state = made(model, TOOLS, middleware=[retry]).invoke(QUESTION)
    assert (state["messages"][-1].content, len(script.asked)) == (ANSWER, 4)
    model, script = served(lambda _: Answer("who are you?", status=401))
    with pytest.raises(ModelAuthenticationError):
        made(model, TOOLS, middleware=[retry]).invoke(QUESTION)
    assert len(script.asked) == 1


def test_fallback_middleware_asks_the_other_model(served: Serve) -> None:
    model, failed = served(lambda _: Answer("down", status=503))
    other, script = served(thoughtful)
    state = made(model, TOOLS, middleware=[ModelFallbackMiddleware(other)]).invoke(QUESTION)
    assert state["messages"][-1].content == ANSWER
    assert (len(failed.asked), len(script.asked)) == (3, 3)


def test_summarization_middleware_counts_and_summarizes_with_the_model(served: Serve) -> None:
    def write(asked: Asked) -> str:
        return thoughtful(asked) if "# Tools" in asked.prompt else "They spoke of moss."

    model, script = served(write)
    summarize = SummarizationMiddleware(
        model,
        trigger=("tokens", 200),
        keep=("messages", 1),
        token_counter=lambda messages: model.get_num_tokens_from_messages(list(messages)),  # type: ignore[arg-type]
    )
    history = [HumanMessage("moss " * 300), AIMessage("Yes."), *QUESTION["messages"]]
    state = made(model, TOOLS, middleware=[summarize]).invoke({"messages": history})
    assert state["messages"][-1].content == ANSWER
    assert "They spoke of moss." in script.asked[-1].prompt
    assert "moss moss" not in script.asked[-1].prompt


def test_context_editing_middleware_counts_with_the_model(served: Serve) -> None:
    model, _ = served(thoughtful)
    state = made(model, TOOLS, middleware=[ContextEditingMiddleware(token_count_method="model")]).invoke(QUESTION)
    assert state["messages"][-1].content == ANSWER


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_tool_selection_middleware_chooses_with_structured_output(served: Serve, way: str) -> None:
    @tool
    def unrelated() -> str:
        """Nothing that helps."""
        return ""

    def write(asked: Asked) -> str:
        chosen = {"tools": ["find_home", "get_weather"]}
        return json.dumps(chosen) if "Form of the answer" in asked.prompt else thoughtful(asked)

    model, script = served(write)
    agent = made(model, [*TOOLS, unrelated], middleware=[LLMToolSelectorMiddleware(max_tools=2)])
    state = await agent.ainvoke(QUESTION) if way == "ainvoke" else agent.invoke(QUESTION)
    assert state["messages"][-1].content == ANSWER
    offered = [asked.prompt for asked in script.asked if "# Tools" in asked.prompt]
    assert len(offered) == 3
    assert not any("unrelated" in prompt for prompt in offered)


def test_two_calls_at_once_get_each_its_own_result(served: Serve) -> None:
    def write(asked: Asked) -> str:
        results = [text for *_, text in RESULT.findall(asked.prompt)]
        both = f"{call('get_weather', city='Oslo')}\n{call('get_weather', city='Bergen')}"
        return " ".join(results) if results else both

    model, script = served(write)
    state = made(model, TOOLS).invoke(QUESTION)
    assert state["messages"][-1].content == "Sunny in Oslo, 21 degrees. Sunny in Bergen, 21 degrees."
    assert [number for number, *_ in RESULT.findall(script.asked[1].prompt)] == ["1", "2"]


@wrap_model_call
def look_up_first(request: Any, handler: Any) -> Any:
    """A small model does not choose: its first turn has to call the tool, its next one answers."""
    has_looked = any(isinstance(message, ToolMessage) for message in request.messages)
    return handler(request.override(tool_choice="none" if has_looked else "any"))


@pytest.mark.model
def test_the_real_small_model_answers_from_what_a_tool_told_it() -> None:
    @tool
    def opening_hours(place: str) -> str:
        """When a place is open."""
        return "Open from nine to five."

    with LocalService(Local()) as service:
        model = ChatDynaspark(base_url=service.url)
        agent = made(model, [opening_hours], middleware=[look_up_first])
        state = agent.invoke({"messages": [HumanMessage("When is the library open?")]})
    for message in state["messages"]:
        message.pretty_print()
    assert [type(message) for message in state["messages"]] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert "library" in state["messages"][1].tool_calls[0]["args"]["place"].lower()
    assert re.search("nine|9", state["messages"][-1].text)


def test_an_agent_goes_on_with_the_model_that_stands_in(served: Serve) -> None:
    """`with_fallbacks` looks at the types of `bind_tools`."""
    failing, _ = served(lambda _: Answer("", status=503))
    model, _ = served(call("get_weather", city="Oslo"), "Sunny.")
    standing_in: Any = failing.with_fallbacks([model])
    agent: Any = create_agent(standing_in, [get_weather])
    said = agent.invoke({"messages": [HumanMessage("How is it in Oslo?")]})["messages"]
    assert said[-1].text == "Sunny."
    assert [message.name for message in said if isinstance(message, ToolMessage)] == ["get_weather"]


def test_programs_can_look_at_the_types_of_every_method() -> None:
    ours = [kind for kind in ChatDynaspark.__mro__ if kind.__module__.startswith("langchain_dynaspark")]
    functions = [(name, each) for kind in ours for name, each in vars(kind).items() if inspect.isfunction(each)]
    public = [each for name, each in functions if name[0] != "_"]
    assert len(public) > 5
    assert all("return" in typing.get_type_hints(each) for each in public)

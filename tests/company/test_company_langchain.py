"""What is built on LangChain's chat models, with ours in it."""

import base64
import json
import sys
import time
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from langgraph_supervisor import create_supervisor
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from PIL import Image
from pydantic import BaseModel, SecretStr
from trustcall import create_extractor

from dynaspark_core.server import Answer, Asked, LocalService, Script
from langchain_dynaspark import ChatDynaspark

SERVER = {
    "things": {
        "command": sys.executable,
        "args": [str(Path(__file__).with_name("mcp_server.py"))],
        "transport": "stdio",
    }
}


def call(tool: str, /, **arguments: Any) -> str:
    return f"<tool_call>{json.dumps({'name': tool, 'arguments': arguments})}</tool_call>"


class Person(BaseModel):
    """A person."""

    name: str
    age: int


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("weather", {"city": "Oslo"}, "\nRain in Oslo.\n"),
        ("files", {}, "\na.txt\nb.csv\n"),
        ("look", {}, "\n[image 1]\n"),
        ("link", {}, "\n[file: unnamed, text/markdown, https://docs.example/doc.md – not shown]\n"),  # noqa: RUF001
        ("fail", {}, "no network"),
    ],
)
async def test_tools_of_an_mcp_server(tool: str, arguments: dict[str, Any], expected: str) -> None:
    tools = await MultiServerMCPClient(SERVER).get_tools()  # type: ignore[arg-type]  # a plain dictionary
    with LocalService(script := Script(call(tool, **arguments), "Done.", "Again.")) as service:
        agent = create_agent(ChatDynaspark(base_url=service.url, max_retries=0), tools)
        result = await agent.ainvoke({"messages": [HumanMessage("Do it.")]})
        result = await agent.ainvoke({"messages": [*result["messages"], HumanMessage("And?")]})
    assert result["messages"][-1].content == "Again."
    assert expected in script.asked[1].prompt
    assert expected in script.asked[2].prompt
    assert (script.asked[1].content_type == "image/png") == (tool == "look")


def test_a_deep_agent_plans_writes_and_answers() -> None:
    todos = [{"content": "write", "status": "in_progress"}]
    script = Script(call("write_todos", todos=todos), call("write_file", file_path="/a.txt", content="hi"), "Written.")
    with LocalService(script) as service:
        agent = create_deep_agent(ChatDynaspark(base_url=service.url, max_retries=0))
        result = agent.invoke({"messages": [HumanMessage("Write hi into a file.")]})
    assert result["messages"][-1].content == "Written."
    assert "/a.txt" in str(result["files"])


def test_a_deep_agent_survives_a_history_that_is_too_long() -> None:
    """It summarizes on `ContextOverflowError`."""

    def answer(asked: Asked) -> str | Answer:
        if len(asked.prompt) > 100_000:
            return Answer(status=413, body={"error": {"code": "context_length_exceeded", "message": "no"}})
        return "Short."

    with LocalService(script := Script(answer)) as service:
        agent = create_deep_agent(ChatDynaspark(base_url=service.url, max_retries=0, context_window=200_000))
        old = [kind(f"{number} " + "x " * 4_000) for number in range(10) for kind in (HumanMessage, AIMessage)]
        result = agent.invoke({"messages": [*old, HumanMessage("Hello?")]})
    assert result["messages"][-1].content == "Short."
    assert len(script.asked[0].prompt) > 100_000


def test_a_supervisor_hands_over() -> None:
    def add(a: int, b: int) -> int:
        """The sum."""
        return a + b

    script = Script(call("transfer_to_adder"), call("add", a=2, b=3), "It is 5.", "The adder says 5.")
    with LocalService(script) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0)
        adder = create_agent(model, [add], name="adder")
        result = create_supervisor([adder], model=model).compile().invoke({"messages": [HumanMessage("2 + 3?")]})
    assert result["messages"][-1].content == "The adder says 5."


def test_trustcall_extracts() -> None:
    with LocalService(Script(call("Person", name="Ada", age=36))) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0)
        result = create_extractor(model, tools=[Person], tool_choice="Person").invoke("Ada is 36.")
    assert result["responses"] == [Person(name="Ada", age=36)]


def test_trustcall_asks_again_for_what_does_not_fit() -> None:
    script = Script(call("Person", name="Ada", age="many"), lambda _: call("Person", name="Ada", age=36))
    with LocalService(script) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0, max_repairs=1)
        result = create_extractor(model, tools=[Person], tool_choice="Person").invoke("Ada is 36.")
    assert result["responses"] == [Person(name="Ada", age=36)]


VENDORS: dict[str, list[Any]] = {
    "Claude": [
        {"type": "text", "text": "I search."},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "moss"}},
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s",
            "content": [{"type": "web_search_result", "title": "Moss"}],
        },
        {"type": "tool_use", "id": "t1", "name": "look", "input": {}},
    ],
    "GPT": [
        {"type": "reasoning", "id": "r", "summary": []},
        {"type": "web_search_call", "id": "w", "status": "completed"},
        {"type": "text", "text": "I look.", "annotations": []},
        {"type": "function_call", "name": "look", "arguments": "{}", "call_id": "t1", "id": "fc"},
    ],
    "Gemini": [
        {"type": "executable_code", "executable_code": "print(4)", "language": "PYTHON"},
        {"type": "code_execution_result", "code_execution_result": "4", "outcome": 1},
        {"type": "text", "text": "I look."},
    ],
}


@pytest.mark.parametrize("content", VENDORS.values(), ids=VENDORS)
def test_an_agent_falls_back_to_us_in_the_middle_of_another_vendors_thread(content: list[Any]) -> None:
    def look() -> str:
        """Look."""
        return "green"

    asked = AIMessage(content, tool_calls=[{"name": "look", "args": {}, "id": "t1"}])
    thread = [HumanMessage("Moss?"), asked, ToolMessage("green", tool_call_id="t1")]
    with LocalService(script := Script("It is green.")) as service:
        agent = create_agent(ChatDynaspark(base_url=service.url, max_retries=0), [look])
        assert agent.invoke({"messages": thread})["messages"][-1].content == "It is green."
    assert script.asked[0].prompt.count("<tool_call id=") == 1


def screenshot(number: int) -> list[dict[str, str]]:
    """The page on the screen."""
    with BytesIO() as file:
        Image.effect_noise((1280, 800), number + 8).convert("RGB").save(file, "JPEG")
        data = base64.b64encode(file.getvalue()).decode()
    return [{"type": "image", "base64": data, "mime_type": "image/jpeg"}]


def test_an_agent_sees_25_screenshots(record_property: Any) -> None:
    """The prompt only grows at its end; the newest page keeps its size. The report has the CPU seconds a turn."""
    script, seconds = Script(lambda _: answers.pop(0)), [time.process_time()]

    def look(number: int) -> list[dict[str, str]]:
        """The page on the screen."""
        seconds.append(time.process_time())
        return screenshot(number)

    answers = [*(call("look", number=number) for number in range(25)), "It is grey."]
    with LocalService(script) as service:
        agent = create_agent(ChatDynaspark(base_url=service.url, max_retries=0), [look])
        result = agent.invoke({"messages": [HumanMessage("Look at 25 pages.")]}, {"recursion_limit": 100})
    assert result["messages"][-1].content == "It is grey."
    assert "[image 25]" in script.asked[-1].prompt
    turns = script.asked[-2].prompt.rpartition("</turn>")[0]
    assert turns.count("[image ") == 24
    assert script.asked[-1].prompt.startswith(turns)
    assert script.asked[-1].file is not None
    with Image.open(BytesIO(script.asked[-1].file)) as sheet:
        assert sheet.width >= 1280
        assert sheet.height >= 800
    record_property("cpu_seconds_of_turns", [round(b - a, 3) for a, b in pairwise(seconds)])


def test_no_secret_is_in_any_span() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    LangChainInstrumentor().instrument(tracer_provider=provider)
    try:
        with LocalService(Script("Hello.", Answer("no k-secret", status=500))) as service:
            model = ChatDynaspark(
                base_url=service.url, max_retries=0, api_key=SecretStr("k-secret"), default_headers={"X": "h-secret"}
            )
            model.invoke("x")
            with pytest.raises(Exception, match="500"):
                model.invoke("x", extra_headers={"Y": "e-public"})
    finally:
        LangChainInstrumentor().uninstrument()
    spans = [span.to_json() for span in exporter.get_finished_spans()]
    assert len(spans) == 2
    assert "gemini-1.5-flash" in spans[0]
    assert not any(secret in span for span in spans for secret in ("k-secret", "h-secret"))

"""LlamaIndex's agents over real HTTP. The script decides from what it received alone, as a model would."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.agent.workflow import (
    AgentInput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from pydantic import BaseModel
from serving import PNG
from serving import dynaspark as served

from dynaspark_core.prompt.tools import REMINDERS
from dynaspark_core.server import Asked, Pieces, Script, call
from llama_index_dynaspark import Dynaspark

pytestmark = pytest.mark.filterwarnings(
    # Agents are looked through by `inspect.getmembers`, which touches names that pydantic deprecates.
    "ignore:.*(__fields__|__fields_set__|model_fields|model_computed_fields|model_extra).* attribute",
    # ReActAgent asks this of its own context.
    "ignore:is_running called from within a step",
    # StructuredLLM, behind `output_cls`.
    "ignore:The `json` method is deprecated",
)
IS_OLD = "rate_limiter" not in Dynaspark.model_fields
"""This core (0.14.5) does not stop agents early, nor allow parallel calls where nothing streams."""
RESULT = re.compile(r'<tool_result id="c\d+" name="(\w+)" status="\w+">\n(.*?)\n</tool_result>', re.DOTALL)
TURN = re.compile(r'<turn role="user">(.*?)</turn>', re.DOTALL)


def results(asked: Asked) -> list[tuple[str, str]]:
    """Name and text of every result that the model was shown, of a tool other than `handoff`."""
    return [(name, text) for name, text in RESULT.findall(asked.prompt) if name != "handoff"]


def question(asked: Asked) -> str:
    return str(TURN.findall(asked.prompt)[-1])


def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    return a + b


def noon() -> str:
    """The time."""
    return "12:00"


def picture() -> list[Any]:
    """A picture."""
    return [TextBlock(text="Here it is."), ImageBlock(image=PNG)]


TOOLS: list[Any] = [FunctionTool.from_defaults(tool) for tool in (add, noon)]


def adder(asked: Asked) -> Any:
    """Adds what the question asks to be added, one sum a turn; "both" in one turn."""
    sums = [(int(a), int(b)) for a, b in re.findall(r"(\d+)\+(\d+)", question(asked))]
    done = results(asked)
    if "both" in question(asked) and not done:
        return Pieces("I add.\n", *(call("add", a=a, b=b) + "\n" for a, b in sums))
    if len(done) < len(sums):
        a, b = sums[len(done)]
        return call("add", a=a, b=b)
    if "time" in question(asked) and not done:
        return call("noon")
    return Pieces("The answer: ", " and ".join(text for _, text in done) or "none.")


@pytest.fixture
def counting() -> Iterator[tuple[Dynaspark, Script]]:
    with served(adder) as both:
        yield both


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Hello", ("The answer: none.", 1)),
        ("What is 1+2?", ("The answer: 3", 2)),
        ("What is 1+2 and 3+4?", ("The answer: 3 and 7", 3)),
        ("What is both 1+2 and 3+4?", ("The answer: 3 and 7", 2)),
        ("What time is it?", ("The answer: 12:00", 2)),
    ],
)
async def test_function_agent_with_no_one_two_and_parallel_calls(
    counting: tuple[Dynaspark, Script], streaming: bool, asked: str, expected: tuple[str, int]
) -> None:
    llm, script = counting
    agent = FunctionAgent(tools=TOOLS, llm=llm, streaming=streaming, system_prompt="You add.")
    handler = agent.run(asked)
    streamed, ids = "", []
    async for event in handler.stream_events():
        if isinstance(event, AgentStream):
            streamed += event.delta
        if isinstance(event, ToolCallResult):
            ids.append(event.tool_id)
    answer, requests = expected
    assert str(await handler) == answer
    assert len(script.asked) == requests or (IS_OLD and not streaming)
    assert len(ids) == len(set(ids))
    assert "tool_call" not in streamed
    assert streamed.endswith(answer if streaming else "")


@pytest.mark.parametrize("streaming", [True, False])
async def test_function_agent_recovers_from_a_tool_that_is_not_there_and_from_wrong_arguments(streaming: bool) -> None:
    def answer(asked: Asked) -> str:
        done = [text for _, text in results(asked)]
        if not done:
            return call("multiply", a=1, b=2)
        return call("add", a=1) if len(done) == 1 else " | ".join(done)

    with served(answer) as (llm, _):
        told = str(await FunctionAgent(tools=TOOLS, llm=llm, streaming=streaming).run("Go."))
    assert "multiply" in told
    assert "b" in told.split(" | ")[1]


async def test_function_agent_does_not_give_on_that_a_tool_failed() -> None:
    """If this fails, LlamaIndex tells now what the prompt's `status` could say: see docs/llama_index.md."""

    def broken() -> str:
        """Fails."""
        raise ValueError("Error: no network")

    def answer(asked: Asked) -> str:
        return "Done." if results(asked) else call("broken")

    with served(answer) as (llm, script):
        handler = FunctionAgent(tools=[broken], llm=llm).run("Go.")
        events = [event async for event in handler.stream_events()]
        await handler
    (failed,) = [event for event in events if isinstance(event, ToolCallResult)]
    inputs = [event.input for event in events if isinstance(event, AgentInput)]
    assert failed.tool_output.is_error
    assert inputs[-1][-1].additional_kwargs == {"tool_call_id": failed.tool_id}
    assert results(script.asked[-1]) == [("broken", "Error: no network")]


async def test_function_agent_with_a_first_choice_and_early_stopping(counting: tuple[Dynaspark, Script]) -> None:
    llm, script = counting
    agent = FunctionAgent(tools=TOOLS, llm=llm, initial_tool_choice="add")
    assert str(await agent.run("What is 1+2?")) == "The answer: 3"
    assert 'Call "add" now.' in script.asked[0].prompt
    assert 'Call "add" now.' not in script.asked[1].prompt


@pytest.mark.skipif(IS_OLD, reason="this core cannot")
async def test_function_agent_stops_early_with_an_answer(counting: tuple[Dynaspark, Script]) -> None:
    llm, script = counting
    agent = FunctionAgent(tools=TOOLS, llm=llm, early_stopping_method="generate")
    await agent.run("What is 1+2 and 3+4 and 5+6?", max_iterations=1)
    assert '<turn role="system">' in script.asked[-1].prompt


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_image_of_the_user_and_one_of_a_tool_are_seen(streaming: bool) -> None:
    def answer(asked: Asked) -> str:
        if not results(asked):
            return call("picture")
        return f"{asked.content_type} {asked.prompt.count('[image')}"

    with served(answer) as (llm, script):
        agent = FunctionAgent(tools=[FunctionTool.from_defaults(picture)], llm=llm, streaming=streaming)
        assert str(await agent.run("Show me.")) == "image/png 1"
        assert [asked.file for asked in script.asked] == [None, PNG]
        message = ChatMessage(blocks=[TextBlock(text="And this?"), ImageBlock(image=PNG)])
        assert str(await agent.run(message)).endswith(" 2")
        assert script.asked[2].file == PNG


class Sum(BaseModel):
    """The outcome."""

    total: int


async def test_function_agent_with_an_output_class() -> None:
    def answer(asked: Asked) -> str:
        if "# Form of the answer" in asked.prompt:
            return json.dumps({"total": int(asked.prompt.split("The answer: ")[1][0])})
        return adder(asked) if isinstance(adder(asked), str) else "".join(adder(asked))

    with served(answer) as (llm, _):
        output: Any = await FunctionAgent(tools=TOOLS, llm=llm, output_cls=Sum).run("What is 1+2?")
    assert output.get_pydantic_model(Sum) == Sum(total=3)


async def test_an_agents_memory_goes_through_json_and_goes_on(counting: tuple[Dynaspark, Script]) -> None:
    llm, script = counting
    agent = FunctionAgent(tools=TOOLS, llm=llm)
    memory = ChatMemoryBuffer.from_defaults(llm=llm)
    await agent.run("What is 1+2?", memory=memory)
    kept = [ChatMessage.model_validate_json(message.model_dump_json()) for message in memory.get_all()]
    again = ChatMemoryBuffer.from_defaults(kept, llm=llm)
    assert str(await agent.run("What is 3+4?", memory=again)).startswith("The answer")
    assert script.asked[-1].prompt.count('"arguments": {"a": 1, "b": 2}') == 1


@pytest.mark.filterwarnings("ignore:Skipping serialization of known unserializable key")  # the memory, says LlamaIndex
async def test_a_context_goes_through_json_and_goes_on(counting: tuple[Dynaspark, Script]) -> None:
    llm, _ = counting
    agent = FunctionAgent(tools=TOOLS, llm=llm)
    context = Context(agent)
    await agent.run("What is 1+2?", ctx=context)
    again = Context.from_dict(agent, json.loads(json.dumps(context.to_dict())))
    assert str(await agent.run("What is 3+4?", ctx=again)) == "The answer: 7"


def from_to(asked: Asked) -> Any:
    """The first agent hands over to the adder."""
    if "You only hand over." in asked.prompt:
        return call("handoff", to_agent="adder", reason="It {adds}.")
    return adder(asked)


@pytest.mark.parametrize("kind", [FunctionAgent, ReActAgent, CodeActAgent])
async def test_a_workflow_hands_over_to(kind: type[Any]) -> None:
    with served(from_to if kind is FunctionAgent else handed) as (llm, script):
        first = FunctionAgent(
            name="desk",
            description="Hands over.",
            system_prompt="You only hand over.",
            llm=llm,
            can_handoff_to=["adder"],
        )
        extra = {"code_execute_fn": run_code} if kind is CodeActAgent else {}
        second = kind(name="adder", description="Adds.", tools=TOOLS, llm=llm, **extra)
        workflow = AgentWorkflow(agents=[first, second], root_agent="desk")
        answer = str(await workflow.run("What is 1+2?"))
        assert "handoff" in script.asked[0].prompt
    assert "3" in answer


async def test_who_is_handed_over_to_is_told_to_go_on() -> None:
    """Each may hand over, so that both are offered the tool for it."""
    with served(from_to) as (llm, script):
        first = FunctionAgent(name="desk", description="Hands over.", system_prompt="You only hand over.", llm=llm)
        second = FunctionAgent(name="adder", description="Adds.", tools=TOOLS, llm=llm)
        await AgentWorkflow(agents=[first, second], root_agent="desk").run("What is 1+2?")
        assert "- handoff:" in script.asked[1].prompt
        assert REMINDERS["handed over"] in script.asked[1].prompt
        assert REMINDERS["results"] in script.asked[2].prompt


async def test_the_call_of_a_tool_that_there_is_not_has_failed() -> None:
    with served(lambda asked: "I cannot." if results(asked) else call("subtract", a=2, b=1)) as (llm, script):
        await FunctionAgent(tools=TOOLS, llm=llm).run("What is 2-1?")
        assert 'name="subtract" status="error">\nTool subtract not found.' in script.asked[1].prompt
        assert REMINDERS["error"] in script.asked[1].prompt


def run_code(code: str) -> str:
    """What the code prints; only sums are run here."""
    a, b = re.findall(r"add\((\d+), (\d+)\)", code)[0]
    return str(add(int(a), int(b)))


def handed(asked: Asked) -> Any:
    if "You only hand over." in asked.prompt:
        return call("handoff", to_agent="adder", reason="adds")
    return reasoned(asked)


def reasoned(asked: Asked) -> str:
    """Answers as ReAct or CodeAct agents want it, whichever the prompt describes."""
    if "<execute>" in asked.prompt:
        output = re.findall(r"Result of executing the code given:\n\n(\d+)", asked.prompt)
        return f"It is {output[-1]}." if output else "<execute>\nprint(add(1, 2))\n</execute>"
    seen = re.findall(r"Observation: (\d+)", asked.prompt)
    if seen:
        return f"Thought: I can answer without using any more tools.\nAnswer: It is {seen[-1]}."
    return 'Thought: I add.\nAction: add\nAction Input: {"a": 1, "b": 2}'


@pytest.mark.parametrize("streaming", [True, False])
async def test_react_agent(streaming: bool) -> None:
    with served(reasoned) as (llm, script):
        answer = await ReActAgent(tools=TOOLS, llm=llm, streaming=streaming).run("What is 1+2?")
        assert str(answer) == "It is 3."
        assert len(script.asked) == 2


@pytest.mark.parametrize("streaming", [True, False])
async def test_code_act_agent(streaming: bool) -> None:
    with served(reasoned) as (llm, script):
        agent = CodeActAgent(tools=TOOLS, llm=llm, code_execute_fn=run_code, streaming=streaming)
        answer = await agent.run("What is 1+2?")
        assert "It is 3." in str(answer)
        assert len(script.asked) == 2


@pytest.mark.parametrize("is_function_calling_model", [True, False])
async def test_a_workflow_of_functions_picks_its_kind_of_agent(is_function_calling_model: bool) -> None:
    with served(adder if is_function_calling_model else reasoned) as (llm, _):
        llm.is_function_calling_model = is_function_calling_model
        workflow = AgentWorkflow.from_tools_or_functions([add], llm=llm)
        assert "3" in str(await workflow.run("What is 1+2?"))

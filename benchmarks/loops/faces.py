"""The ways through which a loop runs: the client alone, and each framework's agent. Each gives the last text."""

from collections.abc import Iterator
from typing import Any, Literal

import pybase64

from dynaspark_core import Chat, DynasparkClient, Image, Message, Reply, Tool, ToolCall
from loops.definition import Loop, PastCall, ToolFailure
from loops.session import Session, arguments_of

TIMEOUT = 3600.0
"""Seconds for one reply: a model on a busy processor is slow."""
FAR = 4 * 8
"""More steps than a loop may make: the engine ends a loop that gets stuck, not the frameworks."""


async def client(session: Session, url: str) -> str:
    """Through `DynasparkClient`."""
    loop, asking = session.loop, DynasparkClient(base_url=url, timeout=TIMEOUT, max_retries=0)
    messages, tools = list(_beginning(loop)), tuple(_offered(loop))
    while True:
        reply = await asking.complete(Chat(tuple(messages), tools=tools))
        session.turns += 1
        calls = tuple(_calls(reply))
        if not calls:
            return reply.text
        messages.append(Message("assistant", (reply.text,) if reply.text else (), tool_calls=calls))
        messages += [_result(session, call) for call in calls]


async def langchain(session: Session, url: str) -> str:
    """Through LangChain's `create_agent` with `ChatDynaspark`."""
    from langchain.agents import create_agent  # noqa: PLC0415  # a framework is loaded only when it is asked for
    from langchain_core.messages import AIMessage, HumanMessage  # noqa: PLC0415
    from langchain_core.tools import StructuredTool  # noqa: PLC0415

    from langchain_dynaspark import ChatDynaspark  # noqa: PLC0415

    tools = [
        StructuredTool(
            name=function.__name__,
            description=_about(function),
            args_schema=arguments_of(function),
            func=_raising_langchains(session.tool(function)),
            handle_tool_error=True,
        )
        for function in session.loop.tools
    ]
    content: list[Any] = [{"type": "text", "text": session.loop.question}]
    if png := _picture(session.loop):
        content.append({"type": "image", "base64": pybase64.b64encode(png).decode(), "mime_type": "image/png"})
    model = ChatDynaspark(base_url=url, timeout=TIMEOUT, max_retries=0)
    agent = create_agent(model, tools, system_prompt=session.loop.system or None)
    ended = await agent.ainvoke({"messages": [HumanMessage(content)]}, {"recursion_limit": FAR})
    session.turns = sum(isinstance(message, AIMessage) for message in ended["messages"])
    return str(ended["messages"][-1].text)


async def llama_index(session: Session, url: str) -> str:
    """Through LlamaIndex's `FunctionAgent` with `Dynaspark`."""
    from llama_index.core.agent.workflow import AgentOutput, FunctionAgent  # noqa: PLC0415  # as above
    from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock  # noqa: PLC0415
    from llama_index.core.tools import FunctionTool  # noqa: PLC0415

    from llama_index_dynaspark import Dynaspark  # noqa: PLC0415

    tools: list[Any] = [
        FunctionTool.from_defaults(
            session.tool(function),
            name=function.__name__,
            description=_about(function),
            fn_schema=arguments_of(function),
        )
        for function in session.loop.tools
    ]
    blocks: list[Any] = [TextBlock(text=session.loop.question)]
    if png := _picture(session.loop):
        blocks.append(ImageBlock(image=png))
    model = Dynaspark(base_url=url, timeout=TIMEOUT, max_retries=0)
    agent = FunctionAgent(tools=tools, llm=model, system_prompt=session.loop.system or None)
    handler: Any = agent.run(ChatMessage(role="user", blocks=blocks), max_iterations=FAR)
    async for event in handler.stream_events():
        session.turns += isinstance(event, AgentOutput)
    return str((await handler).response.content or "")


FACES = {"client": client, "langchain": langchain, "llama_index": llama_index}


def _about(function: Any) -> str:
    return str(function.__doc__)


def _picture(loop: Loop) -> bytes | None:
    return loop.image() if loop.image else None


def _offered(loop: Loop) -> Iterator[Tool]:
    for function in loop.tools:
        yield Tool(function.__name__, _about(function), arguments_of(function).model_json_schema())


def _beginning(loop: Loop) -> Iterator[Message]:
    """The conversation up to the question."""
    if loop.system:
        yield Message("system", (loop.system,))
    for number, entry in enumerate(loop.history):
        if isinstance(entry, PastCall):
            name, identity = entry.function.__name__, f"past{number}"
            yield Message("assistant", tool_calls=(ToolCall(name, dict(entry.arguments), identity),))
            yield Message("tool", (entry.result,), name, tool_call_id=identity)
        else:
            yield Message(entry.role, (entry.text,))
    png = _picture(loop)
    image = (Image(png, "picture.png", "image/png"),) if png else ()
    yield Message("user", (loop.question, *image))


def _calls(reply: Reply) -> Iterator[ToolCall]:
    """The calls that an agent of a framework runs: also those whose name or arguments its tools refuse."""
    yield from reply.tool_calls
    for call in reply.invalid_tool_calls:
        if call.is_passed_on(checked=True):
            yield ToolCall(call.name or "", call.arguments or {}, call.id)


def _result(session: Session, call: ToolCall) -> Message:
    """The tool's answer to the call, in the words of LangChain's agents where there is no such tool."""
    functions = {function.__name__: function for function in session.loop.tools}
    if call.name not in functions:
        return _told(call, f"{call.name} is not a valid tool, try one of [{', '.join(functions)}].", "error")
    try:
        return _told(call, session.run(functions[call.name], call.arguments), "ok")
    except ToolFailure as exc:
        return _told(call, str(exc), "error")


def _told(call: ToolCall, text: str, status: Literal["ok", "error"]) -> Message:
    return Message("tool", (text,), call.name, tool_call_id=call.id, status=status)


def _raising_langchains(tool: Any) -> Any:
    """The tool, whose failures are LangChain's: only those are told to the model as the tool's answer."""
    from langchain_core.tools import ToolException  # noqa: PLC0415

    def run(**arguments: Any) -> str:
        try:
            return str(tool(**arguments))
        except ToolFailure as exc:
            raise ToolException(str(exc)) from exc

    return run

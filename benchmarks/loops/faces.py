"""The ways through which a loop runs: the client alone, and each framework's agent. Each gives the last text."""

from typing import Any

import pybase64

from dynaspark_core import DynasparkClient
from dynaspark_core.doctor.definition import Loop, ToolFailure
from dynaspark_core.doctor.running import arguments_of
from loops.session import Session

TIMEOUT = 3600.0
"""Seconds for one reply: a model on a busy processor is slow."""
FAR = 4 * 8
"""More steps than a loop may make: the engine ends a loop that gets stuck, not the frameworks."""


async def client(session: Session, url: str) -> str:
    """Through `DynasparkClient`."""
    return await session.converse(DynasparkClient(base_url=url, timeout=TIMEOUT, max_retries=0))


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


def _raising_langchains(tool: Any) -> Any:
    """The tool, whose failures are LangChain's: only those are told to the model as the tool's answer."""
    from langchain_core.tools import ToolException  # noqa: PLC0415

    def run(**arguments: Any) -> str:
        try:
            return str(tool(**arguments))
        except ToolFailure as exc:
            raise ToolException(str(exc)) from exc

    return run

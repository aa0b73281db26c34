"""LlamaIndex: an agent calls a tool, streams, and answers from the tool's result."""

import asyncio

from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ToolCallResult

from llama_index_dynaspark import Dynaspark


def opening_hours(place: str) -> str:
    """When a place is open."""
    return f"{place} is open from nine to five, and closed on Sundays."


async def main() -> None:
    handler = FunctionAgent(tools=[opening_hours], llm=Dynaspark()).run("When can I visit the library?")
    async for event in handler.stream_events():
        if isinstance(event, ToolCallResult):
            print(f"{event.tool_name}({event.tool_kwargs}): {event.tool_output.content}")
        elif isinstance(event, AgentStream):
            print(event.delta, end="", flush=True)
    await handler
    print()


asyncio.run(main())

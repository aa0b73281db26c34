"""Any text-only model gets tools: your own `answer(prompt)` becomes the model of a LangChain agent."""

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage

from dynaspark_core.server import LocalService, Script
from langchain_dynaspark import ChatDynaspark


def answer(prompt: str) -> str:
    """Stand in for your model: a text in, a text out. The prompt tells it how to write a call."""
    if "snow in Oslo" in prompt:
        return "It snows in Oslo."
    return '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>'


def get_weather(city: str) -> str:
    """The weather in a city today."""
    return f"snow in {city}"


with LocalService(Script(lambda asked: answer(asked.prompt))) as service:
    agent = create_agent(ChatDynaspark(base_url=service.url), [get_weather])
    for message in agent.invoke({"messages": [HumanMessage("What is the weather in Oslo?")]})["messages"]:
        print(f"{message.type}: {message.text or message.tool_calls[0]['args']}")

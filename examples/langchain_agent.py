"""A LangChain agent calls a tool and answers from its result."""

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from langchain_dynaspark import ChatDynaspark


@tool
def opening_hours(place: str) -> str:
    """When a place is open."""
    return f"{place} is open from nine to five, and closed on Sundays."


agent = create_agent(ChatDynaspark(), [opening_hours])
state = agent.invoke({"messages": [HumanMessage("When can I visit the library?")]})
for message in state["messages"]:
    message.pretty_print()

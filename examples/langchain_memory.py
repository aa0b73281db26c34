"""LangChain: a conversation is remembered by its thread's id, and another thread knows nothing of it."""

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_dynaspark import ChatDynaspark

agent = create_agent(ChatDynaspark(), checkpointer=InMemorySaver())


def ask(question: str, thread: str) -> str:
    state = agent.invoke({"messages": [HumanMessage(question)]}, {"configurable": {"thread_id": thread}})
    return f"{thread}, after {len(state['messages'])} messages: {state['messages'][-1].text}"


print(ask("The library opens at nine.", "one"))
print(ask("When does the library open?", "one"))
print(ask("When does the library open?", "another"))

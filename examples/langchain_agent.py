"""LangChain: an agent reads a picture, calls a tool with what it read, and answers from the result."""

from base64 import b64encode
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

from langchain_dynaspark import ChatDynaspark


@tool
def in_dollars(euros: float) -> str:
    """An amount of euros in dollars."""
    return f"{euros * 1.1:.2f} dollars"


data = b64encode((Path(__file__).parent / "receipt.png").read_bytes()).decode()
picture = {"type": "image", "base64": data, "mime_type": "image/png"}
question = {"type": "text", "text": "How many dollars is the total of this receipt? It is in euros."}

agent = create_agent(ChatDynaspark(), [in_dollars])
for step in agent.stream({"messages": [HumanMessage([question, picture])]}, stream_mode="updates"):
    for node, update in step.items():
        for message in update["messages"]:
            print(f"{node}: {message.text or message.tool_calls}")

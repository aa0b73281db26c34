"""LangChain: the agent of `langchain_agent.py` for a model that does not choose tools: its first call is required."""

from base64 import b64encode
from pathlib import Path

from langchain.agents import create_agent
from langchain.agents.middleware import wrap_model_call
from langchain_core.messages import HumanMessage

from langchain_dynaspark import ChatDynaspark


def in_dollars(euros: float) -> str:
    """An amount of euros in dollars."""
    return f"{euros * 1.1:.2f} dollars"


@wrap_model_call
def require_first_call(request, handler):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201  # LangChain's types are long
    """Require a call of the model as long as there is no result."""
    return handler(request.override(tool_choice=None if request.messages[-1].type == "tool" else "any"))


data = b64encode((Path(__file__).parent / "receipt.png").read_bytes()).decode()
picture = {"type": "image", "base64": data, "mime_type": "image/png"}
question = {"type": "text", "text": "How many dollars is the total of this receipt? It is in euros."}
agent = create_agent(ChatDynaspark(), [in_dollars], middleware=[require_first_call])
for step in agent.stream({"messages": [HumanMessage([question, picture])]}, stream_mode="updates"):
    for node, update in step.items():
        print(*(f"{node}: {message.text or message.tool_calls}" for message in update["messages"]), sep="\n")

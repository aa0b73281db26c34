"""LangChain: the model calls a tool, gets its result, and answers; the loop that agents run, by hand."""

from langchain_core.messages import AnyMessage, HumanMessage
from langchain_core.tools import tool

from langchain_dynaspark import ChatDynaspark


@tool
def opening_hours(place: str) -> str:
    """When a place is open."""
    return f"{place} is open from nine to five, and closed on Sundays."


tools = {"opening_hours": opening_hours}
model = ChatDynaspark()
messages: list[AnyMessage] = [HumanMessage("When can I visit the library?")]
answer = model.bind_tools([*tools.values()], tool_choice="any").invoke(messages)  # the first answer must be a call
while answer.tool_calls:
    messages.append(answer)
    for call in answer.tool_calls:
        messages.append(tools[call["name"]].invoke(call))
        print(f"{call['name']}({call['args']}): {messages[-1].text}")
    answer = model.bind_tools([*tools.values()]).invoke(messages)
print(answer.text)

"""LlamaIndex: the model calls a tool, gets its result, and answers; the loop that agents run, by hand."""

from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool

from llama_index_dynaspark import Dynaspark


def opening_hours(place: str) -> str:
    """When a place is open."""
    return f"{place} is open from nine to five, and closed on Sundays."


tools = {"opening_hours": FunctionTool.from_defaults(opening_hours)}
llm = Dynaspark()
messages = [ChatMessage("When can I visit the library?")]
answer = llm.chat_with_tools([*tools.values()], chat_history=messages, tool_required=True)  # it must be a call
while calls := llm.get_tool_calls_from_response(answer, error_on_no_tool_call=False):
    messages.append(answer.message)
    for call in calls:
        result = tools[call.tool_name](**call.tool_kwargs).content
        messages.append(ChatMessage(result, role="tool", tool_call_id=call.tool_id, name=call.tool_name))
        print(f"{call.tool_name}({call.tool_kwargs}): {result}")
    answer = llm.chat_with_tools([*tools.values()], chat_history=messages)
print(answer.message.content)

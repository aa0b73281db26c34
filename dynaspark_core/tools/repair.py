"""Asking once more: which replies are worth another request, and what it says.

It decides and writes; whoever sends it counts the attempts, and sends it only while nothing has been shown.
"""

from collections.abc import Iterator
from dataclasses import replace

from dynaspark_core.errors import OutputError
from dynaspark_core.messages import Chat, InvalidReason, InvalidToolCall, Message, Reply
from dynaspark_core.tools.history import cut_middle
from dynaspark_core.tools.section import offered, tool_line, value_section

QUOTE_LIMIT = 2_000
"""Longest quotation of what the model wrote, in characters."""
REPAIRABLE: frozenset[InvalidReason] = frozenset({"malformed", "truncated", "missing_name", "schema_echo"})
"""What the model can write again. For the other reasons the tool layer's answer says more than we could."""
REPAIRABLE_ALONE: frozenset[InvalidReason] = REPAIRABLE | {"bad_arguments"}
"""The same where one tool is named: such a call is mostly the form of an object, which no tool layer answers."""

_CUT = "The reply was cut: make the arguments smaller, or split them over several calls."


def repair_chat(chat: Chat, reply: Reply, error: OutputError | None = None) -> Chat | None:
    """The chat that asks for the reply again, or None if there is nothing to repair.

    Due after calls that could not be read, a required call that did not come, and `error`: no value of the schema.
    """
    request = "\n".join(_complaints(chat, reply, error))
    if not request:
        return None
    written = cut_middle(reply.text if error is None else error.text, QUOTE_LIMIT)
    said = (Message("assistant", (written,)),) if written.strip() else ()
    return replace(chat, messages=(*chat.messages, *said, Message("user", (request,))))


def _complaints(chat: Chat, reply: Reply, error: OutputError | None) -> Iterator[str]:
    if error is not None and chat.response_schema is not None:
        yield f"This reply cannot be used: {error}"
        yield value_section(chat.response_schema)
        return
    tools = offered(chat.tools, chat.tool_choice)
    if reply.tool_calls or not tools:
        return
    reasons = REPAIRABLE if chat.tool_choice in {"auto", "required"} else REPAIRABLE_ALONE
    broken = [call for call in reply.invalid_tool_calls if call.reason in reasons]
    for call in broken:
        yield from _complaint(chat, call)
    if broken:
        yield "Write the call again, whole and correct, and nothing else."
    elif chat.tool_choice != "auto" and not reply.invalid_tool_calls:
        names = ", ".join(tool.name for tool in tools)
        yield f"A tool call is required, and the reply had none. Call one of these tools now: {names}."


def _complaint(chat: Chat, call: InvalidToolCall) -> Iterator[str]:
    """What is wrong with a call, the call as it was written, and the schema of its tool."""
    yield f"This tool call cannot be used ({call.reason}): {call.error}"
    if call.reason == "truncated":
        yield _CUT
    if call.raw:
        yield cut_middle(call.raw, QUOTE_LIMIT)
    tool = next((tool for tool in chat.tools if tool.name == call.name), None)
    if tool is not None:
        yield f"The tool is: {tool_line(tool)}"


def untrusted_texts(chat: Chat) -> tuple[str, ...]:
    """The texts of a chat that came from elsewhere: the results of tools."""
    return tuple(text for message in chat.messages if message.role == "tool" and (text := message.text))

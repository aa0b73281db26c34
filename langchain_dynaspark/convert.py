"""LangChain's messages → ours, and our reply → LangChain's. Shapes only: every decision is `dynaspark_core`'s."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import invalid_tool_call, tool_call

from dynaspark_core import Chat, InvalidToolCall, Message, Reply, ToolCall
from dynaspark_core.content import parts
from dynaspark_core.dictionaries import ROLES, calls_in
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Role
from dynaspark_core.sources import Place

PROVIDER = "dynaspark"


def history(messages: Sequence[BaseMessage]) -> tuple[Message, ...]:
    """The messages as ours; nothing of the caller's is changed. Raises `ConfigError` naming what cannot be sent."""
    return tuple(_message(message, Place(f"messages[{index}]")) for index, message in enumerate(messages))


def _message(message: BaseMessage, place: Place) -> Message:
    read = next((read for kind, read in _READERS if isinstance(message, kind)), None)
    if read is None:
        raise ConfigError(f"{place.name} is a {type(message).__name__}, which is no message that a model can be sent")
    content = parts(message.content, replace(place, name=f"{place.name}.content"))
    return read(message, content, place)


def _said(role: Role) -> Callable[[Any, Any, Place], Message]:
    return lambda message, content, _place: Message(role, content, name=message.name)


def _from_ai(message: AIMessage, content: Any, _place: Place) -> Message:
    calls = [ToolCall(call["name"], call["args"], call["id"] or "") for call in message.tool_calls]
    invalid = [
        InvalidToolCall(call["args"] or "", "malformed", call["id"] or "", call["name"], call["error"] or "")
        for call in message.invalid_tool_calls
    ]
    if not calls and not invalid:
        written = calls_in(message.content)
        calls = [call for call in written if isinstance(call, ToolCall)]
        invalid = [call for call in written if isinstance(call, InvalidToolCall)]
    return Message("assistant", content, message.name, tuple(calls), tuple(invalid))


def _from_tool(message: ToolMessage, content: Any, _place: Place) -> Message:
    return Message(
        "tool",
        content,
        message.name,
        tool_call_id=message.tool_call_id,
        status="error" if message.status == "error" else "ok",
    )


def _from_role(message: ChatMessage, content: Any, place: Place) -> Message:
    if message.role not in ROLES:
        raise ConfigError(f"{place.name} has the unknown role {message.role!r}; known are {', '.join(ROLES)}")
    return Message(ROLES[message.role], content, name=message.name)


_READERS: tuple[tuple[type[BaseMessage], Callable[[Any, Any, Place], Message]], ...] = (
    (HumanMessage, _said("user")),
    (SystemMessage, _said("system")),
    (AIMessage, _from_ai),
    (ToolMessage, _from_tool),
    (FunctionMessage, _said("tool")),
    (ChatMessage, _from_role),
)


def message(reply: Reply, chat: Chat) -> AIMessage:
    """The whole reply as one message."""
    return AIMessage(
        content=reply.text,
        tool_calls=[tool_call(name=call.name, args=call.arguments, id=call.id) for call in reply.tool_calls],
        invalid_tool_calls=[
            invalid_tool_call(name=call.name, args=call.raw, id=call.id, error=call.error or call.reason)
            for call in reply.invalid_tool_calls
        ],
        response_metadata=_metadata(reply, chat),
        usage_metadata=_usage(reply),
    )


def last_chunk(reply: Reply, chat: Chat) -> AIMessageChunk:
    """The end of a stream: no text, but what is known of the whole reply."""
    return AIMessageChunk(
        content="", chunk_position="last", response_metadata=_metadata(reply, chat), usage_metadata=_usage(reply)
    )


def _metadata(reply: Reply, chat: Chat) -> dict[str, Any]:
    return {
        "model_name": reply.model or chat.model,
        "model_provider": PROVIDER,
        "finish_reason": reply.finish_reason,
    }


def _usage(reply: Reply) -> UsageMetadata | None:
    if reply.usage is None or reply.usage.estimated:
        return None
    return UsageMetadata(
        input_tokens=reply.usage.prompt_tokens,
        output_tokens=reply.usage.completion_tokens,
        total_tokens=reply.usage.total_tokens,
    )

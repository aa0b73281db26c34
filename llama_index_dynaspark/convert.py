"""LlamaIndex's messages → ours. Shapes only: every decision is `dynaspark_core`'s. The way back is `replies`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock

from dynaspark_core import InvalidToolCall, Message, ToolCall
from dynaspark_core.content.dictionaries import messages_from
from dynaspark_core.content.image_refs import Places
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Part, Role, new_call, new_message
from llama_index_dynaspark.blocks import parts

ROLES: dict[MessageRole, Role] = {
    MessageRole.SYSTEM: "system",
    MessageRole.DEVELOPER: "system",
    MessageRole.USER: "user",
    MessageRole.ASSISTANT: "assistant",
    MessageRole.CHATBOT: "assistant",
    MessageRole.MODEL: "assistant",
    MessageRole.TOOL: "tool",
    MessageRole.FUNCTION: "tool",
}
Calls = tuple[tuple[ToolCall, ...], tuple[InvalidToolCall, ...]]
"""Those of a message, and those of it that must not run."""


def history(messages: Sequence[ChatMessage], *, allow_paths: bool = True) -> tuple[Message, ...]:
    """The messages as ours; nothing of the caller's is changed.

    Raises `ConfigError` naming what cannot be sent of the newest user messages; earlier it becomes a mark. Without
    `allow_paths`, a block that names a local file cannot be sent.
    """
    places = Places(lambda: [ROLES[message.role] for message in messages], allow_paths)
    return tuple([_message(message, index, places) for index, message in enumerate(messages)])


def require_messages(messages: Sequence[ChatMessage]) -> None:
    """Raises `ConfigError` that names what is no message of LlamaIndex's."""
    for index, message in enumerate(messages):
        if not isinstance(message, ChatMessage):
            raise ConfigError(f"messages[{index}] is of type {type(message).__name__}; give a ChatMessage")


def with_question(history: Sequence[ChatMessage] | None, question: str | ChatMessage | None) -> list[ChatMessage]:
    """A new list of the history and the question after it, if there is one."""
    asked = ChatMessage(role=MessageRole.USER, content=question) if isinstance(question, str) else question
    return [*(history or ()), *([asked] if asked is not None else ())]


def _message(message: ChatMessage, index: int, places: Places) -> Message:
    role, blocks, known = ROLES[message.role], message.blocks, message.additional_kwargs
    said: Sequence[Any] = blocks
    called: Sequence[ToolCallBlock] = ()
    if len(blocks) != 1 or type(blocks[0]) is not TextBlock:
        said, called = _split(blocks)
    only = said[0] if len(said) == 1 else None
    if type(only) is TextBlock:
        content: tuple[Part, ...] = (text,) if (text := only.text) else ()
    else:
        content = tuple(parts(blocks, places[index]))
    whole, invalid = _calls(called, known) if role == "assistant" and (called or known) else ((), ())
    name, call_id = known.get("name"), known.get("tool_call_id")
    if type(name) not in _TEXTS or type(call_id) not in _TEXTS:
        _require_texts(index, name=name, tool_call_id=call_id)
    is_failure = role == "tool" and type(only) is TextBlock and _UNKNOWN_TOOL.fullmatch(only.text)
    return new_message(role, content, name, whole, invalid, call_id, "error" if is_failure else "ok")


_UNKNOWN_TOOL = re.compile(r"Tool .{1,200} not found\. Please select a tool that is available\.")
"""What LlamaIndex's agents give for the call of a tool that there is not; no other result says that it is an error."""
_TEXTS = frozenset({str, type(None)})


def _require_texts(index: int, **facts: object) -> None:
    """Raises `ConfigError` that names a fact of a message's `additional_kwargs` that is no text."""
    for key, value in facts.items():
        if not isinstance(value, str | None):
            place = f"messages[{index}].additional_kwargs[{key!r}]"
            raise ConfigError(f"{place} is of type {type(value).__name__}; it has to be text")


def _split(blocks: Iterable[Any]) -> tuple[list[Any], list[ToolCallBlock]]:
    """What is said, and the calls."""
    said: list[Any] = []
    called: list[ToolCallBlock] = []
    for block in blocks:  # whether a text is a call, pydantic says slowly
        is_call = type(block) is not TextBlock and isinstance(block, ToolCallBlock)
        (called if is_call else said).append(block)
    return said, called


def calls(message: ChatMessage) -> Calls:
    """The message's calls: its blocks, or what is in `additional_kwargs`, which repeats them."""
    return _calls(_split(message.blocks)[1], message.additional_kwargs)


def _calls(blocks: Sequence[ToolCallBlock], known: Mapping[str, Any]) -> Calls:
    if not blocks:
        return _written_calls(known) if known.get("tool_calls") or known.get("function_call") else ((), ())
    whole = []
    for block in blocks:
        name, arguments, call_id = block.tool_name, block.tool_kwargs, block.tool_call_id
        if not (name and call_id and isinstance(arguments, dict)):  # those who read any shape read all of them
            written = [{"id": one.tool_call_id, "name": one.tool_name, "arguments": one.tool_kwargs} for one in blocks]
            return _written_calls({"tool_calls": written})
        whole.append(new_call(name, dict(arguments), call_id))
    return tuple(whole), ()


def _written_calls(known: Mapping[str, Any]) -> Calls:
    """Calls in OpenAI's shapes, as dictionaries or as its objects: `tool_calls`, else its older `function_call`."""
    if called := known.get("tool_calls"):
        if not isinstance(called, list | tuple):
            raise ConfigError(f"tool_calls of a message is of type {type(called).__name__}; it has to be a list")
        written: dict[str, Any] = {"tool_calls": [_plain(call) for call in called]}
    else:
        written = {"function_call": _plain(known["function_call"])}
    (message,) = messages_from([{"role": "assistant", "content": "", **written}])
    return message.tool_calls, message.invalid_tool_calls


def _plain(call: Any) -> Mapping[str, Any]:
    plain = call.model_dump() if hasattr(call, "model_dump") else call
    if not isinstance(plain, Mapping):
        raise ConfigError(f"a call in a message is of type {type(call).__name__}; it has to be a dictionary")
    return plain

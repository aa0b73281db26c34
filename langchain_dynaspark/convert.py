"""LangChain's messages → ours. Shapes only: what they say to the model is `dynaspark_core`'s."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from dynaspark_core import InvalidToolCall, Message, ToolCall
from dynaspark_core.content.blocks import read_parts
from dynaspark_core.content.dictionaries import ROLES, read_call_blocks
from dynaspark_core.content.image_refs import Place
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Part, Role
from langchain_dynaspark.replies import NO_JSON

_IMAGES_IN_BASE64 = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
"""How base64 text of png, jpeg, gif and webp begins."""
Reader = Callable[[Any, tuple[Part, ...], int], Message]
"""A message of LangChain's, its content, its index → ours."""


def history(messages: Sequence[BaseMessage], *, allow_files: bool = False) -> tuple[Message, ...]:
    """The messages as ours; nothing of the caller's is changed. Raises `ConfigError` naming what cannot be sent."""
    return tuple(_message(message, index, allow_files=allow_files) for index, message in enumerate(messages))


def _message(message: BaseMessage, index: int, *, allow_files: bool) -> Message:
    read = _reader(type(message))
    if read is None:
        name = f"messages[{index}] is a {type(message).__name__}"
        raise ConfigError(f"{name}, which is no message that a model can be sent")
    return read(message, _content(message.content, index, allow_files=allow_files), index)


def _content(content: Any, index: int, *, allow_files: bool) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (content,) if content else ()
    if any(_is_image_declared_pdf(block) for block in content):
        content = [{**block, "mime_type": ""} if _is_image_declared_pdf(block) else block for block in content]
    return read_parts(content, Place(f"messages[{index}].content", allow_files))


def _is_image_declared_pdf(block: object) -> bool:
    """Whether it is an image that is declared as PDF: LangChain declares every file in OpenAI's form to be one."""
    if not isinstance(block, Mapping) or block.get("mime_type") != "application/pdf":
        return False
    return str(block.get("base64", "")).startswith(_IMAGES_IN_BASE64)


def _with_role(role: Role) -> Reader:
    return lambda message, content, _index: Message(role, content, name=message.name)


def _from_ai(message: AIMessage, content: tuple[Part, ...], _index: int) -> Message:
    calls = [ToolCall(call["name"], call["args"], call["id"] or "") for call in message.tool_calls]
    invalid = [
        InvalidToolCall(
            (call["args"] or "").removeprefix(NO_JSON), "malformed", call["id"] or "", call["name"], call["error"] or ""
        )
        for call in message.invalid_tool_calls
    ]
    if not calls and not invalid and not isinstance(message.content, str):
        written = read_call_blocks(message.content)
        calls = [call for call in written if isinstance(call, ToolCall)]
        invalid = [call for call in written if isinstance(call, InvalidToolCall)]
    return Message("assistant", content, message.name, tuple(calls), tuple(invalid))


def _from_tool(message: ToolMessage, content: tuple[Part, ...], _index: int) -> Message:
    return Message(
        "tool",
        content,
        message.name,
        tool_call_id=message.tool_call_id,
        status="error" if message.status == "error" else "ok",
    )


def _from_role(message: ChatMessage, content: tuple[Part, ...], index: int) -> Message:
    if message.role not in ROLES:
        raise ConfigError(f"messages[{index}] has the unknown role {message.role!r}; known are {', '.join(ROLES)}")
    return Message(ROLES[message.role], content, name=message.name)


_READERS: tuple[tuple[type[BaseMessage], Reader], ...] = (
    (HumanMessage, _with_role("user")),
    (SystemMessage, _with_role("system")),
    (AIMessage, _from_ai),
    (ToolMessage, _from_tool),
    (FunctionMessage, _with_role("tool")),
    (ChatMessage, _from_role),
)


@cache
def _reader(kind: type) -> Reader | None:
    """What reads messages of this class; None for a class that no model can be sent."""
    return next((read for base, read in _READERS if issubclass(kind, base)), None)

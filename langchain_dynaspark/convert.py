"""LangChain's messages → ours. Shapes only: what they say to the model is `dynaspark_core`'s."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

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
from dynaspark_core.content.dictionaries import ROLES, newest_results, parts_and_results, read_call_blocks
from dynaspark_core.content.files import is_text
from dynaspark_core.content.image_refs import Place, Places, file_name
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Part, Role, new_call, new_message
from langchain_dynaspark.replies import NO_JSON

_IMAGES_IN_BASE64 = ("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR")
"""How base64 text of png, jpeg, gif and webp begins."""
_PDF_IN_BASE64 = "JVBERi"
Reader = Callable[[Any, Role, tuple[Part, ...]], Message]
"""A message of LangChain's, its role, its content → ours."""


def history(messages: Sequence[BaseMessage], *, allow_files: bool = False) -> tuple[Message, ...]:
    """The messages as ours; nothing of the caller's is changed.

    Raises `ConfigError` naming what cannot be sent of the newest user messages; earlier it becomes a mark.
    """
    places = Places(
        lambda: [_row(message, index)[0] for index, message in enumerate(messages)],
        allow_files,
        lambda: newest_results(message.content for message in messages),
    )
    read: list[Message] = []
    for index, message in enumerate(messages):
        role, reader = _PLAIN_KINDS.get(type(message)) or _row(message, index)
        said = message.content
        if isinstance(said, str):
            read.append(reader(message, role, (said,) if said else ()))
        else:
            read += _of_blocks(message, role, reader, places[index])
    return tuple(read)


def _row(message: BaseMessage, index: int) -> tuple[Role, Reader]:
    """The message's role, and what reads it."""
    kind = _kind(type(message))
    if kind is None:
        name = f"messages[{index}] is of type {type(message).__name__}"
        raise ConfigError(f"{name}, which is not a message that can be sent to a model")
    written, read = kind
    written = written or str(getattr(message, "role", ""))
    if written not in ROLES:
        raise ConfigError(f"messages[{index}] has the unknown role {written!r}; known are {', '.join(ROLES)}")
    return ROLES[written], read


def _of_blocks(message: BaseMessage, role: Role, read: Reader, place: Place) -> Sequence[Message]:
    """The message, after the results of tools that a user's message carries in the form of Anthropic."""
    content, place = _well_declared(message.content), place.inner(".content")
    if role != "user":
        return (read(message, role, read_parts(content, place)),)
    parts, results = parts_and_results(content, place)
    return results if results and not parts else (*results, read(message, role, parts))


def _well_declared(content: Any) -> Any:
    if any(_is_declared_pdf_by_mistake(block) for block in content):
        return [{**block, "mime_type": ""} if _is_declared_pdf_by_mistake(block) else block for block in content]
    return content


def _is_declared_pdf_by_mistake(block: object) -> bool:
    """Whether it is an image or a text file: LangChain declares every file in OpenAI's form to be a PDF."""
    if not isinstance(block, Mapping) or block.get("mime_type") != "application/pdf":
        return False
    start = str(block.get("base64", ""))[:16]
    return start.startswith(_IMAGES_IN_BASE64) or (
        not start.startswith(_PDF_IN_BASE64) and is_text("", file_name(block, block))
    )


def _plain(message: BaseMessage, role: Role, content: tuple[Part, ...]) -> Message:
    return new_message(role, content, message.name)


def _from_ai(message: AIMessage, role: Role, content: tuple[Part, ...]) -> Message:
    calls, invalid = message.tool_calls, message.invalid_tool_calls
    if calls or invalid:
        whole = tuple([new_call(call["name"], call["args"], call["id"] or "") for call in calls])
        return new_message(role, content, message.name, whole, tuple(map(_invalid, invalid)) if invalid else ())
    if isinstance(message.content, str) and not message.additional_kwargs:
        return new_message(role, content, message.name)
    more = message.additional_kwargs  # LangChain knows no call of OpenAI's with a free text
    written = read_call_blocks(message.content) or read_call_blocks([more]) or read_call_blocks(more.get("tool_calls"))
    return new_message(
        role,
        content,
        message.name,
        tuple(call for call in written if isinstance(call, ToolCall)),
        tuple(call for call in written if isinstance(call, InvalidToolCall)),
    )


def _invalid(call: Mapping[str, Any]) -> InvalidToolCall:
    raw = (call["args"] or "").removeprefix(NO_JSON)
    return InvalidToolCall(raw, "malformed", call["id"] or "", call["name"], call["error"] or "")


def _from_tool(message: ToolMessage, role: Role, content: tuple[Part, ...]) -> Message:
    status: Literal["ok", "error"] = "error" if message.status == "error" else "ok"
    return new_message(role, content, message.name, (), (), message.tool_call_id, status)


_KINDS: tuple[tuple[type[BaseMessage], tuple[str, Reader]], ...] = (
    (HumanMessage, ("user", _plain)),
    (SystemMessage, ("system", _plain)),
    (AIMessage, ("assistant", _from_ai)),
    (ToolMessage, ("tool", _from_tool)),
    (FunctionMessage, ("tool", _plain)),
    (ChatMessage, ("", _plain)),
)
"""Class → the role, which a `ChatMessage` has itself, and what reads its messages."""
_PLAIN_KINDS = {kind: (ROLES[role], read) for kind, (role, read) in _KINDS if role}
"""Those with a role of their own: what most messages are, found at once."""


@cache
def _kind(kind: type) -> tuple[str, Reader] | None:
    """The row of this class in `_KINDS`; None for a class that no model can be sent."""
    return next((row for base, row in _KINDS if issubclass(kind, base)), None)

"""LlamaIndex's messages → ours. Shapes only: every decision is `dynaspark_core`'s. The way back is `replies`."""

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llama_index.core.base.llms.generic_utils import image_node_to_image_block
from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.schema import ImageDocument, ImageNode

from dynaspark_core import ImageRef, InvalidToolCall, Message, ToolCall
from dynaspark_core.content.dictionaries import messages_from
from dynaspark_core.content.image_refs import Place, image_ref
from dynaspark_core.errors import ConfigError, ForbiddenImageError
from dynaspark_core.messages import Part, Role

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


def history(messages: Sequence[ChatMessage], *, allow_paths: bool = True) -> tuple[Message, ...]:
    """The messages as ours; nothing of the caller's is changed. Raises `ConfigError` naming what cannot be sent.

    Without `allow_paths`, a block that names a local file is a `ForbiddenImageError`.
    """
    return tuple(_message(message, index, allow_paths=allow_paths) for index, message in enumerate(messages))


def with_question(history: Sequence[ChatMessage] | None, question: str | ChatMessage | None) -> list[ChatMessage]:
    """A new list of the history and the question after it, if there is one."""
    asked = ChatMessage(role=MessageRole.USER, content=question) if isinstance(question, str) else question
    return [*(history or ()), *([asked] if asked is not None else ())]


def _message(message: ChatMessage, index: int, *, allow_paths: bool) -> Message:
    known = message.additional_kwargs
    role = ROLES[message.role]
    made = calls(message) if role == "assistant" else []
    return Message(
        role,
        _content(message.blocks, index, allow_paths=allow_paths),
        name=known.get("name"),
        tool_calls=tuple([call for call in made if isinstance(call, ToolCall)]),
        invalid_tool_calls=tuple([call for call in made if isinstance(call, InvalidToolCall)]),
        tool_call_id=known.get("tool_call_id"),
    )


def _content(blocks: Sequence[Any], index: int, *, allow_paths: bool) -> tuple[Part, ...]:
    if len(blocks) == 1 and type(blocks[0]) is TextBlock:
        return _text(blocks[0])
    return tuple(_parts(blocks, Place(f"messages[{index}]", allow_files=allow_paths)))


def calls(message: ChatMessage) -> list[ToolCall | InvalidToolCall]:
    """The message's calls: its blocks, or what is in `additional_kwargs`, which repeats them."""
    blocks = [block for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not blocks:
        return _written_calls(message.additional_kwargs.get("tool_calls") or ())
    whole = [call for block in blocks if (call := _call(block)) is not None]
    if len(whole) == len(blocks):
        return [*whole]
    return _written_calls(
        {"id": block.tool_call_id, "name": block.tool_name, "arguments": block.tool_kwargs} for block in blocks
    )


def _call(block: ToolCallBlock) -> ToolCall | None:
    """The call of a block that is whole; None leaves it to those who read any shape."""
    arguments = block.tool_kwargs
    if not isinstance(arguments, dict) or not block.tool_name or not block.tool_call_id:
        return None
    return ToolCall(block.tool_name, dict(arguments), block.tool_call_id)


def _written_calls(calls: Iterable[Any]) -> list[ToolCall | InvalidToolCall]:
    """Calls in OpenAI's shape, as dictionaries or as its objects."""
    written = [call if isinstance(call, dict) else call.model_dump() for call in calls]
    if not written:
        return []
    (message,) = messages_from([{"role": "assistant", "content": "", "tool_calls": written}])
    return [*message.tool_calls, *message.invalid_tool_calls]


def _parts(blocks: Iterable[Any], place: Place) -> Iterable[Part]:
    """The texts and images of the blocks; each text begins a line, as in `ChatMessage.content`."""
    has_text = False
    for index, block in enumerate(blocks):
        here = place.inner(f".blocks[{index}]")
        read = next((read for kind, read in _READERS if isinstance(block, kind)), None)
        if read is None:
            raise ConfigError(f"{here.name} is a {type(block).__name__}: the service takes text and images only")
        for part in read(block, here):
            if has_text and isinstance(part, str):
                yield "\n"
            has_text = has_text or isinstance(part, str)
            yield part


def _text(block: TextBlock, _place: Place | None = None) -> tuple[Part, ...]:
    return (block.text,) if block.text else ()


def _image(block: ImageBlock, place: Place) -> Iterable[Part]:
    if isinstance(block.image, bytes):
        yield _stored(block.image)
    elif block.image is not None:
        yield ImageRef("bytes", _contents(block.image, place))
    elif block.path is not None:
        if not place.allow_files:
            raise ForbiddenImageError(f"{place.name} names a local file, and allow_image_paths is False")
        yield image_ref(block.path, place)
    elif block.url:
        yield image_ref(str(block.url), Place(place.name))
    else:
        raise ConfigError(f"{place.name} is an ImageBlock without image, path or url")


def _stored(encoded: bytes) -> ImageRef:
    """What an `ImageBlock` stores: base64, once more encoded when it was given as base64 in lines."""
    start = base64.b64decode(encoded[:64])
    if start and not start.translate(None, _BASE64):
        return ImageRef("base64", base64.b64decode(encoded).decode("ascii", "replace"))
    return ImageRef("base64", encoded)


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"


def _contents(file: Any, place: Place) -> bytes:
    """The file's bytes; its position is restored."""
    try:
        position = file.tell()
        file.seek(0)
        data: bytes = file.read()
        file.seek(position)
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{place.name} holds a file that cannot be read and sought: {exc}") from exc
    return data


def _document(block: DocumentBlock, place: Place) -> Iterable[Part]:
    """Text of a document that came with its data, under its title; an image as an image."""
    mime = block.document_mimetype or ""
    if isinstance(block.data, bytes) and mime.startswith("image/"):
        yield _stored(block.data)
    elif isinstance(block.data, bytes) and (mime.startswith("text/") or mime == "application/json"):
        yield f"{block.title}:\n{base64.b64decode(block.data).decode(errors='replace')}"
    else:
        raise ConfigError(
            f"{place.name} is a DocumentBlock ({mime or 'of no known type'}): give its text as a TextBlock"
        )


def _citable(block: CitableBlock, place: Place) -> Iterable[Part]:
    return _parts(block.content, place)


def _citation(block: CitationBlock, place: Place) -> Iterable[Part]:
    return _parts([block.cited_content], place)


def _nothing(_block: object, _place: Place) -> Iterable[Part]:
    """A tool call is in `tool_calls`; thoughts are not replayed; a cache point is advice to other services."""
    return ()


_READERS: tuple[tuple[type, Callable[[Any, Place], Iterable[Part]]], ...] = (
    (TextBlock, _text),
    (ImageBlock, _image),
    (ToolCallBlock, _nothing),
    (ThinkingBlock, _nothing),
    (CachePoint, _nothing),
    (DocumentBlock, _document),
    (CitableBlock, _citable),
    (CitationBlock, _citation),
)


def image_block(document: object, place: Place) -> ImageBlock:
    """An `image_documents` member as a block."""
    if isinstance(document, ImageBlock):
        return document
    if isinstance(document, ImageNode | ImageDocument):
        node: Any = document  # the two share the attributes that are read
        return image_node_to_image_block(node)
    raise ConfigError(f"{place.name} is a {type(document).__name__}; give ImageDocument, ImageNode or ImageBlock")

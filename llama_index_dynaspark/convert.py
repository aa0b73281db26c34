"""LlamaIndex's messages → ours. Shapes only: every decision is `dynaspark_core`'s. The way back is `replies`."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

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
from dynaspark_core.content.files import is_text, not_shown, read_text_file
from dynaspark_core.content.image_refs import Place, Places, url_ref
from dynaspark_core.errors import ConfigError, ForbiddenImageError, ImageError
from dynaspark_core.messages import Part, Role, new_call, new_message

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
        content = tuple(_parts(blocks, places[index]))
    whole, invalid = _calls(called, known) if role == "assistant" and (called or known) else ((), ())
    return new_message(role, content, known.get("name"), whole, invalid, known.get("tool_call_id"))


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
        written = {"tool_calls": [_plain(call) for call in called]}
    else:
        written = {"function_call": _plain(known["function_call"])}
    (message,) = messages_from([{"role": "assistant", "content": "", **written}])
    return message.tool_calls, message.invalid_tool_calls


def _plain(call: Any) -> Any:
    return call.model_dump() if hasattr(call, "model_dump") else call


def _parts(blocks: Iterable[Any], place: Place) -> Iterable[Part]:
    """The texts and images of the blocks; each text begins a line, as in `ChatMessage.content`.

    Those of an assistant are joined directly, as citations split sentences.
    """
    has_text = False
    for index, block in enumerate(blocks):
        for part in _block(block, place.inner(f".blocks[{index}]")):
            if has_text and isinstance(part, str) and place.role != "assistant":
                yield "\n"
            has_text = has_text or isinstance(part, str)
            yield part


def _block(block: Any, place: Place) -> Iterable[Part]:
    read = next((read for kind, read in _READERS if isinstance(block, kind)), _unknown)
    if not place.is_past:
        return read(block, place)
    try:
        return list(read(block, place))
    except (ConfigError, ImageError):  # it was stored: an error would come back in every turn
        kind = getattr(block, "block_type", "block")
        address = getattr(block, "url", None) or ""
        name = getattr(block, "title", None) or ""
        return (not_shown("file" if kind == "document" else kind, name, _mime_type(block), str(address)),)


def _unknown(block: Any, place: Place) -> Iterable[Part]:
    raise ConfigError(f"{place.name} is of type {type(block).__name__}: the service takes text and images only")


def _mime_type(block: Any) -> str:
    return next((str(value) for key, value in vars(block).items() if key.endswith("_mimetype") and value), "")


def _text(block: TextBlock, _place: Place) -> tuple[Part, ...]:
    return (block.text,) if block.text else ()


def _image(block: ImageBlock, place: Place) -> Iterable[Part]:
    return (_source(block.image, block.path, block.url, place),)


def _source(data: Any, path: object, url: object, place: Place) -> ImageRef:
    """The reference to what a block holds or names."""
    if isinstance(data, bytes):
        return _stored(data)
    if data is not None:
        return ImageRef("bytes", _contents(data, place))
    if path is not None:
        if not place.allow_files:
            raise ForbiddenImageError(f"{place.name} names a local file, and allow_image_paths is False")
        return ImageRef("path", str(path))
    if url:
        return url_ref(str(url), Place(place.name))
    raise ConfigError(f"{place.name} holds no data, path or url")


def _stored(encoded: bytes) -> ImageRef:
    """What an `ImageBlock` stores: base64, once more encoded when it was given as base64 in lines."""
    try:
        start = base64.b64decode(encoded[:64])
    except ValueError:  # damaged: the reader of images says so
        start = b""
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
    """A document: text under its title, of which its type may be guessed, or an image."""
    mime, title = block.document_mimetype or "", block.title or ""
    is_image = mime.startswith("image/")
    if not is_image and not is_text(mime, title):
        raise ConfigError(
            f"{place.name} is a DocumentBlock ({mime or 'of no known type'}): give its text as a TextBlock, or its "
            "pages as images"
        )
    if not is_image and isinstance(block.data, bytes):  # a word looks like base64, so it is decoded once only
        return (read_text_file(ImageRef("base64", block.data), title, place),)
    ref = _source(block.data, block.path, block.url, place)
    return (ref if is_image else read_text_file(ref, title, place),)


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


def document_ref(document: object, place: Place) -> ImageRef:
    """An `image_documents` member as ours; LlamaIndex's own checks would read the file that a path names."""
    if isinstance(document, ImageBlock):
        return _source(document.image, document.path, document.url, place)
    if isinstance(document, ImageNode | ImageDocument):
        node: Any = document  # the two share the attributes that are read
        stored = node.image.encode() if node.image else None
        return _source(stored, node.image_path or node.metadata.get("file_path") or None, node.image_url, place)
    raise ConfigError(f"{place.name} is of type {type(document).__name__}; give ImageDocument, ImageNode or ImageBlock")

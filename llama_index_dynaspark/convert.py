"""LlamaIndex's messages → ours, and our reply → LlamaIndex's. Shapes only: every decision is `dynaspark_core`'s."""

import base64
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from llama_index.core.base.llms.generic_utils import image_node_to_image_block
from llama_index.core.base.llms.types import (
    CachePoint,
    ChatMessage,
    ChatResponse,
    CitableBlock,
    CitationBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.schema import ImageDocument, ImageNode

from dynaspark_core import ImageRef, InvalidToolCall, Message, Reply, ToolCall, Usage
from dynaspark_core.dictionaries import messages_from
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Part, Role
from dynaspark_core.sources import Place, image_ref

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


def history(messages: Sequence[ChatMessage]) -> tuple[Message, ...]:
    """The messages as ours; nothing of the caller's is changed. Raises `ConfigError` naming what cannot be sent."""
    return tuple(_message(message, Place(f"messages[{index}]")) for index, message in enumerate(messages))


def _message(message: ChatMessage, place: Place) -> Message:
    known = message.additional_kwargs
    calls = [_call(block) for block in message.blocks if isinstance(block, ToolCallBlock)]
    if not calls and known.get("tool_calls"):
        calls = _legacy_calls(known["tool_calls"])
    return Message(
        ROLES[message.role],
        tuple(_parts(message.blocks, place)),
        name=known.get("name"),
        tool_calls=tuple(call for call in calls if isinstance(call, ToolCall)),
        invalid_tool_calls=tuple(call for call in calls if isinstance(call, InvalidToolCall)),
        tool_call_id=known.get("tool_call_id"),
    )


def _parts(blocks: Iterable[Any], place: Place) -> Iterable[Part]:
    """The texts and images of the blocks; texts that follow each other are lines, as in `ChatMessage.content`."""
    was_text = False
    for index, block in enumerate(blocks):
        here = place.inner(f".blocks[{index}]")
        read = next((read for kind, read in _READERS if isinstance(block, kind)), None)
        if read is None:
            raise ConfigError(f"{here.name} is a {type(block).__name__}: the service takes text and one image only")
        for part in read(block, here):
            if was_text and isinstance(part, str):
                yield "\n"
            was_text = isinstance(part, str)
            yield part


def _text(block: TextBlock, _place: Place) -> Iterable[Part]:
    return (block.text,) if block.text else ()


def _image(block: ImageBlock, place: Place) -> Iterable[Part]:
    yield _image_part(block, place)


def _image_part(block: ImageBlock, place: Place) -> Part:
    if isinstance(block.image, bytes):
        return _stored(block.image)
    if block.image is not None:
        return ImageRef("bytes", _contents(block.image, place))
    if block.path is not None:
        return image_ref(block.path, place)
    if block.url:
        return image_ref(str(block.url), place)
    raise ConfigError(f"{place.name} is an ImageBlock without image, path or url")


def _stored(encoded: bytes) -> ImageRef:
    """What an `ImageBlock` stores: base64, once more encoded when it was given as base64 in lines."""
    start = base64.b64decode(encoded[:64])
    if start and not start.translate(None, _BASE64):
        return ImageRef("base64", base64.b64decode(encoded).decode("ascii", "replace"))
    return ImageRef("base64", encoded)


_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"


def _contents(file: Any, place: Place) -> bytes:
    """The file's bytes; it is left as it was found."""
    try:
        position = file.tell()
        file.seek(0)
        data: bytes = file.read()
        file.seek(position)
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{place.name} holds a file that cannot be read and sought: {exc}") from exc
    return data


def _citable(block: CitableBlock, place: Place) -> Iterable[Part]:
    return _parts(block.content, place)


def _citation(block: CitationBlock, place: Place) -> Iterable[Part]:
    return _parts([block.cited_content], place)


def _nothing(_block: object, _place: Place) -> Iterable[Part]:
    """A tool call stands in `tool_calls`; thoughts are not replayed; a cache point is advice to other services."""
    return ()


_READERS: tuple[tuple[type, Callable[[Any, Place], Iterable[Part]]], ...] = (
    (TextBlock, _text),
    (ImageBlock, _image),
    (ToolCallBlock, _nothing),
    (ThinkingBlock, _nothing),
    (CachePoint, _nothing),
    (CitableBlock, _citable),
    (CitationBlock, _citation),
)


def _call(block: ToolCallBlock) -> ToolCall | InvalidToolCall:
    return _legacy_calls([{"id": block.tool_call_id, "name": block.tool_name, "arguments": block.tool_kwargs}])[0]


def _legacy_calls(calls: Iterable[Any]) -> list[ToolCall | InvalidToolCall]:
    """Calls in OpenAI's shape, as dictionaries or as its objects."""
    written = [call if isinstance(call, dict) else call.model_dump() for call in calls]
    (message,) = messages_from([{"role": "assistant", "content": "", "tool_calls": written}])
    return [*message.tool_calls, *message.invalid_tool_calls]


def message(reply: Reply) -> ChatMessage:
    """The whole reply as one message; calls as blocks, and as dictionaries where LlamaIndex still looks for them."""
    calls = [
        ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)
        for call in reply.tool_calls
    ]
    known = {"tool_calls": [block.model_dump() for block in calls]} if calls else {}
    texts = [TextBlock(text=reply.text)] if reply.text or not calls else []
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=[*texts, *calls], additional_kwargs=known)


def response(reply: Reply, delta: str | None = None) -> ChatResponse:
    """The reply as a chat's response; `raw` is a dictionary with the text, the model and the usage."""
    counts = _usage(reply.usage)
    raw = {"response": reply.text, "model": reply.model, "usage": counts}
    return ChatResponse(message=message(reply), raw=raw, delta=delta, additional_kwargs=counts)


def piece(text: str, delta: str) -> ChatResponse:
    """The response so far: `text` is all of it, `delta` what has just come."""
    return ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=text), delta=delta)


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    counts = {name: getattr(usage, name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return counts | ({"estimated": True} if usage.estimated else {})


def image_block(document: object, place: Place) -> ImageBlock:
    """An `image_documents` member as a block."""
    if isinstance(document, ImageBlock):
        return document
    if isinstance(document, ImageNode | ImageDocument):
        node: Any = document  # the two share the attributes that are read
        return image_node_to_image_block(node)
    raise ConfigError(f"{place.name} is a {type(document).__name__}; give ImageDocument, ImageNode or ImageBlock")


def tool(tool: Any) -> dict[str, Any]:
    """The tool as a plain dictionary, for events are written out as JSON; long descriptions are kept."""
    function: dict[str, Any] = tool.metadata.to_openai_tool(skip_length_check=True)["function"]
    return {"name": function["name"], "description": function["description"], "parameters": function["parameters"]}


def tool_choice(choice: str | dict[str, Any] | None, *, is_required: bool) -> str:
    """`auto`, `none`, `required`, or the name of a tool."""
    if isinstance(choice, dict):
        choice = str(choice.get("function", {}).get("name", ""))
    if choice in (None, "auto") and is_required:
        return "required"
    return "required" if choice == "any" else choice or "auto"


def selections(message: ChatMessage) -> list[ToolSelection]:
    """The message's calls; each chunk of a stream has those that are complete."""
    calls = (block for block in message.blocks if isinstance(block, ToolCallBlock))
    return [
        ToolSelection(tool_id=call.tool_call_id or "", tool_name=call.tool_name, tool_kwargs=_kwargs(call))
        for call in calls
    ]


def _kwargs(call: ToolCallBlock) -> dict[str, Any]:
    return call.tool_kwargs if isinstance(call.tool_kwargs, dict) else {}

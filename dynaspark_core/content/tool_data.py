"""Which dictionaries in a tool's result are its data: records that have a `type` of their own, as GitHub's files have.

Pure. A block of a file has the data of a file, or an address and no key that such blocks do not have.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dynaspark_core.content.files import PICTURES, block_not_shown
from dynaspark_core.content.image_refs import Block, Place, declared_type, flatten
from dynaspark_core.messages import Part

Reader = Callable[[Block, Place], Iterable[Part]]

_ANY = ("type", "id", "index", "cache_control", "annotations", "_meta", "extras", "metadata", "lc_source")
_FILE = frozenset(
    (
        *_ANY,
        *("source_type", "mime_type", "media_type", "mimeType", "format", "detail", "source", "resource", "document"),
        *("base64", "data", "bytes", "blob", "text", "name", "title", "filename", "file_name", "file", "file_id"),
        *("url", "uri", "file_url", "file_uri", "fileUri", "file_data", "fileData", "inline_data", "inlineData"),
        *("image", "image_url", "image_file", "audio", "audio_url", "input_audio", "video", "video_url", "input_video"),
    )
)
_DOCUMENT = frozenset((*_ANY, "source", "title", "name", "format", "context", "citations", "document"))
_LINK = _FILE | {"size", "description", "icons"}
_RESOURCE = frozenset((*_ANY, "resource"))
_REASONING = frozenset(
    (
        *(*_ANY, "reasoning", "reasoning_content", "reasoningContent", "thinking", "data", "signature", "status"),
        *("summary", "content", "encrypted_content"),
    )
)
_PICTURES = dict.fromkeys(PICTURES, _FILE)
_FILES = {
    **dict.fromkeys(("file", "input_file", "media", "file_data", "fileData"), _FILE),
    **dict.fromkeys(("audio", "input_audio", "audio_url", "video", "input_video", "video_url"), _FILE),
    "document": _DOCUMENT,
    "resource": _RESOURCE,
    "resource_link": _LINK,
}
SHAPES: Mapping[str, frozenset[str]] = {
    **_FILES,
    **dict.fromkeys(
        ("reasoning", "reasoning_content", "reasoningContent", "thinking", "redacted_thinking"), _REASONING
    ),
    "search_result": frozenset((*_ANY, "source", "title", "content", "citations")),
    "tool_result": frozenset((*_ANY, "tool_use_id", "content", "is_error")),
    "json": frozenset((*_ANY, "json")),
}
"""Block type → the keys that such a block may have; with another one it is a record that happens to have this type."""
_UNTYPED = frozenset(("json", "document", "resource", "audio", "video", "file_data", "fileData", "reasoningContent"))
"""Those that Bedrock and Google name by their only key."""
_WRAPPED = ("audio", "input_audio", "audio_url", "video", "input_video", "video_url")
_ADDRESSES = (
    *("url", "uri", "image", "image_url", "file_url", "file_uri", "fileUri", "audio_url", "video_url"),
    *("file_id", "s3Location"),
)


_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]{64}")
"""How base64 text begins that nothing declares: a sentence has blanks, and a word is shorter."""


def if_shaped(read: Reader, keys: frozenset[str]) -> Reader:
    """What reads a block that has no keys but these, or holds a file's data; what has others is told as JSON."""

    def read_or_tell(block: Block, place: Place) -> Iterable[Part]:
        is_named = "type" in block or not _UNTYPED.isdisjoint(block)
        is_shaped = block.keys() <= keys or _holds_data(_flat(block))
        return read(block, place) if is_named and is_shaped else as_json(block, place)

    return read_or_tell


def if_file(read: Reader) -> Reader:
    """What reads a block that holds a file or names one; what has only a text that may be anything is told as JSON."""

    def read_or_tell(block: Block, place: Place) -> Iterable[Part]:
        known = _flat(block)
        return read(block, place) if _holds_data(known) or _names_file(known) else as_json(block, place)

    return read_or_tell


def or_json(read: Reader) -> Reader:
    """The reader; a block that says nothing to it is told as JSON."""

    def read_or_tell(block: Block, place: Place) -> Iterable[Part]:
        return list(read(block, place)) or as_json(block, place)

    return read_or_tell


def as_json(block: Block, _place: Place) -> Iterable[Part]:
    """The whole block as JSON."""
    return (json_text(block),)


def json_value(block: Block, _place: Place) -> Iterable[Part]:
    """The value of Bedrock's `json` block."""
    return (json_text(block.get("json", block)),)


def unsent(block: Block) -> str:
    """What the prompt says of a block in a tool's result that cannot be sent: a file's mark, of other data its JSON."""
    return block_not_shown(block) if _is_file(block) else json_text(block)


def json_text(value: object) -> str:
    """The value as JSON; a short mark for one that is nested too deep or in a circle."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_written)
    except TypeError:  # keys that JSON does not know
        return str(value)
    except (ValueError, RecursionError):
        return "[data nested too deep – not shown]"  # noqa: RUF001  # the dash of other marks


def _written(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return f"({len(value)} bytes)" if isinstance(value, bytes | bytearray) else str(value)


def _is_file(block: Block) -> bool:
    known = _flat(block)
    if _holds_data(known):
        return True
    kind = block.get("type") or next(iter(block), None)
    keys = (_FILES.get(kind) or _PICTURES.get(kind)) if isinstance(kind, str) else None
    return keys is not None and block.keys() <= keys and _names_file(known)


def _flat(block: Block) -> dict[str, Any]:
    wrapped = [inner for key in _WRAPPED if isinstance(inner := block.get(key), Mapping)]
    return flatten(block) | {key: value for inner in wrapped for key, value in flatten(inner).items()}


def _holds_data(known: Block) -> bool:
    """Whether there are bytes, or text that is said to be some: `data` alone may be anything."""
    keys = ("base64", "file_data", "data", "bytes", "blob")
    if any(isinstance(known.get(key), bytes | bytearray) for key in keys):
        return True
    is_declared = (
        declared_type(known) or known.get("format") or known.get("source_type") or known.get("type") == "base64"
    )
    texts = {key: text for key in keys if isinstance(text := known.get(key), str)}
    return any(text and (is_declared or key in keys[:2] or _BASE64.match(text)) for key, text in texts.items())


def _names_file(known: Block) -> bool:
    is_v0 = known.get("source_type") in ("id", "text")  # under `id` or `text`
    return is_v0 or any(isinstance(known.get(key), str | Mapping | bytes) for key in _ADDRESSES)

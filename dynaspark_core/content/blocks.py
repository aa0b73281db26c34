"""Content as the frameworks' dictionaries write it, turned into our parts: text and images.

Pure: nothing is loaded, decoded or opened here. One table leads from a block's type to its reader; a block without a
`type` is read by its first known key. It knows the blocks of OpenAI (chat and responses), Anthropic, Google, Bedrock
Converse, MCP, and LangChain (v0 and v1).

What cannot be sent is an error that names the place, the block's type and the way out; where the place is past, it is
a mark in the text, and in a tool's result JSON, if it is no file's data (`tool_data`). Three kinds are left out on
purpose: reasoning (not replayed to any model), calls of a provider's own server tools, and calls to tools, which are in
a message's `tool_calls` (`dictionaries.read_call_blocks` reads them where they are only in the content).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from dynaspark_core.content.files import PICTURES, block_not_shown, names_text, read_text_file
from dynaspark_core.content.image_refs import Block, Place, block_ref, declared_type, file_name, flatten, held_ref
from dynaspark_core.content.records import record
from dynaspark_core.content.tool_data import SHAPES, Reader, as_json, if_file, if_shaped, json_value, or_json, unsent
from dynaspark_core.errors import ConfigError, ImageError
from dynaspark_core.messages import Image, ImageRef, Part, TextFile

CONTENT = Place("content")
"""A message's content, wherever the message stands; text in it names no files."""


def read_parts(content: str | Sequence[object] | None, place: Place = CONTENT) -> tuple[Part, ...]:
    """The texts and images of a message's content, in order; empty text and None give nothing.

    A text block that follows a text block begins a line, but in an assistant's turn, where citations split sentences.

    `place` names the content in errors and says whether text may name files (`file:` URLs, bare paths); where it may
    not, that is ForbiddenImageError. Raises ConfigError for what is no content or of an unknown type, ImageError for
    an image or file that cannot be sent.
    """
    parts = _members(content, place)
    return tuple(parts if place.role == "assistant" else on_lines(parts))


def on_lines(parts: Iterable[Part]) -> Iterator[Part]:
    """The parts, with a line break between two texts of which neither brings one."""
    before: Part = "\n"
    for part in parts:
        if isinstance(before, str) and isinstance(part, str) and not (before.endswith("\n") or part.startswith("\n")):
            yield "\n"
        yield part
        before = part


def _members(content: object, place: Place) -> Iterable[Part]:
    if content is None or isinstance(content, str):
        return (content,) if content else ()
    if not isinstance(content, Sequence) or isinstance(content, bytes | bytearray | memoryview):
        raise ConfigError(f"{place.name} is of type {type(content).__name__}; give text, or a list of text and blocks")
    return chain.from_iterable(_member(item, place.inner(f"[{index}]")) for index, item in enumerate(content))


def _member(item: object, place: Place) -> Iterable[Part]:
    if isinstance(item, str):
        return (item,) if item else ()
    if isinstance(item, Image | ImageRef | TextFile):
        return (item,)
    if not isinstance(item, Mapping):
        raise ConfigError(f"{place.name} is of type {type(item).__name__}; give text or blocks (dictionaries)")
    read = _reader(item, place)
    if not place.is_past:
        return read(item, place)
    try:
        return list(read(item, place))
    except (ConfigError, ImageError):  # it was stored: an error would come back in every turn
        return (unsent(item) if place.role == "tool" else block_not_shown(item),)


def _reader(block: Block, place: Place) -> Reader:
    readers = _READERS_OF_RESULTS if place.role == "tool" else READERS
    kind = block.get("type")
    if kind is None and (place.role != "tool" or len(block) == 1):  # with more keys it is a tool's own record
        kind = next((key for key in block if key in readers), None)
    reader = readers.get(kind) if isinstance(kind, str) else None
    return reader or (_record if place.role == "assistant" else _unknown)


def _unknown(block: Block, place: Place) -> Iterable[Part]:
    kind = block.get("type")
    what = f"of type {kind!r}" if kind is not None else f"without a type, with the keys {list(block)[:8]},"
    raise ConfigError(f"{place.name}: a block {what} cannot be sent; the service takes text and images")


def _record(block: Block, _place: Place) -> Iterable[Part]:
    """What another provider has noted in an assistant's turn."""
    found = record(block)
    return (found,) if found else ()


def _text_under(key: str) -> Reader:
    def read(block: Block, place: Place) -> Iterable[Part]:
        text = _text(block, (key,), place)
        return (text,) if text else ()

    return read


def _text(block: Block, keys: Sequence[str], place: Place) -> str:
    """The text under the first of the keys that is there."""
    key = next((key for key in keys if key in block), keys[0])
    if isinstance(text := block.get(key), str):
        return text
    found = f"it is of type {type(text).__name__}" if key in block else "it is missing"
    raise ConfigError(f"{place.name}: a block of type {block.get('type')!r} needs text under {key!r}, and {found}")


def _plain_text(block: Block, place: Place) -> Iterable[Part]:
    return (TextFile(file_name(block, block), _text(block, ("text",), place)),)


def _content_of(block: Block, place: Place) -> Iterable[Part]:
    """What a block wraps: a search result, a document made of blocks."""
    heading = (str(TextFile(str(block["title"]), "")),) if block.get("title") else ()
    return chain(heading, _members(block.get("content"), place.inner(".content")))


def _search_result(block: Block, place: Place) -> Iterable[Part]:
    """What a search has found, under its title and where it is from."""
    source = block.get("source")
    if not source or not block.get("content"):
        return _content_of(block, place)
    title = block.get("title")
    return _content_of({**block, "title": f"{title} ({source})" if title else source}, place)


def _tool_result(block: Block, place: Place) -> Iterable[Part]:
    """A tool's result, wherever it is written: what cannot be sent of it is marked, as it is not the user's to mend."""
    return _content_of(block, replace(place, role="tool", is_past=True))


def _non_standard(block: Block, place: Place) -> Iterable[Part]:
    """LangChain v1 wraps in this what it does not know: the block itself stands under `value`."""
    return _member(block.get("value"), place.inner(".value"))


def _picture(block: Block, place: Place) -> Iterable[Part]:
    return (block_ref(block, place),)


def _file(block: Block, place: Place) -> Iterable[Part]:
    """A file: an image, or text that can become a part of the prompt."""
    known = flatten(block)
    kind = known.get("source_type", known.get("type"))
    if kind == "text":  # v0 keeps the text under `text` or `url`, Anthropic under `data`
        return (TextFile(file_name(block, known), _text(known, ("text", "data", "url"), place)),)
    if kind == "content":
        return _content_of(known, place)
    if not names_text(block, known):
        return _picture(block, place)
    return (read_text_file(held_ref(block, known, place), file_name(block, known), place),)


def _document(block: Block, place: Place) -> Iterable[Part]:
    """A document: as a file, but what does not say that it is an image or text is a PDF."""
    known = flatten(block)
    is_known = known.get("type") in ("text", "content") or declared_type(known).startswith("image/")
    if is_known or names_text(block, known):
        return _file(block, place)
    what = declared_type(known) or known.get("format") or "PDF"
    raise ImageError(f"{place.name}: a block of type 'document' ({what}) cannot be sent; {_WAYS['document']}")


def _resource(block: Block, place: Place) -> Iterable[Part]:
    """A resource that an MCP server embeds: its text, or its bytes as base64 text."""
    known = flatten(block)
    if isinstance(text := known.get("text"), str):
        return (TextFile(file_name(block, known) or str(known.get("uri", "")), text),)
    return _file(block, place)


def _left_out(_block: Block, _place: Place) -> Iterable[Part]:
    return ()


def _output(block: Block, place: Place) -> Iterable[Part]:
    return _members(block.get("output"), place.inner(".output"))


def _refused(medium: str) -> Reader:
    def refuse(block: Block, place: Place) -> Iterable[Part]:
        kind = block.get("type", medium)
        raise ConfigError(
            f"{place.name}: a block of type {kind!r} cannot be sent: the service takes no {medium}; {_WAYS[medium]}"
        )

    return refuse


_WAYS = {
    "audio": "write it out as text first",
    "video": "send single frames as images",
    "document": "give its text as text, or its pages as png, jpeg, gif or webp images",
}

_FILES = ("file", "input_file", "media", "file_data", "fileData", "resource_link")
_CALLS = (
    *("tool_use", "toolUse", "tool_call", "tool_call_chunk", "invalid_tool_call"),
    *("function_call", "functionCall", "custom_tool_call", "input_json_delta"),
    *("server_tool_use", "server_tool_call", "server_tool_call_chunk"),
)
READERS: dict[str, Reader] = {
    **dict.fromkeys(("text", "input_text", "output_text"), _text_under("text")),
    "refusal": _text_under("refusal"),
    "text-plain": _plain_text,
    "search_result": _search_result,
    "tool_result": _tool_result,
    "non_standard": _non_standard,
    **dict.fromkeys(PICTURES, _picture),
    **dict.fromkeys(_FILES, _file),
    "resource": _resource,
    "document": _document,
    **dict.fromkeys(("audio", "input_audio", "audio_url"), _refused("audio")),
    **dict.fromkeys(("video", "input_video", "video_url"), _refused("video")),
    **dict.fromkeys(("reasoning", "reasoning_content", "reasoningContent", "thinking", "redacted_thinking"), _left_out),
    **dict.fromkeys(_CALLS, _left_out),
    "server_tool_result": _record,
    **dict.fromkeys(("cachePoint", "cache_point"), _left_out),
}
"""Block type → reader. A block without a type is read by its first key that stands here."""

_WHOLE: dict[str, Reader] = {
    **READERS,
    **dict.fromkeys(PICTURES, if_file(_picture)),
    **dict.fromkeys(_FILES, if_file(_file)),
    **dict.fromkeys(_CALLS, as_json),
    "server_tool_result": or_json(_record),
    "search_result": or_json(_search_result),
    "json": json_value,
    **dict.fromkeys(("custom_tool_call_output", "function_call_output"), or_json(_output)),
}
_READERS_OF_RESULTS = _WHOLE | {kind: if_shaped(_WHOLE[kind], keys) for kind, keys in SHAPES.items()}
"""Block type → reader, in a tool's result: nothing is left out of one but reasoning, and records are told as JSON."""

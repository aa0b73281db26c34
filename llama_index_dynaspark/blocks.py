"""The blocks of one of LlamaIndex's messages → texts, text files and references to images. `convert` reads messages."""

import base64
import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from llama_index.core.base.llms.types import (
    CachePoint,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.schema import ImageDocument, ImageNode

from dynaspark_core import ImageRef
from dynaspark_core.content.files import is_text, not_shown, read_text_file
from dynaspark_core.content.image_refs import Place, url_ref
from dynaspark_core.errors import ConfigError, ForbiddenImageError, ImageError
from dynaspark_core.messages import Part


def parts(blocks: Iterable[Any], place: Place) -> Iterable[Part]:
    """The texts and images of the blocks; each text begins a line, as in `ChatMessage.content`, but no blank one.

    Those of an assistant are joined directly, as citations split sentences.
    """
    before: str | None = None  # the text before, or an empty one for a file after it
    for part in _flat(blocks, place):
        if isinstance(part, str):
            is_joined = before is None or before.endswith("\n") or part.startswith("\n")
            if not is_joined and place.role != "assistant":
                yield "\n"
            before = part
        elif before is not None:
            before = ""
        yield part


def _flat(blocks: Iterable[Any], place: Place, field: str = "blocks") -> Iterable[Part]:
    return chain.from_iterable(_block(block, place.inner(f".{field}[{index}]")) for index, block in enumerate(blocks))


def _block(block: Any, place: Place) -> Iterable[Part]:
    read = next((read for kind, read in _READERS if isinstance(block, kind)), _unknown)
    if not place.is_past:
        return read(block, place)
    try:
        return list(read(block, place))
    except (ConfigError, ImageError):  # it was stored: an error would come back in every turn
        address = str(getattr(block, "url", None) or "")
        if isinstance(block, DocumentBlock):
            return (not_shown("file", _title(block), _mime_type(block), address),)
        return (not_shown(getattr(block, "block_type", "block"), "", _mime_type(block), address),)


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
    from dynaspark_core.transport.loading import read_whole  # noqa: PLC0415  # a good part of the import

    try:
        data: bytes = read_whole(file)
    except (OSError, ValueError) as exc:
        raise ConfigError(f"{place.name} holds a file that cannot be read and sought: {exc}") from exc
    return data


def _document(block: DocumentBlock, place: Place) -> Iterable[Part]:
    """A document: text under its title, of which its type may be guessed, or an image."""
    mime, title = block.document_mimetype or "", _title(block)
    is_image = mime.startswith("image/")
    if not is_image and not (is_text(mime, title) or is_text(mime, _file_name(block))):
        raise ConfigError(
            f"{place.name} is a DocumentBlock ({mime or 'of no known type'}): give its text as a TextBlock, or its "
            "pages as images"
        )
    if not is_image and isinstance(block.data, bytes):  # a word looks like base64, so it is decoded once only
        return (read_text_file(ImageRef("base64", block.data), title, place),)
    ref = _source(block.data, block.path, block.url, place)
    return (ref if is_image else read_text_file(ref, title, place),)


_UNTITLED = DocumentBlock().title


def _title(block: DocumentBlock) -> str:
    """The document's title, or its file's name in place of the title that LlamaIndex gives each that has none."""
    title = block.title or ""
    return _file_name(block) or title if title == _UNTITLED else title


def _file_name(block: DocumentBlock) -> str:
    """The name of the file that a document names by its path or address, if it does."""
    name = str(block.path or "") or re.split("[?#]", block.url or "")[0]
    return name.replace("\\", "/").rpartition("/")[2]


def _citable(block: CitableBlock, place: Place) -> Iterable[Part]:
    """What may be cited, under its title."""
    heading = (f"\n{block.title}:\n",) if block.title else ()
    return chain(heading, _flat(block.content, place, "content"))


def _citation(block: CitationBlock, place: Place) -> Iterable[Part]:
    return _block(block.cited_content, place.inner(".cited_content"))


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


def document_refs(documents: Iterable[object], *, allow_paths: bool) -> list[ImageRef]:
    """The `image_documents` of a completion as ours. Raises `ConfigError` that names what is none."""
    if isinstance(documents, ImageBlock | ImageNode) or not isinstance(documents, Iterable):
        raise ConfigError(f"image_documents is of type {type(documents).__name__}; give a list")
    return [
        _document_ref(document, Place(f"image_documents[{index}]", allow_paths))
        for index, document in enumerate(documents)
    ]


def _document_ref(document: object, place: Place) -> ImageRef:
    """One as ours; LlamaIndex's own checks would read the file that a path names."""
    if isinstance(document, ImageBlock):
        return _source(document.image, document.path, document.url, place)
    if isinstance(document, ImageNode | ImageDocument):
        node: Any = document  # the two share the attributes that are read
        stored = node.image.encode() if node.image else None
        return _source(stored, node.image_path or node.metadata.get("file_path") or None, node.image_url, place)
    raise ConfigError(f"{place.name} is of type {type(document).__name__}; give ImageDocument, ImageNode or ImageBlock")

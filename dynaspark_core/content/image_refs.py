"""An image as somebody wrote it down, turned into a reference: a block's keys, a URL, or a Python value.

Pure: it decides what a value refers to, and whether it may. `transport.loading` loads, decodes and opens.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit

from dynaspark_core.content.checks import is_sent_now
from dynaspark_core.errors import ConfigError, ForbiddenImageError, ImageError
from dynaspark_core.messages import Image, ImageRef, Role

MAX_NESTED_STEPS = 16
"""Steps from a conversation to a value in it; a text in a document in a tool's result in a message is 9 steps in."""

_FROM_PYTHON = "Give a file as a pathlib.Path or as bytes, base64 text as a data URL"
_IN_MESSAGES = "Give the bytes, base64 text or a data URL; allow_files=True lets text name files"
FETCHED = ("http", "https", "data")
"""The schemes that text may name."""

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the content something stands, for messages, and whether text may name files there.

    `role`: of the message. `is_past`: what cannot be sent becomes a mark in the text, as the user did not send it now.
    """

    name: str
    allow_files: bool = False
    depth: int = 0
    role: Role = "user"
    is_past: bool = False

    def inner(self, step: str) -> "Place":
        """The place one step further in; ConfigError beyond `MAX_NESTED_STEPS`."""
        if self.depth >= MAX_NESTED_STEPS:
            raise ConfigError(f"{self.name}: blocks are nested more than {MAX_NESTED_STEPS} deep")
        return replace(self, name=self.name + step, depth=self.depth + 1)


@dataclass
class Places:
    """The place of each message of a conversation; made when it is asked for, as most messages are one plain text.

    Those before the message that `find_newest` gives are past, whatever their roles say.
    """

    find_roles: Callable[[], Sequence[Role]]
    allow_files: bool = False
    find_newest: Callable[[], int] = int

    @cached_property
    def _roles(self) -> Sequence[Role]:
        return self.find_roles()

    @cached_property
    def _is_now(self) -> list[bool]:
        newest = self.find_newest()
        return [is_now and index >= newest for index, is_now in enumerate(is_sent_now(self._roles))]

    def __getitem__(self, index: int) -> Place:
        is_past = not self._is_now[index]
        return Place(f"messages[{index}]", self.allow_files, role=self._roles[index], is_past=is_past)


def image_ref(value: object, place: Place = Place("images")) -> Image | ImageRef:
    """The reference to an image that a programmer handed over.

    Takes bytes, a `BytesIO`, an http(s) or data URL, a path object, our own Image and ImageRef, and a pair
    (file name, any of these). Bare text is no path: ForbiddenImageError. Anything else: ConfigError.
    (`transport.loading.image_ref_of` takes open files and Pillow images as well.)
    """
    match value:
        case Image() | ImageRef():
            return value
        case (str(name), inner):
            return replace(image_ref(inner, place), name=name)
        case bytes() | bytearray() | memoryview():
            return ImageRef("bytes", bytes(value))
        case BytesIO():
            return ImageRef("bytes", value.getvalue())
        case os.PathLike():
            return ImageRef("path", os.fsdecode(value))
        case str():
            return url_ref(value, place)
    raise ConfigError(
        f"{place.name}: cannot read an image from {type(value).__name__}; pass bytes, a pathlib.Path, an http(s) or "
        "data URL, or a pair (file name, bytes)"
    )


def url_ref(value: object, place: Place, name: str = "") -> ImageRef:
    """The reference to the image at an http(s) or data URL.

    Where the place allows files, a `file:` URL or a bare path refers to that file; else it is ForbiddenImageError.
    """
    if not isinstance(value, str):
        raise ConfigError(f"{place.name} is of type {type(value).__name__}; it has to be a URL as text")
    scheme, colon, _ = value[:32].lstrip().partition(":")
    if colon and scheme.lower() in FETCHED:
        return ImageRef("url", value.strip(), name)
    if place.allow_files:
        return ImageRef("path", unquote(urlsplit(value).path) if scheme.lower() == "file" else value, name)
    what = f"a {scheme.lower()}: address" if colon and scheme.isalnum() else "a path or bare text"
    raise ForbiddenImageError(
        f"{place.name} is {what}: text never opens a local file, and only http, https and data URLs are fetched. "
        + (_IN_MESSAGES if place.depth else _FROM_PYTHON)
    )


def block_ref(block: Block, place: Place) -> ImageRef:
    """The reference to the image that a content block holds, under whichever of the known keys it stands.

    Raises ImageError for a declared type other than an image and for files uploaded elsewhere, ConfigError when there
    is no image in the block.
    """
    known = flatten(block)
    declared = declared_type(known)
    if declared and not declared.startswith("image/"):
        raise ImageError(
            f"{place.name}: a block of type {block.get('type')!r} with {declared} cannot be sent; "
            "give its text as text, or its pages as png, jpeg, gif or webp images"
        )
    return held_ref(block, known, place)


def held_ref(block: Block, known: Block, place: Place) -> ImageRef:
    """The reference to what a content block holds, whatever type it declares; `known` is the block laid flat."""
    for key, read in SOURCES:
        if known.get(key) is not None:
            return read(known[key], place.inner(f".{key}"), file_name(block, known))
    raise ConfigError(f"{place.name}: no url, base64 text or bytes in a block of type {block.get('type')!r}")


WRAPPERS = (
    *("source", "image_url", "image", "image_file", "file", "document"),
    *("inline_data", "inlineData", "file_data", "fileData", "resource"),
)
"""Keys under which a provider puts the facts of an image one level down, when their value is a dictionary."""


def flatten(block: Block, levels: int = 3) -> dict[str, Any]:
    """The block with what its wrappers hold laid flat; the inner value wins."""
    flat = {key: value for key, value in block.items() if not (key in WRAPPERS and isinstance(value, Mapping))}
    for key in WRAPPERS if levels else ():
        if isinstance(inner := block.get(key), Mapping):
            flat |= flatten(inner, levels - 1)
    return flat


def declared_type(known: Block) -> str:
    """The content type that a block claims for its file, by a key or in its data URI; an empty text when it is silent.

    Only good for refusing early: what counts is found in the bytes.
    """
    for key in ("mime_type", "media_type", "mimeType"):
        if isinstance(known.get(key), str):
            return str(known[key]).strip().lower()
    head = next((value[:80].lower() for key, _ in SOURCES if isinstance(value := known.get(key), str)), "")
    return head[5:].split(",")[0].split(";")[0].strip() if head.startswith("data:") else ""


def file_name(block: Block, known: Block) -> str:
    """The file's name as any of the dialects gives it, else an empty text."""
    extra = [inner for key in ("extras", "metadata") if isinstance(inner := block.get(key), Mapping)]
    names = (inner.get(key) for inner in (known, *extra) for key in ("filename", "file_name", "title", "name"))
    return next((name for name in names if isinstance(name, str)), "")


def _encoded(value: object, place: Place, name: str) -> ImageRef:
    if isinstance(value, bytes | bytearray | memoryview):
        return ImageRef("bytes", bytes(value), name)
    if not isinstance(value, str):
        raise ConfigError(f"{place.name} is of type {type(value).__name__}; it has to be base64 text or bytes")
    return ImageRef("url" if value[:5].lower() == "data:" else "base64", value, name)


def _address(value: object, place: Place, name: str) -> ImageRef:
    return _encoded(value, place, name) if isinstance(value, bytes) else url_ref(value, place, name)


def _uploaded(value: object, place: Place, _name: str) -> ImageRef:
    raise ImageError(
        f"{place.name} names a file uploaded to another provider ({value}), which this service cannot see: "
        "give the image's bytes, base64 text or URL"
    )


SOURCES: tuple[tuple[str, Callable[[object, Place, str], ImageRef]], ...] = (
    ("base64", _encoded),
    ("data", _encoded),
    ("bytes", _encoded),
    ("blob", _encoded),
    ("file_data", _encoded),
    ("url", _address),
    ("image_url", _address),
    ("image", _address),
    ("file_url", _address),
    ("uri", _address),
    ("file_uri", _address),
    ("fileUri", _address),
    ("file_id", _uploaded),
    ("s3Location", _uploaded),
    ("id", _uploaded),  # last: LangChain gives any block an id of its own
)
"""Keys that hold an image, in the order in which they are believed."""

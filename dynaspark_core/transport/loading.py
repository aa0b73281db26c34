"""Images as they are referred to → images as bytes: taken, decoded, read, downloaded.

This is the edge: it moves bytes. What a picture may be and how it fits is decided in `images`, what may be downloaded
in `images.addresses`. Files are read and pictures are worked on in threads, so that the event loop is never held up.
"""

import asyncio
import inspect
import os
import stat
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractResolver

from dynaspark_core.content.image_refs import Place, image_ref
from dynaspark_core.errors import ConfigError, ForbiddenImageError, ImageError, UnreadableImageError
from dynaspark_core.images import (
    LIMITS,
    Limits,
    addresses,
    encode_png,
    from_base64,
    from_data_uri,
    mended,
    ready_image,
    translated,
)
from dynaspark_core.messages import Image, ImageRef
from dynaspark_core.transport.download import download
from dynaspark_core.transport.image_cache import CACHE


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How images are loaded.

    `allow_urls`: whether http(s) URLs are fetched. `timeout`: seconds for one download, redirects and all. `limits`:
    sizes. `rule`: which addresses may be connected to. `resolver`: who turns names into addresses; None for the
    system's, asked in a thread. `ca_file`: authorities that are trusted beside the system's.
    """

    allow_urls: bool = True
    timeout: float = 20.0
    limits: Limits = LIMITS
    rule: addresses.Rule = addresses.public_only
    resolver: AbstractResolver | None = None
    ca_file: str | None = None


IMAGES = Place("images")
DEFAULT_OPTIONS = LoadOptions()
"""The defaults."""


async def load(source: Image | ImageRef, options: LoadOptions = DEFAULT_OPTIONS) -> Image:
    """The image of a reference, its bytes checked and unchanged, its content type found in them.

    A damaged file that decodes whole nevertheless is encoded anew, so that the service can read it, too.
    Raises ForbiddenImageError for what may not be read, UnreadableImageError for what is no image, RequestTimeoutError
    for a slow download, and ImageError for what is too large, missing or cannot be reached.
    """
    if isinstance(source, Image):
        return await _checked(source.data, source.name, options.limits)
    data, name = await _LOADERS[source.kind](source.source, options)
    return await _checked(data, source.name or name, options.limits)


async def _checked(data: bytes, name: str, limits: Limits) -> Image:
    try:
        return ready_image(data, name, limits)
    except UnreadableImageError:
        if image := await asyncio.to_thread(mended, data, name, limits):
            return image
        raise


async def _bytes(source: bytes | str, _options: LoadOptions) -> tuple[bytes, str]:
    if isinstance(source, str):
        raise ConfigError("an ImageRef of kind 'bytes' holds text; base64 text has the kind 'base64'")
    return source, ""


async def _base64(source: bytes | str, options: LoadOptions) -> tuple[bytes, str]:
    return from_base64(source, options.limits.max_read), ""


async def _url(source: bytes | str, options: LoadOptions) -> tuple[bytes, str]:
    url = _text(source)
    if url[:5].lower() == "data:":
        limit = options.limits.max_read  # undoing percent signs is slow, base64 is not
        return await asyncio.to_thread(from_data_uri, url, limit) if "%" in url else from_data_uri(url, limit), ""
    if not options.allow_urls:
        raise ForbiddenImageError(
            "image URLs are not fetched here (allow_image_urls is off): give the image's bytes or a data URL"
        )
    key = url, options.rule, options.resolver  # what was allowed elsewhere may be forbidden here
    kept: tuple[bytes, str] | None = CACHE.get(key)
    if kept is None or len(kept[0]) > options.limits.max_read:
        kept = await download(
            url,
            options.limits.max_read,
            options.timeout,
            rule=options.rule,
            resolver=options.resolver,
            ca_file=options.ca_file,
        )
        await _checked(*kept, options.limits)  # another body, such as a page that says "wait", is not kept
        CACHE.put(key, kept)
    return kept


async def _path(source: bytes | str, options: LoadOptions) -> tuple[bytes, str]:
    path = _text(source)
    return await asyncio.to_thread(read_file, path, options.limits.max_read), Path(path).name


def _text(source: bytes | str) -> str:
    return source if isinstance(source, str) else os.fsdecode(source)


_LOADERS: dict[str, Callable[[bytes | str, LoadOptions], Awaitable[tuple[bytes, str]]]] = {
    "bytes": _bytes,
    "base64": _base64,
    "url": _url,
    "path": _path,
}

_OPENING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""Without O_NONBLOCK, opening a FIFO waits for its writer; Windows has none of these but O_BINARY, and needs that."""


def read_file(path: str, limit: int) -> bytes:
    """The bytes of a regular file, also behind a link; its kind is read from the open file, not from the path.

    Raises ForbiddenImageError for a directory, FIFO or device, ImageError when it cannot be read or has more than
    `limit` bytes.
    """
    try:
        descriptor = os.open(path, _OPENING)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise ForbiddenImageError(f"{path[-100:]} is not a regular file, so it is not read")
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(min(state.st_size, limit) + 1)  # a buffer of just this size takes a tenth of the time
        finally:
            os.close(descriptor)
    except ForbiddenImageError:
        raise
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "no file has such a name"
        raise ImageError(f"{path[-100:]} cannot be read: {reason}") from exc
    if len(data) > limit:
        raise ImageError(f"{path[-100:]} is larger than the {limit:,} bytes that are read")
    return data


async def images_from(images: object) -> list[Image | ImageRef]:
    """The references to a caller's list of images. Raises `ConfigError` for anything but a list."""
    if isinstance(images, str | bytes | bytearray | memoryview) or not isinstance(images, Sequence | Set):
        raise ConfigError(f"images is of type {type(images).__name__}; give a list of images, also of one")
    return [await image_from(image, place=Place(f"images[{index}]")) for index, image in enumerate(images)]


async def image_from(value: object, limits: Limits = LIMITS, place: Place = IMAGES) -> Image | ImageRef:
    """The reference to an image that a programmer handed over: what `image_refs.image_ref` takes, and what needs work.

    A pair is a name and an image, or bytes and their name, as the old provider's callers have them.
    A file open for reading in binary mode is read, and a Pillow image encoded, both in a thread. Another thread may be
    importing Pillow meanwhile.
    """
    match value:
        case (str(name), inner) | (bytes() as inner, str(name)):
            return replace(await image_from(inner, limits, place), name=name)
        case _ if (kind := getattr(sys.modules.get("PIL.Image"), "Image", None)) and isinstance(value, kind):
            return ImageRef("bytes", await asyncio.to_thread(_encoded, value))
        case _ if hasattr(value, "read") and (not isinstance(value, BytesIO) or value.closed):
            return ImageRef("bytes", await asyncio.to_thread(_read_open, value, limits.max_read))
    return image_ref(value, place)


_one_by_one = threading.Lock()
"""Held while a file or Pillow image of the caller's is read: other threads may be given the same."""


def _encoded(picture: Any) -> bytes:
    """A Pillow image as a PNG; what two threads read of one file at once, each would have a part of."""
    with _one_by_one, translated("the Pillow image cannot be decoded"):
        picture.load()
    return encode_png(picture)


def read_whole(file: Any, size: int = -1) -> Any:
    """What the open file holds, at most `size` bytes, wherever it stands; there it stands afterwards, too."""
    with _one_by_one:
        position = file.tell()
        file.seek(0)
        try:
            return file.read(size)
        finally:
            file.seek(position)


def _read_open(file: Any, limit: int) -> bytes:
    """The bytes of an open file; of one that cannot be sought, those that come."""
    try:
        can_seek = getattr(file, "seekable", bool)()
        data = read_whole(file, limit + 1) if can_seek else file.read(limit + 1)
    except (OSError, ValueError) as exc:
        raise ImageError(f"the open file cannot be read: {exc}") from exc
    if isinstance(data, bytes):
        return data
    if inspect.iscoroutine(data):
        data.close()
        raise ConfigError("the open file has to be awaited, which is not done here; give the bytes: await file.read()")
    raise ConfigError(f"the open file gives {type(data).__name__}; open it in binary mode ('rb')")


def _after_fork() -> None:
    global _one_by_one  # noqa: PLW0603  # a thread of the parent may have held it
    _one_by_one = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

"""Images as they are referred to → images as bytes: taken, decoded, read, downloaded; then packed into one file.

This is the edge: it moves bytes. What a picture may be and how it fits is decided in `images`, what may be downloaded
in `images.addresses`. Files are read and pictures are worked on in threads, so that the event loop is never held up.
"""

import asyncio
import os
import stat
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from aiohttp.abc import AbstractResolver

from dynaspark_core.content.image_refs import image_ref
from dynaspark_core.errors import ConfigError, ForbiddenImageError, ImageError, RequestTimeoutError
from dynaspark_core.images import (
    LIMITS,
    Limits,
    Packed,
    addresses,
    choose,
    encode_png,
    fits,
    from_base64,
    from_data_uri,
    pack,
    ready_image,
)
from dynaspark_core.messages import Image, ImageRef, Policy
from dynaspark_core.transport.download import download

MAX_PARALLEL_LOADS = 4
"""Images of one question that are loaded at the same time."""


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


DEFAULT_OPTIONS = LoadOptions()
"""The defaults."""


async def load_packed(
    sources: Sequence[Image | ImageRef],
    policy: Policy = "sheet",
    options: LoadOptions = DEFAULT_OPTIONS,
    *,
    newest: int | None = None,
    dead: set[str] | None = None,
) -> Packed:
    """The one file that shows the images and each one's number in it, as `images.pack` gives them.

    Only what can be shown is loaded, and what is given twice only once. Raises what `load` and `images.pack` raise;
    with several images the message names the image's number. Of the images before the `newest` last ones, which are
    all by default, one that cannot be loaded is not shown; where an address fails, it is noted in `dead` and tried
    again only for a new image.
    """
    distinct = list(dict.fromkeys(sources)) if len(sources) > 1 else list(sources)
    new = set(sources if newest is None else sources[len(sources) - newest :])
    wanted = choose(distinct, policy)
    found = await _loaded(wanted, new, set() if dead is None else dead, options)
    kept = [(source, image) for source, image in zip(wanted, found, strict=True) if image is not None]
    loaded = [image for _, image in kept]
    light = not loaded or (len(loaded) == 1 and fits(loaded[0], options.limits))
    result = (
        pack(loaded, policy, options.limits) if light else await asyncio.to_thread(pack, loaded, policy, options.limits)
    )
    if len(loaded) == len(sources):
        return result
    numbers = {source: number for (source, _), number in zip(kept, result.numbers, strict=True)}
    remarks = {source: remark for (source, _), remark in zip(kept, result.remarks, strict=True)}
    return Packed(result.file, tuple(map(numbers.get, sources)), tuple(remarks.get(source, "") for source in sources))


async def _loaded(
    sources: Sequence[Image | ImageRef], new: Collection[Image | ImageRef], dead: set[str], options: LoadOptions
) -> list[Image | None]:
    """The images in order, a few loaded at a time, with an eye on the sum of their sizes; None for one left out."""
    slots, total = asyncio.Semaphore(MAX_PARALLEL_LOADS), 0

    async def one(number: int, source: Image | ImageRef) -> Image | None:
        nonlocal total
        address = _web_address(source)
        if source not in new and address in dead:
            return None
        try:
            async with slots:
                image = await load(source, options)
        except (ImageError, RequestTimeoutError) as exc:
            if address:
                dead.add(address)
            if source not in new:
                return None
            raise exc if len(sources) == 1 else type(exc)(f"image {number} of {len(sources)}: {exc}") from exc
        dead.discard(address)
        total += len(image.data)
        if total > options.limits.max_total:
            raise ImageError(
                f"the images have more than {options.limits.max_total:,} bytes together; give fewer or smaller ones"
            )
        return image

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number, source)) for number, source in enumerate(sources, 1)]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


def _web_address(source: Image | ImageRef) -> str:
    """The address that is fetched for the image; empty where none is."""
    is_web = isinstance(source, ImageRef) and source.kind == "url" and _text(source.source)[:5].lower() != "data:"
    return _text(source.source) if isinstance(source, ImageRef) and is_web else ""


async def load(source: Image | ImageRef, options: LoadOptions = DEFAULT_OPTIONS) -> Image:
    """The image of a reference, its bytes checked and unchanged, its content type found in them.

    Raises ForbiddenImageError for what may not be read, UnreadableImageError for what is no image, RequestTimeoutError
    for a slow download, and ImageError for what is too large, missing or cannot be reached.
    """
    if isinstance(source, Image):
        return ready_image(source.data, source.name, options.limits)
    data, name = await _LOADERS[source.kind](source.source, options)
    return ready_image(data, source.name or name, options.limits)


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
    return await download(
        url,
        options.limits.max_read,
        options.timeout,
        rule=options.rule,
        resolver=options.resolver,
        ca_file=options.ca_file,
    )


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
                raise ForbiddenImageError(f"{path[-100:]} is no regular file, so it is not read")
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


async def image_from(value: object, limits: Limits = LIMITS) -> Image | ImageRef:
    """The reference to an image that a programmer handed over: what `image_refs.image_ref` takes, and what needs work.

    A pair is a name and an image, or bytes and their name, as the old provider's callers have them.
    A file open for reading in binary mode is read, and a Pillow image encoded, both in a thread.
    """
    match value:
        case (str(name), inner) | (bytes() as inner, str(name)):
            return replace(await image_from(inner, limits), name=name)
        case _ if (pillow := sys.modules.get("PIL.Image")) is not None and isinstance(value, pillow.Image):
            return ImageRef("bytes", await asyncio.to_thread(encode_png, value))
        case _ if hasattr(value, "read") and not isinstance(value, BytesIO):
            return ImageRef("bytes", await asyncio.to_thread(_read_open, value, limits.max_read))
    return image_ref(value)


def _read_open(file: Any, limit: int) -> bytes:
    try:
        data = file.read(limit + 1)
    except (OSError, ValueError) as exc:
        raise ImageError(f"the open file cannot be read: {exc}") from exc
    if isinstance(data, bytes):
        return data
    raise ConfigError(f"the open file gives {type(data).__name__}; open it in binary mode ('rb')")

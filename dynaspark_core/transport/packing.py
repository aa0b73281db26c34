"""The images of a conversation → the one file of the form: what can be shown is loaded, then drawn in a thread."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from dynaspark_core.errors import ImageError, RequestTimeoutError
from dynaspark_core.images import Entry, Limits, Packed, choose, fits, pack_entries
from dynaspark_core.messages import Image, ImageRef, Policy
from dynaspark_core.transport.image_cache import CACHE
from dynaspark_core.transport.loading import DEFAULT_OPTIONS, LoadOptions, load

MAX_PARALLEL_LOADS = 4
"""Images of one question that are loaded at the same time."""


@dataclass(frozen=True, slots=True)
class History:
    """Which of a conversation's images are new: the `now` last ones are sent now, the `large` last are of one turn.

    `dead`: addresses that failed; they are tried again only for an image that is sent now.
    """

    now: int | None = None
    large: int | None = None
    dead: set[str] = field(default_factory=set)


async def load_packed(
    sources: Sequence[Image | ImageRef],
    policy: Policy = "sheet",
    options: LoadOptions = DEFAULT_OPTIONS,
    history: History | None = None,
) -> Packed:
    """The one file that shows the images, each one's number, and which numbers it does not show.

    Only what can be shown is loaded, and what is given twice only once. Raises what `load` and `images.pack` raise;
    with several images the message names the image's number. An image that is not sent now and cannot be loaded is not
    shown. Without a `history` all images are sent now.
    """
    known = history or History()
    numbers = {source: number for number, source in enumerate(dict.fromkeys(sources), 1)}
    newest_last = [*dict.fromkeys(reversed(sources))][::-1]
    wanted = choose(newest_last, policy)
    now, large = (
        set(sources if count is None else sources[len(sources) - count :]) for count in (known.now, known.large)
    )
    loaded = await _loaded(wanted, now, known.dead, options)
    entries = [
        Entry(image, numbers[source], is_large=source in large, is_optional=source not in now)
        for source, image in zip(wanted, loaded, strict=True)
        if image is not None
    ]
    packed = await _packed(entries, options.limits)
    remarks = dict(zip(packed.numbers, packed.remarks, strict=True))
    found = tuple(numbers[source] for source in sources)
    hidden = frozenset(numbers.values()) - remarks.keys()
    return Packed(packed.file, found, tuple(remarks.get(number, "") for number in found), hidden)


async def _packed(entries: Sequence[Entry], limits: Limits) -> Packed:
    is_light = not entries or (len(entries) == 1 and fits(entries[0].image, limits))
    if is_light:
        return pack_entries(entries, limits)
    return await asyncio.to_thread(_drawn, entries, limits)


def _drawn(entries: Sequence[Entry], limits: Limits) -> Packed:
    """The packed entries; where all are shown, drawn once for all turns of a conversation in which no image comes."""
    key = (limits, *[(sha256(each.image.data).digest(), each.number, each.is_large) for each in entries])
    packed: Packed | None = CACHE.get(key)
    if packed is None:
        packed = pack_entries(entries, limits, CACHE)
        if len(packed.numbers) == len(entries):  # what is left out depends on what the user sends now
            CACHE.put(key, packed)
    return packed


async def _loaded(
    sources: Sequence[Image | ImageRef], now: Collection[Image | ImageRef], dead: set[str], options: LoadOptions
) -> list[Image | None]:
    """The images in order, a few loaded at a time, with an eye on the sum of their sizes; None for one left out."""
    slots = asyncio.Semaphore(MAX_PARALLEL_LOADS)

    async def one(number: int, source: Image | ImageRef) -> Image | None:
        address = _web_address(source)
        if source not in now and address in dead:
            return None
        try:
            async with slots:
                image = await load(source, options)
        except (ImageError, RequestTimeoutError) as exc:
            if address:
                dead.add(address)
            if source not in now:
                return None
            raise exc if len(sources) == 1 else type(exc)(f"image {number} of {len(sources)}: {exc}") from exc
        dead.discard(address)
        return image

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(number, source)) for number, source in enumerate(sources, 1)]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return _within_total([(task.result(), source in now) for task, source in zip(tasks, sources, strict=True)], options)


def _within_total(images: Sequence[tuple[Image | None, bool]], options: LoadOptions) -> list[Image | None]:
    """The images, without the oldest where they are too large together. Raises ImageError if one is sent now."""
    left = options.limits.max_total
    kept: list[Image | None] = []
    for image, is_new in reversed(images):
        left -= len(image.data) if image else 0
        if left < 0 and image is not None and is_new:
            raise ImageError(
                f"the images have more than {options.limits.max_total:,} bytes together; give fewer or smaller ones"
            )
        kept.append(image if left >= 0 else None)
    return kept[::-1]


def _web_address(source: Image | ImageRef) -> str:
    """The address that is fetched for the image; empty where none is."""
    if not isinstance(source, ImageRef) or source.kind != "url" or not isinstance(source.source, str):
        return ""
    return "" if source.source[:5].lower() == "data:" else source.source

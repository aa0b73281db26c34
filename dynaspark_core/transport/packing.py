"""The images of a conversation → the one file of the form: what can be shown is loaded, then drawn in a thread."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from dynaspark_core.errors import ImageError, RequestTimeoutError
from dynaspark_core.images import Entry, Limits, Packed, choose, fits, pack_entries
from dynaspark_core.messages import Image, ImageRef, Policy
from dynaspark_core.transport.image_cache import CACHE
from dynaspark_core.transport.loading import DEFAULT_OPTIONS, LoadOptions, load

MAX_PARALLEL_LOADS = 4
"""Images of one question that are loaded at the same time."""
MAX_DEAD_ADDRESSES = 1000
"""Addresses that failed which a client remembers."""
Wanted = tuple[int, Image | ImageRef, bool]
"""An image's number, the image, and whether it is sent now."""


@dataclass(frozen=True, slots=True)
class History:
    """Which of a conversation's images are new: the `now` last ones are sent now, the `large` last are of one turn.

    `dead`: addresses that failed; they are tried again only for an image that is sent now. `deadline`: when the loop's
    clock shows this time, none of the others is waited for any longer.
    """

    now: int | None = None
    large: int | None = None
    dead: set[str] = field(default_factory=set)
    deadline: float | None = None

    def is_given_up(self, address: str) -> bool:
        """Whether an image that is not sent now is not fetched from the address."""
        is_late = self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline
        return bool(address) and (address in self.dead or is_late)


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
    found = _numbers(sources)
    newest_last = [*dict.fromkeys(reversed(found))][::-1]
    wanted = choose(newest_last, policy)
    now, large = (set(found if count is None else found[len(found) - count :]) for count in (known.now, known.large))
    numbered = dict(zip(found, sources, strict=True))
    loaded = await _loaded([(number, numbered[number], number in now) for number in wanted], known, options)
    entries = [
        Entry(image, number, is_large=number in large, is_optional=number not in now)
        for number, image in zip(wanted, loaded, strict=True)
        if image is not None
    ]
    packed = await _packed(entries, options.limits)
    remarks = dict(zip(packed.numbers, packed.remarks, strict=True))
    hidden = frozenset(found) - remarks.keys()
    return Packed(packed.file, found, tuple(remarks.get(number, "") for number in found), hidden)


def _numbers(sources: Sequence[Image | ImageRef]) -> tuple[int, ...]:
    """The number of each source, from 1; one that is given twice has one number."""
    if len(sources) == 1:  # spares the hash of all its bytes
        return (1,)
    numbers: dict[Image | ImageRef, int] = {}
    return tuple(numbers.setdefault(source, len(numbers) + 1) for source in sources)


async def _packed(entries: Sequence[Entry], limits: Limits) -> Packed:
    if not entries:
        return Packed(None)
    if len(entries) == 1 and fits(entries[0].image, limits):
        return Packed(entries[0].image, (entries[0].number,), ("",))
    return await asyncio.to_thread(_drawn, entries, limits)


def _drawn(entries: Sequence[Entry], limits: Limits) -> Packed:
    """The packed entries; where all are shown, drawn once for all turns of a conversation in which no image comes."""
    name = entries[0].image.name if len(entries) == 1 else ""  # which it keeps; a sheet has its own
    key = (limits, name, *[(sha256(each.image.data).digest(), each.number, each.is_large) for each in entries])
    packed: Packed | None = CACHE.get(key)
    if packed is None:
        packed = pack_entries(entries, limits, CACHE)
        if len(packed.numbers) == len(entries):  # what is left out depends on what the user sends now
            CACHE.put(key, packed)
    return packed


async def _loaded(wanted: Sequence[Wanted], known: History, options: LoadOptions) -> list[Image | None]:
    """The images in order, with an eye on the sum of their sizes; None for one left out."""
    if len(wanted) == 1:
        images = [await _shown(wanted[0], known, options)]
    else:
        images = await _loaded_together(wanted, known, options)
    return _within_total([(image, is_new) for image, (*_, is_new) in zip(images, wanted, strict=True)], options)


async def _loaded_together(wanted: Sequence[Wanted], known: History, options: LoadOptions) -> list[Image | None]:
    """The images in order, a few loaded at a time; an error names the image's number."""
    slots = asyncio.Semaphore(MAX_PARALLEL_LOADS)

    async def one(each: Wanted) -> Image | None:
        try:
            async with slots:
                return await _shown(each, known, options)
        except (ImageError, RequestTimeoutError) as exc:
            raise type(exc)(f"image {each[0]}: {exc}") from exc

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(each)) for each in wanted]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [task.result() for task in tasks]


async def _shown(wanted: Wanted, known: History, options: LoadOptions) -> Image | None:
    """The image; None for one that cannot be loaded and is not sent now. An address that fails is dead."""
    _, source, is_new = wanted
    address = _web_address(source)
    if not is_new and known.is_given_up(address):
        return None
    try:
        async with asyncio.timeout_at(known.deadline if address and not is_new else None):
            image = await load(source, options)
    except (ImageError, TimeoutError):
        if address:
            _note_dead(address, known.dead)
        if is_new:
            raise
        return None
    known.dead.discard(address)
    return image


def _note_dead(address: str, dead: set[str]) -> None:
    """Add the address, in place of any other where there are many: a client may live for years."""
    while len(dead) >= MAX_DEAD_ADDRESSES:
        dead.pop()
    dead.add(address)


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

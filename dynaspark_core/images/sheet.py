"""Several images → the form's one file: the only one as it is, or all of them on one numbered sheet.

The images of the last turn that has any keep their size; those of earlier turns share what is left.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypeVar

from dynaspark_core.errors import ConfigError, ImageError, UnreadableImageError
from dynaspark_core.images.layout import Box, Layout, beside, label, lay_out
from dynaspark_core.images.pillow import FIRST_FRAME, decode, encode_within, fit_within, on_white, resized, upright_size
from dynaspark_core.images.ready import LIMITS, Limits, image_header
from dynaspark_core.messages import Image, Policy

if TYPE_CHECKING:  # see `pillow`
    from PIL.Image import Image as Picture

Item = TypeVar("Item")

MAX_SHEET_IMAGES = 25
"""Images on one sheet: 3,072 pixels a side leave each a good 600. Of more, the newest are shown."""
SMALL_SIDE = 400
"""Pixels of the longer side of a picture of an earlier turn, at most: the gist of a screenshot."""
_EDGE = 2
"""Pixels that the first letter may reach over its place, and the last."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The file to send, if there is any, and for each image that was given its number and a remark.

    An image's number stays the same while its conversation grows; it is one of `hidden` where the image is not shown.
    A remark says what is missing of an image that is shown; without one it is empty.
    """

    file: Image | None
    numbers: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()
    hidden: frozenset[int] = frozenset()


def choose(items: Sequence[Item], policy: Policy) -> list[Item]:
    """Those of the images that can be shown, in order: no need to load the others.

    `sheet` shows the newest `MAX_SHEET_IMAGES`, `last` the last, `error` none but a single one: ImageError.
    """
    if policy not in ("sheet", "last", "error"):
        raise ConfigError(f"image_policy may be 'sheet', 'last' or 'error', not {policy!r}")
    if policy == "error" and len(items) > 1:
        raise ImageError(
            f"{len(items)} images, earlier ones included, and one file can be sent: give one, "
            "or set image_policy to 'sheet' (all on one numbered sheet) or 'last'"
        )
    return list(items[-1:] if policy == "last" else items[-MAX_SHEET_IMAGES:])


class Thumbnails(Protocol):
    """Keeps small pictures by the digest of their files, so that each file of a history is decoded once."""

    def get(self, key: bytes) -> "Picture | None":
        """The picture that was put there; None when there is none any more."""

    def put(self, key: bytes, picture: "Picture") -> None:
        """Keep the picture for a while."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An image and its number. `is_large`: it keeps its size. `is_optional`: it is left out where it is damaged."""

    image: Image
    number: int
    is_large: bool = True
    is_optional: bool = False


def pack(images: Sequence[Image], policy: Policy = "sheet", limits: Limits = LIMITS) -> Packed:
    """The one file that shows the images of one turn. The same image given twice is shown once.

    A lone image within the limits is sent untouched and costs nothing; others take Pillow and time in proportion to
    the pixels: off the event loop. Raises UnreadableImageError for damaged images, ImageError and
    ConfigError as `choose`.
    """
    if len(images) == 1:  # spares the hash of all its bytes
        return pack_entries([Entry(images[0], 1)], limits)
    numbers: dict[bytes, int] = {}
    for image in images:
        numbers.setdefault(image.data, len(numbers) + 1)
    entries = [Entry(images[[image.data for image in images].index(key)], number) for key, number in numbers.items()]
    packed = pack_entries(choose(entries, policy), limits)
    shown = dict(zip(packed.numbers, packed.remarks, strict=True))
    found = tuple(numbers[image.data] for image in images)
    hidden = frozenset(found) - shown.keys()
    return Packed(packed.file, found, tuple(shown.get(number, "") for number in found), hidden)


def pack_entries(entries: Sequence[Entry], limits: Limits = LIMITS, thumbnails: Thumbnails | None = None) -> Packed:
    """The one file that shows the entries, with the number and the remark of each that is shown."""
    if not entries:
        return Packed(None)
    try:
        if len(entries) == 1:
            file, remark = fit_within(entries[0].image, limits)
            return Packed(file, (entries[0].number,), (remark,))
        layout, drawable = _layout([_Drawable(entry, thumbnails) for entry in entries], limits)
        file = _sheet(layout, drawable, limits)
    except _DamagedError as error:
        return pack_entries([entry for entry in entries if entry is not error.entry], limits, thumbnails)
    except UnreadableImageError:
        if entries[0].is_optional:
            return Packed(None)
        raise
    shown = [one.entry for one in drawable]
    remarks = (FIRST_FRAME if image_header(entry.image.data).animated else "" for entry in shown)
    return Packed(file, tuple(entry.number for entry in shown), tuple(remarks))


class _DamagedError(Exception):
    """An entry that may be left out cannot be decoded."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry


class _Drawable:
    """An entry and its size. A large one is decoded when it is drawn, so that one at a time is in memory."""

    def __init__(self, entry: Entry, thumbnails: Thumbnails | None) -> None:
        self.entry = entry
        self._thumbnails = thumbnails
        self._key = b"" if thumbnails is None else sha256(entry.image.data).digest()
        with self._damage():
            self._small = None if entry.is_large else self._thumbnail()
            self.size = self._small.size if self._small is not None else upright_size(entry.image)

    def _thumbnail(self) -> "Picture":
        found = None if self._thumbnails is None else self._thumbnails.get(self._key)
        return found or self._kept(decode(self.entry.image, SMALL_SIDE, SMALL_SIDE))

    def _kept(self, picture: "Picture") -> "Picture":
        small = on_white(picture)
        if self._thumbnails is not None:
            self._thumbnails.put(self._key, small)
        return small

    def drawn(self, width: int, height: int) -> "Picture":
        """The picture in this size; of a large one a thumbnail is kept for the next turns."""
        if self._small is not None:
            return resized(self._small, width, height)
        with self._damage():
            picture = on_white(decode(self.entry.image, width, height))
        if self._thumbnails is not None and max(picture.size) >= SMALL_SIDE:
            small = picture.copy()
            small.thumbnail((SMALL_SIDE, SMALL_SIDE))
            self._kept(small)
        return picture

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except UnreadableImageError as exc:
            if self.entry.is_optional:
                raise _DamagedError(self.entry) from exc
            raise UnreadableImageError(f"{label(self.entry.number)}: {exc}") from exc


def _layout(drawable: list[_Drawable], limits: Limits) -> tuple[Layout, list[_Drawable]]:
    """Where each picture is drawn: the large ones first, the others in what they leave free, the newest if need be."""
    large = [one for one in drawable if one.entry.is_large]
    small = [one for one in drawable if not one.entry.is_large]
    top = max(one.entry.number for one in drawable)
    if not large or not small:
        return lay_out([one.size for one in drawable], limits.max_side, limits.max_pixels, top=top), drawable
    first = lay_out([one.size for one in large], limits.max_side, limits.max_pixels, top=top)
    while small:
        sizes = [one.size for one in small]
        if layout := beside(first, sizes, limits.max_side, limits.max_pixels, top):
            return layout, [*large, *small]
        del small[: max(1, len(small) // 4)]
    return first, large


def _sheet(layout: Layout, drawable: Sequence[_Drawable], limits: Limits) -> Image:
    """The pictures on one sheet, each with its label."""
    from PIL import Image as Pillow  # noqa: PLC0415  # see `pillow`

    sheet = Pillow.new("RGB", (layout.width, layout.height), "white")
    for one, box in zip(drawable, layout.boxes, strict=True):
        picture = one.drawn(box.width, box.height)
        sheet.paste(picture, (box.left, box.top))
        _frame_and_label(sheet, layout.band, box, one.entry.number, picture.size)
    lossless = all(one.entry.image.content_type != "image/jpeg" for one in drawable)
    return encode_within(sheet, limits.max_bytes, "images", lossless=lossless)


def _frame_and_label(sheet: "Picture", band: int, box: Box, number: int, size: tuple[int, int]) -> None:
    """A thin frame, so that a white picture has an edge, and the picture's label above its left corner."""
    from PIL import ImageDraw  # noqa: PLC0415  # see `pillow`

    draw = ImageDraw.Draw(sheet)
    draw.rectangle((box.left - 1, box.top - 1, box.left + size[0], box.top + size[1]), outline="#808080")
    sheet.paste("black", (box.left - _EDGE, box.top - band), _label(number, band))


@lru_cache(maxsize=64)
def _label(number: int, band: int) -> "Picture":
    """A label as the mask through which it is drawn, as high as the band: writing takes longer than a small picture."""
    from PIL import Image as Pillow  # noqa: PLC0415  # see `pillow`
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415  # see `pillow`

    font = ImageFont.load_default(band * 3 // 4)
    mask = Pillow.new("L", (math.ceil(font.getlength(label(number))) + 2 * _EDGE, band))
    ImageDraw.Draw(mask).text((_EDGE, band - band // 2), label(number), 255, font, anchor="lm")
    return mask

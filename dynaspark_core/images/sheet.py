"""Several images → the form's one file: the only one as it is, or all of them on one numbered sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dynaspark_core.errors import ConfigError, ImageError
from dynaspark_core.images.layout import Layout, label, lay_out
from dynaspark_core.images.pillow import FIRST_FRAME, decode, encode_within, fit_within, on_white, upright_size
from dynaspark_core.images.ready import LIMITS, Limits, image_header
from dynaspark_core.messages import Image, Policy

if TYPE_CHECKING:  # see `pillow`
    from PIL.Image import Image as Picture

Item = TypeVar("Item")

MAX_SHEET_IMAGES = 25
"""Images on one sheet: 3,072 pixels a side leave each a good 600. Of more, the newest are shown."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The file to send, if there is any, and for each image that was given its number in it and a remark.

    A number is None where the image is not shown. A remark says what is missing of an image that is shown; without one
    it is empty.
    """

    file: Image | None
    numbers: tuple[int | None, ...] = ()
    remarks: tuple[str, ...] = ()


def choose(items: Sequence[Item], policy: Policy) -> list[Item]:
    """Those of the images that can be shown, in order: no need to load the others.

    `sheet` shows the newest `MAX_SHEET_IMAGES`, `last` the last, `error` none but a single one: ImageError.
    """
    if policy not in ("sheet", "last", "error"):
        raise ConfigError(f"images may be 'sheet', 'last' or 'error', not {policy!r}")
    if policy == "error" and len(items) > 1:
        raise ImageError(
            f"{len(items)} images, and one file can be sent: give one, "
            "or choose 'sheet' (all on one numbered sheet) or 'last' for several images"
        )
    return list(items[-1:] if policy == "last" else items[-MAX_SHEET_IMAGES:])


def pack(images: Sequence[Image], policy: Policy = "sheet", limits: Limits = LIMITS) -> Packed:
    """The one file that shows the images. The same image given twice is shown once.

    A lone image within the limits is sent untouched and costs nothing; others take Pillow and time in proportion to
    the pixels: off the event loop. Raises UnreadableImageError for damaged images, ImageError and
    ConfigError as `choose`.
    """
    if len(images) == 1:  # spares the hash of all its bytes
        file, remark = fit_within(images[0], limits)
        return Packed(file, (1,), (remark,))
    keys = [image.data for image in images]
    shown = [images[keys.index(key)] for key in choose(list(dict.fromkeys(keys)), policy)]
    numbers = {image.data: number for number, image in enumerate(shown, 1)}
    remarks = {image.data: FIRST_FRAME for image in shown if image_header(image.data).animated}
    sheet = _sheet(shown, limits) if len(shown) > 1 else None
    return Packed(
        sheet or (fit_within(shown[0], limits)[0] if shown else None),
        tuple(map(numbers.get, keys)),
        tuple(remarks.get(key, "") for key in keys),
    )


def _sheet(images: Sequence[Image], limits: Limits) -> Image:
    """All images on one sheet, decoded one after the other, each at the size at which it is shown."""
    from PIL import Image as Pillow  # noqa: PLC0415  # see `pillow`

    layout = lay_out([upright_size(image) for image in images], limits.max_side, limits.max_pixels)
    sheet = Pillow.new("RGB", (layout.width, layout.height), "white")
    for number, (image, box) in enumerate(zip(images, layout.boxes, strict=True), 1):
        picture = on_white(decode(image, box.width, box.height))
        sheet.paste(picture, (box.left, box.top))
        _frame_and_label(sheet, layout, number, picture.size)
    lossless = all(image.content_type != "image/jpeg" for image in images)
    return encode_within(sheet, limits.max_bytes, "images", lossless=lossless)


def _frame_and_label(sheet: "Picture", layout: Layout, number: int, size: tuple[int, int]) -> None:
    """A thin frame, so that a white picture has an edge, and the picture's label above its left corner."""
    from PIL import ImageDraw, ImageFont  # noqa: PLC0415  # see `pillow`

    box, draw = layout.boxes[number - 1], ImageDraw.Draw(sheet)
    draw.rectangle((box.left - 1, box.top - 1, box.left + size[0], box.top + size[1]), outline="#808080")
    font = ImageFont.load_default(layout.band * 3 // 4)
    draw.text((box.left, box.top - layout.band // 2), label(number), "black", font, anchor="lm")

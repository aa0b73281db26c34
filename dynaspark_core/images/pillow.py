"""Decoding and encoding with Pillow, which is imported only when it is needed.

What is encoded again loses its metadata (EXIF with its places, comments, profiles); its EXIF orientation is applied
before. All that Pillow raises becomes UnreadableImageError.
"""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from dynaspark_core.errors import ImageError, UnreadableImageError
from dynaspark_core.images.opening import opened, translated, turn_of
from dynaspark_core.images.ready import Limits, file_name, image_header
from dynaspark_core.images.sniff import content_type_of
from dynaspark_core.messages import Image

if TYPE_CHECKING:  # Pillow takes 40 ms to import, which a conversation without pictures does not pay
    from PIL.Image import Image as Picture

JPEG_QUALITIES = (92, 85, 75)
"""Tried in this order before an image is made smaller."""

TURNED = (5, 6, 7, 8)
"""The values of EXIF's orientation by which width and height change places."""

TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""Orientation → what makes the picture upright (EXIF 2.32, section 4.6.4)."""

STRIP_ROWS = 64
"""Rows that are worked on at a time where a step needs four times their memory."""

FIRST_FRAME = "first frame of an animation"


def decode(image: Image, width: int, height: int) -> "Picture":
    """The image's first frame, upright, as RGB or RGBA, without metadata, within `width` and `height`, never enlarged.

    First its rows are made narrower, then its columns shorter, which is what Pillow does, with the large picture in
    memory only once, as it was decoded; of a JPEG often never.
    """
    from PIL.Image import Resampling, Transpose  # noqa: PLC0415  # see the module's first line

    with translated(f"the {image.content_type} image cannot be decoded"):
        narrow, rows, turn = _narrowed(image, width, height)
        picture = narrow.resize((narrow.width, rows), Resampling.LANCZOS)
        plain = picture.convert("RGBA") if picture.mode == "RGBa" else picture
        return plain.transpose(Transpose[TURNS[turn]]) if turn in TURNS else plain


def _narrowed(image: Image, width: int, height: int) -> "tuple[Picture, int, int]":
    """The picture with its rows at their final width, how many rows it is to have, and its orientation.

    It is made strip by strip. Its mode is RGB, or RGBa: transparent pixels must not colour their neighbours.
    """
    from PIL import Image as Pillow  # noqa: PLC0415  # see the module's first line

    with opened(image.data, image.content_type) as (file, turn):
        wide, high = (height, width) if turn in TURNED else (width, height)
        file.draft(file.mode, (wide, high))  # a JPEG is then decoded at a half, a quarter or an eighth, if that will do
        scale = min(1.0, wide / file.width, high / file.height)
        columns, rows = max(1, round(file.width * scale)), max(1, round(file.height * scale))
        file.load()
        mode, work = ("RGBA", "RGBa") if file.has_transparency_data else ("RGB", "RGB")
        narrow = Pillow.new(work, (columns, file.height))
        for top in range(0, file.height, STRIP_ROWS):
            strip = _plain(file.crop((0, top, file.width, min(top + STRIP_ROWS, file.height)))).convert(mode)
            narrow.paste(strip.convert(work).resize((columns, strip.height), Pillow.Resampling.LANCZOS), (0, top))
        return narrow, rows, turn


def upright_size(image: Image) -> tuple[int, int]:
    """Width and height of the image as it has to be looked at; nothing is decoded."""
    with opened(image.data, image.content_type) as (file, turn):
        return (file.height, file.width) if turn in TURNED else file.size


def resized(picture: "Picture", width: int, height: int) -> "Picture":
    """The picture in this size."""
    from PIL.Image import Resampling  # noqa: PLC0415  # see the module's first line

    return picture if picture.size == (width, height) else picture.resize((width, height), Resampling.LANCZOS)


def _plain(picture: "Picture") -> "Picture":
    """RGB, or RGBA when some of it is transparent, without metadata."""
    if picture.mode.startswith("I"):  # 16 bits; a plain conversion would cut off at 255
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    plain = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    plain.info = {}
    return plain


def on_white(picture: "Picture") -> "Picture":
    """The picture without transparency, as it looks on white paper."""
    from PIL import Image as Pillow  # noqa: PLC0415  # see the module's first line

    if picture.mode != "RGBA":
        return picture
    paper = Pillow.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper


def fits(image: Image, limits: Limits) -> bool:
    """Whether the image can be sent as it is."""
    found = image_header(image.data)
    return not found.animated and found.pixels <= limits.max_pixels and len(image.data) <= limits.max_bytes


def fit_within(image: Image, limits: Limits) -> tuple[Image, str]:
    """The image within the limits, untouched when it is already, and a remark when it is only a part of what it was."""
    if fits(image, limits):
        return image, ""
    found = image_header(image.data)
    scale = min(1.0, (limits.max_pixels / found.pixels) ** 0.5)
    side = max(1, min(limits.max_side, int(max(found.width, found.height) * scale)))
    lossless = found.content_type != "image/jpeg"
    smaller = encode_within(decode(image, side, side), limits.max_bytes, image.name, lossless=lossless)
    return smaller, FIRST_FRAME if found.animated else ""


def mended(data: bytes, name: str, limits: Limits) -> Image | None:
    """A damaged image, encoded anew if a decoder reads it whole; None if not."""
    try:
        kind = content_type_of(data)
        picture = decode(Image(data, name, kind), limits.max_side, limits.max_side)
    except UnreadableImageError:
        return None
    return encode_within(picture, limits.max_bytes, name, lossless=kind != "image/jpeg")


def encode_within(picture: "Picture", max_bytes: int, name: str, *, lossless: bool) -> Image:
    """The picture as a file of at most `max_bytes`: PNG if asked for and possible, else JPEG, shrunk as need be."""
    with translated("the image cannot be encoded"):
        if lossless and len(data := encode_png(picture)) <= max_bytes:
            return Image(data, file_name(name, "image/png"), "image/png")
        picture = on_white(picture)
        while True:
            for quality in JPEG_QUALITIES:
                data = _save(picture, "JPEG", quality=quality, subsampling=0)
                if len(data) <= max_bytes:
                    return Image(data, file_name(name, "image/jpeg"), "image/jpeg")
            if min(picture.size) < 16:
                raise ImageError(
                    f"the image cannot be made smaller than {len(data):,} bytes, and {max_bytes:,} are allowed"
                )
            picture = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))


def encode_png(picture: "Picture") -> bytes:
    """A Pillow image as a PNG without metadata; upright, where it is one of a file, as that was opened."""
    from PIL.Image import Transpose  # noqa: PLC0415  # see the module's first line
    from PIL.ImageFile import ImageFile  # noqa: PLC0415  # see the module's first line

    with translated("the Pillow image cannot be encoded"):
        plain = picture if picture.mode in {"RGB", "RGBA"} else _plain(picture)
        if isinstance(picture, ImageFile) and (turn := turn_of(picture)) in TURNS:
            plain = plain.transpose(Transpose[TURNS[turn]])
        return _save(plain, "PNG", compress_level=3, exif=b"")  # of a sheet smaller than by 4, in 3/4 of its time


def _save(picture: "Picture", form: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()

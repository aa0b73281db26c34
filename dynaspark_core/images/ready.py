"""Bytes as somebody gave them → an `Image`: checked, typed by its bytes, named. Nothing is decoded or changed."""

from dataclasses import dataclass, fields

from dynaspark_core.errors import ConfigError, ImageError, UnreadableImageError
from dynaspark_core.images.sniff import Header, read_header
from dynaspark_core.messages import Image

MAX_DECODED_PIXELS = 50_000_000
"""More declared pixels than this are refused unseen: some 300 MB while drawn, and above the 48 megapixels of phones."""

MAX_NAME_CHARACTERS = 100
EXTENSIONS = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How large images may be. An image within `max_bytes` and `max_pixels` is sent as it came, byte for byte.

    `max_read`: bytes of one image as it is given or downloaded; more is refused.
    `max_total`: bytes of all images of one question together.
    `max_bytes`, `max_pixels`: of the one file sent; what is larger is re-encoded, smaller.
    `max_side`: pixels of the longer side of what is re-encoded, be it one image or a sheet. Gemini scales what is
    larger down to 3,072 by 3,072 (firebase.google.com/docs/vertex-ai/input-file-requirements): more would be lost.
    """

    max_read: int = 32_000_000
    max_total: int = 64_000_000
    max_bytes: int = 10_000_000
    max_pixels: int = MAX_DECODED_PIXELS
    max_side: int = 3072

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"{limit.name} has to be a positive whole number, not {value!r}")


LIMITS = Limits()
"""The defaults."""


def ready_image(data: bytes, name: str = "", limits: Limits = LIMITS) -> Image:
    """The image in the bytes, unchanged, under a file name whose extension fits.

    Raises ImageError above `limits.max_read`, UnreadableImageError for what is no png, jpeg, gif or webp, for a
    truncated file, and for more declared pixels than are ever decoded.
    """
    if len(data) > limits.max_read:
        raise ImageError(f"the image has {len(data):,} bytes; at most {limits.max_read:,} are read")
    found = image_header(data)
    return Image(data, file_name(name, found.content_type), found.content_type)


def image_header(data: bytes) -> Header:
    """The header of an image that may be decoded; raises as `ready` does."""
    found = read_header(data)
    check_pixels(found.content_type, found.width, found.height)
    return found


def check_pixels(content_type: str, width: int, height: int) -> None:
    """Raise UnreadableImageError for more pixels than are ever decoded."""
    if width * height > MAX_DECODED_PIXELS:
        raise UnreadableImageError(
            f"the {content_type} image declares {width:,} by {height:,} pixels; "
            f"at most {MAX_DECODED_PIXELS:,} pixels are accepted: make it smaller"
        )


def file_name(name: str, content_type: str) -> str:
    """The last part of the name with an extension of the type; `image` when nothing printable is left of it."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    base = "".join(char for char in base if char.isprintable() and char not in '"<>|*?:;').strip(". ")
    stem, dot, extension = base.rpartition(".")
    if dot and extension.lower() in EXTENSIONS[content_type]:
        return f"{stem[:MAX_NAME_CHARACTERS]}.{extension}"
    known = dot and any(extension.lower() in extensions for extensions in EXTENSIONS.values())
    return f"{(stem if known else base)[:MAX_NAME_CHARACTERS] or 'image'}.{EXTENSIONS[content_type][0]}"

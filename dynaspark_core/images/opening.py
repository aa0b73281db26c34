"""Opening a file with Pillow: four formats only, and nothing that takes too many pixels, bytes or steps to decode."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

from dynaspark_core.errors import DynasparkError, UnreadableImageError
from dynaspark_core.images.metadata import MAX_METADATA_BYTES, orientation, split_jpeg
from dynaspark_core.images.ready import MAX_DECODED_PIXELS, check_pixels
from dynaspark_core.images.sniff import jpeg_coefficients

if TYPE_CHECKING:  # Pillow takes 40 ms to import, which a conversation without pictures does not pay
    from PIL.Image import Image as Picture

FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
"""The only decoders that bytes may reach; Pillow has forty more."""
MAX_DECODER_BYTES = 260_000_000
"""What a decoder may keep while it works, its result not counted."""
WEBP_BYTES_PER_PIXEL = 15
"""Measured: two canvases and two copies, also for a single frame (libwebp's animation decoder, which Pillow uses)."""
MAX_SCANNED_PIXELS = 16 * MAX_DECODED_PIXELS
"""Pixels of a JPEG times its scans. Usual are up to 12 scans; one of 70 bytes costs as much as all pixels."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turns all that Pillow raises into UnreadableImageError."""
    try:
        yield
    except DynasparkError:
        raise
    except Exception as exc:  # decoders raise anything, down to SyntaxError and struct.error
        raise UnreadableImageError(f"{what}: {exc}") from exc


@contextmanager
def opened(data: bytes, content_type: str) -> "Iterator[tuple[Picture, int]]":
    """The file, not yet decoded, and its orientation. Raises UnreadableImageError."""
    from PIL import Image as Pillow  # noqa: PLC0415  # see above

    turn = 1
    if content_type == "image/jpeg":
        data, turn = split_jpeg(data)
    with (
        translated(f"the {content_type} image cannot be decoded"),
        Pillow.open(BytesIO(data), "r", FORMATS) as file,
    ):
        check_pixels(content_type, *file.size)
        _check_cost(data, content_type, file.width * file.height)
        if content_type != "image/jpeg":
            turn = turn_of(file)
        yield file, turn


def turn_of(file: "Picture") -> int:
    """The orientation that a file says, as far as it is read."""
    exif, xmp = (file.info.get(name, b"")[:MAX_METADATA_BYTES] for name in ("exif", "xmp"))
    return orientation(exif, xmp)


def _check_cost(data: bytes, content_type: str, pixels: int) -> None:
    """Raise UnreadableImageError for a file whose decoder would take too much memory or too many steps."""
    is_jpeg, is_webp = content_type == "image/jpeg", content_type == "image/webp"
    needed = 2 * jpeg_coefficients(data) if is_jpeg else WEBP_BYTES_PER_PIXEL * pixels if is_webp else 0
    if needed > MAX_DECODER_BYTES:
        raise UnreadableImageError(
            f"decoding the {content_type} image of {pixels:,} pixels takes {needed:,} bytes; at most "
            f"{MAX_DECODER_BYTES:,} are used: make it smaller, or convert it to a PNG or a plain (baseline) JPEG"
        )
    if is_jpeg and (scans := data.count(b"\xff\xda")) * pixels > MAX_SCANNED_PIXELS:
        raise UnreadableImageError(f"the image/jpeg image is written in {scans:,} scans: save it as a plain JPEG")

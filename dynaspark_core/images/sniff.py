"""What bytes are: their type by magic numbers, the size that they declare, whether they are whole and one frame.

Nothing is decoded. A walk through a file's blocks ends after `MAX_BLOCKS`, so that a hostile file costs milliseconds.
Sources: PNG (W3C), JPEG (ITU T.81, annex B), GIF89a, WebP container (developers.google.com/speed/webp/docs).
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dynaspark_core.errors import UnreadableImageError

MAX_BLOCKS = 200_000
"""Blocks looked at before a file is refused: a GIF frame of 50 MB; libpng's 8 KiB chunks would be 1.6 GB."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an image says of itself: content type, width and height in pixels, whether it holds several frames."""

    content_type: str
    width: int
    height: int
    animated: bool = False

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def content_type_of(data: bytes) -> str:
    """The content type: image/png, image/jpeg, image/gif or image/webp.

    Raises UnreadableImageError that says what other bytes seem to be.
    """
    for magic, content_type in _MAGIC:
        if magic.match(data):
            return content_type
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    what = next((what for pattern, what in _OTHERS if pattern.match(start)), None) or _text_or_unknown(start)
    if what == "text":
        raise UnreadableImageError("the bytes look like text, not an image; the service takes png, jpeg, gif and webp")
    way_out = next((f": {advice}" for word, advice in _CONVERSIONS.items() if word in what), "")
    raise UnreadableImageError(
        f"{what} is no image that can be sent; the service takes png, jpeg, gif and webp{way_out}"
    )


def read_header(data: bytes) -> Header:
    """The header of a whole image; UnreadableImageError for other bytes, and when it ends too early."""
    content_type = content_type_of(data)
    try:
        width, height, animated = _READERS[content_type](data)
    except UnreadableImageError:
        raise
    except (struct.error, IndexError, ValueError) as exc:
        raise UnreadableImageError(f"the {content_type} image is truncated: it ends after {len(data):,} bytes") from exc
    if not (width and height):
        raise UnreadableImageError(f"the {content_type} image declares no size")
    return Header(content_type, width, height, animated)


def _text_or_unknown(start: bytes) -> str:
    if not start:
        return "an empty file"
    text = start.decode("utf-8", "ignore")
    whole = len(text.encode()) >= len(start) - 3 and text.translate(_LINE_BREAKS).isprintable()
    return "text" if whole else "a file of unknown type"


_LINE_BREAKS = str.maketrans("\n\r\t\f", "    ")


def _png(data: bytes) -> tuple[int, int, bool]:
    if data[12:16] not in {b"IHDR", b""}:  # a decoder takes the size from the first IHDR, wherever it is
        raise UnreadableImageError("the image/png image is damaged: it does not begin with its header")
    width, height = struct.unpack_from(">II", data, 16)
    position, frames, has_pixels = 8, 1, False
    for _ in range(MAX_BLOCKS):
        length, kind, _ = struct.unpack_from(">I4s4s", data, position)  # even the last chunk has its check sum
        if kind == b"IEND":
            return width, height, frames > 1
        if kind == b"IHDR" and position > 8:
            raise UnreadableImageError("the image/png image is damaged: it has two headers")
        has_pixels = has_pixels or kind == b"IDAT"
        if kind == b"acTL" and not has_pixels:  # one that comes later does not count (PNG, third edition, 11.3.6.1)
            (frames,) = struct.unpack_from(">I", data, position + 8)
        position += 12 + length
    raise _endless("png")


def _jpeg(data: bytes) -> tuple[int, int, bool]:
    for marker, start, _ in jpeg_segments(data):
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, start + 5)
            if data.rfind(b"\xff\xd9", start) < 0:  # inside coded data every FF is stuffed, so this is the end
                raise IndexError
            return width, height, False
    raise _endless("jpeg")


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """The marker, the start and the end of each segment; for the reader of the head, up to `JPEG_SCAN`.

    Raises IndexError, ValueError or struct.error where the data ends.
    """
    position = 2
    for _ in range(MAX_BLOCKS):
        if data[position] != 0xFF:  # bytes between segments: every decoder skips them, and old editors write them
            position = data.index(b"\xff", position)
        marker, end = data[position + 1], position + 1
        if marker != 0xFF:
            end = position + 2
            if marker not in _BARE_MARKERS:
                end += struct.unpack_from(">H", data, end)[0]
            yield marker, position, end
        position = end


def jpeg_coefficients(data: bytes) -> int:
    """How many numbers a decoder keeps until it has read the last scan; none where all is in one scan."""
    try:
        frame = next(start for marker, start, _ in jpeg_segments(data) if marker in _FRAME_MARKERS)
        scan = next(start for marker, start, _ in jpeg_segments(data) if marker == JPEG_SCAN)
        height, width, colours = struct.unpack_from(">HHB", data, frame + 5)
        if data[frame + 1] not in _PROGRESSIVE and data[scan + 4] == colours:
            return 0
    except (IndexError, ValueError, struct.error, StopIteration):
        return 0
    sizes = [(byte >> 4, byte & 15) for byte in data[frame + 11 : frame + 10 + 3 * colours : 3]]
    largest = max((wide for wide, _ in sizes), default=0) * max((high for _, high in sizes), default=0)
    return int(width * height * sum(wide * high for wide, high in sizes) // max(1, largest))


_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
JPEG_SCAN = 0xDA
_BARE_MARKERS = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})


def _gif(data: bytes) -> tuple[int, int, bool]:
    """The size of the screen or of the first frame, whichever reaches farther; a second frame makes an animation."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position, frames = 13 + _colours(flags), 0
    for _ in range(MAX_BLOCKS):
        if frames and position >= len(data):  # a missing trailer is common and harmless
            return width, height, False
        block = data[position]
        if block == _FRAME and not frames:
            frames = 1
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, position + 1)
            width, height = max(width, left + wide), max(height, top + high)
            position = _gif_skip(data, position + 11 + _colours(flags))
        elif block == _EXTENSION:
            position = _gif_skip(data, position + 2)
        elif frames:
            return width, height, block == _FRAME
        else:
            raise IndexError
    raise _endless("gif")


_FRAME, _EXTENSION = 0x2C, 0x21


def _gif_skip(data: bytes, position: int) -> int:
    """The position after a chain of sub-blocks."""
    for _ in range(MAX_BLOCKS):
        if not data[position]:
            return position + 1
        position += 1 + data[position]
    raise _endless("gif")


def _colours(flags: int) -> int:
    """The bytes of a colour table."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _webp(data: bytes) -> tuple[int, int, bool]:
    (size,) = struct.unpack_from("<I", data, 4)
    if len(data) < size + 8:
        raise IndexError
    kind = data[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return width, height, bool(data[20] & 0x02)
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, False
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF, False


def _endless(kind: str) -> UnreadableImageError:
    return UnreadableImageError(f"the image/{kind} image is damaged: it is cut into more than {MAX_BLOCKS:,} blocks")


_MAGIC = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"(?s)RIFF.{4}WEBPVP8[ LX]"), "image/webp"),
)
_OTHERS = (
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"(?is)(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?(<!doctype svg.*?>\s*)?<svg"), "an SVG drawing"),
    (re.compile(rb"(?is)(<!--.*?-->\s*)?<(!doctype html|html|head|body|script)"), "a web page (HTML)"),
    (re.compile(rb"(?i)<\?xml|<[a-z]"), "XML text"),
    (re.compile(rb"(?s).{4}ftyp(avif|heic|heix|heif|mif1|msf1)"), "an AVIF or HEIC picture"),
    (re.compile(rb"(?s).{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI |\x00\x00\x01[\xb3\xba]"), "a video"),
    (re.compile(rb"(?s)ID3|OggS|fLaC|RIFF.{4}WAVE|\xff[\xf1\xf3\xf9\xfa\xfb]"), "an audio file"),
    (re.compile(rb"(?s)BM.{4}\x00{4}|II\*\x00|MM\x00\*|\x00\x00\x01\x00"), "a BMP, TIFF or ICO picture"),
    (re.compile(rb"\x89PNG|\xff\xd8|GIF8|RIFF"), "the damaged start of a picture"),
    (re.compile(rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf"), "an archive"),
)
"""What is refused by name; the first that matches the start of the file, blanks removed, counts."""

_CONVERSIONS = {
    "HEIC": "convert it, as with pillow-heif: Image.open(path).convert('RGB').save('picture.jpg')",
    "BMP": "convert it, as with Pillow: Image.open(path).convert('RGB').save('picture.png')",
    "SVG": "draw it first, as with CairoSVG: cairosvg.svg2png(url=path, write_to='picture.png')",
    "PDF": "draw its pages first, as with pypdfium2: PdfDocument(path)[0].render(scale=2).to_pil().save('page.png')",
}
"""Word in the name of what is refused → how to make a picture of it."""
_READERS: dict[str, Callable[[bytes], tuple[int, int, bool]]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/gif": _gif,
    "image/webp": _webp,
}

"""What a file says beside its pixels: how the camera was held. Read here, as Pillow warns of every tag that is broken.

Sources: EXIF 2.32, section 4.5 (a TIFF header and a directory of tags) and 4.6.4 (orientation).
"""

import re
import struct
from contextlib import suppress
from functools import lru_cache
from warnings import warn

from dynaspark_core.images.sniff import JPEG_SCAN, jpeg_segments

_ORIENTATION = 0x0112
_ORDERS = {b"II": "<", b"MM": ">"}
_KINDS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
"""TIFF's types of whole numbers → their form in `struct`."""
MAX_METADATA_BYTES = 65_536
"""Bytes that are looked at; a segment of a JPEG holds no more."""
_EXIF = re.compile(rb"(?:Exif\0\0)+")
_XMP_NAME = b"http://ns.adobe.com/xap/1.0/\0"
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
"""As in `<tiff:Orientation>6</tiff:Orientation>` and `tiff:Orientation="6"`."""

_JPEG_METADATA = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
"""Markers of applications' segments and comments; E0 (JFIF) and EE (Adobe) say how the colours are stored."""


def split_jpeg(data: bytes) -> tuple[bytes, int]:
    """The file without its metadata, and its orientation."""
    kept, metadata = [data[:2]], list[bytes]()
    rest = 2
    with suppress(IndexError, ValueError, struct.error):  # where a head is damaged the decoder says so
        for marker, start, end in jpeg_segments(data):
            rest = start
            if marker == JPEG_SCAN:
                break
            (metadata if marker in _JPEG_METADATA else kept).append(data[start:end])
            rest = end
    if not metadata:
        return data, 1
    exif, xmp = (
        next((one[4:] for one in metadata if one.startswith(name, 4)), b"") for name in (b"Exif\0\0", _XMP_NAME)
    )
    return b"".join([*kept, data[rest:]]), orientation(exif, xmp)


@lru_cache(maxsize=16)  # a picture is opened more than once: for its size, and to be drawn
def orientation(exif: bytes, xmp: bytes = b"") -> int:
    """How a picture has to be turned, 1 (it is upright) to 8; one warning where EXIF is damaged."""
    found = 0
    try:
        found = _exif_orientation(exif)
    except struct.error:
        warn("the EXIF of an image is damaged; the picture is shown as it is stored", stacklevel=2)
    if not found and (written := _XMP.search(xmp)):
        found = int(written[1])
    return found or 1


def _exif_orientation(exif: bytes) -> int:
    """The tag's value; 0 without one."""
    prefix = _EXIF.match(exif)
    tiff = exif[prefix.end() :] if prefix else exif
    if not tiff:
        return 0
    if tiff[:2] not in _ORDERS:
        raise struct.error("no TIFF header")
    order = _ORDERS[tiff[:2]]
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, at)
        if tag == _ORIENTATION and kind in _KINDS:
            return int(struct.unpack_from(order + _KINDS[kind], tiff, at + 8)[0])
    return 0

"""Images as bytes: found out what they are, made to fit the limits, several drawn on one sheet with numbers.

Pure: bytes in, bytes out; `transport.loading` opens and fetches. Pillow is imported only when something has to be
decoded, which a single image within the limits never is.

    encoded   base64 text and data URIs → bytes
    sniff     what bytes are, their declared size, whether they are whole; nothing is decoded
    ready     bytes → `Image`: checked, named
    metadata  how the camera was held
    opening   what may be decoded: formats, pixels, memory, steps
    pillow    decoding and encoding: all that works on pixels
    layout    the positions of the pictures on a sheet: numbers only
    sheet     several images → the one file of the form
"""

from dynaspark_core.images.encoded import from_base64, from_data_uri
from dynaspark_core.images.opening import translated
from dynaspark_core.images.pillow import encode_png, fits, mended
from dynaspark_core.images.ready import LIMITS, Limits, ready_image
from dynaspark_core.images.sheet import Entry, Packed, Thumbnails, choose, pack, pack_entries
from dynaspark_core.images.sniff import Header, content_type_of, read_header

__all__ = [
    "LIMITS",
    "Entry",
    "Header",
    "Limits",
    "Packed",
    "Thumbnails",
    "choose",
    "content_type_of",
    "encode_png",
    "fits",
    "from_base64",
    "from_data_uri",
    "mended",
    "pack",
    "pack_entries",
    "read_header",
    "ready_image",
    "translated",
]

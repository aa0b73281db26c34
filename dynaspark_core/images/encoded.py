"""Base64 text and data URIs, turned into bytes; strict, but for the ways in which correct text is commonly wrapped."""

import binascii
from contextlib import suppress
from urllib.parse import unquote, unquote_to_bytes

import pybase64

from dynaspark_core.errors import ImageError, UnreadableImageError

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n\f\v"

MAX_ESCAPES = 1_000_000
"""Percent signs in a data URI; each costs some 60 bytes of memory and a turn of a loop. Pictures come as base64."""


def from_base64(text: str | bytes, limit: int) -> bytes:
    """The bytes that base64 text encodes.

    Line breaks and blanks, the URL-safe alphabet and missing padding are accepted, anything else out of the alphabet
    is not; a whole data URI in its place is. Raises UnreadableImageError, and ImageError above `limit` bytes.
    """
    if text[:5].lower() in {"data:", b"data:"}:
        return from_data_uri(text if isinstance(text, str) else text.decode("latin-1"), limit)
    return _from_bare_base64(text, limit)


def _from_bare_base64(text: str | bytes, limit: int) -> bytes:
    if len(text) // 4 * 3 > limit * 1.1:  # a tenth for line breaks; the exact count follows
        raise _too_large(limit)
    try:
        return _within(_decode(text), limit)
    except (binascii.Error, ValueError) as exc:
        raise UnreadableImageError(f"the base64 text cannot be decoded: {exc}") from exc


def _decode(text: str | bytes) -> bytes:
    """The bytes; each way of reading the text is slower than the one before, so the rarer forms come later."""
    with suppress(binascii.Error):
        return pybase64.b64decode(text, validate=True)
    with suppress(binascii.Error):
        line = _ascii(text).replace(b"\n", b"").replace(b"\r", b"")
        return pybase64.b64decode(line.ljust(len(line) + -len(line) % 4, b"="), validate=True)
    bare = _ascii(text).translate(_URL_SAFE, _BLANKS).rstrip(b"=")
    return pybase64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)


def _ascii(text: str | bytes) -> bytes:
    return text.encode("ascii") if isinstance(text, str) else text


def from_data_uri(uri: str, limit: int) -> bytes:
    """The bytes in a `data:` URI: base64 or percent-encoded, with any parameters. RFC 2397.

    What type it claims does not matter. Raises UnreadableImageError, and ImageError above `limit` bytes.
    """
    head, comma, payload = uri.partition(",")
    if not comma:
        raise UnreadableImageError("the data URI has no comma, so it holds no data")
    escapes = payload.count("%") if "%" in payload else 0  # that there is none is found sooner than counted
    if escapes > MAX_ESCAPES or len(payload) > 4 * limit:  # four: base64 with every sign escaped
        raise _too_large(limit)
    if "base64" in (parameter.strip().lower() for parameter in head.split(";")[1:]):
        return _from_bare_base64(unquote(payload) if escapes else payload, limit)
    return _within(unquote_to_bytes(payload), limit)


def _within(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _too_large(limit: int) -> ImageError:
    return ImageError(f"the image is larger than the {limit:,} bytes that are read; make it smaller")

"""The request's form, read in pieces under the rules' limits: multipart or urlencoded → `Asked`."""

import asyncio
import codecs
from collections.abc import AsyncIterator, Set
from dataclasses import dataclass

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError

from dynaspark_core.server.engines import Asked, RefusedError
from dynaspark_core.server.rules import Rules
from dynaspark_core.server.urlencoded import TooLarge, UrlencodedReader

TEXT_FIELDS = frozenset({"user_input", "ai_model", "stream"})
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
"""What the public clients send and the service takes."""
CHARSETS = frozenset({
    "ascii", "big5", "big5hkscs", "cp932", "cp949", "euc_jp", "euc_kr", "gb18030", "gb2312", "gbk", "iso2022_jp",
    "koi8-r", "koi8-u", "shift_jis", "utf-8", "utf-8-sig", *(f"cp125{page}" for page in range(9)),
    *(f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)),
})  # fmt: skip
"""Python's names of the encodings that the web has; others, punycode for example, take minutes for a long text."""

_BROKEN = (ValueError, EOFError, HttpProcessingError, web.HTTPException, web.RequestPayloadError)
"""What aiohttp raises for a body that is not what its headers say."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content_type: str
    content: bytes


async def read_form(request: web.Request, rules: Rules, fields: Set[str] = TEXT_FIELDS) -> Asked:
    """What the form asks, in these fields and the file.

    Raises `RefusedError` (400, 408, 413, 415) for a form that the service does not take.
    """
    try:
        async with asyncio.timeout(rules.upload_seconds):
            return await _asked(request, rules, fields)
    except TimeoutError as exc:
        message = f"the form did not arrive within {rules.upload_seconds:g} s"
        raise RefusedError(408, message, headers={"Connection": "close"}) from exc
    except _BROKEN as exc:
        request.content.feed_eof()  # there is nothing more to wait for
        raise RefusedError(400, f"the form cannot be read: {exc}", headers={"Connection": "close"}) from exc


async def _asked(request: web.Request, rules: Rules, fields: Set[str]) -> Asked:
    texts: dict[str, str] = {}
    file: _File | None = None
    async for name, value in _parts(request, rules):
        if name not in fields and not isinstance(value, _File):
            raise RefusedError(400, f"there is no text field {name!r}: {', '.join(sorted(fields))}")
        if name in texts or (name == "file" and file is not None):
            raise RefusedError(400, f"the field {name!r} was sent twice; at most one is taken")
        if isinstance(value, _File):
            file = value
        else:
            texts[name] = value
    if not texts.get("user_input"):
        raise RefusedError(400, "the field 'user_input' is missing or empty")
    return Asked(
        prompt=texts["user_input"],
        model=texts.get("ai_model", ""),
        file_name=file.name if file else None,
        content_type=file.content_type if file else None,
        file=file.content if file else None,
        fields=tuple(texts.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        query=dict(request.query),
    )


def _parts(request: web.Request, rules: Rules) -> AsyncIterator[tuple[str, str | _File]]:
    kind = request.content_type
    if kind == "multipart/form-data":
        return _multipart(request, rules)
    if kind == "application/x-www-form-urlencoded":
        return _urlencoded(request, rules)
    raise RefusedError(415, f"the form is multipart/form-data or application/x-www-form-urlencoded, not {kind}")


async def _urlencoded(request: web.Request, rules: Rules) -> AsyncIterator[tuple[str, str | _File]]:
    reader = UrlencodedReader(rules.max_text_bytes)
    try:
        async for block in request.content.iter_any():
            reader.feed(block)
            await asyncio.sleep(0)  # other requests are answered between two blocks
        fields = reader.close()
    except TooLarge as exc:
        raise _too_large("a field", rules.max_text_bytes) from exc
    for name, value in fields:
        yield name, value


async def _multipart(request: web.Request, rules: Rules) -> AsyncIterator[tuple[str, str | _File]]:
    reader = await request.multipart()
    while (part := await reader.next()) is not None:
        if isinstance(part, MultipartReader):
            raise RefusedError(400, "the form holds a form")
        name = part.name or ""
        if name != "file":
            yield name, await _text(name, part, rules)
        elif file := await _file(part, rules):
            yield name, file


async def _file(part: BodyPartReader, rules: Rules) -> _File | None:
    """The file; None for the empty one without a name that a browser sends where no file was chosen."""
    if not part.filename and not await part.read_chunk(1 << 16):
        return None
    kind = part.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not part.filename or not kind:
        raise RefusedError(400, "the field 'file' needs a file name and a content type")
    if kind not in IMAGE_TYPES:
        raise RefusedError(415, f"a file is one of {', '.join(sorted(IMAGE_TYPES))}, not {kind}")
    content = await _content(part, rules.max_file_bytes, "the file")
    if not content:
        raise RefusedError(400, "the file is empty")
    return _File(part.filename, kind, content)


async def _text(name: str, part: BodyPartReader, rules: Rules) -> str:
    if part.filename is not None:
        raise RefusedError(400, f"the field {name!r} is a text, not a file")
    charset = part.get_charset("utf-8")
    try:
        is_known = codecs.lookup(charset).name in CHARSETS
    except LookupError:
        is_known = False
    if not is_known:
        raise RefusedError(400, f"the field {name!r} has a charset that the service does not read: {charset}")
    content = await _content(part, rules.max_text_bytes, f"the field {name!r}")
    try:
        return content.decode(charset)
    except UnicodeDecodeError as exc:
        raise RefusedError(400, f"the field {name!r} is no text in its charset: {exc}") from exc


async def _content(part: BodyPartReader, limit: int, what: str) -> bytes:
    content = bytearray()
    while block := await part.read_chunk(1 << 16):
        content += block
        if len(content) > limit:
            raise _too_large(what, limit)
    return bytes(content)


def _too_large(what: str, limit: int) -> RefusedError:
    return RefusedError(413, f"{what} is larger than {limit} bytes")

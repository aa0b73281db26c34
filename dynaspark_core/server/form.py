"""The request's form, read in pieces under the rules' limits: multipart or urlencoded → `Asked`."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, web

from dynaspark_core.server.engines import Asked, RefusedError
from dynaspark_core.server.rules import Rules

TEXT_FIELDS = frozenset({"user_input", "ai_model", "stream"})
IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
"""What the public clients send and the service takes."""

_REST_BYTES = 4096
"""Room in an urlencoded form for all but the prompt, whose bytes take up to three characters each: %XX."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content_type: str
    content: bytes


async def read_form(request: web.Request, rules: Rules) -> Asked:
    """What the form asks. Raises `RefusedError` (400, 413, 415) for a form that the service does not take."""
    texts: dict[str, str] = {}
    file: _File | None = None
    async for name, value in _parts(request, rules):
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
    body, limit = bytearray(), 3 * rules.max_text_bytes + _REST_BYTES
    async for block in request.content.iter_any():
        body += block
        if len(body) > limit:
            raise _too_large("the form", limit)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as exc:
        raise RefusedError(400, f"the form cannot be read: {exc}") from exc
    for name, value in pairs:
        if len(value.encode()) > rules.max_text_bytes:
            raise _too_large(f"the field {name!r}", rules.max_text_bytes)
        yield _known(name), value


async def _multipart(request: web.Request, rules: Rules) -> AsyncIterator[tuple[str, str | _File]]:
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if isinstance(part, MultipartReader):
                raise RefusedError(400, "the form holds a form")
            name = part.name or ""
            yield name, await (_file(part, rules) if name == "file" else _text(_known(name), part, rules))
    except (ValueError, web.HTTPException) as exc:
        raise RefusedError(400, f"the form cannot be read: {exc}") from exc


async def _file(part: BodyPartReader, rules: Rules) -> _File:
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
    content = await _content(part, rules.max_text_bytes, f"the field {name!r}")
    try:
        return content.decode(part.get_charset("utf-8"))
    except (LookupError, UnicodeDecodeError) as exc:
        raise RefusedError(400, f"the field {name!r} is no text in its charset: {exc}") from exc


async def _content(part: BodyPartReader, limit: int, what: str) -> bytes:
    content = bytearray()
    while block := await part.read_chunk(1 << 16):
        content += block
        if len(content) > limit:
            raise _too_large(what, limit)
    return bytes(content)


def _known(name: str) -> str:
    if name not in TEXT_FIELDS:
        raise RefusedError(400, f"there is no text field {name!r}: {', '.join(sorted(TEXT_FIELDS))}")
    return name


def _too_large(what: str, limit: int) -> RefusedError:
    return RefusedError(413, f"{what} is larger than {limit} bytes")

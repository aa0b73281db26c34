"""How an answer is sent: one JSON document, the same document in chunks, server-sent events, or a raw body."""

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import TypeVar

from aiohttp import web
from multidict import CIMultiDict

from dynaspark_core.messages import Usage
from dynaspark_core.server.engines import Answer, Body, RefusedError, Text

LOG = logging.getLogger(__name__)
T = TypeVar("T")
HAS_LEFT = web.RequestKey("has_left", bool)
"""Noted of a request whose client left before its answer had ended."""
JSON, EVENTS = "application/json", "text/event-stream"


def error_body(code: int | str, message: str, details: Mapping[str, object] | None = None) -> bytes:
    """The body of an error, in the richer of the two documented forms."""
    content: dict[str, object] = {"code": code, "message": message}
    return _json({"error": content | ({"details": details} if details else {})})


async def deliver(request: web.Request, answer: Answer, model: str, *, events: bool) -> web.StreamResponse:
    """The response: begun, or ready to be sent. Raises what the engine's pieces raise while nothing has been sent.

    A failure after that closes the connection, so that the client sees a body without an end and no short answer.
    """
    if answer.body is not None:
        return await _raw(request, answer, answer.body)
    if answer.status >= 400:
        async with aclosing(_pieces(answer.text)) as pieces:
            message = "".join([piece async for piece in pieces if isinstance(piece, str)])
        return await _raw(request, answer, error_body(answer.status, message))
    if isinstance(answer.text, str) and not events and not answer.cut:
        return await _raw(request, answer, _json({"response": answer.text} | _about(answer, model, answer.usage)))
    blocks = (_events if events else _document)(answer, model)
    return await send_chunks(request, answer, blocks, EVENTS if events else JSON)


async def _raw(request: web.Request, answer: Answer, body: Body) -> web.StreamResponse:
    whole = _json(body) if isinstance(body, Mapping) else body
    if not isinstance(whole, bytes):
        return await send_chunks(request, answer, _each(whole, bytes), answer.content_type)
    if answer.cut:
        return await send_chunks(request, answer, _each([whole], bytes), answer.content_type)
    return web.Response(body=whole, status=answer.status, headers=_headers(answer, answer.content_type))


async def send_chunks(
    request: web.Request, answer: Answer, blocks: AsyncGenerator[bytes], content_type: str
) -> web.StreamResponse:
    """The response, each block in a chunk of its own; nothing is sent before the first block is there."""
    response = web.StreamResponse(status=answer.status, headers=_headers(answer, content_type))
    try:
        async with aclosing(blocks):
            async for block in blocks:
                if not await _is_sent(request, response, block):
                    return response
    except Exception:
        if not response.prepared:
            raise
        LOG.exception("the engine failed in the middle of its answer")
        _hang_up(request)
    if answer.cut:
        _hang_up(request)
    return response


def _hang_up(request: web.Request) -> None:
    """Close the connection after what was sent. aiohttp then leaves out the end of the body."""
    if request.transport is not None:
        request.transport.close()


async def _is_sent(request: web.Request, response: web.StreamResponse, block: bytes) -> bool:
    """Whether the client is still there to get the block."""
    try:
        if not response.prepared:
            await response.prepare(request)
        await response.write(block)
    except ConnectionError:
        request[HAS_LEFT] = True
        return False
    return True


async def _document(answer: Answer, model: str) -> AsyncGenerator[bytes]:
    usage = answer.usage
    opening = b'{"response": "'
    async with aclosing(_pieces(answer.text)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Usage):
                usage = piece
            elif piece:
                yield opening + _json(piece)[1:-1]
                opening = b""
    yield opening + b'", ' + _json(_about(answer, model, usage))[1:]


async def _events(answer: Answer, model: str) -> AsyncGenerator[bytes]:
    usage = answer.usage
    async with aclosing(_pieces(answer.text)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Usage):
                usage = piece
            elif piece:
                yield event({"response": piece})
    yield event({"response": ""} | _about(answer, model, usage))
    yield b"data: [DONE]\n\n"


async def read_answer(answer: Answer, model: str) -> AsyncGenerator[str | dict[str, object]]:
    """The pieces of the answer's text, then the whole of it as the document has it. Raises `RefusedError`."""
    usage, texts = answer.usage, list[str]()
    if answer.body is not None:
        raise RefusedError(502, "the answer is a raw body, which is not shown here")
    async with aclosing(_pieces(answer.text)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Usage):
                usage = piece
            elif piece:
                texts.append(piece)
                if answer.status < 400:
                    yield piece
    if answer.status >= 400:
        raise RefusedError(answer.status, "".join(texts))
    yield {"response": "".join(texts)} | _about(answer, model, usage)


def event(content: Mapping[str, object]) -> bytes:
    """One server-sent event."""
    return b"data: " + _json(content) + b"\n\n"


def _about(answer: Answer, model: str, usage: Usage | None) -> dict[str, object]:
    """What the document holds beside the text."""
    about: dict[str, object] = {"model": answer.model or model}
    if usage is not None:
        about["usage"] = {name: value for name, value in asdict(usage).items() if name != "estimated"}
    return about | ({"metadata": dict(answer.metadata)} if answer.metadata else {})


def _headers(answer: Answer, content_type: str) -> CIMultiDict[str]:
    headers = CIMultiDict({"Content-Type": content_type})
    headers.update(answer.headers)
    return headers


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode(errors="backslashreplace")  # half a character: \\ud800


def _pieces(text: Text) -> AsyncGenerator[str | Usage]:
    return _each([text] if isinstance(text, str) else text, str, Usage)


async def _each(source: Iterable[T] | AsyncIterable[T], *kinds: type) -> AsyncGenerator[T]:
    """What the source gives, whichever way it comes; an asynchronous generator is closed when this one is.

    Raises `TypeError` for a piece of none of these kinds.
    """
    async with aclosing(_items(source)) as items:
        async for item in items:
            if not isinstance(item, kinds):
                raise TypeError(f"a piece of an answer has to be {kinds[0].__name__}, not {type(item).__name__}")
            yield item


async def _items(source: Iterable[T] | AsyncIterable[T]) -> AsyncGenerator[T]:
    if isinstance(source, AsyncGenerator):
        async with aclosing(source):
            async for item in source:
                yield item
    elif isinstance(source, AsyncIterable):
        async for item in source:
            yield item
    else:
        for item in source:
            yield item

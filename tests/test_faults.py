"""A server that misbehaves at the level of bytes: every fault is an error of ours that says what had arrived."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dynaspark_core import DynasparkClient, sessions
from dynaspark_core.errors import (
    AccessError,
    ConnectError,
    DynasparkError,
    ReplyError,
    RequestTimeoutError,
    StatusError,
    StreamBrokenError,
    TransportError,
    WakingUpError,
)

OK = b'{"response": "whole answer"}'


def answer(*lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", body])


def sized(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    return answer(b"Content-Length: %d" % len(body), *lines, body=body, status=status)


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED = b"Transfer-Encoding: chunked"
PACKED = b"Content-Encoding: gzip"

FAULTS: list[tuple[str, bytes, type[DynasparkError], str]] = [
    ("closed at once", b"", TransportError, ""),
    ("half a status line", b"HTTP/1.1 2", TransportError, ""),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", ReplyError, ""),
    ("a header that is none", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n", ReplyError, ""),
    ("an endless header", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", ReplyError, ""),
    ("shorter than its length", answer(b"Content-Length: 500", body=OK[:-8]), StreamBrokenError, "whole "),
    ("a chunk cut", answer(CHUNKED, body=b"ff\r\n" + OK[:-8]), StreamBrokenError, "whole "),
    ("no last chunk", answer(CHUNKED, body=chunks(OK[:-8])), StreamBrokenError, "whole "),
    ("a wrong chunk size", answer(CHUNKED, body=b"zz\r\n" + OK), DynasparkError, ""),
    ("JSON cut in a body that seems whole", sized(OK[:-8]), StreamBrokenError, "whole "),
    ("gzip that is none", sized(OK, PACKED), DynasparkError, ""),
    ("gzip cut", sized(gzip.compress(OK)[:-12], PACKED), StreamBrokenError, "whole answe"),
    ("a page", sized(b"<html>waking</html>", b"Content-Type: text/html"), WakingUpError, ""),
    ("a page of an error", sized(b"<html>" + b"x" * 99_999, status=b"502 Bad Gateway"), StatusError, ""),
    ("empty", sized(b""), ReplyError, ""),
    ("no content", answer(status=b"204 No Content"), StatusError, ""),
    ("null", sized(b"null"), ReplyError, ""),
    ("not UTF-8", sized(b'{"response": "\xff"}'), ReplyError, ""),
    ("an unknown charset", sized(b"x", b"Content-Type: text/plain; charset=klingon"), ReplyError, ""),
    ("a charset that is no text", sized(b"x", b"Content-Type: text/plain; charset=rot13"), ReplyError, ""),
    ("a page as plain text", sized(b" <!DOCTYPE html>", b"Content-Type: text/plain"), WakingUpError, ""),
    ("a code of 5,000 digits", sized(b'{"error": {"code": "0450' + b"9" * 5000 + b'"}}'), StatusError, ""),
    ("a refusal whose body breaks", answer(b"Content-Length: 99", body=b"n", status=b"401 No"), AccessError, ""),
    ("deep", sized(b'{"response": ' + b"[" * 100_000), ReplyError, ""),
    ("a redirect", sized(b"", b"Location: http://169.254.169.254/", status=b"302 Found"), StatusError, ""),
    ("a key is wanted by an HTML page", sized(b"<html>", status=b"401 Unauthorized"), AccessError, ""),
]


@asynccontextmanager
async def serving(data: bytes) -> AsyncIterator[tuple[str, list[int]]]:
    """The URL of a server that reads a request, writes these bytes and hangs up; and a list of the requests."""
    requests: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        requests.append(1)
        writer.write(data)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests
    finally:
        await sessions.close()
        server.close()


@pytest.mark.parametrize(("data", "kind", "text"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS])
async def test_a_fault_is_an_error_of_ours(data: bytes, kind: type[DynasparkError], text: str) -> None:
    async with serving(data) as (url, requests):
        client = DynasparkClient(base_url=url, max_retries=0)
        with pytest.raises(kind) as whole:
            await client.complete("x")
        with pytest.raises(kind) as streamed:
            _ = [piece async for piece in client.stream("x")]
    assert (whole.value.text, streamed.value.text) == (text, text)
    assert len(str(whole.value)) <= 1000
    assert str(whole.value).isprintable()
    assert "<html" not in str(whole.value)
    assert len(requests) == 2


async def test_a_bomb_of_zeros_is_refused_in_little_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"\0" * 2**20
    bomb = packer.compress(b'{"response": "') + b"".join(packer.compress(zeros) for _ in range(200)) + packer.flush()
    async with serving(sized(bomb, PACKED)) as (url, requests):
        with pytest.raises(DynasparkError):
            await DynasparkClient(base_url=url, max_retries=2).complete("x")
    assert len(requests) == 1


async def test_bytes_that_drip_meet_the_deadline() -> None:
    """Neither a body without end nor endless interim answers keep an attempt longer than its timeout."""
    for data in (answer(CHUNKED, body=chunks(b" ")), b"HTTP/1.1 100 Continue\r\n\r\n"):
        async with dripping(data) as url:
            with pytest.raises(RequestTimeoutError):
                await DynasparkClient(base_url=url, max_retries=0, timeout=0.3).complete("x")


@asynccontextmanager
async def dripping(data: bytes) -> AsyncIterator[str]:
    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(data)
            while not writer.is_closing():
                writer.write(chunks(b" ") if b"chunked" in data else data)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        await sessions.close()
        server.close()


async def test_tls_with_a_plain_server_is_not_asked_again() -> None:
    connections = 0

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(sized(OK))
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(ConnectError, match="no secure connection") as caught:
        await DynasparkClient(base_url=url, max_retries=2).complete("x")
    assert (connections, caught.value.is_retryable) == (1, False)
    server.close()


async def test_a_host_that_does_not_exist_is_a_connect_error() -> None:
    with pytest.raises(ConnectError, match=r"no connection to nowhere\.invalid"):
        await DynasparkClient(base_url="http://nowhere.invalid", max_retries=0).complete("x")

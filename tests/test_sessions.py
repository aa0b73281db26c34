"""The pool, against a server that writes raw bytes: reuse, and connections that must not be reused."""

import asyncio
import gc
import logging
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from dynaspark_core import Chat, DynasparkClient, Message, TextDelta
from dynaspark_core.transport import sessions

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def http(text: str) -> bytes:
    body = f'{{"response": "{text}"}}'.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def request(reader: asyncio.StreamReader) -> bool:
    """Whether another whole request came."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
    except (asyncio.IncompleteReadError, ConnectionError):
        return False
    return True


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[tuple[str, list[int]]]:
    """The URL, and a list with a number for each connection that was made."""
    connections: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections) + 1)
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
    finally:
        await sessions.close()
        server.close()


async def test_calls_share_one_connection_also_those_of_many_clients() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(http("ok"))

    async with serving(talk) as (url, connections):
        for _ in range(5):
            assert (await DynasparkClient(base_url=url).complete("x")).text == "ok"
        assert connections == [1]


async def test_bytes_pushed_while_a_connection_was_idle_are_no_answer() -> None:
    idle, pushed = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(http("asked"))
            await idle.wait()
            writer.write(http("pushed"))
            await writer.drain()
            pushed.set()

    async with serving(talk) as (url, connections):
        client = DynasparkClient(base_url=url, max_retries=0)
        assert (await client.complete("x")).text == "asked"
        idle.set()
        await pushed.wait()
        assert (await client.complete("x")).text == "asked"
        assert connections == [1, 2]


async def test_a_connection_that_the_server_closed_costs_no_request() -> None:
    requests = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        requests += await request(reader)
        writer.write(http("ok"))

    async with serving(talk) as (url, connections):
        client = DynasparkClient(base_url=url, max_retries=0)
        assert [(await client.complete("x")).text for _ in range(3)] == ["ok"] * 3
        assert (connections, requests) == ([1, 2, 3], 3)


async def test_a_reset_of_an_idle_connection_is_logged_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    idle, is_reset = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        head, blank, body = http("one").partition(b"\r\n\r\n")
        writer.write(head + blank)
        for _turn in range(20):  # the client reads the head and waits for the rest
            await asyncio.sleep(0)
        writer.write(body)
        await (reader.read() if is_reset.is_set() else idle.wait())
        opened = writer.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        is_reset.set()

    async with serving(talk) as (url, _):
        await DynasparkClient(base_url=url).complete("x")
        ((kept, _),) = next(iter((await sessions.for_this_loop()).pool._conns.values()))
        idle.set()
        closed = kept.closed
        assert closed is not None
        await asyncio.wait([closed])
        del kept, closed
        await DynasparkClient(base_url=url).complete("x")
        gc.collect()
        await sessions.close()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_closing_is_possible_at_any_time_and_the_next_call_opens_anew() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(http("ok"))

    async with serving(talk) as (url, connections):
        await sessions.close()
        for _ in range(2):
            assert (await DynasparkClient(base_url=url).complete("x")).text == "ok"
            await sessions.close()
        assert connections == [1, 2]


async def test_a_whole_answer_whose_events_are_left_holds_no_place() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            writer.write(http("ok"))

    async with serving(talk) as (url, _):
        client = DynasparkClient(base_url=url, max_concurrency=1, timeout=5)
        left = client.events(Chat((Message("user", ("x",)),)), is_whole=True)
        assert isinstance(await anext(left), TextDelta)
        assert (await client.complete("x")).text == "ok"
        await left.aclose()

"""A server that misbehaves, over real sockets: a listener does to every connection what its `Talk` says.

Written from the ways hosts break, at the level of bytes; it knows nothing of the client. It has a thread of its own.
"""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

T = TypeVar("T")
GONE = (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError)
"""What a visitor that leaves looks like."""
MAX_FLOOD_BYTES = 64 * 2**20
"""Bytes after which a flood ends: whoever has taken so much has no cap."""
BETWEEN_DRIPS = 0.02
"""Seconds."""


@dataclass(eq=False)
class Listener:
    """One port; `requests` holds the heads and bodies that came, `now` the connections that are open."""

    url: str
    talk: "Talk"
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    now: set["Visit"] = field(default_factory=set)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    server: asyncio.Server | None = None
    kept: socket.socket | None = None

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        self.now.add(visit)
        try:
            await self.talk(visit)
        except (*GONE, asyncio.CancelledError):  # the last is what `close` sends
            pass
        finally:
            self.now.discard(visit)
            self.tasks.discard(task)
            writer.transport.abort() if visit.is_reset else writer.close()


@dataclass(eq=False)
class Visit:
    """One connection, as the fault sees it."""

    listener: Listener
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_reset: bool = False

    async def head(self) -> bytes:
        """The next request's head; it counts as a request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.listener.requests.append(head)
        return head

    async def request(self) -> bytes:
        """The next request, whole."""
        head = await self.head()
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        body = await self.reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)
        self.listener.requests[-1] = head + body
        return head + body

    @property
    def number(self) -> int:
        """Of this listener's last request; the first is 0."""
        return len(self.listener.requests) - 1

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def end(self, data: bytes) -> None:
        """Sends this as the last; the FIN comes with it, so that nobody takes the connection for one that stays."""
        if hasattr(socket, "TCP_CORK"):
            self.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.writer.write(data)
        with suppress(OSError):  # the visitor may have left
            if self.writer.can_write_eof():
                self.writer.write_eof()
            await self.writer.drain()

    async def gone(self) -> None:
        """Returns when the visitor hangs up."""
        while await self.reader.read(2**16):
            pass

    def reset(self) -> None:
        """The connection ends in an RST, not in a FIN."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_reset = True


Talk = Callable[[Visit], Awaitable[None]]
Said = bytes | Callable[[bytes], bytes]
"""An answer's bytes, or what makes them of the request."""


class FaultServer:
    """The thread, from `with` to its end; `open` gives a listener."""

    def __enter__(self) -> Self:
        self._loop = asyncio.SelectorEventLoop()
        self._loop.set_debug(False)
        self._thread = threading.Thread(target=self._loop.run_forever, name="faults")
        self._thread.start()
        self._listeners: list[Listener] = []
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._listeners:
            self.close(listener)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def open(self, talk: Talk, tls: ssl.SSLContext | None = None) -> Listener:
        listener = self._do(self._opened(talk, tls))
        self._listeners.append(listener)
        return listener

    async def _opened(self, talk: Talk, tls: ssl.SSLContext | None) -> Listener:
        listener = Listener("", talk)
        listener.server = await asyncio.start_server(listener.met, "127.0.0.1", 0, ssl=tls, backlog=512)
        port = listener.server.sockets[0].getsockname()[1]
        listener.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        return listener

    def close(self, listener: Listener) -> None:
        """Closes the port and whatever is still open on it."""
        self._do(self._closed(listener))

    def refuse(self, listener: Listener) -> None:
        """Refuses connections from now on. The port stays taken until `close`, so that no other listener gets it."""
        self.close(listener)
        listener.kept = socket.socket()
        listener.kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.kept.bind(("127.0.0.1", listener.port))

    async def _closed(self, listener: Listener) -> None:
        assert listener.server is not None
        listener.server.close()
        if listener.kept is not None:
            listener.kept.close()
        for task in list(listener.tasks):
            task.cancel()
        await asyncio.gather(*listener.tasks, return_exceptions=True)
        await asyncio.sleep(0)


def _bytes(said: Said, request: bytes) -> bytes:
    return said if isinstance(said, bytes) else said(request)


def says(*answers: Said) -> Talk:
    """Answers each request with the next of these, the last for ever, and hangs up after each."""

    async def talk(visit: Visit) -> None:
        request = await visit.request()
        await visit.end(_bytes(answers[min(visit.number, len(answers) - 1)], request))

    return talk


def keeps(*answers: Said) -> Talk:
    """As `says`, on connections that stay open."""

    async def talk(visit: Visit) -> None:
        while True:
            request = await visit.request()
            await visit.send(_bytes(answers[min(visit.number, len(answers) - 1)], request))

    return talk


def stalls(*data: bytes) -> Talk:
    """Sends these pieces, and then nothing, on a connection that stays open."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        for piece in data:
            await visit.send(piece)
        await visit.gone()

    return talk


def drips(data: bytes, drop: bytes) -> Talk:
    """Sends this, then a drop every few milliseconds, without end."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        await visit.send(data)
        while not visit.writer.is_closing():
            await visit.send(drop)
            await asyncio.sleep(BETWEEN_DRIPS)

    return talk


def floods(data: bytes, piece: bytes) -> Talk:
    """Sends this, then the piece again and again, as fast as it is taken."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        await visit.send(data)
        for _ in range(MAX_FLOOD_BYTES // len(piece)):
            await visit.send(piece)

    return talk


def halves(first: bytes, second: bytes) -> Talk:
    """Sends the second when the first has had the time to arrive, and then nothing, on a connection that stays open."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        await visit.send(first)
        await asyncio.sleep(BETWEEN_DRIPS)
        await visit.send(second)
        await visit.gone()

    return talk


def resets(data: bytes) -> Talk:
    """Sends this, and ends in an RST when it has had the time to arrive."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        await visit.send(data)
        await asyncio.sleep(BETWEEN_DRIPS)
        visit.reset()

    return talk


def leaves(*, is_reset: bool = False) -> Talk:
    """Hangs up without reading a request."""

    async def talk(visit: Visit) -> None:
        visit.listener.requests.append(b"")
        if is_reset:
            visit.reset()

    return talk


def interrupts(data: bytes) -> Talk:
    """Answers when it has read the head, and hangs up; the body goes to nobody, as web servers do it."""

    async def talk(visit: Visit) -> None:
        await visit.head()
        await visit.send(data)
        visit.writer.write_eof()
        await visit.gone()

    return talk


async def deaf(visit: Visit) -> None:
    """Reads a request's head and nothing more."""
    await visit.head()
    visit.writer.transport.pause_reading()  # type: ignore[attr-defined]  # sockets can
    await asyncio.Event().wait()


def blurts(first: bytes, data: bytes) -> Talk:
    """Answers a request with `first`, if given, and then whatever comes with `data`: a plain server that meets TLS."""

    async def talk(visit: Visit) -> None:
        if first:
            await visit.request()
            await visit.send(first)
        else:
            visit.listener.requests.append(b"")
        await visit.reader.read(1)
        await visit.send(data)

    return talk

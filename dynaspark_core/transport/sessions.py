"""One connection pool for each event loop, shared by every client on it; it ends with its loop. Posts nothing itself.

An async generator holds the pool: `asyncio.run` closes the generators that were left open, and so the pool. A loop that
is closed without that is noticed when the next pool is opened, or at exit.
"""

import asyncio
import atexit
import os
import select
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any, Literal

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from dynaspark_core.errors import RequestTimeoutError

KEEP_ALIVE_SECONDS = 60.0
"""Seconds an idle connection is kept. A stale one costs nothing, as each is looked at before it is used again."""


class Pool(aiohttp.TCPConnector):
    """A connector that never hands out a connection on which something arrived while it was idle.

    aiohttp takes such bytes for the next call's answer (aiohttp #13656); an end of file there is a lost request.
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None and _has_spoken(connection):
            connection.close()
        return connection

    def abandon(self) -> None:
        """Closes the sockets of a loop that is closed and so cannot do it; what asyncio defers is done at once."""
        self._loop.call_soon = _now  # type: ignore[method-assign, assignment]  # the loop is dead: nobody else calls it
        protocols = [protocol for idle in self._conns.values() for protocol, _ in idle] + list(self._acquired)
        for transport in [protocol.transport for protocol in protocols if protocol.transport]:
            with suppress(Exception):  # another kind of loop has closed its transports itself
                transport.abort()
        self._close()


def _now(callback: Callable[..., Any], *args: Any, context: object = None) -> None:
    callback(*args)


def _has_spoken(connection: Connection) -> bool:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None or protocol.should_close:
        return True
    socket = transport.get_extra_info("socket")
    return socket is None or _is_readable(socket.fileno())


def _is_readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class Slots:
    """Lets at most `limit` requests be under way; it gives up on nobody as long as places come free."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._places = asyncio.Semaphore(limit)
        self._count = 0

    async def acquire(self, patience: float) -> None:
        """Takes a place. Raises `RequestTimeoutError` when none has come free for `patience` seconds.

        Each attempt has its deadline, so only answers that nobody reads on can hold all places for that long.
        """
        if not self._places.locked():
            await self._places.acquire()
            return
        turn = asyncio.ensure_future(self._places.acquire())
        try:
            await self._wait(turn, patience)
        except BaseException:
            if not turn.cancel():
                self._places.release()
            raise

    async def _wait(self, turn: asyncio.Future[Literal[True]], patience: float) -> None:
        while not turn.done():
            seen = self._count
            await asyncio.wait({turn}, timeout=patience)
            if not turn.done() and self._count == seen:
                raise RequestTimeoutError(_no_place(self._limit, patience), is_retryable=False)

    def release(self) -> None:
        """Gives the place back."""
        self._count += 1
        self._places.release()


def _no_place(limit: int, seconds: float) -> str:
    return (
        f"none of the {limit} places of max_concurrency came free for {seconds:g} s: open streams hold them; "
        "read streams to their end or close them before the next call, or raise max_concurrency"
    )


class Sessions:
    """What one loop has: the session, and a slots for each limit on concurrent requests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pool = Pool(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, loop=loop)
        self.session = aiohttp.ClientSession(
            connector=self.pool, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout()
        )
        self._slots: dict[tuple[str, int], Slots] = {}
        self._keeper = self._keep(loop)

    async def open(self) -> "Sessions":
        await anext(self._keeper)
        return self

    async def close(self) -> None:
        await self._keeper.aclose()

    async def _keep(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            _open.pop(loop, None)
            await self.session.close()

    def slots(self, origin: str, limit: int) -> Slots:
        """The slots that lets at most `limit` requests to `origin` be under way on this loop."""
        slots = self._slots.get((origin, limit))
        return slots or self._slots.setdefault((origin, limit), Slots(limit))


_open: dict[asyncio.AbstractEventLoop, Sessions] = {}
_inherited: list[dict[asyncio.AbstractEventLoop, Sessions]] = []
_lock = threading.Lock()


async def for_this_loop() -> Sessions:
    """The running loop's sessions; opened by the first call on it."""
    loop = asyncio.get_running_loop()
    return _open.get(loop) or await _opened(loop)


async def close() -> None:
    """Closes the running loop's pool; the next request opens a new one. Never needed, harmless at any time."""
    if own := _open.get(asyncio.get_running_loop()):
        await own.close()


async def _opened(loop: asyncio.AbstractEventLoop) -> Sessions:
    own = _open[loop] = Sessions(loop)
    _abandon_closed_loops()
    return await own.open()


def _abandon_closed_loops(*, is_exit: bool = False) -> None:
    with _lock:
        dead = [loop for loop in list(_open) if loop.is_closed() or (is_exit and not loop.is_running())]
        for own in [_open.pop(loop, None) for loop in dead]:
            if own is not None:
                own.pool.abandon()


def _after_fork() -> None:
    """A child has none of its parent's pools; it may not close them either, as they share the loop's selector."""
    global _lock  # noqa: PLW0603  # the parent may have held it
    _lock = threading.Lock()
    _inherited.append(dict(_open))
    _open.clear()


atexit.register(_abandon_closed_loops, is_exit=True)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

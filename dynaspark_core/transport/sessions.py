"""One connection pool for each event loop, shared by every client on it; it ends with its loop. Posts nothing itself.

An async generator holds the pool: `asyncio.run` closes the generators that were left open, and so the pool. A loop that
is closed without that is noticed when the next pool is opened, or at exit.
"""

import asyncio
import atexit
import os
import select
import socket
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from dynaspark_core.errors import RequestTimeoutError
from dynaspark_core.transport.clock import Clock
from dynaspark_core.transport.settings import CONNECT_TIMEOUT_SECONDS
from dynaspark_core.wire import http

_CONNECTING = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_SECONDS)
"""The whole attempt's seconds are counted in `Attempt`."""
KEEP_ALIVE_SECONDS = 60.0
"""Seconds an idle connection is kept. A stale one costs nothing, as each is looked at before it is used again."""
_POLL = getattr(select, "poll", None)  # Windows has none


class Pool(aiohttp.TCPConnector):
    """A connector that never hands out a connection on which something arrived while it was idle.

    aiohttp takes such bytes for the next call's answer (aiohttp #13656); an end of file there is a lost request.
    """

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None and _has_unread_bytes(connection):
            connection.close()
        return connection

    def abandon(self) -> None:
        """Close the sockets of a loop that is closed and so cannot do it; what asyncio defers is done at once."""
        self._loop.call_soon = _call_now  # type: ignore[method-assign, assignment]  # the loop is dead: nobody else calls it
        protocols = [protocol for idle in self._conns.values() for protocol, _ in idle] + list(self._acquired)
        for transport in [protocol.transport for protocol in protocols if protocol.transport]:
            with suppress(Exception):  # another kind of loop has closed its transports itself
                transport.abort()
        self._close()


_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 60, "TCP_KEEPCNT": 5}
"""Seconds of silence, seconds between probes, probes: routers of companies forget a connection after some minutes."""


def _open_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for an address as `getaddrinfo` describes it, whose silence is probed."""
    family, kind, protocol, *_ = info
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if option := getattr(socket, name, None):
            opened.setsockopt(socket.IPPROTO_TCP, option, value)
    return opened


def _call_now(callback: Callable[..., Any], *args: Any, context: object = None) -> None:
    callback(*args)


def _has_unread_bytes(connection: Connection) -> bool:
    protocol = connection.protocol
    if protocol is None or protocol.transport is None or protocol.should_close:
        return True
    opened = protocol.transport.get_extra_info("socket")
    if opened is None:
        return True
    if _POLL is None:
        return bool(select.select([opened.fileno()], [], [], 0)[0])
    poll = _POLL()
    poll.register(opened.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class Slots:
    """Slots for `limit` requests. A waiter times out only when no slot was released for `patience` seconds.

    A slot that is released while somebody waits is handed over: waiters get theirs in the order in which they came.
    """

    def __init__(self, limit: int) -> None:
        self._limit = self._free = limit
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._released = 0

    def take(self) -> bool:
        """Take a free slot; False where there is none."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def acquire(self, patience: float) -> None:
        """Take a slot. Raises `RequestTimeoutError` when none was released for `patience` seconds.

        Each attempt has its deadline, so only answers that are no longer read can hold all slots for that long.
        """
        if self.take():
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await self._wait(turn, patience)
        except BaseException:
            if turn.done():
                self.release()
            else:
                self._waiting.remove(turn)
            raise

    async def _wait(self, turn: asyncio.Future[None], patience: float) -> None:
        while not turn.done():
            seen = self._released
            await asyncio.wait({turn}, timeout=patience)
            if not turn.done() and self._released == seen:
                raise RequestTimeoutError(
                    f"all {self._limit} requests allowed by max_concurrency are still open after {patience:g} s "
                    "(unread streams?); read streams to their end or close them before the next call, or raise "
                    "max_concurrency",
                    is_retryable=False,
                )

    def release(self) -> None:
        """Give the slot back, or to the next who waits."""
        self._released += 1
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1


class Sessions:
    """What one loop has: a pool, a clock, for each service a session, and the slots of each limit on its requests."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.pool = Pool(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS, loop=loop, socket_factory=_open_socket)
        self.clock = Clock(loop)
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._slots: dict[tuple[str, int], Slots] = {}
        self._lifetime = self._until_closed(loop)

    async def open(self) -> "Sessions":
        await anext(self._lifetime)
        loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.BaseEventLoop):
            loop.close = partial(self._close_before, loop.close)  # type: ignore[method-assign]  # see there
        return self

    def _close_before(self, close: Callable[[], None]) -> None:
        """Close the pool, then the loop: uvloop warns of sockets that are open then, before anybody else can act."""
        if not self._loop.is_closed() and not self._loop.is_running():
            self._loop.run_until_complete(self.close())
            self._loop.run_until_complete(asyncio.sleep(0))  # the sockets' own turn
        close()

    async def close(self) -> None:
        await self._lifetime.aclose()

    async def _until_closed(self, loop: asyncio.AbstractEventLoop) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            _open.pop(loop, None)
            for session in self._sessions.values():
                session.detach()
            if not self.pool.closed:  # by `abandon`; nothing may be awaited where the garbage collector ends this
                await self.pool.close()

    def session(self, origin: str) -> aiohttp.ClientSession:
        """The session for requests to `origin`; aiohttp takes a session's own headers as they are, which is cheap."""
        return self._sessions.get(origin) or self._sessions.setdefault(origin, self._new_session(origin))

    def _new_session(self, origin: str) -> aiohttp.ClientSession:
        session = aiohttp.ClientSession(
            connector=self.pool,
            connector_owner=False,
            headers=http.headers(origin),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_CONNECTING,
        )
        # aiohttp sends a GET once more by itself where the connection breaks, beside our attempts and uncounted
        session._retry_connection = False  # noqa: SLF001  # there is no public way
        return session

    def slots(self, origin: str, limit: int) -> Slots:
        """The slots for at most `limit` requests at a time to `origin` on this loop."""
        return self._slots.get((origin, limit)) or self._slots.setdefault((origin, limit), Slots(limit))


_open: dict[asyncio.AbstractEventLoop, Sessions] = {}
_inherited: list[dict[asyncio.AbstractEventLoop, Sessions]] = []
_lock = threading.Lock()


def opened() -> Sessions | None:
    """The running loop's sessions, if they are open."""
    return _open.get(asyncio.get_running_loop())


async def for_this_loop() -> Sessions:
    """The running loop's sessions; opened by the first call on it."""
    if own := opened():
        return own
    loop = asyncio.get_running_loop()
    own = _open[loop] = Sessions(loop)
    _abandon_closed_loops()
    return await own.open()


async def close() -> None:
    """Close the running loop's pool; the next request opens a new one. Never needed, harmless at any time."""
    if own := opened():
        await own.close()


def _abandon_closed_loops(*, is_exit: bool = False) -> None:
    with _lock:
        dead = [loop for loop in list(_open) if loop.is_closed() or (is_exit and not loop.is_running())]
        for own in [_open.pop(loop, None) for loop in dead]:
            if own is not None:
                own.pool.abandon()


def _after_fork() -> None:
    """Forget the parent's pools without closing them: a child shares the loop's selector with its parent."""
    global _lock  # noqa: PLW0603  # the parent may have held it
    _lock = threading.Lock()
    _inherited.append(dict(_open))
    _open.clear()


atexit.register(_abandon_closed_loops, is_exit=True)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

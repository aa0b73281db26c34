"""One attempt: its answer's head and bytes are waited for and read. It decides nothing.

It logs at DEBUG under `dynaspark_core`: a request's number, bytes, status, seconds; no prompt, answer or key.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TypeVar

import aiohttp

from dynaspark_core.errors import ReplyError, RequestTimeoutError, TransportError
from dynaspark_core.exchange import AnswerReader, Exchange
from dynaspark_core.messages import Event
from dynaspark_core.transport.aiohttp_errors import FOREIGN, Guard, watch_framing
from dynaspark_core.transport.quotas import Quota
from dynaspark_core.wire import http
from dynaspark_core.wire.redaction import Redactor

T = TypeVar("T")
_PIECE_BYTES = 64 * 1024
"""Bytes of an answer that are read at a time."""
_MAX_ERROR_BYTES = 64 * 1024
_WITHOUT_ANSWER = frozenset({204, 205, 206})
"""No content, or a part of it."""

_log = logging.getLogger("dynaspark_core")


class Attempt:
    """One request and its HTTP answer, read as far as its events are asked for.

    `seconds` are what may be spent on waiting for it; the time that its reader takes between two reads does not count.
    """

    _reader: AnswerReader

    def __init__(
        self, exchange: Exchange, redactor: Redactor, seconds: float, name: str, quota: Quota, *, has_proxy: bool
    ) -> None:
        self._exchange = exchange
        self._has_proxy = has_proxy
        self._guard = Guard(redactor, name)
        self._seconds = self._left = seconds
        self._name = name
        self._quota = quota
        self._size = 0
        self._is_over = False
        self._response: aiohttp.ClientResponse | None = None
        self._end_watch: Callable[[], object] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self._since: float | None = None
        self._task: asyncio.Task[object] | None = None
        self._is_late = False

    async def begin(self, posted: Awaitable[aiohttp.ClientResponse]) -> None:
        """Wait for the answer's head. Raises `TransportError` or `StatusError`."""
        with self._guard:
            response = self._response = await self._in_time(posted)
            self._end_watch = watch_framing(response)
            now = time.time()
            _log.debug("request %s: status %d after %.3f s", self._name, response.status, self._seconds - self._left)
            if response.status == 407 and self._has_proxy:  # as aiohttp does for an answer to CONNECT
                raise aiohttp.ClientHttpProxyError(response.request_info, (), status=407, headers=response.headers)
            await self._quota.note_headers(response.headers, now)
            if not 200 <= response.status < 300 or response.status in _WITHOUT_ANSWER:
                raise http.status_error(response.status, response.headers, await self._error_body(), now)
            self._reader = self._guard.reader = self._exchange.reader(response.headers, now)

    @property
    def head(self) -> tuple[int, Mapping[str, str]]:
        """The answer's status and its headers, which are case-insensitive; `begin` comes first."""
        assert self._response is not None  # noqa: S101  # see the docstring
        return self._response.status, self._response.headers

    async def more(self, *, is_whole: bool = False) -> list[Event]:
        """The next events, or all that are left; none when the answer has ended."""
        events: list[Event] = []
        with self._guard:
            while not self._is_over and (is_whole or not events):
                data, is_last = await self._read()
                is_end = is_last and (is_whole or not data)  # a stream shows what came before a broken end
                events += [] if is_end else self._reader.feed(data)
                if is_end or self._reader.is_finished:
                    self._is_over = True
                    events += self._reader.close(data if is_end else b"")
                    _log.debug("request %s: %d bytes in %.3f s", self._name, self._size, self._seconds - self._left)
        return events

    async def _read(self) -> tuple[bytes, bool]:
        """The next bytes, and whether they are the last."""
        assert self._response is not None  # noqa: S101  # `begin` comes first
        content = self._response.content
        data = content.read_nowait(_PIECE_BYTES)
        if not data and not content.at_eof():
            data = await self._in_time(content.read(_PIECE_BYTES))
        elif len(data) == _PIECE_BYTES:
            await asyncio.sleep(0)  # more is there: others on the loop go first
        self._size += len(data)
        return data, not data or content.at_eof()

    async def _in_time(self, awaited: Awaitable[T]) -> T:
        """What is awaited, in the seconds that are left. One timer serves all waits, which saves a tenth of a piece."""
        task = self._task = asyncio.current_task()
        assert task is not None  # noqa: S101  # whoever awaits sockets is in a task
        before = task.cancelling()
        self._since = time.monotonic()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._left, self._check_clock)
        try:
            return await awaited
        finally:
            self._left -= time.monotonic() - self._since
            self._since = None
            if self._is_late and task.uncancel() <= before:
                raise self._late() from TimeoutError("no bytes in time")

    def _check_clock(self) -> None:
        """End the wait when its seconds are over; while the reader is at work, nothing waits."""
        self._timer = None
        if self._since is None:
            return
        left = self._left - (time.monotonic() - self._since)
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._check_clock)
        elif self._task is not None:
            self._is_late = True
            self._task.cancel()

    def _late(self) -> RequestTimeoutError:
        message = f"the service took longer than timeout={self._seconds:g} s"
        return RequestTimeoutError(message, text=self._guard.text)

    async def _error_body(self) -> bytes:
        """What can be had of it: the status alone already says what happened."""
        body = b""
        try:
            is_over = False
            while len(body) < _MAX_ERROR_BYTES and not is_over:
                data, is_over = await self._read()
                body += data
        except (TransportError, ReplyError, *FOREIGN):
            pass
        return body

    def close(self) -> None:
        """Give the connection back, or close it when the answer was not read to its end."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end_watch()
        if self._response is not None:
            self._response.close()

    def __del__(self) -> None:
        """Close what a stream left open whose loop is gone: nobody else can, and aiohttp would warn."""
        response = getattr(self, "_response", None)
        if response is not None and (connection := response.connection) is not None:
            response.close()
            with suppress(RuntimeError):  # the loop is closed
                connection.close()

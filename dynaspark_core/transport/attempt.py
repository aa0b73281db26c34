"""One attempt: its answer's head and bytes are waited for and read. It decides nothing.

It logs at DEBUG under `dynaspark_core`: a request's number, bytes, status, seconds; no prompt, answer or key.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NoReturn

import aiohttp

from dynaspark_core.errors import ReplyError, RequestTimeoutError, TransportError
from dynaspark_core.exchange import AnswerReader, Exchange
from dynaspark_core.messages import Event
from dynaspark_core.transport.aiohttp_errors import FOREIGN, nothing, watch_framing, without_secrets
from dynaspark_core.transport.clock import Clock
from dynaspark_core.transport.endpoint import Endpoint
from dynaspark_core.transport.sessions import Slots
from dynaspark_core.wire import http

_PIECE_BYTES = 64 * 1024
"""Bytes of an answer that are read at a time."""
_MAX_ERROR_BYTES = 64 * 1024
_WITHOUT_ANSWER = frozenset({204, 205, 206})
"""No content, or a part of it."""

_log = logging.getLogger("dynaspark_core")


def _refuse_proxy(response: aiohttp.ClientResponse) -> NoReturn:
    """Raise what aiohttp raises for such an answer to CONNECT."""
    raise aiohttp.ClientHttpProxyError(response.request_info, (), status=407, headers=response.headers)


class Attempt:
    """One request and its HTTP answer, read as far as its events are asked for; it holds a slot until it is closed.

    `events` are those that came first. The endpoint's `seconds` are what may be spent on waiting for the answer; the
    time that its reader takes between two reads does not count.
    """

    events: list[Event]
    _response: aiohttp.ClientResponse | None = None
    _reader: AnswerReader | None = None
    _end_watch: Callable[[], object] = staticmethod(nothing)
    _clock: Clock
    _task: asyncio.Task[object] | None = None
    _is_late = _is_over = False
    _size = 0

    def __init__(self, exchange: Exchange, endpoint: Endpoint, name: str, slots: Slots) -> None:
        self._exchange = exchange
        self._endpoint = endpoint
        self._name = name
        self._slots = slots
        self._left = endpoint.seconds
        self._is_logged = _log.isEnabledFor(logging.DEBUG)

    async def begin(self, posted: Awaitable[aiohttp.ClientResponse], clock: Clock) -> None:
        """Wait for the answer's head. Raises `TransportError` or `StatusError`."""
        self._clock = clock
        try:
            response = self._response = await self._head(posted)
            self._end_watch = watch_framing(response)
            now = time.time()
            if self._is_logged:
                _log.debug("request %s: status %d after %.3f s", self._name, response.status, self._seconds)
            if response.status == 407 and self._endpoint.has_proxy:
                _refuse_proxy(response)
            if news := self._endpoint.quota.noted(response.headers, now):
                await news
            if response.status != 200:
                await self._check_status(response, now)
            self._reader = self._exchange.reader(response.headers, now)
        except BaseException as exc:
            self._clean(exc)
            raise

    async def _check_status(self, response: aiohttp.ClientResponse, now: float) -> None:
        """Raise `StatusError` for an answer that is none."""
        if not 200 <= response.status < 300 or response.status in _WITHOUT_ANSWER:
            raise http.status_error(response.status, response.headers, await self._error_body(response.content), now)

    async def _head(self, posted: Awaitable[aiohttp.ClientResponse]) -> aiohttp.ClientResponse:
        """The answer, once it has begun. Raises `RequestTimeoutError` where the clock cancelled the task."""
        task = self._task = asyncio.current_task(self._clock.loop)
        assert task is not None  # noqa: S101  # whoever awaits sockets is in a task
        cancellations = task.cancelling()
        since = time.monotonic()
        self._clock.watch(self, since + self._left)
        try:
            return await posted
        finally:
            self._clock.forget(self)
            self._left -= time.monotonic() - since
            if self._is_late and task.uncancel() <= cancellations:
                raise self._late_error()

    async def more(self, *, is_whole: bool = False) -> list[Event]:
        """The next events, or all that are left; none when the answer has ended."""
        events: list[Event] = []
        reader, response = self._reader, self._response
        assert reader is not None and response is not None  # noqa: PT018, S101  # `begin` comes first
        content = response.content
        try:
            while not self._is_over and (is_whole or not events):
                is_here = content.total_bytes > self._size
                data = content.read_nowait(_PIECE_BYTES) if is_here else await self._in_time(content.read(_PIECE_BYTES))
                self._size += len(data)
                is_end = not data or (is_whole and content.at_eof())  # a stream shows what came before a broken end
                events += [] if is_end else reader.feed(data)
                if is_end or reader.is_finished:
                    self._is_over = True
                    events += reader.close(data if is_end else b"")
                    if self._is_logged:
                        _log.debug("request %s: %d bytes in %.3f s", self._name, self._size, self._seconds)
                elif len(data) == _PIECE_BYTES:
                    await asyncio.sleep(0)  # more is there: others on the loop go first
        except BaseException as exc:
            self._clean(exc)
            raise
        return events

    async def _in_time(self, arriving: Awaitable[bytes]) -> bytes:
        """What arrives while seconds are left; only this wait takes some of them."""
        since = time.monotonic()
        self._clock.watch(self, since + self._left)
        try:
            return await arriving
        finally:
            self._clock.forget(self)
            self._left -= time.monotonic() - since

    def expire(self) -> None:
        """End the wait: the seconds are over."""
        if self._response is not None:
            self._response.content.set_exception(self._late_error())
        elif self._task is not None:
            self._is_late = True
            self._task.cancel()

    def _late_error(self) -> RequestTimeoutError:
        message = f"the service took longer than timeout={self._endpoint.seconds:g} s"
        error = RequestTimeoutError(message, text=self._text)
        error.__cause__ = TimeoutError("no bytes in time")
        return error

    @property
    def _seconds(self) -> float:
        """Those that were waited so far."""
        return self._endpoint.seconds - self._left

    @property
    def _text(self) -> str:
        """What has arrived of the answer."""
        return "" if self._reader is None else self._reader.text

    def _clean(self, exc: BaseException) -> None:
        """Remove secrets from the error. Raises ours in the place of one of aiohttp's; a cancellation passes."""
        error = without_secrets(exc, self._endpoint.redactor, self._text)
        _log.debug("request %s: %s", self._name, type(error).__name__)
        if error is not exc:
            raise error from exc

    async def _error_body(self, content: aiohttp.StreamReader) -> bytes:
        """What can be had of it: the status alone already says what happened."""
        body = b""
        try:
            while len(body) < _MAX_ERROR_BYTES and (data := await self._in_time(content.read(_PIECE_BYTES))):
                body += data
        except (TransportError, ReplyError, *FOREIGN):
            pass
        return body

    def close(self) -> None:
        """Give the slot and the connection back."""
        self._slots.release()
        self._end_watch()
        self.disconnect()

    def disconnect(self) -> None:
        """Close the connection where the answer was not read to its end, also one of a loop that is gone."""
        if self._response is not None and (connection := self._response.connection) is not None:
            self._response.close()
            with suppress(RuntimeError):  # the loop is closed
                connection.close()


class StreamAttempt(Attempt):
    """One that a generator holds between its pieces: it may outlive its loop, and nobody closes it then."""

    def __del__(self) -> None:
        """Disconnect before aiohttp warns."""
        self.disconnect()

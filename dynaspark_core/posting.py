"""One attempt: the form goes out, the answer's bytes come in. The only module that posts; it decides nothing."""

import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import quote, quote_plus

import aiohttp
from yarl import URL

from dynaspark_core import wire
from dynaspark_core.errors import DynasparkError, ReplyError, TransportError
from dynaspark_core.exchange import Exchange
from dynaspark_core.failures import ours
from dynaspark_core.messages import Event
from dynaspark_core.settings import CONNECT_TIMEOUT, Settings

SMALL_BODY = 64 * 1024
"""Bytes: up to here a form is joined and sent at once; a larger one goes in slices, and its image is never copied."""
_MOST_ERROR_BODY = 64 * 1024
_WITHOUT_ANSWER = frozenset({204, 205, 206})
"""No content, or a part of it."""


class Door:
    """Where the form is posted, and how: plain values made once from the settings."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.api_key
        self._url = URL(settings.url).update_query({"api_key": self._key} if self._key else {})
        self._headers = wire.headers(settings.origin, settings.headers)
        self._proxy = settings.proxy
        self._timeout = aiohttp.ClientTimeout(total=settings.timeout, sock_connect=CONNECT_TIMEOUT)

    async def post(self, exchange: Exchange, session: aiohttp.ClientSession) -> "Answer":
        """The answer, begun. Raises `TransportError` or `StatusError`."""
        form = exchange.form
        with _hidden(self._key), ours(lambda: ""):
            response = await session.post(
                self._url,
                data=b"".join(form.pieces) if form.size <= SMALL_BODY else _slices(form.pieces),
                headers=self._headers | {"Content-Type": form.content_type, "Content-Length": str(form.size)},
                proxy=self._proxy,
                timeout=self._timeout,
                allow_redirects=False,
            )
        return await Answer(response, exchange, self._key).begun()


class Answer:
    """One HTTP answer, read as far as its events are asked for."""

    def __init__(self, response: aiohttp.ClientResponse, exchange: Exchange, key: str | None) -> None:
        self._response = response
        self._exchange = exchange
        self._key = key
        self._is_over = False

    async def begun(self) -> "Answer":
        try:
            with _hidden(self._key):
                await self._begin(self._response.status, self._response.headers, time.time())
        except BaseException:
            self.leave()
            raise
        return self

    async def _begin(self, status: int, header: Mapping[str, str], now: float) -> None:
        if not 200 <= status < 300 or status in _WITHOUT_ANSWER:
            raise wire.status_error(status, header, await self._error_body(), now)
        self._exchange.start(header, now)

    async def more(self, *, is_whole: bool = False) -> list[Event]:
        """The next events, or all that are left; none when the answer has ended."""
        events: list[Event] = []
        while not self._is_over and (is_whole or not events):
            with _hidden(self._key):
                events += self._events(await self._read())
        return events

    def _events(self, data: bytes) -> list[Event]:
        events = self._exchange.feed(data)
        if not data or self._exchange.is_finished:
            self._is_over = True
            events += self._exchange.close()
        return events

    async def _read(self) -> bytes:
        with ours(lambda: self._exchange.text):
            return await self._response.content.readany()

    async def _error_body(self) -> bytes:
        """What can be had of it: the status alone already says what happened."""
        body = b""
        with suppress(TransportError, ReplyError), ours(lambda: ""):
            while len(body) < _MOST_ERROR_BODY and (data := await self._response.content.readany()):
                body += data
        return body

    def leave(self) -> None:
        """Gives the connection back, or closes it when the answer was left before its end."""
        self._response.close()


@contextmanager
def _hidden(key: str | None) -> Iterator[None]:
    """Takes the key out of errors that quote the service."""
    try:
        yield
    except DynasparkError as error:
        for form in _forms(key):
            error.hide(form)
        raise


def _forms(key: str | None) -> list[str]:
    """The key as it may stand in a text or in an address, the longest form first."""
    forms = {key, quote(key, safe=""), quote(key), quote_plus(key)} if key else set()
    return sorted(forms, key=len, reverse=True)


async def _slices(pieces: Sequence[bytes]) -> AsyncIterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), SMALL_BODY):
            yield view[start : start + SMALL_BODY]

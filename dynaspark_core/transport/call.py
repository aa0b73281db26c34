"""One call: a chat is sent, with a slot and within the quota, and again if that may help; events come back."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, TypeVar
from warnings import warn

from dynaspark_core import models
from dynaspark_core.content.checks import images_of_last_turn, images_sent_now
from dynaspark_core.errors import ConfigError, DynasparkError, RequestTimeoutError
from dynaspark_core.exchange import Exchange, Preview
from dynaspark_core.messages import Chat, Event, TextFile
from dynaspark_core.transport import sessions
from dynaspark_core.transport.attempt import Attempt, StreamAttempt
from dynaspark_core.transport.endpoint import Endpoint
from dynaspark_core.transport.retrying import retried
from dynaspark_core.transport.settings import Settings

T = TypeVar("T")
_numbers = itertools.count(1)
"""Of the calls of this process, for the log."""


class Caller:
    """Calls the service that the settings name. It holds plain values only: connections belong to the running loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._endpoint = Endpoint(settings)
        self._dead_addresses: set[str] = set()

    def with_settings(self, settings: Settings) -> "Caller":
        """A caller with other settings that knows the same dead addresses."""
        other = Caller(settings)
        other._dead_addresses = self._dead_addresses
        return other

    async def preview(self, chat: Chat) -> Preview:
        """What a call sends; images are loaded for it, and nothing goes to the service."""
        preview = (self._exchange(chat) or await self._exchange_with_files(chat)).preview
        secret = self._settings.query.keys() - self._settings.shown_query.keys()
        if preview.query is None or not secret:
            return preview
        return replace(preview, query={name: each for name, each in preview.query.items() if name not in secret})

    async def whole(self, chat: Chat) -> list[Event]:
        """All events of the whole answer, in one coroutine: it costs less than `events`."""
        attempt = await self._open(chat, is_whole=True)
        attempt.close()
        return attempt.events

    async def events(self, chat: Chat, *, is_whole: bool) -> AsyncGenerator[Event]:
        """The events as they arrive; with `is_whole` none before the answer has ended."""
        if is_whole:
            for event in await self.whole(chat):
                yield event
            return
        attempt = await self._open(chat, is_whole=False)
        try:
            events = attempt.events
            while events:
                for event in events:
                    yield event
                events = await attempt.more()
        finally:
            attempt.close()

    async def _open(self, chat: Chat, *, is_whole: bool) -> Attempt:
        """An attempt that has its first events; it holds a slot until it is closed."""
        exchange = self._exchange(chat, is_stream=not is_whole) or await self._exchange_with_files(chat)
        name = str(next(_numbers))
        try:
            return await self._attempt(exchange, f"{name}.1", is_whole=is_whole)
        except DynasparkError as failure:
            again = partial(self._attempt, exchange, is_whole=is_whole)
            return await retried(again, failure, self._settings.max_retries, name)

    async def _attempt(self, exchange: Exchange, name: str, *, is_whole: bool) -> Attempt:
        endpoint = self._endpoint
        own = sessions.opened() or await sessions.for_this_loop()
        slots = own.slots(endpoint.origin, endpoint.max_concurrency)
        turn = endpoint.quota.acquire(slots, endpoint.seconds)
        if turn is not None:
            await turn
        attempt = (Attempt if is_whole else StreamAttempt)(exchange, endpoint, name, slots)
        try:
            tls = await endpoint.tls() if endpoint.has_tls else True  # True is aiohttp's own
            if turn is not None or endpoint.has_tls:  # those of before the waits may be closed by now
                own = sessions.opened() or await sessions.for_this_loop()
            session = own.session(endpoint.origin)
            await attempt.begin(endpoint.asked(exchange, session, tls, name, is_stream=not is_whole), own.clock)
            attempt.events = await attempt.more(is_whole=is_whole)
        except BaseException as exc:
            attempt.close()
            endpoint.note_failure(exc, own.pool)
            raise
        return attempt

    def _exchange(self, chat: Chat, *, is_stream: bool = False) -> Exchange | None:
        """What is sent of a chat without files; None for one that has some. A text file whose text is there is text.

        A question that does not fit into a URL is refused before it is counted anywhere.
        """
        model = self._settings.resolved(chat.model)
        files = [part for message in chat.messages for part in message.content if not isinstance(part, str)]
        if self._settings.route == "form":
            if model not in models.MODELS:
                _warn_of_unknown(model)
            return None if files else Exchange(chat, model)
        if any(not isinstance(file, TextFile) or file.text is None for file in files):
            raise ConfigError("route='api' takes no files: use route='form' for images, and for files at paths")
        exchange = Exchange(chat, model, query=self._settings.query)
        self._endpoint.query_url(exchange.query or {}, is_stream=is_stream)
        return exchange

    async def _exchange_with_files(self, chat: Chat) -> Exchange:
        from dynaspark_core.transport import loading, packing, text_files  # noqa: PLC0415  # a good part of the import

        model = self._settings.resolved(chat.model)
        chat = await text_files.with_texts(chat)
        options = loading.LoadOptions(allow_urls=self._settings.allow_image_urls, ca_file=self._settings.ca_file)
        deadline = asyncio.get_running_loop().time() + self._settings.timeout / 2  # of those of a history
        history = packing.History(images_sent_now(chat), images_of_last_turn(chat), self._dead_addresses, deadline)
        policy = self._settings.image_policy
        packed = await self._in_time(packing.load_packed(chat.images(), policy, options, history))
        return Exchange(chat, model, packed.file, numbers=packed.numbers, remarks=packed.remarks, hidden=packed.hidden)

    async def _in_time(self, packing: Coroutine[Any, Any, T]) -> T:
        """What becomes of the call's images; they have the seconds of one attempt."""
        seconds = self._settings.timeout
        try:
            async with asyncio.timeout(seconds) as deadline:
                return await packing
        except TimeoutError as exc:
            if not deadline.expired():
                raise
            message = f"the images of this call took longer than timeout={seconds:g} s; nothing was sent"
            raise RequestTimeoutError(message, is_retryable=False) from exc


@lru_cache(maxsize=64)
def _warn_of_unknown(name: str) -> None:
    known = ", ".join(models.MODELS)
    message = f"model {name!r} is not among those known to this package ({known}); it is sent as it is"
    warn(message, UserWarning, stacklevel=4)

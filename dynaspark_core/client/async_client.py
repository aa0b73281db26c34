"""The client without a framework: from a prompt or a chat to text, events or the reply."""

import asyncio
import copy
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from dynaspark_core.client.sync_client import Prompt, SyncClient
from dynaspark_core.content.checks import check_chat, stops
from dynaspark_core.content.dictionaries import messages_from
from dynaspark_core.errors import ConfigError, OutputError, ReplyError, StatusError, TransportError
from dynaspark_core.exchange import Preview, reply_in
from dynaspark_core.messages import Chat, Event, Image, ImageRef, Policy, Reply, TextDelta, Value
from dynaspark_core.repair import Repairs, merged, repair_chat, value_in
from dynaspark_core.transport.call import Caller
from dynaspark_core.transport.settings import ROWS, check_query, settings_from
from dynaspark_core.wire.query import parameters

FAILED = (TransportError, StatusError, ReplyError, ConfigError)
"""What a request for a repair may end in, without taking away the reply that there is; it may not fit into a URL."""
LONG_TEXT_CHARACTERS = 32_768
"""Characters: what the longest answer of the models has, 8,192 tokens."""


class DynasparkClient:
    """Dynaspark without a framework: `complete` a prompt, or `stream` its answer. Needs no closing.

    The calls are async: write `await client.complete(…)`. `client.sync` has the same calls without `await`.

    Every argument but `headers`, `query` and `model_aliases` may come from the environment instead
    (`DYNASPARK_MODEL`, …).

    Args:
        model: Its name or an alias. Default `gemini-1.5-flash`.
        base_url: Address of the service. Default: the public one.
        route: `form` (default), the form post, or `api`, the query API: the prompt goes in the URL, and no files.
        path: Where the form is posted. Default `/generate_response`, for the query API `/api/generate_response`.
        query: More parameters of the query API, as text, such as `{"temperature": "0.2", "seed": "7"}`.
        api_key: Sent as the query's `api_key`, only if given.
        headers: Added to the request's headers, or in place of them.
        proxy: URL of an HTTP proxy; every request goes through it.
        ca_file: Path of a PEM file of authorities that are trusted in addition to the system's, such as a company's.
        client_cert: Path of a PEM file with a certificate and its key, for servers and proxies that demand one.
        trust_env: Whether the proxy variables of the environment count (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`,
            `NO_PROXY`) where no `proxy` is given. Default False.
        timeout: Seconds to wait for one attempt, from the connection to the last byte; the time that a stream's reader
            takes does not count. Default 120: the host may have to wake up.
        max_retries: Further requests after a failure that may pass. Default 2.
        max_repairs: Extra requests to fix a malformed call or object (only before any output was streamed).
            Default 1.
        max_concurrency: Open requests at a time on one event loop, over all clients of that host and number.
            Default 10 for the public service, whose limit it is, otherwise 100.
        requests_per_hour: Client-side limit: requests in any rolling hour, retries included, counted over all clients
            of that host, key and number. A call waits up to a minute; a longer wait is a `RateLimitError`.
            Default: none.
        limit_storage: URL of a Redis (`redis://host:6379`) where processes count together. Default: each process counts
            for itself.
        model_aliases: Your names for models. A name that the service knows takes precedence.
        context_window: Tokens of prompt and answer that the model behind `base_url` takes. The frameworks plan with it;
            nothing is cut here. Default: what is published of the model.
        image_policy: What becomes of several images, as the service takes one file: `sheet` (default) puts them on one
            numbered sheet, `last` sends the last, `error` refuses.
        allow_image_urls: Whether http(s) URLs of images are fetched, from public addresses only. Default True.
        allow_files: Whether the content of messages may name files (`file://`, paths). Default False; a `pathlib.Path`
            in `images` is always read.

    Raises `ConfigError` for a value that cannot be used. Calls raise a `DynasparkError`, and nothing else.
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        base_url: str | None = None,
        route: str | None = None,
        path: str | None = None,
        query: Mapping[str, str] | None = None,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
        client_cert: str | None = None,
        trust_env: bool | None = None,
        timeout: float | None = None,
        max_retries: int | None = None,
        max_repairs: int | None = None,
        max_concurrency: int | None = None,
        requests_per_hour: int | None = None,
        limit_storage: str | None = None,
        model_aliases: Mapping[str, str] | None = None,
        context_window: int | None = None,
        image_policy: Policy | None = None,
        allow_image_urls: bool | None = None,
        allow_files: bool | None = None,
    ) -> None:
        given = locals()
        self.settings = settings_from(**{name: given[name] for name in ROWS})
        self._calls = Caller(self.settings)

    def __repr__(self) -> str:
        return f"DynasparkClient(model={self.settings.model!r}, base_url={self.settings.origin!r})"

    def with_options(
        self, *, timeout: object = None, extra_headers: object = None, query: Mapping[str, object] | None = None
    ) -> "DynasparkClient":
        """A client like this one with another `timeout` in seconds, more headers, and more parameters of the query API.

        Itself where none is given. Raises `ConfigError` for a value that cannot be used: framing headers are such, and
        parameters on another route.
        """
        if timeout is None and extra_headers is None and not query:
            return self
        seconds = self.settings.timeout if timeout is None else ROWS["timeout"].metadata["check"]("timeout", timeout)
        more = ROWS["headers"].metadata["check"]("extra_headers", extra_headers or {})
        replaced = {name.lower() for name in more}
        kept = {name: value for name, value in self.settings.headers.items() if name.lower() not in replaced}
        asked = {**self.settings.query, **parameters(query or {})}
        check_query(asked, self.settings.route)
        other = copy.copy(self)
        other.settings = replace(self.settings, timeout=seconds, headers=kept | more, query=asked)
        other._calls = self._calls.with_settings(other.settings)  # noqa: SLF001  # a copy of this one
        return other

    @property
    def sync(self) -> SyncClient:
        """These calls without `await`: `client.sync.complete("Hello.").text`."""
        return SyncClient(self)

    async def complete(
        self, prompt: Prompt, *, model: str = "", images: Sequence[object] = (), stop: str | Sequence[str] = ()
    ) -> Reply:
        """The whole reply.

        Args:
            prompt: A text; a list of role/content dictionaries, as OpenAI writes them; or a `Chat`.
            model: For this call.
            images: Added to the last user turn: (name, bytes) or (bytes, name) pairs, bytes, paths, http(s) and
                data URLs, open files, Pillow images.
            stop: A text or texts where the answer is cut.
        """
        chat = self._chat(prompt, model, await _loaded(images) if images else (), stop)
        return await self._reply(check_chat(chat), self.settings.max_repairs)

    async def stream(
        self, prompt: Prompt, *, model: str = "", images: Sequence[object] = (), stop: str | Sequence[str] = ()
    ) -> AsyncGenerator[str]:
        """The answer's text in pieces, as it arrives, without its reasoning; arguments as for `complete`.

        Raises `StreamBrokenError`, with what had arrived in `.text`, if the answer breaks off.
        """
        chat = self._chat(prompt, model, await _loaded(images) if images else (), stop)
        async with aclosing(self.events(chat)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    yield event.text

    async def preview(
        self, prompt: Prompt, *, model: str = "", images: Sequence[object] = (), stop: str | Sequence[str] = ()
    ) -> Preview:
        """What `complete` would send: the exact text, and the file. Arguments and errors are those of `complete`.

        Images are loaded, also from their URLs, as for a call; nothing is sent to the service.
        """
        chat = self._chat(prompt, model, await _loaded(images) if images else (), stop)
        return await self._calls.preview(check_chat(chat))

    def events(self, chat: Chat, *, is_whole: bool = False) -> AsyncGenerator[Event]:
        """Text, reasoning and calls as they arrive, then `Done` with the whole reply.

        With `is_whole`, nothing comes before the answer has ended, so that a broken one can be asked for again. Raises
        `ToolCallError` when a call is required and the model made none, even after `max_repairs` more requests.
        """
        chat = check_chat(chat)
        if chat.tools:
            return self._repaired(chat, self.settings.max_repairs, is_whole=is_whole)
        return self._calls.events(chat, is_whole=is_whole)

    async def value(self, chat: Chat) -> Value:
        """The value of the chat's `response_schema`, checked; None where the model called one of the chat's tools.

        Raises `OutputError` when the last repair has no such value either, or failed.
        """
        replies = [await self._reply(check_chat(chat), self.settings.max_repairs)]
        while True:
            try:
                return await _value(merged(replies), chat)
            except OutputError as exc:
                left = self.settings.max_repairs - merged(replies).repairs
                again = repair_chat(chat, replies[-1], exc) if left > 0 else None
                if again is None:
                    raise
                replies.append(await self._reply_instead_of(exc, again, left - 1))

    async def _reply_instead_of(self, error: OutputError, chat: Chat, max_repairs: int) -> Reply:
        """The whole reply. Raises the error, from the failure, where the request fails."""
        try:
            return await self._reply(chat, max_repairs)
        except FAILED as exc:
            raise error from exc

    async def _reply(self, chat: Chat, max_repairs: int) -> Reply:
        """The whole reply, in one coroutine: it costs less than `events`."""
        if not chat.tools:
            return reply_in(await self._calls.whole(chat))
        repairs = Repairs(chat, max_repairs, is_whole=True)
        shown: list[Event] = []
        while repairs.chat is not None:
            try:
                for event in await self._calls.whole(repairs.chat):
                    shown = repairs.feed(event)
            except FAILED as exc:
                shown = repairs.fall_back(exc)
        return reply_in(shown)

    async def _repaired(self, chat: Chat, max_repairs: int, *, is_whole: bool) -> AsyncGenerator[Event]:
        repairs = Repairs(chat, max_repairs, is_whole=is_whole)
        while repairs.chat is not None:
            try:
                async with aclosing(self._calls.events(repairs.chat, is_whole=repairs.holds_all)) as events:
                    async for event in events:
                        for shown in repairs.feed(event):
                            yield shown
            except FAILED as exc:
                for shown in repairs.fall_back(exc):
                    yield shown

    def _chat(self, prompt: Prompt, model: str, images: Sequence[Image | ImageRef], stop: str | Sequence[str]) -> Chat:
        """The chat that a prompt means. Raises `ConfigError` or `ImageError` naming what cannot be sent."""
        if isinstance(prompt, Chat) and not (model or images or stop):
            return prompt
        said = prompt.messages if isinstance(prompt, Chat) else prompt
        messages = messages_from(said, images, allow_files=self.settings.allow_files)
        if not isinstance(prompt, Chat):
            return Chat(messages, model=model, stop=stops(stop))
        cuts = (*stops(prompt.stop), *stops(stop))
        return replace(prompt, messages=messages, model=model or prompt.model, stop=cuts)


async def _loaded(images: object) -> list[Image | ImageRef]:
    """What a caller gave as images."""
    from dynaspark_core.transport import loading  # noqa: PLC0415  # see `transport.call`

    return await loading.images_from(images)


async def _value(reply: Reply, chat: Chat) -> Value:
    """The reply's value; a long text, which may take seconds when it is hostile, is read in a thread."""
    is_long = len(reply.text) >= LONG_TEXT_CHARACTERS
    return await asyncio.to_thread(value_in, reply, chat) if is_long else value_in(reply, chat)

"""`client.sync`: the client's calls for programs without `async`. They work inside a running loop, too (notebooks)."""

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any, Protocol

from dynaspark_core.exchange import Preview
from dynaspark_core.messages import Chat, Event, Message, Reply, Value
from dynaspark_core.transport import blocking

Prompt = str | Sequence[Mapping[str, Any] | Message] | Chat
"""A text, a list of role/content dictionaries or of messages, or a whole chat."""


class AsyncCalls(Protocol):
    """The calls that have a sync twin; `DynasparkClient` documents them."""

    async def complete(
        self, prompt: Prompt, *, model: str = ..., images: Sequence[object] = ..., stop: str | Sequence[str] = ...
    ) -> Reply: ...

    def stream(
        self, prompt: Prompt, *, model: str = ..., images: Sequence[object] = ..., stop: str | Sequence[str] = ...
    ) -> AsyncGenerator[str]: ...

    async def preview(
        self, prompt: Prompt, *, model: str = ..., images: Sequence[object] = ..., stop: str | Sequence[str] = ...
    ) -> Preview: ...

    def events(self, chat: Chat, *, is_whole: bool = ...) -> AsyncGenerator[Event]: ...

    async def value(self, chat: Chat) -> Value: ...


class SyncClient:
    """The calls of a `DynasparkClient`, with its arguments and errors; each returns its result, not an awaitable."""

    def __init__(self, client: AsyncCalls) -> None:
        self._client = client

    def __repr__(self) -> str:
        return f"{self._client!r}.sync"

    def complete(
        self, prompt: Prompt, *, model: str = "", images: Sequence[object] = (), stop: str | Sequence[str] = ()
    ) -> Reply:
        """The whole reply."""
        return blocking.run(self._client.complete(prompt, model=model, images=images, stop=stop))

    def stream(
        self, prompt: Prompt, *, model: str = "", images: Sequence[object] = (), stop: str | Sequence[str] = ()
    ) -> Generator[str]:
        """The answer's text in pieces, as it arrives. Leaving the loop early closes the answer."""
        return blocking.iterate(self._client.stream(prompt, model=model, images=images, stop=stop))

    def events(self, chat: Chat, *, is_whole: bool = False) -> Generator[Event]:
        """Text, reasoning and calls as they arrive, then `Done` with the whole reply."""
        return blocking.iterate(self._client.events(chat, is_whole=is_whole))

    def value(self, chat: Chat) -> Value:
        """The value of the chat's `response_schema`, checked; None where the model called one of the chat's tools."""
        return blocking.run(self._client.value(chat))

    def preview(
        self, prompt: Prompt, *, model: str = "", images: Sequence[object] = (), stop: str | Sequence[str] = ()
    ) -> Preview:
        """What `complete` would send; nothing is sent to the service."""
        return blocking.run(self._client.preview(prompt, model=model, images=images, stop=stop))

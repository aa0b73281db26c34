"""What everything is compared with, the wire's part: a raw post, and calls in turn in one task.

The raw post is one pooled aiohttp session that posts the same form with the same headers, its body joined by hand, and
decodes the same JSON. `empty` has models that answer from memory. The yardstick Y does both in one task, as separately
measured floors do not add up: a cache that is hot flatters each.
"""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import cached_property
from typing import Any, TypeVar

import aiohttp

T = TypeVar("T")
TRANSPORT, Y = "transport", "Y"
PROMPT = "What is the capital of France?"
PATH = "/generate_response"
BOUNDARY = "0123456789abcdef0123456789abcdef"
HEADERS = {
    "Accept": "*/*",
    "Accept-Language": "en-US,en;q=0.9",
    "Origin": "http://localhost",
    "Referer": "http://localhost/",
    "User-Agent": "floor",
    "X-Requested-With": "XMLHttpRequest",
    "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
}
SLICE = 131072


def _field(name: str, value: str) -> str:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'


def form(prompt: str) -> bytes:
    """The form without a file, joined by hand."""
    return (_field("user_input", prompt) + _field("ai_model", "gemini-1.5-flash") + f"--{BOUNDARY}--\r\n").encode()


class Pool:
    """One session with aiohttp's own settings."""

    @cached_property
    def session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar())


class Wire:
    """A URL to post to over one pooled session, which the first post opens on its loop."""

    def __init__(self, url: str, pool: "Pool | None" = None) -> None:
        self._url = url
        self._pool = pool or Pool()

    def at(self, url: str) -> "Wire":
        """Another URL, over the same session."""
        return Wire(url, self._pool)

    @property
    def _session(self) -> aiohttp.ClientSession:
        return self._pool.session

    async def close(self) -> None:
        await self._pool.session.close()

    async def post(self, prompt: str = PROMPT) -> str:
        async with self._session.post(self._url, data=form(prompt)) as response:
            return str(json.loads(await response.read())["response"])

    async def post_file(self, data: bytes) -> str:
        """The form with a file, in slices: its bytes are not copied."""
        disposition = 'Content-Disposition: form-data; name="file"; filename="image.png"'
        head = (_field("user_input", PROMPT) + _field("ai_model", "gemini-1.5-flash")).encode()
        head += f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: image/png\r\n\r\n".encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()
        length = {"Content-Length": str(len(head) + len(data) + len(tail))}
        async with self._session.post(self._url, data=_slices(head, data, tail), headers=length) as response:
            return str(json.loads(await response.read())["response"])

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer's bytes as they arrive."""
        async with self._session.post(self._url, data=form(PROMPT)) as response:
            while data := await response.content.readany():
                yield data


async def _slices(*pieces: bytes) -> AsyncIterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), SLICE):
            yield view[start : start + SLICE]


def in_turn(*calls: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """A call that makes these one after the other, in one task."""

    async def all_of_them() -> None:
        for call in calls:
            await call()

    return all_of_them


class Bridge:
    """One background loop for sync calls: what sync over async costs when nothing else is done."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

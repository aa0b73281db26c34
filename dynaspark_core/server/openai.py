"""The engine in front of an OpenAI-compatible endpoint: Ollama, vLLM, llama.cpp's server, LiteLLM, or a hosted one.

    LocalService(OpenAI("http://localhost:11434", model="llama3.2"))

The prompt is sent as one user message, turns and all, with the file as an image in it. What comes back is
passed on as it comes. The endpoint's format is its public documentation's: `POST …/chat/completions` with `stream`.
"""

import asyncio
import io
import logging
import math
import os
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Final

import aiohttp
import pybase64
from yarl import URL

from dynaspark_core._version import __version__
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Usage
from dynaspark_core.server import completions
from dynaspark_core.server.completions import Reader, UpstreamError
from dynaspark_core.server.engines import Answer, Asked, RefusedError

LOG = logging.getLogger(__name__)
KEY: Final = "DYNASPARK_UPSTREAM_API_KEY"
"""The environment variable that holds the endpoint's key."""
CONNECT_TIMEOUT_SECONDS: Final = 10.0
TIMEOUT_SECONDS: Final = 600.0
"""Seconds without a byte: a large model on a slow machine reads a long prompt for minutes."""

MAX_ANSWER_TOKENS: Final = 4096
AGENT: Final = f"dynaspark-llm/{__version__}"
_MAX_ERROR_BYTES = 1 << 16
_KEEPALIVE_SECONDS = 4.0
"""Seconds that an unused connection is kept: uvicorn, under vLLM and LiteLLM, closes its own after 5."""
_STATUS = {408: 504, 413: 413, 422: 422, 429: 429, 503: 503, 504: 504, 529: 503}
"""The endpoint's status → ours; other 4xx become 400, all the rest 502. A 401 of ours is about the client's key."""
_HINTS = {
    401: f"set {KEY} where the service runs",
    403: f"the key in {KEY} may not do this",
    404: "is the model's name right (ai_model, or --upstream-model), and does the URL end in /v1?",
}


class OpenAI:
    """Answers with what the endpoint at `upstream` answers.

    `upstream` is the base URL as OpenAI's clients take it (`http://localhost:8000/v1`); `/v1` is added to one without
    a path. Every request asks for `model`; without one, for the form's `ai_model` as it is. `api_key`, by default the
    environment's `DYNASPARK_UPSTREAM_API_KEY`, is sent as a Bearer header; a user and password in the URL are sent as
    a Basic one instead. `timeout` are the seconds that the endpoint may send nothing. An answer is cut after
    `max_tokens`, so that a model which repeats itself stops. `temperature` is the endpoint's own unless
    given; sampling parameters of a query API request take precedence. With `has_roles` the prompt's turns are sent
    as chat messages of their own, not as one message of the user.

    Errors of the endpoint are errors of the service, with its name and what it said: 400 for a model or address that
    it does not know and for a key that it refuses, 429 with its `Retry-After`, 502 when it cannot be reached or answers
    no chat completion, 504 when it is silent. An answer's `metadata` holds the `finish_reason` when it is not
    `stop`. Failures are logged as warnings. Raises `ConfigError` for a URL or a key that cannot be used.
    """

    def __init__(
        self,
        upstream: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout: float = TIMEOUT_SECONDS,
        max_tokens: int = MAX_ANSWER_TOKENS,
        temperature: float | None = None,
        has_roles: bool = False,
    ) -> None:
        if not timeout > 0 or max_tokens < 1:
            raise ConfigError(f"timeout and max_tokens must be more than 0: {timeout}, {max_tokens}")
        if temperature is not None and not math.isfinite(temperature):
            raise ConfigError(f"temperature must be a number: {temperature}")
        url, key = _url(upstream), api_key or os.environ.get(KEY)
        self._authorization = _authorization(url, key)
        self._secrets = [*filter(None, (key, url.password or url.user, self._authorization.rpartition(" ")[2]))]
        self._base = url.with_user(None)
        self._url = self._base / "chat/completions"
        self._model = model
        self._timeout = timeout
        self._has_roles = has_roles
        self._options: dict[str, object] = {"max_tokens": max_tokens, "stream_options": {"include_usage": True}}
        if temperature is not None:
            self._options["temperature"] = temperature
        self._session: aiohttp.ClientSession | None = None

    async def answer(self, asked: Asked) -> Answer:
        model = self._model or asked.model
        if not model:
            raise RefusedError(400, "name a model in ai_model, or start the service with --upstream-model")
        about: dict[str, object] = {}
        pieces = self._pieces(asked, model, about)
        name = await anext(pieces)
        return Answer(pieces, model=str(name) or model, metadata=about)

    async def models(self) -> Sequence[str]:
        """The one model that is asked, or the endpoint's list. Raises `RefusedError`."""
        if self._model:
            return (self._model,)
        with self._failures():
            async with self._client().get(self._base / "models", allow_redirects=False) as response:
                body = await _beginning(response, completions.MAX_DOCUMENT_BYTES)
                if response.status != 200:
                    raise self._refusal(response, completions.error_message(body))
                return completions.model_names(body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _pieces(self, asked: Asked, model: str, about: dict[str, object]) -> AsyncGenerator[str | Usage]:
        """The name of the model that answers, then the pieces as they come, then the usage if it was told."""
        with self._failures():
            async with self._posted(asked, model) as response:
                reader = completions.reader_for(response.content_type)
                async with aclosing(_texts(response, reader)) as texts:
                    begun = await anext(texts)
                    yield reader.model
                    yield begun
                    async for text in texts:
                        yield text
        if reader.finish_reason not in {"", "stop"}:
            about["finish_reason"] = reader.finish_reason
        if reader.usage is not None:
            yield reader.usage

    @asynccontextmanager
    async def _posted(self, asked: Asked, model: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """The response, with the status 200. Closed at the end of the block, read or not."""
        while True:
            options = dict(self._options)
            body = await asyncio.to_thread(completions.request_body, asked, model, options, has_roles=self._has_roles)
            async with self._client().post(self._url, data=io.BytesIO(body), allow_redirects=False) as response:
                if response.status == 200:
                    yield response
                    return
                said = await _beginning(response)
            if not self._adapt(options, said):
                raise self._refusal(response, completions.error_message(said))

    def _adapt(self, sent: Mapping[str, object], refusal: bytes) -> bool:
        """Whether the next request leaves out what the endpoint refused of the one sent, or has its newer name."""
        if "stream_options" in sent and b"stream_options" in refusal:
            self._options.pop("stream_options", None)
            return True
        if "max_tokens" in sent and b"max_completion_tokens" in refusal:
            self._options.pop("max_tokens", None)
            self._options["max_completion_tokens"] = sent["max_tokens"]
            return True
        return False

    def _client(self) -> aiohttp.ClientSession:
        """The session, made on the loop that asks first."""
        if self._session is None:
            authorization = {"Authorization": self._authorization} if self._authorization else {}
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": AGENT, "Content-Type": "application/json"} | authorization,
                timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_SECONDS, sock_read=self._timeout),
            )
        return self._session

    def _refusal(self, response: aiohttp.ClientResponse, said: str) -> RefusedError:
        upstream, status = response.status, _ours(response.status)
        words = f"answered {upstream}: {said or response.reason}"
        wait = response.headers.get("Retry-After")
        return self._refused(
            status,
            f"{words} ({_HINTS[upstream]})" if upstream in _HINTS else words,
            {"Retry-After": wait} if wait and status in {429, 503} else {},
        )

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """A block in which the endpoint's failures become `RefusedError`."""
        try:
            yield
        except TimeoutError as exc:
            raise self._refused(504, f"did not answer in time: {exc}") from exc
        except aiohttp.ClientError as exc:
            raise self._refused(502, f"cannot be reached, or hung up: {exc}") from exc
        except UpstreamError as exc:
            raise self._refused(_ours(exc.status), str(exc)) from None

    def _refused(self, status: int, words: str, headers: dict[str, str] | None = None) -> RefusedError:
        for secret in self._secrets:
            words = words.replace(secret, "…")
        message = f"the upstream {self._url} {words}"
        LOG.warning("%s", message)
        return RefusedError(status, message, headers=headers)


def _ours(status: int) -> int:
    return _STATUS.get(status, 400 if 400 <= status < 500 else 502)


async def _texts(response: aiohttp.ClientResponse, reader: Reader) -> AsyncGenerator[str]:
    """The answer's text in one piece or more, from the moment that it has begun; pieces may be empty."""
    async for block in response.content.iter_any():
        text = reader.feed(block)
        if reader.has_begun:
            yield text
        if reader.is_finished:
            break
    yield reader.close()


async def _beginning(response: aiohttp.ClientResponse, limit: int = _MAX_ERROR_BYTES) -> bytes:
    """The body up to this many bytes; by default as much as an error's message needs."""
    body = bytearray()
    async for block in response.content.iter_any():
        body += block
        if len(body) >= limit:
            break
    return bytes(body[:limit])


def _url(upstream: str) -> URL:
    try:
        url = URL(upstream.strip())
        is_plain = not url.query_string and not url.fragment and not re.search(r"\s", str(url))
        is_usable = is_plain and url.scheme in {"http", "https"} and bool(url.host and url.port)
    except ValueError:
        is_usable = False
    if not is_usable:
        shown = upstream.rpartition("@")[2].partition("?")[0]
        raise ConfigError(f"the upstream is {shown!r}; it must be like http://host:port/v1, without a query")
    return url.with_path(url.raw_path.rstrip("/") or "/v1", encoded=True)


def _authorization(url: URL, key: str | None) -> str:
    """The header's value, "" for none."""
    if key and not (key.isascii() and key.isprintable()):
        raise ConfigError(f"the key in {KEY} is not printable ASCII text (its value is not shown)")
    if key and url.user is not None:
        raise ConfigError(f"the upstream's URL holds a user and {KEY} a key: give one of them")
    if url.user is not None:
        return "Basic " + pybase64.b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
    return f"Bearer {key}" if key else ""

"""Where a form is posted or a query is sent, and how. The only module that posts; it decides nothing.

It logs at DEBUG under `dynaspark_core`: a request's number and size in bytes; no prompt and no key.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any

import aiohttp
from yarl import URL

from dynaspark_core.errors import ConnectError
from dynaspark_core.exchange import Exchange
from dynaspark_core.transport.quotas import quota_for
from dynaspark_core.transport.settings import Settings
from dynaspark_core.transport.tls import tls_context
from dynaspark_core.wire.query import check_request_line
from dynaspark_core.wire.redaction import Redactor

MAX_JOINED_BYTES = 128 * 1024
"""Bytes: up to here a form is joined and sent at once; a larger one goes in such slices, its image never copied."""

Asked = Awaitable[aiohttp.ClientResponse]
Tls = ssl.SSLContext | bool

_log = logging.getLogger("dynaspark_core")


class Endpoint:
    """Where the form is posted, and how: plain values made once from the settings."""

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key
        self.redactor = Redactor(settings.secrets)
        self._url = URL(settings.url).update_query({"api_key": key} if key else {})
        if "authorization" in map(str.lower, settings.headers):  # it is sent in place of the URL's user
            self._url = self._url.with_user(None)
        self._address = settings.origin + settings.path
        self._headers = settings.headers
        self._proxy = settings.proxy
        self.has_tls = self._url.scheme == "https" or (self._proxy or "").startswith("https:")
        self._files = settings.ca_file, settings.client_cert
        self.has_proxy = self._proxy is not None
        self.seconds = settings.timeout
        self.max_concurrency = settings.max_concurrency
        others = settings.base_url, settings.proxy, sorted(settings.headers.items())
        self.origin = settings.origin
        self.quota = quota_for(self.origin, key, settings.requests_per_hour, settings.limit_storage, others)

    async def tls(self) -> Tls:
        """What a connection is made secure with."""
        return await tls_context(*self._files)

    def asked(
        self, exchange: Exchange, session: aiohttp.ClientSession, tls: Tls, name: str, *, is_stream: bool = False
    ) -> Asked:
        """The answer, once it has begun; `name` is for the log. Raises what aiohttp raises."""
        if exchange.query is not None:
            return self._get(self.query_url(exchange.query, is_stream=is_stream), session, tls, name)
        form = exchange.form
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("request %s: posts %d bytes to %s", name, form.size, self._address)
        headers = self._headers
        if form.size <= MAX_JOINED_BYTES:
            body: aiohttp.Payload = aiohttp.BytesPayload(b"".join(form.pieces), content_type=form.content_type)
        else:
            slices: Any = _slices(form.pieces)  # aiohttp writes a view as it writes bytes
            body = aiohttp.AsyncIterablePayload(slices, content_type=form.content_type)
            headers = {**self._headers, "Content-Length": str(form.size)}
        return session.post(self._url, ssl=tls, data=body, headers=headers, proxy=self._proxy, allow_redirects=False)

    def query_url(self, query: Mapping[str, str], *, is_stream: bool) -> URL:
        """Where the query API is asked this. Raises `ConfigError` for a request line that is too long."""
        url = self._url.update_query({**query, **({"stream": "true"} if is_stream else {})})
        check_request_line(url.raw_path_qs)
        return url

    def _get(self, url: URL, session: aiohttp.ClientSession, tls: Tls, name: str) -> Asked:
        _log.debug("request %s: gets %d bytes from %s", name, len(url.raw_path_qs), self._address)
        return session.get(url, ssl=tls, headers=self._headers, proxy=self._proxy, allow_redirects=False)

    def note_failure(self, failure: BaseException, pool: aiohttp.TCPConnector) -> None:
        """Look the host's address up again for the next attempt, where it could not be reached: it may have moved."""
        if isinstance(failure, ConnectError):
            peer = URL(self._proxy) if self._proxy else self._url
            pool.clear_dns_cache(peer.raw_host, peer.port)


async def _slices(pieces: Sequence[bytes]) -> AsyncIterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), MAX_JOINED_BYTES):
            yield view[start : start + MAX_JOINED_BYTES]

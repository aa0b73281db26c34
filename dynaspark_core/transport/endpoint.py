"""Where a form is posted or a query is sent, and how. The only module that posts; it decides nothing.

It logs at DEBUG under `dynaspark_core`: a request's number and size in bytes; no prompt and no key.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

import aiohttp
from yarl import URL

from dynaspark_core.errors import ConnectError
from dynaspark_core.exchange import Exchange
from dynaspark_core.transport.attempt import Attempt
from dynaspark_core.transport.quotas import quota_for
from dynaspark_core.transport.settings import CONNECT_TIMEOUT_SECONDS, Settings
from dynaspark_core.transport.tls import tls_context
from dynaspark_core.wire import http
from dynaspark_core.wire.query import check_request_line
from dynaspark_core.wire.redaction import Redactor

MAX_JOINED_BYTES = 64 * 1024
"""Bytes: up to here a form is joined and sent at once; a larger one goes in slices, and its image is never copied."""
_CONNECTING = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_SECONDS)
"""The whole attempt's seconds are counted in `Attempt`."""

Asked = Awaitable[aiohttp.ClientResponse]
Tls = ssl.SSLContext | bool

_log = logging.getLogger("dynaspark_core")


class Endpoint:
    """Where the form is posted, and how: plain values made once from the settings."""

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key
        self._redactor = Redactor(settings.secrets)
        self._url = URL(settings.url).update_query({"api_key": key} if key else {})
        self._address = settings.origin + settings.path
        self._headers = http.headers(settings.origin, settings.headers)
        self._proxy = settings.proxy
        self._has_tls = self._url.scheme == "https" or (self._proxy or "").startswith("https:")
        self._files = settings.ca_file, settings.client_cert
        self._seconds = settings.timeout
        others = settings.base_url, settings.proxy, sorted(settings.headers.items())
        self.origin = settings.origin
        self.quota = quota_for(self.origin, key, settings.requests_per_hour, settings.limit_storage, others)

    async def post(
        self, exchange: Exchange, session: aiohttp.ClientSession, name: str, *, is_stream: bool = False
    ) -> Attempt:
        """The attempt, once its answer has begun; `name` is for the log. Raises `TransportError` or `StatusError`."""
        tls = await tls_context(*self._files) if self._has_tls else True  # True is aiohttp's own
        if exchange.query is None:
            posted = self._post(exchange, session, tls, name)
        else:
            posted = self._get(exchange.query, session, tls, name, is_stream=is_stream)
        attempt = Attempt(exchange, self._redactor, self._seconds, name, self.quota, has_proxy=self._proxy is not None)
        try:
            await attempt.begin(posted)
        except BaseException as exc:
            attempt.close()
            if isinstance(exc, ConnectError) and isinstance(session.connector, aiohttp.TCPConnector):
                peer = URL(self._proxy) if self._proxy else self._url
                session.connector.clear_dns_cache(peer.raw_host, peer.port)  # the host may have moved
            raise
        return attempt

    def _post(self, exchange: Exchange, session: aiohttp.ClientSession, tls: Tls, name: str) -> Asked:
        form = exchange.form
        _log.debug("request %s: posts %d bytes to %s", name, form.size, self._address)
        return session.post(
            self._url,
            ssl=tls,
            data=b"".join(form.pieces) if form.size <= MAX_JOINED_BYTES else _slices(form.pieces),
            headers=self._headers | {"Content-Type": form.content_type, "Content-Length": str(form.size)},
            proxy=self._proxy,
            timeout=_CONNECTING,
            allow_redirects=False,
        )

    def query_url(self, query: Mapping[str, str], *, is_stream: bool) -> URL:
        """Where the query API is asked this. Raises `ConfigError` for a request line that is too long."""
        url = self._url.update_query({**query, **({"stream": "true"} if is_stream else {})})
        check_request_line(url.raw_path_qs)
        return url

    def _get(
        self, query: Mapping[str, str], session: aiohttp.ClientSession, tls: Tls, name: str, *, is_stream: bool
    ) -> Asked:
        url = self.query_url(query, is_stream=is_stream)
        _log.debug("request %s: gets %d bytes from %s", name, len(url.raw_path_qs), self._address)
        return session.get(
            url, ssl=tls, headers=self._headers, proxy=self._proxy, timeout=_CONNECTING, allow_redirects=False
        )


async def _slices(pieces: Sequence[bytes]) -> AsyncIterator[memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), MAX_JOINED_BYTES):
            yield view[start : start + MAX_JOINED_BYTES]

"""The bytes behind a picture's URL, fetched where only public addresses can be reached.

A URL in a message may come from anybody. `images.addresses` decides what may be tried; this edge holds to it: the rule
is asked for all addresses that a name resolves to, and again for the one that a socket is opened for, which is
then the one connected to, with no look-up in between. Redirects are followed one by one, each with the same checks.
The session knows no proxy, cookies, credentials or referrer, and ends with the download.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dynaspark_core.errors import ForbiddenImageError, ImageError, RequestTimeoutError
from dynaspark_core.images import addresses
from dynaspark_core.transport.aiohttp_errors import watch_framing
from dynaspark_core.transport.tls import tls_context
from dynaspark_core.wire.redaction import Redactor

MAX_REDIRECTS = 5
PIECE_BYTES = 65_536
MOVED = frozenset({301, 302, 303, 307, 308})
HEADERS = {"User-Agent": "dynaspark-llm", "Accept": "image/png,image/jpeg,image/webp,image/gif"}


class _CheckingResolver(AbstractResolver):
    """The resolver that checks: it resolves names and opens sockets, both only for allowed addresses.

    `refusal` keeps the error, as aiohttp wraps in its own what is raised here. `url` is what is fetched now: after a
    redirect another one than the caller's.
    """

    def __init__(self, url: URL, rule: addresses.Rule, resolver: AbstractResolver) -> None:
        self.url = url
        self._rule = rule
        self._resolver = resolver
        self.refusal: ForbiddenImageError | None = None

    def _check(self, address: str, host: str) -> None:
        if reason := self._rule(address):
            message = f"{host} is not fetched from: its address {address} {reason}"
            self.refusal = ForbiddenImageError(message)
            raise self.refusal

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._check(result["host"], host)
        return found

    def open(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for an address as `getaddrinfo` describes it; the connector's socket factory."""
        family, kind, protocol, _, address = info
        self._check(address[0], address[0])
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Leave the resolver open: the caller who passed it closes it."""


async def download(
    url: str,
    limit: int,
    seconds: float,
    *,
    rule: addresses.Rule,
    resolver: AbstractResolver | None = None,
    ca_file: str | None = None,
) -> tuple[bytes, str]:
    """The body behind an http(s) URL, at most `limit` bytes after decompression, and the file name in the URL.

    `seconds` is the deadline and covers everything from the name's resolution to the last byte. Raises
    ForbiddenImageError for what may not be reached, RequestTimeoutError, and ImageError for any other failure.
    """
    checking = _CheckingResolver(addresses.parse_url(url), rule, resolver or aiohttp.ThreadedResolver())
    with _translated(checking, seconds):
        async with asyncio.timeout(seconds), _session(checking, await tls_context(ca_file)) as session:
            for _ in range(MAX_REDIRECTS + 1):
                address = addresses.allowed_url(checking.url, rule)
                async with session.get(address, allow_redirects=False) as response:
                    location = response.headers.get("Location")
                    if response.status not in MOVED or not location:
                        return await _body(response, limit), address.name
                    checking.url = address.join(addresses.parse_url(location))
    raise ImageError(f"{addresses.display_url(checking.url)}: redirected more than {MAX_REDIRECTS} times")


def _session(checking: _CheckingResolver, tls: ssl.SSLContext) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=checking, socket_factory=checking.open, use_dns_cache=False, force_close=True, ssl=tls
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),  # the caller's deadline is the only one
        headers=HEADERS,
        trust_env=False,
    )


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    where = addresses.display_url(response.url)
    if response.status != 200:
        raise ImageError(f"{where} answered {response.status} instead of a picture")
    pieces, size = [], response.content_length or 0
    watch_framing(response)
    if size <= limit:
        size = 0
        async for piece in response.content.iter_chunked(PIECE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                break
        else:
            return b"".join(pieces)
    raise ImageError(f"{where} is larger than the {limit:,} bytes that are read")


@contextmanager
def _translated(checking: _CheckingResolver, seconds: float) -> Iterator[None]:
    """Turns errors into ours; those of the library lose the queries of URLs."""
    try:
        yield
    except ImageError:
        raise
    except TimeoutError as exc:
        _REDACTOR.clean(exc)
        raise RequestTimeoutError(
            f"{addresses.display_url(checking.url)}: the picture did not arrive within {seconds:g} s"
        ) from exc
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        _REDACTOR.clean(exc)
        if checking.refusal:
            raise checking.refusal from exc
        reason = next((reason for kind, reason in _REASONS if isinstance(exc, kind)), "could not be fetched")
        raise ImageError(f"{addresses.display_url(checking.url)} {reason} ({type(exc).__name__})") from exc


_REDACTOR = Redactor()
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientSSLError, "has no valid certificate"),
    (aiohttp.ClientConnectorError, "cannot be reached"),
    (aiohttp.ClientPayloadError, "broke off, or its compression is damaged"),
    (aiohttp.ServerDisconnectedError, "closed the connection without an answer"),
)

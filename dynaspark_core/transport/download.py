"""The bytes behind a picture's URL, fetched where only public addresses can be reached.

A URL in a message may come from anybody. `images.addresses` decides what may be tried; this edge holds to it: the rule
is asked for all addresses that a name resolves to, and again for the one that a socket is opened for, which is
then the one connected to, with no look-up in between. Redirects are followed by hand, each through the same gate. The
session knows no proxy, cookies, credentials or referrer, and ends with the download.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from dynaspark_core.errors import ForbiddenImageError, ImageError, RequestTimeoutError
from dynaspark_core.images import addresses

REDIRECTS = 5
PIECE = 65_536
MOVED = frozenset({301, 302, 303, 307, 308})
HEADERS = {"User-Agent": "dynaspark-llm", "Accept": "image/png,image/jpeg,image/webp,image/gif"}


class _Gate(AbstractResolver):
    """Stands between a session and the network: resolves names, opens sockets, both only for allowed addresses.

    `refusal` keeps the error, as aiohttp wraps in its own what is raised here.
    """

    def __init__(self, rule: addresses.Rule, resolver: AbstractResolver) -> None:
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
        """Nothing: who handed in the resolver closes it."""


async def download(
    url: str, limit: int, seconds: float, *, rule: addresses.Rule, resolver: AbstractResolver | None = None
) -> tuple[bytes, str]:
    """The body behind an http(s) URL, at most `limit` bytes after decompression, and the file name in the URL.

    `seconds` is the deadline and covers everything from the name's resolution to the last byte. Raises
    ForbiddenImageError for what may not be reached, RequestTimeoutError, and ImageError for everything else.
    """
    address = addresses.parsed(url)
    door = _Gate(rule, resolver or aiohttp.ThreadedResolver())
    with _as_ours(address, door, seconds):
        async with asyncio.timeout(seconds), _session(door) as session:
            for _ in range(REDIRECTS + 1):
                async with session.get(addresses.checked(address, rule), allow_redirects=False) as response:
                    location = response.headers.get("Location")
                    if response.status not in MOVED or not location:
                        return await _body(response, limit), address.name
                    address = address.join(addresses.parsed(location))
    message = f"{addresses.shown(address)}: redirected more than {REDIRECTS} times"
    raise ImageError(message)


def _session(door: _Gate) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(resolver=door, socket_factory=door.open, use_dns_cache=False, force_close=True)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),  # the caller's deadline is the only one
        headers=HEADERS,
        trust_env=False,
    )


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    where = addresses.shown(response.url)
    if response.status != 200:
        message = f"{where} answered {response.status} instead of a picture"
        raise ImageError(message)
    pieces, size = [], response.content_length or 0
    if size <= limit:
        size = 0
        async for piece in response.content.iter_chunked(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                break
        else:
            return b"".join(pieces)
    message = f"{where} is larger than the {limit:,} bytes that are read"
    raise ImageError(message)


@contextmanager
def _as_ours(url: URL, door: _Gate, seconds: float) -> Iterator[None]:
    """Whatever goes wrong inside as one of our errors; texts of the library are left out, as they may hold queries."""
    try:
        yield
    except ImageError:
        raise
    except TimeoutError as error:
        message = f"{addresses.shown(url)}: the picture did not arrive within {seconds:g} s"
        raise RequestTimeoutError(message) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if door.refusal:
            raise door.refusal from error
        reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "could not be fetched")
        message = f"{addresses.shown(url)} {reason} ({type(error).__name__})"
        raise ImageError(message) from error


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientSSLError, "has no valid certificate"),
    (aiohttp.ClientConnectorError, "cannot be reached"),
    (aiohttp.ClientPayloadError, "broke off, or its compression is damaged"),
    (aiohttp.ServerDisconnectedError, "closed the connection without an answer"),
)

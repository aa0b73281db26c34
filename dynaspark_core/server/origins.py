"""Which requests a browser may make for a page: none for a page of somebody else. Pure: headers and values.

A service on loopback has no key in most cases, and every web page that a person opens can send requests to it. Browsers
say in `Origin` and `Sec-Fetch-Site` which page it is, and in `Host` by which name they found the service: a name of
another domain that resolves to 127.0.0.1 is an attack ("DNS rebinding").
"""

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from dynaspark_core.server.engines import RefusedError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether the name or address means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")


def check_origin(headers: Mapping[str, str], hosts: Iterable[str], origins: Iterable[str]) -> None:
    """Raise `RefusedError` (403) for a request that the page of another host may have made.

    `hosts` are names that may be in `Host` as well as those of this machine; `origins` are pages that may ask.
    """
    host = headers.get("Host", "")
    name = urlsplit(f"//{host}").hostname or "" if _is_authority(host) else ""
    if not is_loopback(name) and name not in {each.lower() for each in hosts}:
        raise RefusedError(403, f"the service is not known as {name or host!r}: start it with --allow-host {name}")
    origin = headers.get("Origin")
    if origin is not None and is_allowed(origin, origins):
        return
    if origin is not None and _authority(origin) not in {_authority(f"http://{host}"), _authority(f"https://{host}")}:
        raise RefusedError(403, f"the page {origin!r} may not ask this service: start it with --allow-origin {origin}")
    if headers.get("Sec-Fetch-Site") == "cross-site":
        raise RefusedError(403, "a page of another site may not ask this service: start it with --allow-origin ORIGIN")


def is_allowed(origin: str, origins: Iterable[str]) -> bool:
    """Whether this page is one of those that may ask."""
    return origin.lower() in {each.lower().rstrip("/") for each in origins}


def _is_authority(host: str) -> bool:
    return not set(host) & set("/?#@\\ ") and host.count("[") == host.count("]") <= 1


def _authority(origin: str) -> tuple[str, int | None] | None:
    """The origin's host and port; None for one that has none, such as `null`."""
    try:
        parts = urlsplit(origin)
        return (parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)) if parts.hostname else None
    except ValueError:
        return None

"""Which requests a browser may make for a page: none for a page of somebody else. Pure: headers and values.

A service on loopback has no key in most cases, and every web page that a person opens can send requests to it. Browsers
say in `Origin` and `Sec-Fetch-Site` which page it is, and in `Host` by which name they found the service: a name of
another domain that resolves to 127.0.0.1 is an attack ("DNS rebinding").
"""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from multidict import MultiMapping

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.engines import RefusedError

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str) -> bool:
    """Whether the name or address means this machine."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost")
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def check_origin(target: str, headers: MultiMapping[str], hosts: Iterable[str], origins: Iterable[str]) -> None:
    """Raise `RefusedError` (403) for a request that the page of another host may have made.

    `target` is what the request's first line asks for: a path or a whole URL. `hosts` are names, with or without a
    port, that may be in `Host` as well as those of this machine; `origins` are pages that may ask.
    """
    host = headers.get("Host", "")
    _check_host(host, hosts)
    if not target.startswith("/") and "://" in target:  # its host counts, not the header's (RFC 9112, 3.2.2)
        _check_host(target.partition("://")[2].partition("/")[0], hosts)
    pages = headers.getall("Origin", [])
    for page in pages:
        if not is_allowed(page, origins) and not _is_own(page, host):
            raise RefusedError(403, f"the page {page!r} may not ask this service: start it with --allow-origin {page}")
    is_named = pages and all(is_allowed(page, origins) for page in pages)
    if headers.get("Sec-Fetch-Site") == "cross-site" and not is_named:
        raise RefusedError(403, "a page of another site may not ask this service: start it with --allow-origin ORIGIN")


def check_names(hosts: Iterable[str], origins: Iterable[str]) -> None:
    """Raise `ConfigError` for a name or a page that no request can have."""
    for host in hosts:
        if _name_and_port(host) is None or "*" in host:
            raise ConfigError(
                f"allow_hosts holds {host!r}; it must be a name such as llm.example, with a port or without"
            )
    for page in origins:
        if page != "null" and (_page(page) is None or "*" in page):
            raise ConfigError(
                f"allow_origins holds {page!r}; it must be one page's origin, such as https://app.example"
            )


def is_allowed(page: str, origins: Iterable[str]) -> bool:
    """Whether this page is one of those that may ask."""
    return page.lower() in origins or _page(page) in [_page(each) for each in origins if _page(each)]


def _check_host(host: str, hosts: Iterable[str]) -> None:
    name, port = _name_and_port(host) or ("", None)
    named = [_name_and_port(each) for each in hosts]
    if is_loopback(name) or {(name.rstrip("."), None), (name.rstrip("."), port)} & set(named) - {("", None)}:
        return
    raise RefusedError(
        403, f"the service is not known as {name or host!r}: start it with --allow-host {name or 'NAME'}"
    )


def _is_own(page: str, host: str) -> bool:
    found, asked = _page(page), _name_and_port(host)
    if found is None or asked is None:
        return False
    scheme, *where = found
    return where == [asked[0], asked[1] or _DEFAULT_PORTS.get(scheme)]


def _page(origin: str) -> tuple[str, str, int | None] | None:
    """The origin's scheme, host and port; None for one that has no host, such as `null`."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _name_and_port(host: str) -> tuple[str, int | None] | None:
    """The parts of `name:port`; None for what cannot be a host."""
    is_address = host.count(":") > 1 and "[" not in host
    try:
        parts = urlsplit(f"//[{host}]" if is_address else f"//{host}")
        return None if set(host) & set("/?#@\\ ") or not parts.hostname else (parts.hostname, parts.port)
    except ValueError:
        return None

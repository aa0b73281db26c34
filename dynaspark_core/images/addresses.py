"""Which addresses a picture may be fetched from: rules on URLs and IP addresses. Pure; nothing is resolved here.

The rule on addresses is asked by `download` for what a connection really goes to, after name resolution and for each
redirect. So the checks on a URL's text are no protection by themselves: they only refuse early and clearly.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

from dynaspark_core.errors import ForbiddenImageError, ImageError

Rule = Callable[[str], str | None]
"""An IP address as text → why it may not be connected to, or None when it may."""

PORTS = (80, 443)
LOWEST_OTHER_PORT = 1024
"""Ports below that are not the web's own belong to mail, shells and the like; they get no request from here."""

_SPECIAL_4 = tuple(
    IPv4Network(network)
    for network in (
        "168.63.129.16/32",  # Azure's host: public in form, local in fact
        "192.0.0.0/24",  # protocol assignments, also Oracle's metadata service
        "192.88.99.0/24",  # 6to4 relays
    )
)
"""What `is_global` lets pass, in some Python versions or in all, and what no picture comes from."""

_GLOBAL_6 = IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID
        "2002::/16",  # 6to4: holds an IPv4 address
        "3fff::/20",  # documentation
    )
)
_ISATAP = 0x5EFE
"""Middle of an interface identifier that holds an IPv4 address (RFC 5214, section 6.1)."""


def public_only(address: str) -> str | None:
    """The rule for addresses that anybody may reach: None for a public unicast address, otherwise what it is.

    By the registries at iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry. Of IPv6 only
    2000::/3 is public, without the tunnels in it that lead to IPv4 addresses.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return "is no IP address in its usual form"
    is_public = _is_public_4(found) if isinstance(found, IPv4Address) else _is_public_6(found)
    return None if is_public else "is no public internet address"


def _is_public_4(address: IPv4Address) -> bool:
    special = any(address in network for network in _SPECIAL_4)
    return address.is_global and not address.is_multicast and not special


def _is_public_6(address: IPv6Address) -> bool:
    special = any(address in network for network in _SPECIAL_6)
    tunnel = int(address) >> 32 & 0xFDFF_FFFF == _ISATAP
    return address in _GLOBAL_6 and address.is_global and not special and not tunnel


def allowed_url(url: URL, rule: Rule = public_only) -> URL:
    """The URL, if it may be tried: http or https, a host, an ordinary port, no credentials. Or ForbiddenImageError.

    A host that is an IP address in any spelling has to be in its usual one and has to satisfy the rule.
    """
    reason = next((reason for allowed, reason in _DEMANDS if not allowed(url)), None) or _literal(url, rule)
    if reason:
        raise ForbiddenImageError(f"{display_url(url)} is not fetched: {reason}")
    return url


_DEMANDS: tuple[tuple[Callable[[URL], bool], str], ...] = (
    (lambda url: url.scheme in {"http", "https"}, "only http and https URLs are"),
    (lambda url: bool(url.raw_host), "it names no host"),
    (lambda url: url.raw_user is None and url.raw_password is None, "it holds a user name or password"),
    (
        lambda url: url.port in PORTS or (url.port or 0) >= LOWEST_OTHER_PORT,
        f"ports below {LOWEST_OTHER_PORT} other than 80 and 443 are not used",
    ),
)

_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)$", re.IGNORECASE)
"""Such a host is an IPv4 address to resolvers, whatever its spelling (url.spec.whatwg.org, "ends in a number")."""


def _literal(url: URL, rule: Rule) -> str | None:
    host = (url.raw_host or "").rstrip(".")
    if ":" in host or _ENDS_IN_NUMBER.search(host):
        reason = rule(host)
        return reason and f"{host} {reason}"
    return None


def parse_url(text: str) -> URL:
    """The URL in the text; ImageError when there is none."""
    try:
        return URL(text)
    except ValueError as exc:
        raise ImageError("the image's URL cannot be read") from exc


def display_url(url: URL) -> str:
    """The URL for messages: without user, password, query and fragment, at most 120 characters."""
    return f"{url.scheme}://{url.host_port_subcomponent or ''}{url.raw_path}"[:120]

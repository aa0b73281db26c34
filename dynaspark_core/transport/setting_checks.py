"""The checks of settings: each takes a setting's name and a value, and returns the value to use, or says what is wrong.

A value from the environment is text, so checks of numbers and flags read text too. `ConfigError` names the setting and
the value; a key or a password is in no message.
"""

import math
import os
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from yarl import URL

from dynaspark_core.errors import ConfigError
from dynaspark_core.wire.query import parameter

Check = Callable[[str, Any], Any]
FRAMING = frozenset({"connection", "content-encoding", "content-length", "content-type", "expect", "transfer-encoding"})
"""Headers that say how the form is sent: nobody may replace them."""
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token (RFC 9110, section 5.6.2)."""
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def text(name: str, value: object) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ConfigError(f"{name} is of the type {type(value).__name__}; it must be text")
    return value


def secret(name: str, value: object) -> str | None:
    """Printable text, never shown; None for an empty one."""
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigError(f"{name} is not printable text (its value is not shown)")
    return value or None


def flag(name: str, value: object) -> bool:
    """True or false; as text also `1`, `yes`, `0`, `no`."""
    known = value if isinstance(value, bool) else FLAGS.get(str(value).lower())
    if known is None:
        raise ConfigError(f"{name} is {value!r}; it must be true or false")
    return known


def seconds(name: str, value: Any) -> float:
    """A finite number of seconds above 0."""
    return float(_number(name, value, float, above=0))


def whole_number(least: int) -> Check:
    """The check for a whole number of at least `least`."""
    return lambda name, value: _number(name, value, int, above=least - 1)


def _number(name: str, value: Any, kind: Callable[[Any], Any], *, above: int) -> Any:
    try:
        number = kind(value) if not isinstance(value, bool) else math.nan
        is_usable = math.isfinite(number) and number > above and (isinstance(value, str) or number == value)
    except (TypeError, ValueError, OverflowError):
        is_usable = False
    if not is_usable:
        wanted = f"a whole number of at least {above + 1}" if kind is int else f"a number above {above}"
        raise ConfigError(f"{name} is {value!r}; it must be {wanted}")
    return number


def one_of(*choices: str) -> Check:
    """The check for one of the choices."""

    def check(name: str, value: object) -> object:
        if value not in choices:
            raise ConfigError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
        return value

    return check


def texts(name: str, value: Mapping[str, str]) -> dict[str, str]:
    """A copy of a mapping of text to text."""
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise ConfigError(f"{name} must map text to text, not be {type(value).__name__} with other values")
    return dict(value)


def query(name: str, value: Mapping[str, str]) -> dict[str, str]:
    """A copy of the query API's parameters, numbers checked; without those that a call or a setting sends."""
    return {key: parameter(key, line, f"{name}[{key!r}]") for key, line in texts(name, value).items()}


def headers(name: str, value: Mapping[str, str]) -> dict[str, str]:
    """A copy of headers that HTTP can carry and that do not say how the form is sent."""
    copied = texts(name, value)
    for header, line in copied.items():
        if not _HEADER_NAME.fullmatch(header):
            raise ConfigError(f"{name} holds the name {header!r}, which no HTTP header can have")
        if any((char < " " and char != "\t") or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in line):
            raise ConfigError(f"{name}[{header!r}] holds a character that no HTTP header can have")
        if header.lower() in FRAMING:
            raise ConfigError(f"{name}[{header!r}] cannot be replaced: it says how the form is sent")
    return copied


def http_url(name: str, value: object) -> str:
    """An http(s) URL with a host."""
    url = text(name, value)
    _split(name, url)
    return url


def base_url(name: str, value: object) -> str:
    """An http(s) URL of scheme, host and path, without a slash at its end."""
    url = text(name, value).strip().rstrip("/")
    parts = _split(name, url)
    if parts.query or parts.fragment:
        raise ConfigError(
            f"{name} is {_without_password(url)} with a query or a fragment; give scheme, host and path only"
        )
    return url


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        URL(url)
    except ValueError:
        is_usable = False
    if not is_usable or not _is_writable(url):
        raise ConfigError(f"{name} is {_without_password(url)!r}; it must be like http://host:port or https://host")
    return parts


def _is_writable(url: str) -> bool:
    """Whether all of a URL can be sent: no blank, no control code, no half of a character."""
    return url.isprintable() and " " not in url


def existing_file(name: str, value: object) -> str:
    """The path of a file that is there, as text."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path.isprintable() or not Path(path).is_file():
        raise ConfigError(f"{name} is {path!r}; it must be the path of a file")
    return path


PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""Read with `trust_env`, also in lower case, which takes precedence."""


def environment_proxy(url: str) -> str | None:
    """The proxy that the environment names for this URL; None without one, and for hosts in `NO_PROXY`."""
    parts, proxies = urlsplit(url), getproxies()
    name = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(name)
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    return http_url(f"{name.upper()}_PROXY", proxy if "://" in proxy else f"http://{proxy}")


def passwords(url: str) -> list[str]:
    """The password in a URL, or the user where there is none, and both as they are sent (RFC 7617); none without."""
    parts = urlsplit(url)
    user, secret = unquote(parts.username or ""), unquote(parts.password or "")
    sent = [b64encode(f"{user}:{secret}".encode(encoding)).decode() for encoding in _encodings(user + secret)]
    return [secret or user, *sent] if user or secret else []


def _encodings(text: str) -> list[str]:
    return ["utf-8", "latin-1"] if max(text, default="") <= "\xff" else ["utf-8"]


def _without_password(url: str) -> str:
    """The URL without a password, whatever shape it has."""
    return re.split("[?#]", url.rpartition("@")[2])[0]


def url_path(name: str, value: object) -> str:
    """The path of a URL, without a query."""
    path = text(name, value)
    if not path.startswith("/") or set(path) & set("?#") or not _is_writable(path):
        shown = path.partition("?")[0]
        raise ConfigError(f"{name} is {shown!r}; it must begin with / and hold no query, as /generate_response does")
    return path

"""A client's settings: arguments, then `DYNASPARK_*` environment variables, then defaults; each one is checked."""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args
from urllib.parse import SplitResult, urlsplit

from yarl import URL

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Policy
from dynaspark_core.models import ALIASES, resolve_name
from dynaspark_core.transport import counters

PUBLIC_URL = "https://dynaspark.onrender.com"
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname
DEFAULT_PATH = "/generate_response"
DEFAULT_TIMEOUT = 120.0
CONNECT_TIMEOUT = 15.0
DEFAULT_MAX_RETRIES = 2
DEFAULT_MAX_REPAIRS = 1
PUBLIC_CONCURRENCY = 10
"""Requests at a time that the public service allows."""
OWN_CONCURRENCY = 100
"""Requests at a time to any other host: as many as aiohttp keeps connections by default."""

FRAMING = frozenset({"connection", "content-encoding", "content-length", "content-type", "expect", "transfer-encoding"})
"""Headers that say how the form is sent: nobody may replace them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a client is: plain values, so that it pickles and copies.

    `url` is where the form is posted, `origin` its scheme and host; `timeout` are the seconds that one attempt is
    waited for; `max_retries` counts the requests after the first, `max_repairs` those that ask for a broken answer once
    more.
    """

    base_url: str = field(repr=False)
    path: str
    model: str
    timeout: float
    max_retries: int
    max_repairs: int
    max_concurrency: int
    requests_per_hour: int | None
    limit_storage: str | None = field(repr=False)
    model_aliases: Mapping[str, str]
    image_policy: Policy
    allow_image_urls: bool
    allow_files: bool
    api_key: str | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    proxy: str | None = field(repr=False)
    origin: str

    @property
    def url(self) -> str:
        return self.base_url + self.path

    def resolved(self, model: str = "") -> str:
        """The name that goes out for this one, or for the settings' own when it is empty."""
        return resolve_name(model or self.model, self.model_aliases)


def settings_from(
    *,
    base_url: str | None = None,
    path: str | None = None,
    model: str | None = None,
    timeout: float | None = None,
    max_retries: int | None = None,
    max_repairs: int | None = None,
    max_concurrency: int | None = None,
    requests_per_hour: int | None = None,
    limit_storage: str | None = None,
    model_aliases: Mapping[str, str] | None = None,
    image_policy: Policy | None = None,
    allow_image_urls: bool | None = None,
    allow_files: bool | None = None,
    api_key: str | None = None,
    headers: Mapping[str, str] | None = None,
    proxy: str | None = None,
) -> Settings:
    """The settings for these arguments; None means "not given". Raises `ConfigError` that names the wrong value."""
    base = _base_url(_given("base_url", base_url, PUBLIC_URL))
    return Settings(
        base_url=base,
        path=_path(_given("path", path, DEFAULT_PATH)),
        model=_text("model", _given("model", model, "")),
        timeout=_number("timeout", _given("timeout", timeout, DEFAULT_TIMEOUT), float, above=0),
        max_retries=_number("max_retries", _given("max_retries", max_retries, DEFAULT_MAX_RETRIES), int, above=-1),
        max_repairs=_number("max_repairs", _given("max_repairs", max_repairs, DEFAULT_MAX_REPAIRS), int, above=-1),
        max_concurrency=_number(
            "max_concurrency",
            _given(
                "max_concurrency",
                max_concurrency,
                PUBLIC_CONCURRENCY if urlsplit(base).hostname == PUBLIC_HOST else OWN_CONCURRENCY,
            ),
            int,
            above=0,
        ),
        requests_per_hour=_count("requests_per_hour", _given("requests_per_hour", requests_per_hour, None)),
        limit_storage=_limit_storage(_given("limit_storage", limit_storage, None)),
        model_aliases=_texts("model_aliases", ALIASES if model_aliases is None else model_aliases),
        image_policy=_policy(_given("image_policy", image_policy, "sheet")),
        allow_image_urls=_flag("allow_image_urls", _given("allow_image_urls", allow_image_urls, default=True)),
        allow_files=_flag("allow_files", _given("allow_files", allow_files, default=False)),
        api_key=_api_key(_given("api_key", api_key, None)),
        headers=_headers({} if headers is None else headers),
        proxy=_proxy(_given("proxy", proxy, None)),
        origin=_origin(base),
    )


def _given(name: str, value: T | None, default: T) -> T | str:
    return value if value is not None else os.environ.get(f"DYNASPARK_{name.upper()}") or default


def _base_url(value: object) -> str:
    text = _text("base_url", value).strip().rstrip("/")
    parts = _split("base_url", text)
    if parts.query or parts.fragment:
        raise ConfigError(
            f"base_url is {_without_password(text)} with a query or a fragment; give scheme, host and path only"
        )
    return text


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _proxy(value: object) -> str | None:
    if value is None:
        return None
    text = _text("proxy", value)
    _split("proxy", text)
    return text


def _split(name: str, text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        URL(text)
    except ValueError:
        is_usable = False
    if not is_usable or any(char.isspace() for char in text):
        raise ConfigError(f"{name} is {_without_password(text)!r}; it must be like http://host:port or https://host")
    return parts


def _without_password(text: str) -> str:
    """The URL without a password, whatever shape it has."""
    return re.split("[?#]", text.rpartition("@")[2])[0]


def _path(value: object) -> str:
    text = _text("path", value)
    if not text.startswith("/") or any(char.isspace() or char in "?#" for char in text):
        raise ConfigError(
            f"path is {text.partition('?')[0]!r}; it must begin with / and hold no query, as {DEFAULT_PATH} does"
        )
    return text


def _limit_storage(value: object) -> str | None:
    return None if value is None else counters.redis_url(_text("limit_storage", value))


def _api_key(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise ConfigError("api_key is not printable text (its value is not shown)")
    return value or None


def _policy(value: Any) -> Policy:
    if value not in get_args(Policy):
        raise ConfigError(f"image_policy is {value!r}; it must be one of {', '.join(get_args(Policy))}")
    policy: Policy = value
    return policy


_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def _flag(name: str, value: object) -> bool:
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value).lower())
    if flag is None:
        raise ConfigError(f"{name} is {value!r}; it must be true or false")
    return flag


def _headers(value: Mapping[str, str]) -> dict[str, str]:
    for name, text in _texts("headers", value).items():
        if not name.isascii() or not name.isprintable() or not name.strip() or any(char in " :" for char in name):
            raise ConfigError(f"headers holds the name {name!r}, which no HTTP header can have")
        if any((char < " " and char != "\t") or char == "\x7f" or "\ud800" <= char <= "\udfff" for char in text):
            raise ConfigError(f"headers[{name!r}] holds a character that no HTTP header can have")
        if name.lower() in FRAMING:
            raise ConfigError(f"headers[{name!r}] cannot be replaced: it says how the form is sent")
    return dict(value)


def _texts(name: str, value: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
        raise ConfigError(f"{name} must map text to text, not be {type(value).__name__} with other values")
    return dict(value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{name} is of the type {type(value).__name__}; it must be text")
    return value


def _count(name: str, value: object) -> int | None:
    number: int | None = None if value is None else _number(name, value, int, above=0)
    return number


def _number(name: str, value: object, kind: Callable[[Any], Any], *, above: int) -> Any:
    try:
        number = kind(value) if not isinstance(value, bool) else math.nan
        is_usable = math.isfinite(number) and number > above and (isinstance(value, str) or number == value)
    except (TypeError, ValueError, OverflowError):
        is_usable = False
    if not is_usable:
        whole = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{name} is {value!r}; it must be {whole} above {above}")
    return number

"""Where requests are counted: this process's memory, or a Redis that processes share. The counting is `limits`' own.

That library and `redis` are imported where they are first needed, which takes a while: not on an event loop.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from dynaspark_core.errors import ConfigError, ConnectError
from dynaspark_core.transport.setting_checks import passwords
from dynaspark_core.wire.redaction import Redactor

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter

EXAMPLES = {
    "redis": "redis://host:6379",
    "rediss": "rediss://:password@host:6379/0",
    "redis+unix": "redis+unix:///path/to/socket",
}
"""Scheme → an example of the URLs that name a storage."""
STORAGE_TIMEOUT_SECONDS = 2.0
"""Seconds that a connection to a shared storage, or its answer, may take; each is tried twice."""
MAX_QUESTION_SECONDS = 5.0
"""Seconds after which a shared storage counts as unreachable, whatever it is doing."""

MAX_STORAGE_THREADS = 4
"""Threads that ask shared storages: a slow one must not fill the application's own executor."""

T = TypeVar("T")
_threads = ThreadPoolExecutor(MAX_STORAGE_THREADS, "dynaspark-limits")
_limiters: "dict[str | None, MovingWindowRateLimiter]" = {}
_making = threading.Lock()
_counting = threading.Lock()


def redis_url(name: str, value: object) -> str:
    """The URL, if it may be that of a Redis; `ConfigError` does not show it, as it may hold a password."""
    if not isinstance(value, str):
        raise ConfigError(f"{name} is of the type {type(value).__name__}; it must be text")
    try:
        parts = urlsplit(value)
        where = parts.path if parts.scheme == "redis+unix" else parts.hostname
        is_whole = not parts.netloc or "@" not in parts.path  # otherwise a / in the password has ended the host
        is_usable = parts.scheme in EXAMPLES and bool(where) and parts.port != 0 and is_whole
    except ValueError:
        is_usable = False
    if not is_usable or not value.isprintable() or " " in value:
        raise ConfigError(f"{name} (not shown here) must be a Redis's URL, like {' or '.join(EXAMPLES.values())}")
    return value


def require_packages(url: str | None) -> None:
    """Check that the libraries for this storage are installed. Raises `ConfigError` that says how to install them."""
    wanted, extra = (("limits",), "limits") if url is None else (("limits", "redis"), "shared-limits")
    setting = "requests_per_hour" if url is None else "limit_storage"
    if missing := " and ".join(name for name in wanted if find_spec(name) is None):
        raise ConfigError(f'{missing} must be installed for {setting}: pip install "dynaspark-llm[{extra}]"')


def limiter(url: str | None) -> "MovingWindowRateLimiter":
    """The one limiter of this process for a storage; None is its memory. Raises `ConfigError` or `ConnectError`.

    The lock is held for the imports, too: of threads that import different parts of one package at the same time,
    one is given a part that is not whole.
    """
    require_packages(url)
    with _making:
        if url not in _limiters:
            with _translated(url) if url else nullcontext():
                _limiters[url] = _made(url)
        return _limiters[url]


def _made(url: str | None) -> "MovingWindowRateLimiter":
    from limits.storage import Storage, storage_from_string  # noqa: PLC0415  # of the extra `limits`
    from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415  # of the extra `limits`

    storage = storage_from_string(url or "memory://", wrap_exceptions=True, **(_timeouts() if url else {}))
    assert isinstance(storage, Storage)  # noqa: S101  # only schemes that begin with async+ give another
    return MovingWindowRateLimiter(storage)


def _timeouts() -> dict[str, Any]:
    """How long a connection may take: without it the library goes on trying for many seconds."""
    from redis.backoff import NoBackoff  # noqa: PLC0415  # of the extra `shared-limits`
    from redis.retry import Retry  # noqa: PLC0415  # of the extra `shared-limits`

    return {
        "socket_timeout": STORAGE_TIMEOUT_SECONDS,
        "socket_connect_timeout": STORAGE_TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 1),
    }


async def ask_memory(question: "Callable[[MovingWindowRateLimiter], T]") -> T:
    """The answer of this process's memory, by one thread at a time."""
    own = _limiters.get(None)
    if own is None:
        own = await asyncio.to_thread(limiter, None)
    with _counting:
        return question(own)


async def ask_storage(url: str, question: "Callable[[MovingWindowRateLimiter], T]") -> T:
    """The answer of a shared storage. Raises `ConnectError` or `ConfigError`; the URL's password is in neither."""
    loop = asyncio.get_running_loop()
    own = _limiters.get(url)
    if own is None:  # its libraries are imported, which is not the storage's time
        own = await asyncio.to_thread(limiter, url)
    try:
        async with asyncio.timeout(MAX_QUESTION_SECONDS):
            return await loop.run_in_executor(_threads, _asked, url, own, question)
    except TimeoutError as exc:
        raise _unreachable(url, f"no answer within {MAX_QUESTION_SECONDS:.0f} s", is_retryable=True) from exc


def _asked(url: str, own: "MovingWindowRateLimiter", question: "Callable[[MovingWindowRateLimiter], T]") -> T:
    with _translated(url):
        return question(own)


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Raises our error for each of the storage's, from it."""
    import redis  # noqa: PLC0415  # of the extra `shared-limits`
    from limits.errors import StorageError  # noqa: PLC0415  # of the extra `limits`

    try:
        yield
    except StorageError as exc:
        cause = exc.storage_error
        may_pass = isinstance(cause, redis.ConnectionError | redis.TimeoutError)
        is_refused = isinstance(cause, redis.AuthenticationError)
        _redactor(url).clean(exc)
        raise _unreachable(url, str(cause) or type(cause).__name__, is_retryable=may_pass and not is_refused) from cause
    except (TypeError, ValueError) as exc:
        _redactor(url).clean(exc)
        raise ConfigError(f"limit_storage cannot be used: {exc}") from exc


def _unreachable(url: str, why: str, *, is_retryable: bool) -> ConnectError:
    parts = urlsplit(url)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return ConnectError(f"limit_storage {place} cannot be reached: {why}; nothing was sent", is_retryable=is_retryable)


def _redactor(url: str) -> Redactor:
    return Redactor([*passwords(url), *parse_qs(urlsplit(url).query).get("password", ())])


def _after_fork() -> None:
    """Count from zero in the child's memory; in a shared storage it counts on with its parent."""
    global _making, _counting, _threads  # noqa: PLW0603  # the parent held them, and its threads are not here
    _making, _counting = threading.Lock(), threading.Lock()
    _threads = ThreadPoolExecutor(MAX_STORAGE_THREADS, "dynaspark-limits")
    _limiters.pop(None, None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

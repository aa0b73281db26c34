"""aiohttp's failures → ours: one table. Modules that use aiohttp raise nothing else."""

import ssl
from collections.abc import Callable

import aiohttp

from dynaspark_core.errors import (
    ConfigError,
    ConnectError,
    DynasparkError,
    ReplyError,
    RequestTimeoutError,
    StreamBrokenError,
)

_CHECK = " (check the network, base_url and proxy)"
Translation = Callable[[BaseException, str], DynasparkError]


def _tls(exc: BaseException, _text: str) -> DynasparkError:
    reason = _reason(exc)
    advice = " (is https:// right in base_url or proxy?)" if "WRONG_VERSION_NUMBER" in reason else ""
    return ConnectError(f"no secure connection: {reason}{advice}", is_retryable=False)


def _refused_by_proxy(exc: BaseException, _text: str) -> DynasparkError:
    status = getattr(exc, "status", None)
    advice = " (put user and password into the URL of proxy)" if status == 407 else ""
    return ConnectError(f"the proxy answered {status or 'with an error'}{advice}", is_retryable=False)


def _unreachable(exc: BaseException, _text: str) -> DynasparkError:
    host = getattr(exc, "host", "the service")
    return ConnectError(f"no connection to {host}: {_reason(exc)}{_CHECK}")


def _broken(_exc: BaseException, text: str) -> DynasparkError:
    arrived = f"; {len(text)} characters of it are in the error's `text`" if text else ""
    return StreamBrokenError(f"the connection broke before the answer was whole{arrived}", text=text)


FAILURES: tuple[tuple[tuple[type[BaseException], ...], Translation], ...] = (
    (
        (aiohttp.ConnectionTimeoutError,),
        lambda *_: ConnectError(f"no connection in time{_CHECK}"),
    ),
    ((TimeoutError,), lambda _, text: RequestTimeoutError("the service took longer than `timeout` allows", text=text)),
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, ssl.SSLError), _tls),
    ((aiohttp.ClientHttpProxyError,), _refused_by_proxy),
    ((aiohttp.ClientConnectorError,), _unreachable),
    (
        (aiohttp.InvalidURL, ValueError),
        lambda *_: ConfigError("base_url, path, proxy or a header contains a character that HTTP cannot carry"),
    ),
    (
        (aiohttp.ClientResponseError,),
        lambda exc, text: ReplyError(f"the answer is not HTTP that can be read ({type(exc).__name__})", text=text),
    ),
    ((aiohttp.ClientError, OSError), _broken),
)
"""The first row that fits wins: the order goes from the special to the general."""


FOREIGN = (aiohttp.ClientError, OSError, ValueError)
"""All that aiohttp raises."""


def translated(exc: BaseException, text: str) -> DynasparkError:
    """Our error for one of `FOREIGN`, which is cleaned already; `text` is what had arrived of the answer."""
    translation = next(translation for kinds, translation in FAILURES if isinstance(exc, kinds))
    return translation(exc, text)


def _reason(exc: BaseException) -> str:
    inner = getattr(exc, "os_error", exc)
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__

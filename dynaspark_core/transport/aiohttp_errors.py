"""aiohttp's failures → ours: one table. Modules that use aiohttp raise nothing else."""

import ssl
from collections.abc import Callable

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy

from dynaspark_core.errors import (
    ConfigError,
    ConnectError,
    DynasparkError,
    ReplyError,
    RequestTimeoutError,
    StreamBrokenError,
)

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
    return ConnectError(f"no connection to {host}: {_reason(exc)} (check the network, base_url and proxy)")


def _broken(_exc: BaseException, text: str) -> DynasparkError:
    arrived = f"; {len(text)} characters of it are in the error's `text`" if text else ""
    return StreamBrokenError(f"the connection broke before the answer was whole{arrived}", text=text)


FAILURES: tuple[tuple[tuple[type[BaseException], ...], Translation], ...] = (
    ((aiohttp.ConnectionTimeoutError,), lambda exc, _: ConnectError(f"no connection in time: {exc}")),
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
    """Our error for one of `FOREIGN`; `text` is what had arrived of the answer."""
    _hide(exc)
    translation = next(translation for kinds, translation in FAILURES if isinstance(exc, kinds))
    return translation(exc, text)


def _reason(exc: BaseException) -> str:
    inner = getattr(exc, "os_error", exc)
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__


def _hide(exc: BaseException) -> None:
    """Remove URLs and quoted lines from causes, which are printed with our error: a key or password may be in them."""
    cause: BaseException | None = exc
    while cause is not None:
        if isinstance(cause, HttpProcessingError):
            cause.message, cause.args = _unquoted(cause.message), ()
        cause = cause.__cause__ or cause.__context__
    if isinstance(exc, aiohttp.ClientResponseError):
        bare = exc.request_info.url.with_query(None).with_user(None)
        exc.request_info = aiohttp.RequestInfo(bare, exc.request_info.method, CIMultiDictProxy(CIMultiDict()), bare)
        exc.args = (exc.request_info, exc.history)
        exc.message = _unquoted(exc.message)


def _unquoted(message: str) -> str:
    return message.partition("\n")[0].partition(":")[0]

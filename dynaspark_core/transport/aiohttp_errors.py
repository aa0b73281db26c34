"""aiohttp's failures → ours: one table. Modules that use aiohttp raise nothing else."""

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Mapping

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError, PayloadEncodingError

from dynaspark_core.errors import (
    ConfigError,
    ConnectError,
    DynasparkError,
    ReplyError,
    RequestTimeoutError,
    StreamBrokenError,
)
from dynaspark_core.wire.pacing import requested_wait
from dynaspark_core.wire.redaction import Redactor

_CHECK = " (check the network, base_url and proxy)"
_START = " (does the local service run? Start it with: python -m dynaspark_core serve)"
Translation = Callable[[BaseException, str], DynasparkError]


def _tls(exc: BaseException, _text: str) -> DynasparkError:
    reason = _reason(exc)
    if _WANTS_CERTIFICATE.search(reason):
        return ConnectError(f"the server asks for a client certificate: set client_cert ({reason})", is_retryable=False)
    advice = next((advice for sign, advice in _TLS_ADVICE.items() if sign in reason), "")
    return ConnectError(f"no secure connection: {reason}{advice}", is_retryable=False)


_WANTS_CERTIFICATE = re.compile("certificate.required", re.IGNORECASE)
"""What OpenSSL says where a server demands a certificate and gets none; in TLS 1.2 it is a failed handshake only."""
_TLS_ADVICE = {
    "WRONG_VERSION_NUMBER": " (is https:// right in base_url or proxy?)",
    "HANDSHAKE_FAILURE": " (does the server demand a client certificate? set client_cert)",
    "unable to get local issuer": " (behind a company's own authority? set ca_file)",
    "self-signed certificate": " (behind a company's own authority? set ca_file)",
}


def refused_by_proxy(status: int, headers: Mapping[str, str] | None) -> ConnectError:
    """The error for a proxy that does not pass a request on; 429 and 5xx are retryable, as those of any gateway."""
    advice = " (put user and password into the URL of proxy)" if status == 407 else ""
    error = ConnectError(f"the proxy answered {status}{advice}", is_retryable=status == 429 or status >= 500)
    if error.is_retryable:
        error.retry_after = requested_wait(headers or {}, None, time.time(), is_spent=status == 429)
    return error


def _unreachable(exc: BaseException, _text: str) -> DynasparkError:
    host = getattr(exc, "host", "the service")
    advice = _START if host == "localhost" or re.fullmatch(r"127(\.\d+){3}|::1", host) else _CHECK
    return ConnectError(f"no connection to {host}: {_reason(exc)}{advice}")


def _no_proxy(exc: BaseException, _text: str) -> DynasparkError:
    address = f"{getattr(exc, 'host', '')}:{getattr(exc, 'port', '')}"
    return ConnectError(f"no connection to the proxy {address}: {_reason(exc)} (check the setting proxy)")


def _broken(exc: BaseException, text: str) -> DynasparkError:
    if _WANTS_CERTIFICATE.search(str(exc)):  # in TLS 1.3 a server says so when the request is on its way
        return _tls(exc, text)
    arrived = f", after {len(text)} characters" if text else ""
    return StreamBrokenError(f"the connection broke before the answer was whole{arrived}", text=text)


def _incomplete(exc: BaseException, text: str) -> DynasparkError:
    is_http = isinstance(exc.__cause__, PayloadEncodingError) or not isinstance(exc.__cause__, HttpProcessingError)
    return _broken(exc, text) if is_http else _unreadable(exc, text)


def _unreadable(exc: BaseException, text: str) -> DynasparkError:
    if exc.__cause__ is not None and isinstance(exc.__cause__.__cause__, ContentEncodingError):
        way_out = "leave Accept-Encoding out of headers, or install what reads it"
        return ReplyError(f"the answer is compressed in a way that cannot be read here ({way_out})")
    return ReplyError(f"the answer is not HTTP that can be read ({type(exc.__cause__ or exc).__name__})", text=text)


def _status_and_headers(exc: BaseException) -> tuple[int, Mapping[str, str] | None]:
    assert isinstance(exc, aiohttp.ClientHttpProxyError)  # noqa: S101  # the table says so
    return exc.status, exc.headers


FAILURES: tuple[tuple[tuple[type[BaseException], ...], Translation], ...] = (
    (
        (aiohttp.ConnectionTimeoutError,),
        lambda *_: ConnectError(f"no connection in time{_CHECK}"),
    ),
    ((TimeoutError,), lambda _, text: RequestTimeoutError("the service took longer than `timeout` allows", text=text)),
    ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, ssl.SSLError), _tls),
    ((aiohttp.ClientHttpProxyError,), lambda exc, _: refused_by_proxy(*_status_and_headers(exc))),
    ((aiohttp.ClientProxyConnectionError,), _no_proxy),
    ((aiohttp.ClientConnectorError,), _unreachable),
    (
        (aiohttp.InvalidURL, ValueError),
        lambda *_: ConfigError("base_url, path, proxy or a header contains a character that HTTP cannot carry"),
    ),
    ((aiohttp.ClientResponseError,), _unreadable),
    ((aiohttp.ClientPayloadError,), _incomplete),
    ((aiohttp.ClientError, OSError), _broken),
)
"""The first row that fits wins: the order goes from the special to the general."""


FOREIGN = (aiohttp.ClientError, OSError, ValueError)
"""All that aiohttp raises."""


def translated(exc: BaseException, text: str) -> DynasparkError:
    """Our error for one of `FOREIGN`, which is cleaned already; `text` is what had arrived of the answer."""
    translation = next(translation for kinds, translation in FAILURES if isinstance(exc, kinds))
    return translation(exc, text)


def nothing() -> None:
    """End a watch that there is not."""


def watch_framing(response: aiohttp.ClientResponse) -> Callable[[], object]:
    """Let who reads the body hear of later bytes that are no HTTP; the result ends the watch.

    aiohttp 3.14 closes the connection at such bytes, and the reader would wait until its time is over.
    """
    if response.connection is None or (protocol := response.connection.protocol) is None:
        return nothing  # all is here

    def tell(_closed: object) -> None:
        error = protocol.exception()
        if isinstance(error, HttpProcessingError) and response.content.exception() is None:
            broken = aiohttp.ClientPayloadError(str(error))
            broken.__cause__ = error
            response.content.set_exception(broken)

    if (closed := protocol.closed) is None:
        tell(closed)
        return nothing
    closed.remove_done_callback(_look_at)  # one is enough for all answers on a connection
    closed.add_done_callback(_look_at)
    closed.add_done_callback(tell)
    return lambda: closed.remove_done_callback(tell)


def _look_at(closed: asyncio.Future[None]) -> None:
    """Asyncio logs an error that nobody looked at."""
    if not closed.cancelled():
        closed.exception()


def _reason(exc: BaseException) -> str:
    inner = getattr(exc, "os_error", exc)
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__


def without_secrets(exc: BaseException, redactor: Redactor, text: str) -> BaseException:
    """Ours for an error of aiohttp's, any other as it is; no secret is left in it. `text` is what had arrived."""
    redactor.clean(exc)
    if not isinstance(exc, FOREIGN) or isinstance(exc, DynasparkError):
        return exc
    error = translated(exc, text)
    redactor.clean(error)
    return error

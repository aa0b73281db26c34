"""What every request passes: errors become JSON, other hosts' pages are refused, and one line is logged.

The line tells method, path, status, milliseconds, bytes in and out, model and engine; no query, prompt, answer or key.
It is at INFO; that of a health check, of which operators make thousands a day, is at DEBUG.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http import HttpProcessingError

from dynaspark_core.server import delivery
from dynaspark_core.server.engines import RefusedError
from dynaspark_core.server.origins import check_origin, is_allowed
from dynaspark_core.server.rules import Rules

LOG = logging.getLogger(__name__)
CLIENT_LEFT = 499
"""The status in the log, as nginx has it, where the client left before its answer had ended."""
MAX_LOGGED_CHARACTERS = 80
"""Of a path or a model's name, which clients choose."""
HEALTH_PATHS = frozenset({"/health", "/api/status"})
MODEL, ENGINE = web.RequestKey("model", str), web.RequestKey("engine", str)
"""What the handler notes of a request for its line."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}


class RequestLog(AbstractAccessLogger):
    """Writes the line of a request when its answer has been sent."""

    @property
    def enabled(self) -> bool:
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, seconds: float) -> None:
        status = CLIENT_LEFT if request.get(delivery.HAS_LEFT) else response.status
        log_request(self.logger, request, status, seconds, response.body_length)


class ConnectionLog(logging.LoggerAdapter[logging.Logger]):
    """aiohttp's log of connections. Bytes that are no HTTP, which anybody can send, are one line and no traceback."""

    def exception(self, msg: object, *args: object, exc_info: Any = True, **named: Any) -> None:
        """Log the error."""
        if isinstance(exc_info, HttpProcessingError):
            self.info("%s: %s", str(msg) % args, exc_info.message.partition("\n")[0])
        else:
            super().exception(msg, *args, exc_info=exc_info, **named)


def log_request(logger: logging.Logger, request: web.BaseRequest, status: int, seconds: float, sent: int) -> None:
    """Write the line; `sent` are the answer's bytes, with its headers."""
    logger.log(
        logging.DEBUG if request.path in HEALTH_PATHS else logging.INFO,
        "%s %s %d, %d ms, %d bytes in, %d out, model %s, engine %s",
        request.method,
        request.rel_url.raw_path[:MAX_LOGGED_CHARACTERS],
        status,
        round(seconds * 1000),
        request.content.total_bytes,
        sent,
        quote(request.get(MODEL, "-"), safe="/:@+", errors="replace")[:MAX_LOGGED_CHARACTERS],
        request.get(ENGINE, "-"),
    )


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the handler answers, or a JSON error instead of what it raises."""
    if any("\udc80" <= letter <= "\udcff" for value in request.headers.values() for letter in value):
        return _error(400, "a header of the request is not UTF-8", {}, {})
    began = time.monotonic()
    try:
        return await handler(request)
    except RefusedError as exc:
        return _error(exc.status, exc.message, exc.details, exc.headers, exc.code)
    except web.HTTPException as exc:
        allow = {str(hdrs.ALLOW): exc.headers[hdrs.ALLOW]} if hdrs.ALLOW in exc.headers else {}
        return _error(exc.status, f"{exc.reason}: {request.method} {request.path}", {}, allow)
    except asyncio.CancelledError:
        log_request(LOG, request, CLIENT_LEFT, time.monotonic() - began, 0)
        raise
    except Exception as exc:
        LOG.exception("the engine failed")
        return _error(500, f"{type(exc).__name__}: {exc}", {}, {})


class Pages:
    """Lets no web page ask but the service's own and those that the rules name."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @web.middleware
    async def refuse_others(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What the handler answers. Raises `RefusedError` (403)."""
        check_origin(request.raw_path, request.headers, self._rules.allow_hosts, self._rules.allow_origins)
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            return web.Response(status=204, headers=_PREFLIGHT)
        return await handler(request)

    async def name_page(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let the page that may ask read the answer, too."""
        origin = request.headers.get(hdrs.ORIGIN, "")
        if is_allowed(origin, self._rules.allow_origins):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.VARY] = hdrs.ORIGIN


def _error(
    status: int, message: str, details: dict[str, object], headers: dict[str, str], code: int | str = 0
) -> web.Response:
    body = delivery.error_body(code or status, message, details)
    response = web.Response(body=body, status=status, content_type=delivery.JSON, headers=headers)
    if headers.get("Connection") == "close":
        response.force_close()
    return response

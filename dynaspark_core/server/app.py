"""The web application: one form, its errors and limits, as PROTOCOL documents them for the service."""

import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiohttp import hdrs, web

from dynaspark_core.server import delivery, form
from dynaspark_core.server.engines import Engine, RefusedError
from dynaspark_core.server.origins import check_origin, is_allowed
from dynaspark_core.server.rules import Quota, Rules

LOG = logging.getLogger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
}
DEFAULT_MODEL = "gemini-1.5-flash"
"""The model that answers when the form names none."""


def application(engine: Engine, rules: Rules, *, is_local: bool = True) -> web.Application:
    """The service, ready to be run; it closes neither the engine nor anything else of the caller's.

    With `is_local` it listens on this machine only, and requests of other hosts' web pages are refused.
    """
    service = _Service(engine, rules)
    pages = _Pages(rules)
    app = web.Application(middlewares=[_errors, *([pages.middleware] if is_local else [])])
    app.on_response_prepare.append(pages.name_page)
    app.router.add_post(rules.path, service.generate)
    app.on_response_prepare.append(service.add_limits)
    return app


class _Service:
    def __init__(self, engine: Engine, rules: Rules) -> None:
        self._engine, self._rules = engine, rules
        self._quota = Quota(rules.requests_per_hour)
        self._running = 0

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """The answer to the form. Raises `RefusedError`."""
        self._admit(request)
        self._running += 1
        try:
            asked = await form.read_form(request, self._rules)
            answer = await self._engine.answer(asked)
            model = asked.model or DEFAULT_MODEL
            stream = dict(asked.fields).get("stream", asked.query.get("stream", ""))
            wants_events = stream.lower() in {"true", "1"} or delivery.EVENTS in asked.headers.get("accept", "")
            return await delivery.deliver(request, answer, model, events=wants_events)
        finally:
            self._running -= 1

    async def add_limits(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Add the rate-limit headers to the response, unless the engine gave its own."""
        self._quota.refresh(time.time())
        for name, value in self._quota.headers().items():
            response.headers.setdefault(name, value)

    def _admit(self, request: web.Request) -> None:
        if self._rules.api_key is not None and not _has_key(request, self._rules.api_key):
            raise RefusedError(401, "the API key is missing or wrong", headers={"WWW-Authenticate": "Bearer"})
        if self._rules.requests_at_once is not None and self._running >= self._rules.requests_at_once:
            message = f"more than {self._rules.requests_at_once} requests at a time"
            raise RefusedError(429, message, headers={"Retry-After": "1"})
        now = time.time()
        if not self._quota.take(now):
            reset = datetime.fromtimestamp(self._quota.reset, UTC)
            raise RefusedError(
                429,
                f"more than {self._quota.limit} requests an hour",
                headers={"Retry-After": str(max(1, round(self._quota.reset - now)))},
                details={"reset_time": reset.isoformat(timespec="seconds").replace("+00:00", "Z")},
            )


def _has_key(request: web.Request, key: str) -> bool:
    scheme, _, bearer = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    sent = bearer.strip() if scheme.lower() == "bearer" else request.query.get("api_key", "")
    return hmac.compare_digest(sent.encode(), key.encode())


class _Pages:
    """Lets no web page ask but the service's own and those that the rules name."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What the handler answers. Raises `RefusedError` (403)."""
        check_origin(request.headers, self._rules.allow_hosts, self._rules.allow_origins)
        if request.method == hdrs.METH_OPTIONS and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers:
            return web.Response(status=204, headers=_PREFLIGHT)
        return await handler(request)

    async def name_page(self, request: web.Request, response: web.StreamResponse) -> None:
        """Let the page that may ask read the answer, too."""
        origin = request.headers.get(hdrs.ORIGIN, "")
        if is_allowed(origin, self._rules.allow_origins):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
            response.headers[hdrs.VARY] = hdrs.ORIGIN


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What the handler answers, or a JSON error instead of what it raises."""
    if any("\udc80" <= letter <= "\udcff" for value in request.headers.values() for letter in value):
        return _error(400, "a header of the request is not UTF-8", {}, {})
    try:
        return await handler(request)
    except RefusedError as exc:
        return _error(exc.status, exc.message, exc.details, exc.headers, exc.code)
    except web.HTTPException as exc:
        allow = {str(hdrs.ALLOW): exc.headers[hdrs.ALLOW]} if hdrs.ALLOW in exc.headers else {}
        return _error(exc.status, f"{exc.reason}: {request.method} {request.path}", {}, allow)
    except Exception as exc:
        LOG.exception("the engine failed")
        return _error(500, f"{type(exc).__name__}: {exc}", {}, {})


def _error(
    status: int, message: str, details: dict[str, object], headers: dict[str, str], code: int | str = 0
) -> web.Response:
    body = delivery.error_body(code or status, message, details)
    response = web.Response(body=body, status=status, content_type=delivery.JSON, headers=headers)
    if headers.get("Connection") == "close":
        response.force_close()
    return response

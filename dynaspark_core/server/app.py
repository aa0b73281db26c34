"""The web application: the form, the query API and what tells of the service, as PROTOCOL documents them."""

import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from aiohttp import hdrs, web

from dynaspark_core._version import __version__
from dynaspark_core.server import delivery, form, query
from dynaspark_core.server.engines import Asked, Engine, ListsModels, RefusedError
from dynaspark_core.server.loading import LoadingEngine
from dynaspark_core.server.middleware import ENGINE, HEALTH_PATHS, MODEL, Pages, errors_as_json
from dynaspark_core.server.page.routes import Page, wants_page
from dynaspark_core.server.rules import Quota, Rules

DEFAULT_MODEL = "gemini-1.5-flash"
"""The model that answers when the form names none."""
QUERY_PATHS = ("/generate_response", "/api/generate_response")
_MEDIA_PATHS = ("/api/generate_image", "/generate_image", "/api/image/models")


def application(engine: Engine, rules: Rules, *, is_local: bool = True) -> web.Application:
    """The service, ready to be run; it closes neither the engine nor anything else of the caller's.

    With `is_local` it listens on this machine only, and requests of other hosts' web pages are refused.
    """
    service, pages = _Service(engine, rules), Pages(rules)
    app = web.Application(middlewares=[errors_as_json, *([pages.refuse_others] if is_local else [])])
    app.on_response_prepare.append(service.add_limits)
    app.on_response_prepare.append(pages.name_page)
    add = app.router
    add.add_post(rules.path, service.answer_form)
    for path in QUERY_PATHS:
        add.add_get(path, service.answer_query, allow_head=False)
    for path in _MEDIA_PATHS:
        add.add_get(path, _refuse_media)
    add.add_get("/", service.describe)
    if rules.path != "/":
        add.add_post("/", service.answer_page)
    for path in HEALTH_PATHS:
        add.add_get(path, service.health)
    add.add_get("/api/text/models", service.list_models)
    return app


class _Service:
    def __init__(self, engine: Engine, rules: Rules) -> None:
        self._engine, self._rules = engine, rules
        self._name = str(getattr(engine, "name", type(engine).__name__.lower()))
        self._quota = Quota(rules.requests_per_hour)
        self._running = 0
        self._page = Page(engine, self._name, DEFAULT_MODEL, rules)

    async def answer_form(self, request: web.Request) -> web.StreamResponse:
        """The answer to the form. Raises `RefusedError`."""
        with self._admitted(request):
            return await self._answer(request, await form.read_form(request, self._rules))

    async def answer_query(self, request: web.Request) -> web.StreamResponse:
        """The answer to the query API's question. Raises `RefusedError`."""
        with self._admitted(request):
            return await self._answer(request, query.read_query(request, self._rules))

    async def answer_page(self, request: web.Request) -> web.StreamResponse:
        """The answer to the page's own form. Raises `RefusedError`."""
        with self._admitted(request):
            return await self._page.ask(request)

    async def health(self, _request: web.Request) -> web.Response:
        """200 when requests are answered at once, 503 while the model is being loaded; no key is needed."""
        is_ready = not isinstance(self._engine, LoadingEngine) or self._engine.is_ready
        content = {"status": "ready" if is_ready else "loading", "engine": self._name}
        return web.json_response(content, status=200 if is_ready else 503)

    async def describe(self, request: web.Request) -> web.StreamResponse:
        """The page for a browser; otherwise what this is, and its routes, as JSON. No key is needed."""
        if wants_page(request):
            return self._page.show()
        routes = {
            f"POST {self._rules.path}": "the form: user_input, ai_model, file",
            **{f"GET {path}": "the query API: user_input, model, system, temperature, …" for path in QUERY_PATHS},
            "GET /": "a page to ask from, for a browser",
            "GET /api/text/models": "the models' names",
            "GET /health": "200 ready, 503 loading",
        }
        about = {"service": f"dynaspark-llm {__version__}", "engine": self._name, "routes": routes}
        return web.json_response(about | {"needs_key": self._rules.api_key is not None})

    async def list_models(self, request: web.Request) -> web.Response:
        """The names that may be asked for. Raises `RefusedError`."""
        self._check_key(request)
        engine = self._engine
        names = await engine.models() if isinstance(engine, ListsModels) else (DEFAULT_MODEL, query.DEFAULT_MODEL)
        return web.json_response({"models": list(names)})

    async def add_limits(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Add the rate-limit headers to the response, unless the engine gave its own."""
        self._quota.refresh(time.time())
        for name, value in self._quota.headers().items():
            response.headers.setdefault(name, value)

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        request[MODEL] = model = asked.model or DEFAULT_MODEL
        answer = await self._engine.answer(asked)
        return await delivery.deliver(request, answer, model, events=_wants_events(asked))

    @contextmanager
    def _admitted(self, request: web.Request) -> Iterator[None]:
        """A block in which the request counts as running. Raises `RefusedError` for one too many."""
        request[ENGINE] = self._name
        self._admit(request)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    def _check_key(self, request: web.Request) -> None:
        if self._rules.api_key is not None and not _has_key(request, self._rules.api_key):
            raise RefusedError(401, "the API key is missing or wrong", headers={"WWW-Authenticate": "Bearer"})

    def _admit(self, request: web.Request) -> None:
        self._check_key(request)
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
    return hmac.compare_digest(sent.encode(errors="replace"), key.encode())


def _wants_events(asked: Asked) -> bool:
    stream = dict(asked.fields).get("stream", asked.query.get("stream", ""))
    return query.truth("stream", stream) or delivery.EVENTS in asked.headers.get("accept", "")


async def _refuse_media(request: web.Request) -> web.StreamResponse:
    raise RefusedError(501, f"this service makes no images: {request.path} is not here")

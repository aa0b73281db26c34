"""The page at work: shown on GET, asked by POST, with the answer as a page or, for its script, as events."""

import json
from collections.abc import AsyncGenerator

from aiohttp import web

from dynaspark_core._version import __version__
from dynaspark_core.messages import Tool
from dynaspark_core.server import delivery
from dynaspark_core.server.engines import Answer, Asked, Engine, RefusedError
from dynaspark_core.server.form import TEXT_FIELDS, read_form
from dynaspark_core.server.middleware import MODEL
from dynaspark_core.server.page import view
from dynaspark_core.server.rules import Rules

HTML = "text/html"
FIELDS = TEXT_FIELDS | {"tool"}


def wants_page(request: web.Request) -> bool:
    """Whether a browser asks; programs send `*/*`, or nothing."""
    return HTML in request.headers.get("Accept", "")


class Page:
    """The page of a service that has this engine and these rules."""

    def __init__(self, engine: Engine, name: str, default_model: str, rules: Rules) -> None:
        self._engine, self._default_model, self._rules = engine, default_model, rules
        self._about = {"version": __version__, "engine": name, "path": rules.path}

    def show(self) -> web.Response:
        """The page with an empty form."""
        return self._page({}, {})

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """The answer to the page's form: events for its script, otherwise the page again. Raises `RefusedError`."""
        is_script = delivery.EVENTS in request.headers.get("Accept", "")
        texts: dict[str, str] = {}
        try:
            asked = await read_form(request, self._rules, FIELDS)
            texts = dict(asked.fields)
            asked, tools = view.with_tool(asked, texts.get("tool", ""))
            request[MODEL] = model = asked.model or self._default_model
            answer = await self._engine.answer(asked)
            steps = _steps(asked, tools, answer, model)
            if is_script:
                return await delivery.send_chunks(request, Answer(), _as_events(steps), delivery.EVENTS)
            async for step in steps:
                texts |= {"answer": texts.get("answer", "") + step.pop("text", "")} | step
        except RefusedError as exc:
            if is_script:
                raise
            return self._page(texts | {"error": exc.message}, {"result": False}, exc.status)
        return self._page(texts, {"result": False, "calls": not tools})

    def _page(self, texts: dict[str, str], hidden: dict[str, bool], status: int = 200) -> web.Response:
        text = view.fill(self._about | texts, {"key": self._rules.api_key is None} | hidden)
        body = text.encode(errors="backslashreplace")  # half a character, of a tool or an answer, as JSON has it
        return web.Response(body=body, status=status, content_type=HTML, charset="utf-8", headers=view.headers())


async def _steps(asked: Asked, tools: tuple[Tool, ...], answer: Answer, model: str) -> AsyncGenerator[dict[str, str]]:
    """What the page shows, in order: the prompt, the text as it comes, what was read as calls, the raw JSON."""
    yield {"prompt": asked.prompt}
    async for step in delivery.read_answer(answer, model):
        if isinstance(step, str):
            yield {"text": step}
        else:
            yield {"calls": view.read_calls(str(step["response"]), tools)}
            yield {"raw": json.dumps(step, indent=2, ensure_ascii=False)}


async def _as_events(steps: AsyncGenerator[dict[str, str]]) -> AsyncGenerator[bytes]:
    try:
        async for step in steps:
            yield delivery.event(step)
    except RefusedError as exc:
        yield delivery.event({"error": exc.message})

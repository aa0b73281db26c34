"""Who meets the faults: each public way to ask, sync and async, whole and in pieces."""

import asyncio
import pickle
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from langchain_core.exceptions import ModelError
from langchain_core.tracers import BaseTracer, Run
from llama_index.core.llms import ChatMessage

from dynaspark_core import DynasparkClient
from dynaspark_core.transport import sessions
from faults.rows import KEY, PASSWORD, Fault
from faults.server import FaultServer, Listener
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

Make = Callable[..., Any]
SyncAsk = Callable[[Any, str], Iterable[str]]
AsyncAsk = Callable[[Any, str], AsyncIterator[str]]


@dataclass(frozen=True, slots=True)
class Surface:
    """How to ask an object that `make` makes; it gives the text in pieces, which for a whole reply is one."""

    make: Make
    is_stream: bool
    ask: SyncAsk | None = None
    aask: AsyncAsk | None = None
    route: str = "form"


@dataclass(slots=True)
class Result:
    """What became of a fault's calls."""

    shown: list[str] = field(default_factory=list)
    error: BaseException | None = None
    told: str = ""
    traces: "Traces | None" = None
    requests: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.shown)


def _whole(ask: Callable[[Any, str], Any]) -> SyncAsk:
    return lambda model, prompt: [ask(model, prompt)]


def _awhole(ask: Callable[[Any, str], Awaitable[Any]]) -> AsyncAsk:
    async def asked(model: Any, prompt: str) -> AsyncIterator[str]:
        yield await ask(model, prompt)

    return asked


def _turns(prompt: str) -> list[ChatMessage]:
    return [ChatMessage(prompt)]


async def _complete(client: DynasparkClient, prompt: str) -> str:
    return (await client.complete(prompt)).text


async def _ainvoke(model: ChatDynaspark, prompt: str) -> str:
    return (await model.ainvoke(prompt)).text


async def _astream(model: ChatDynaspark, prompt: str) -> AsyncIterator[str]:
    async for chunk in model.astream(prompt):
        yield chunk.text


async def _achat(llm: Dynaspark, prompt: str) -> str:
    return str((await llm.achat(_turns(prompt))).message.content)


async def _astream_chat(llm: Dynaspark, prompt: str) -> AsyncIterator[str]:
    async for response in await llm.astream_chat(_turns(prompt)):
        yield response.delta or ""


_BY_FORM: Mapping[str, Surface] = {
    "client.complete": Surface(DynasparkClient, is_stream=False, aask=_awhole(_complete)),
    "client.stream": Surface(DynasparkClient, is_stream=True, aask=lambda client, prompt: client.stream(prompt)),
    "ChatDynaspark.ainvoke": Surface(ChatDynaspark, is_stream=False, aask=_awhole(_ainvoke)),
    "ChatDynaspark.astream": Surface(ChatDynaspark, is_stream=True, aask=_astream),
    "ChatDynaspark.invoke": Surface(ChatDynaspark, is_stream=False, ask=_whole(lambda m, p: m.invoke(p).text)),
    "ChatDynaspark.stream": Surface(ChatDynaspark, is_stream=True, ask=lambda m, p: (c.text for c in m.stream(p))),
    "Dynaspark.achat": Surface(Dynaspark, is_stream=False, aask=_awhole(_achat)),
    "Dynaspark.astream_chat": Surface(Dynaspark, is_stream=True, aask=_astream_chat),
    "Dynaspark.chat": Surface(
        Dynaspark, is_stream=False, ask=_whole(lambda m, p: str(m.chat(_turns(p)).message.content))
    ),
    "Dynaspark.stream_complete": Surface(
        Dynaspark, is_stream=True, ask=lambda m, p: (r.delta or "" for r in m.stream_complete(p))
    ),
}

_ALSO_BY_API = ("client.complete", "client.stream", "ChatDynaspark.ainvoke", "Dynaspark.stream_complete")
BY_API = {f"{name}, api": replace(_BY_FORM[name], route="api") for name in _ALSO_BY_API}
"""The query API, in which the prompt is a part of the URL."""
SURFACES: Mapping[str, Surface] = {**_BY_FORM, **BY_API}


def fits(fault: Fault) -> bool:
    """Whether the question fits into a URL."""
    return len(fault.prompt) < 1000


def settings_for(fault: Fault, listener: Listener, behind: Listener) -> dict[str, Any]:
    """The arguments with which an object meets the fault; a key is always planted, a password in every proxy."""
    port = behind.port if fault.has_proxy else listener.port
    proxy = f"http://user:{quote(PASSWORD, safe='')}@127.0.0.1:{listener.port}" if fault.has_proxy else None
    return {
        "base_url": fault.at.format(port=port),
        "proxy": proxy,
        "api_key": KEY,
        "timeout": fault.timeout,
        "max_retries": fault.max_retries,
        "context_window": 128_000,  # of the query API's models nothing is published
    }


async def meet(surface: Surface, settings: Mapping[str, Any], fault: Fault) -> Result:
    """What an async way ends in."""
    assert surface.aask is not None
    result = Result()
    with _caught(result):
        model = surface.make(**settings, route=surface.route, **_traced(surface, result))
        for _ in range(fault.calls):
            async for piece in surface.aask(model, fault.prompt):
                result.shown.append(piece)
    return result


def meet_sync(surface: Surface, settings: Mapping[str, Any], fault: Fault) -> Result:
    """What a sync way ends in."""
    assert surface.ask is not None
    result = Result()
    with _caught(result):
        model = surface.make(**settings, route=surface.route, **_traced(surface, result))
        for _ in range(fault.calls):
            result.shown.extend(surface.ask(model, fault.prompt))
    return result


def _traced(surface: Surface, result: Result) -> dict[str, Any]:
    if surface.make is not ChatDynaspark:
        return {}
    result.traces = Traces()
    return {"callbacks": [result.traces]}


@contextmanager
def _caught(result: Result) -> Iterator[None]:
    """Keeps the error, what it and its causes say, and none of their frames."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # what must not be is judged by the test
        result.error = error
        result.told = told_by(error)
        for one in causes(error):
            one.__traceback__ = None


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, the last to be raised first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def told_by(error: BaseException) -> str:
    """All text that can be reached from the error, also as it is printed and once it was pickled."""
    todo: list[object] = [error, pickle.loads(pickle.dumps(error)), *traceback.format_exception(error)]
    errors: list[BaseException] = []
    texts = []
    while todo:
        one = todo.pop()
        texts += [str(one), repr(one)]
        if isinstance(one, BaseException) and not any(one is other for other in errors):
            errors.append(one)
            todo += [one.args, one.__cause__, one.__context__, *vars(one).values()]
            todo += [getattr(one, name, None) for name in ("doc", "object", "strerror", "filename", "body", "headers")]
        elif isinstance(one, Mapping):
            todo += [*one, *one.values()]
        elif isinstance(one, tuple | list):
            todo += one
    return "\n".join(text[:10_000] for text in texts)


class Traces(BaseTracer):
    """What LangChain's tracers keep of runs."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def _persist_run(self, run: Run) -> None:
        self.kept.append(f"{run.error} {run.extra} {run.serialized} {run.events}")


class Meeting:
    """Many faults and surfaces at a time: async ones on one loop, sync ones on threads; a listener for each."""

    def __init__(self, server: FaultServer, tls: Any, at_a_time: int) -> None:
        self._server, self._tls, self._at_a_time = server, tls, at_a_time
        self.behind = server.open(_good)

    def __call__(self, pairs: Iterable[tuple[Fault, str]]) -> dict[tuple[str, str], Result]:
        """The result of each pair of a fault and a surface's name."""
        pairs = list(pairs)
        with ThreadPoolExecutor(self._at_a_time) as threads:
            sync = {
                (str(fault), name): threads.submit(self._one_sync, fault, name)
                for fault, name in pairs
                if SURFACES[name].ask
            }
            found = asyncio.run(self._async(pairs), debug=False)
            return found | {key: future.result() for key, future in sync.items()}

    async def _async(self, pairs: list[tuple[Fault, str]]) -> dict[tuple[str, str], Result]:
        gate = asyncio.Semaphore(self._at_a_time)
        own = [(fault, name) for fault, name in pairs if SURFACES[name].aask]
        results = await asyncio.gather(*(self._one(fault, name, gate) for fault, name in own))
        await sessions.close()
        return {(str(fault), name): result for (fault, name), result in zip(own, results, strict=True)}

    async def _one(self, fault: Fault, name: str, gate: asyncio.Semaphore) -> Result:
        async with gate:
            listener = self._open(fault)
            result = await meet(SURFACES[name], settings_for(fault, listener, self.behind), fault)
            return self._ended(listener, result)

    def _one_sync(self, fault: Fault, name: str) -> Result:
        listener = self._open(fault)
        result = meet_sync(SURFACES[name], settings_for(fault, listener, self.behind), fault)
        return self._ended(listener, result)

    def _open(self, fault: Fault) -> Listener:
        listener = self._server.open(fault.talk, self._tls if fault.has_tls else None)
        if fault.is_closed:
            self._server.refuse(listener)
        return listener

    def _ended(self, listener: Listener, result: Result) -> Result:
        result.requests = listener.requests
        self._server.close(listener)
        return result


async def _good(visit: Any) -> None:
    await visit.request()


def found(name: str, fault: Fault, result: Result) -> dict[str, Any]:
    """What came of it, as far as the table says something of it; equal to `expected` where it is right."""
    error = result.error
    if error is None:
        return {"text": result.text, "requests": len(result.requests)}
    given = vars(error)
    text, wait = given.get("text", ""), given.get("retry_after")
    return {
        "is of the kind": (isinstance(fault.outcome, type) and isinstance(error, fault.outcome)) or repr(error)[:300],
        "is LangChain's": isinstance(error, ModelError) or not name.startswith("Chat"),
        "text": text if len(text) < 1000 else "".join(set(text)),
        "shown": text.startswith(result.text) or result.text[:100],
        "status": given.get("status", 0) if fault.status else 0,
        "retry_after": wait if wait is None else round(wait, -2),
        "requests": len(result.requests),
    }


def expected(name: str, fault: Fault) -> dict[str, Any]:
    """What the table says; of an endless text the only letter."""
    is_streamed = fault.streamed is not None and SURFACES[name].is_stream
    requests = fault.streamed if is_streamed else fault.requests
    if isinstance(fault.outcome, str):
        return {"text": fault.outcome, "requests": requests}
    return {
        "is of the kind": True,
        "is LangChain's": True,
        "text": fault.text,
        "shown": True,
        "status": fault.status,
        "retry_after": fault.retry_after,
        "requests": requests,
    }

"""What is shown or stored of a model, a call or an error holds no key and no password, and the object still works."""

import asyncio
import copy
import gc
import logging
import pickle
import pprint
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumpd, dumps
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tracers import BaseTracer, Run
from llama_index.core import Settings
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.query_engine import CustomQueryEngine
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import DynasparkError
from dynaspark_core.server import Asked, LocalService, RefusedError, Script
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

URLS = {
    "http://user:pa55word@host": "http://host",
    "https://user:pa55word@host:8443/x/y": "https://host:8443/x/y",
    "http://pa55word@[::1]:1": "http://[::1]:1",
    "http://user:pa55%40word@host/a@b": "http://host/a@b",
    "http://host/pa55/x": "http://host/pa55/x",
}


@pytest.mark.parametrize("kind", [ChatDynaspark, Dynaspark])
@pytest.mark.parametrize("url", URLS)
def test_a_password_in_base_url_is_neither_shown_nor_dumped(kind: type, url: str) -> None:
    model = kind(base_url=url, proxy="http://u:pa55word@proxy:1")
    shown = f"{model!r} {model} {model.model_dump()} {model.model_dump_json()}"
    assert "word" not in shown
    assert model.model_dump()["base_url"] == URLS[url]
    assert model.base_url == url


def test_a_base_url_that_is_not_given_is_none() -> None:
    assert ChatDynaspark().model_dump()["base_url"] is None
    assert Dynaspark().model_dump()["base_url"] is None


KEY, PASSWORD, TOKEN = "k3y/mark:1, 2@3é", "pa55/mark@4", "t0ken-mark5"
MARKS = ["mark", quote(KEY, safe=""), quote(PASSWORD, safe="")]
"""Each secret holds the first, whatever becomes of its other characters."""


def _refuse(asked: Asked) -> str:
    said = f"the key {asked.query['api_key']!r} is wrong, as is {asked.headers['x-api-key']}"
    raise RefusedError(401, said, headers={"Set-Cookie": f"k={quote(KEY)}", "Location": f"/?api_key={quote(KEY)}"})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address, with a password, of a service that repeats what it got in a refusal."""
    with LocalService(Script(_refuse)) as service:
        yield service.url.replace("//", f"//user:{quote(PASSWORD, safe='')}@")


def _settings(url: str) -> dict[str, Any]:
    return {
        "base_url": url,
        "api_key": KEY,
        "default_headers": {"X-Api-Key": TOKEN},
        "max_retries": 0,
        "context_window": 99_000,
    }


@dataclass(eq=False)
class Walk:
    """What was kept of one model, and of the call that fails."""

    model: Any
    kept: list[object] = field(default_factory=list)
    error: BaseException | None = None


def _everything(walk: Walk) -> Iterator[object]:
    yield from walk.kept
    yield from _told(walk.error)


def _told(error: BaseException | None) -> Iterator[object]:
    assert isinstance(error, DynasparkError)
    group = ExceptionGroup("several", [error, ValueError("another")])
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again, copy.copy(error), group):
        yield one
        yield vars(one)
        yield "".join(traceback.format_exception(one))
        yield "".join(traceback.TracebackException.from_exception(one).format())


# LangChain


def _chain(model: ChatDynaspark) -> Any:
    return ChatPromptTemplate.from_messages([("human", "{x}")]) | model | StrOutputParser()


class Reply(BaseModel):
    """An answer."""

    text: str


LANGCHAIN: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "pprint": pprint.pformat,
    "rich": lambda model: list(model.__rich_repr__()),
    "devtools": lambda model: list(model.__pretty__(str)),
    "model_dump, JSON": lambda model: model.model_dump(mode="json"),
    "model_dump, unset": lambda model: model.model_dump(exclude_unset=True, by_alias=True),
    "model_dump of an owner": lambda model: _Owner(model=model).model_dump(),
    "repr of an owner": lambda model: repr(_Owner(model=model)),
    "to_json": lambda model: model.to_json(),
    "dumpd": dumpd,
    "dumps": lambda model: dumps(model, pretty=True),
    "dumps of a chain": lambda model: dumps(_chain(model)),
    "dumps of a bound model": lambda model: dumps(model.bind(stop=["x"])),
    "dumps with tools": lambda model: dumps(model.bind_tools([Reply])),
    "dumps of a structured model": lambda model: repr(dumpd(model.with_structured_output(Reply))),
    "repr of a chain": lambda model: repr(_chain(model)),
    "repr with retries": lambda model: repr(model.with_retry()),
    "repr with a fallback": lambda model: repr(model.with_fallbacks([model])),
    "graph": lambda model: _chain(model).get_graph().to_json(with_schemas=True),
    "Mermaid": lambda model: _chain(model).get_graph().draw_mermaid(),
    "config specs": lambda model: model.config_specs,
    "identifying parameters": lambda model: model._identifying_params,
    "the cache's key": lambda model: model._get_llm_string(stop=["x"]),
    "LangSmith's parameters": lambda model: model._get_ls_params(),
    "lc_secrets": lambda model: model.lc_secrets,
    "metadata": lambda model: model.metadata,
    "a deep copy": lambda model: repr(copy.deepcopy(model)),
    "a copy with other fields": lambda model: repr(model.model_copy(update={"proxy": f"http://u:{TOKEN}@p:1"})),
    "what is pickled, shown": lambda model: repr(pickle.loads(pickle.dumps(model))),
}


class _Owner(BaseModel):
    """An application's own model that has one of ours as a field."""

    model: ChatDynaspark


def _chat(url: str) -> ChatDynaspark:
    proxy, storage = f"http://user:{quote(PASSWORD, safe='')}@127.0.0.1:1", f"redis://:{quote(PASSWORD, safe='')}@h/0"
    query = {"token": TOKEN, "signature": TOKEN}
    return ChatDynaspark(**_settings(url), proxy=proxy, limit_storage=storage, route="api", query=query)


@pytest.mark.parametrize("place", LANGCHAIN)
def test_what_langchain_shows_of_a_model_holds_no_secret(place: str, url: str) -> None:
    said = str(LANGCHAIN[place](_chat(url)))
    assert [mark for mark in MARKS if mark in said] == []


class Seen(BaseCallbackHandler):
    """What callbacks get."""

    raise_error = True

    def __init__(self, kept: list[object]) -> None:
        self._kept = kept

    def on_chat_model_start(self, *parts: Any, **named: Any) -> None:
        self._kept += [parts, named]

    def on_llm_error(self, error: BaseException, **named: Any) -> None:
        self._kept += [*_told(error), named]

    def on_chain_error(self, error: BaseException, **named: Any) -> None:
        self._kept += [error, named]


class Traces(BaseTracer):
    """What tracers store of runs."""

    def __init__(self, kept: list[object]) -> None:
        super().__init__()
        self._kept = kept

    def _persist_run(self, run: Run) -> None:
        self._kept += [run.model_dump_json(), repr(run)]


async def _chain_fails(url: str, kept: list[object]) -> BaseException | None:
    model = ChatDynaspark(**_settings(url), cache=InMemoryCache())
    config: Any = {"callbacks": [Seen(kept), Traces(kept)]}
    [found] = await _chain(model).abatch(["Hi"], config=config, return_exceptions=True)
    kept.append(found)
    try:
        kept += [event async for event in _chain(model).astream_events("Hi", version="v2")]
    except DynasparkError as error:
        return error
    return None


# LlamaIndex


class _Query(CustomQueryEngine):
    """An application's own engine that has an LLM as a field."""

    llm: Dynaspark

    def custom_query(self, query_str: str) -> str:
        return str(self.llm.complete(query_str))


LLAMA_INDEX: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "pprint": pprint.pformat,
    "rich": lambda llm: list(llm.__rich_repr__()),
    "model_dump": lambda llm: llm.model_dump(),
    "model_dump_json": lambda llm: llm.model_dump_json(),
    "to_dict": lambda llm: llm.to_dict(),
    "to_json": lambda llm: llm.to_json(),
    "metadata": lambda llm: llm.metadata,
    "an engine": lambda llm: repr(_Query(llm=llm)),
    "an engine, dumped": lambda llm: _Query(llm=llm).model_dump(),
    "an agent": lambda llm: repr(FunctionAgent(llm=llm)),
    "an agent, dumped": lambda llm: FunctionAgent(llm=llm).model_dump(),
    "a structured LLM": lambda llm: repr(llm.as_structured_llm(Reply)),
    "a structured LLM, dumped": lambda llm: llm.as_structured_llm(Reply).to_dict(),
    "a deep copy": lambda llm: repr(copy.deepcopy(llm)),
    "what is pickled, shown": lambda llm: repr(pickle.loads(pickle.dumps(llm))),
}


@pytest.mark.filterwarnings("ignore:.*(fields|extra).* attribute")  # an agent's own repr asks for them
@pytest.mark.parametrize("place", LLAMA_INDEX)
def test_what_llama_index_shows_of_an_llm_holds_no_secret(place: str, url: str) -> None:
    proxy = f"http://user:{quote(PASSWORD, safe='')}@127.0.0.1:1"
    llm = Dynaspark(**_settings(url), proxy=proxy, route="api", query={"token": TOKEN})
    said = str(LLAMA_INDEX[place](llm))
    assert [mark for mark in MARKS if mark in said] == []


class Events(BaseEventHandler):
    """What the instrumentation's events hold."""

    kept: ClassVar[list[Any]] = []

    def handle(self, event: Any, **_: Any) -> None:
        self.kept.append((event, event.model_dump_json() if "exception" not in vars(event) else event.exception))


async def _index_fails(url: str, kept: list[object]) -> BaseException | None:
    debug, spans, events = LlamaDebugHandler(print_trace_on_end=False), SimpleSpanHandler(), Events()
    dispatcher = get_dispatcher()
    dispatcher.add_span_handler(spans)
    dispatcher.add_event_handler(events)
    llm = Dynaspark(**_settings(url), callback_manager=CallbackManager([debug]))
    before = Settings._llm
    Settings.llm = llm
    try:
        await llm.achat([ChatMessage("Hi")])
    except DynasparkError as error:
        return error
    finally:
        kept += [Settings, debug.get_event_pairs(CBEventType.LLM), spans.completed_spans, spans.dropped_spans]
        kept += [repr(span) for span in spans.dropped_spans]
        kept += events.kept
        Settings._llm = before
        dispatcher.span_handlers.remove(spans)
        dispatcher.event_handlers.remove(events)
    return None


# Our own, and the log


async def _client_fails(url: str, kept: list[object]) -> BaseException | None:
    settings = _settings(url)
    client = DynasparkClient(headers=settings.pop("default_headers"), **settings)
    kept += [client, client.settings, pprint.pformat(client.settings), copy.deepcopy(client)]
    kept.append(client.sync)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.complete("Hi"))
    except ExceptionGroup as group:
        kept.append("".join(traceback.format_exception(group)))
        return group.exceptions[0]
    return None


FAILURES = {"a chain": _chain_fails, "LlamaIndex": _index_fails, "the client": _client_fails}


@pytest.mark.parametrize("way", FAILURES)
def test_what_is_kept_of_a_call_that_fails_holds_no_secret(
    way: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With all logs on, asyncio in its debug mode, and the error logged as applications do it."""
    caplog.set_level(logging.DEBUG)
    walk = Walk(None)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        walk.error = asyncio.run(FAILURES[way](url, walk.kept), debug=True)
        gc.collect()
    logging.getLogger("application").error("the call failed", exc_info=walk.error)
    walk.kept += [caplog.text, *(vars(record) for record in caplog.records), *(str(one.message) for one in warned)]
    said = "\n".join(f"{one}\n{one!r}" for one in _everything(walk))
    assert [mark for mark in MARKS if mark in said] == []


SETTINGS: list[dict[str, Any]] = [
    {"base_url": f"ftp://user:{TOKEN}@host"},
    {"base_url": f"http://user:{TOKEN}@host:port"},
    {"base_url": f"http://user:{TOKEN}@"},
    {"base_url": f"http://host/?api_key={TOKEN}"},
    {"base_url": f"http://host/#{TOKEN}"},
    {"proxy": f"socks5://user:{TOKEN}@proxy:1"},
    {"proxy": f"user:{TOKEN}@proxy:1"},
    {"proxy": f"http://user:{TOKEN}@proxy:99999"},
    {"api_key": f"{TOKEN}\n"},
    {"api_key": [TOKEN]},
    {"api_key": TOKEN.encode()},
    {"default_headers": {"X-Api-Key": f"{TOKEN}\r\n"}},
    {"default_headers": {"X-Api-Key": [TOKEN]}},
    {"default_headers": f"X-Api-Key: {TOKEN}"},
    {"limit_storage": f"http://:{TOKEN}@host"},
    {"limit_storage": f"redis://:{TOKEN}@host:port"},
    {"limit_storage": f"redis://:{TOKEN}@"},
    {"query": {"token": [TOKEN]}, "route": "api"},
    {"query": {"api_key": TOKEN}, "route": "api"},
    {"openai_api_key": TOKEN},
    {"headers": {"X-Api-Key": TOKEN}},
]


@pytest.mark.parametrize("wrong", SETTINGS, ids=str)
@pytest.mark.parametrize("kind", [ChatDynaspark, Dynaspark])
def test_the_error_about_a_wrong_setting_holds_no_secret(kind: type, wrong: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r"\w") as caught:  # of the kind that each framework raises
        kind(**wrong).invoke("Hi") if kind is ChatDynaspark else kind(**wrong).complete("Hi")
    told = "".join(traceback.format_exception(caught.value))
    lines = [line for line in told.splitlines() if "mark" in line]
    assert (lines, "mark" in repr(caught.value)) == ([], False)

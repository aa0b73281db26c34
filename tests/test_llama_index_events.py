"""What LlamaIndex is told of each call: events, token counts, errors; and what it must never be told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    EventPayload,
    LlamaDebugHandler,
    TokenCountingHandler,
)
from llama_index.core.callbacks.base_handler import BaseCallbackHandler
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.tools import FunctionTool
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation.events.span import SpanDropEvent
from llama_index_instrumentation.span_handlers import SimpleSpanHandler
from pydantic import SecretStr

from dynaspark_core.errors import RejectedError, StreamBrokenError
from dynaspark_core.server import Answer, LocalService, Pieces, Script, call
from llama_index_dynaspark import Dynaspark

ENDPOINTS = [f"{kind}{what}" for what in ("chat", "complete") for kind in ("", "a", "stream_", "astream_")]
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
SECRET = "k-" + "secret"


class Recorder(BaseEventHandler):
    """Every event, in order."""

    events: list[Any] = []  # noqa: RUF012  # pydantic copies it

    @classmethod
    def class_name(cls) -> str:
        return "Recorder"

    def handle(self, event: Any, **_: Any) -> None:
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


class Payloads(BaseCallbackHandler):
    """Every payload of the older callbacks."""

    def __init__(self) -> None:
        super().__init__([], [])
        self.payloads: list[Any] = []

    def on_event_start(self, event_type: Any, payload: Any = None, event_id: str = "", *_: Any, **__: Any) -> str:
        self.payloads.append(payload)
        return event_id

    def on_event_end(self, event_type: Any, payload: Any = None, *_: Any, **__: Any) -> None:
        self.payloads.append(payload)

    def start_trace(self, *_: Any, **__: Any) -> None: ...

    def end_trace(self, *_: Any, **__: Any) -> None: ...


class Limiter:
    """Counts how often a turn is asked for."""

    count = 0

    def acquire(self) -> None:
        self.count += 1

    async def async_acquire(self) -> None:
        self.count += 1


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    root, recorder = get_dispatcher(), Recorder()
    root.add_event_handler(recorder)
    yield recorder
    root.event_handlers.remove(recorder)


async def ask(llm: Dynaspark, endpoint: str, **options: Any) -> list[Any]:
    """The responses of one endpoint: one, or all of a stream."""
    result = getattr(llm, endpoint)([ChatMessage("x")] if "chat" in endpoint else "x", **options)
    if endpoint.startswith("a"):
        result = await result
    if endpoint.startswith("stream_"):
        return list(result)
    return [each async for each in result] if endpoint.startswith("astream_") else [result]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_each_call_is_told_and_counted_once(endpoint: str, recorder: Recorder) -> None:
    counter, debug, limiter = TokenCountingHandler(), LlamaDebugHandler(print_trace_on_end=False), Limiter()
    with LocalService(Script(Answer(body={"response": "ok", "model": "m", "usage": USAGE}))) as service:
        llm = Dynaspark(base_url=service.url, callback_manager=CallbackManager([counter, debug]), rate_limiter=limiter)
        responses = await ask(llm, endpoint)
    kind = "LLMChat" if "chat" in endpoint else "LLMCompletion"
    told = [name for name in recorder.names if name.startswith("LLM") and "InProgress" not in name]
    assert told == [f"{kind}StartEvent", f"{kind}EndEvent"]
    assert len(debug.get_event_pairs(CBEventType.LLM)) == 1
    assert [(count.prompt_token_count, count.completion_token_count) for count in counter.llm_token_counts] == [(3, 4)]
    assert limiter.count == ("rate_limiter" in Dynaspark.model_fields)  # older cores have none
    last = responses[-1]
    assert last.raw == {"response": "ok", "model": "m", "usage": USAGE}
    assert {name: last.additional_kwargs[name] for name in USAGE} == USAGE
    assert all(each.raw is None for each in responses[:-1])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_an_answer_without_text_is_still_one_chunk(endpoint: str) -> None:
    with LocalService(Script("")) as service:
        (response,) = await ask(Dynaspark(base_url=service.url), endpoint)
    text = response.message.content if "chat" in endpoint else response.text
    assert (text or "", response.delta or "") == ("", "")


@pytest.mark.parametrize("way", ["chat", "stream_chat"])
async def test_chunks_share_no_message(way: str) -> None:
    with LocalService(Script(Pieces("a", "b"))) as service:
        responses = await ask(Dynaspark(base_url=service.url), f"a{way}")
    assert len({id(each.message) for each in responses}) == len(responses)


@pytest.mark.parametrize("endpoint", ["chat", "achat", "complete", "acomplete"])
async def test_a_failed_call_drops_its_span_and_tells_the_error(endpoint: str, recorder: Recorder) -> None:
    payloads = Payloads()
    with LocalService(Script(Answer("no", status=400))) as service:
        llm = Dynaspark(base_url=service.url, callback_manager=CallbackManager([payloads]))
        with pytest.raises(RejectedError):
            await ask(llm, endpoint)
    assert isinstance(payloads.payloads[-1][EventPayload.EXCEPTION], RejectedError)
    assert [type(event) for event in recorder.events if isinstance(event, SpanDropEvent)] == [SpanDropEvent]
    assert not any(name.endswith("EndEvent") for name in recorder.names)


@pytest.mark.parametrize("endpoint", ["stream_chat", "astream_chat", "stream_complete", "astream_complete"])
async def test_a_stream_that_breaks_tells_the_error_and_no_end(endpoint: str, recorder: Recorder) -> None:
    broken = Answer(Pieces("first ", "second"), cut=True)
    with LocalService(Script(broken)) as service, pytest.raises(StreamBrokenError) as caught:
        await ask(Dynaspark(base_url=service.url, max_retries=0), endpoint)
    assert caught.value.text.startswith("first ")
    assert [type(event.exception) for event in recorder.events if isinstance(event, ExceptionEvent)] == [
        StreamBrokenError
    ]
    assert not any(name.endswith("EndEvent") for name in recorder.names)


def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


async def test_every_event_of_a_call_with_tools_is_json_and_holds_no_secret(recorder: Recorder) -> None:
    payloads = Payloads()
    answer = call("add", a=1, b=2)
    script = Script(lambda _: answer)
    with LocalService(script) as service:
        llm = Dynaspark(
            base_url=service.url,
            api_key=SecretStr(SECRET),
            default_headers={"Authorization": SECRET},
            callback_manager=CallbackManager([payloads]),
        )
        tool = FunctionTool.from_defaults(add)
        await llm.achat_with_tools([tool], "1 + 2?", tool_required=True)
        list(llm.stream_chat_with_tools([tool], "1 + 2?"))
        llm.complete("x")
    told = [json.dumps(event.model_dump(mode="json")) for event in recorder.events if "LLM" in type(event).__name__]
    assert len(told) > 5
    assert SECRET not in "".join(told) + str(payloads.payloads)
    assert {asked.query["api_key"] for asked in script.asked} == {SECRET}


@pytest.mark.parametrize("status", [401, 500])
def test_no_error_shows_the_key(status: int) -> None:
    with LocalService(Script(Answer(f"the key {SECRET} is wrong", status=status))) as service:
        llm = Dynaspark(base_url=service.url, api_key=SECRET, max_retries=0)
        with pytest.raises(Exception, match="the key") as caught:
            llm.complete("x")
    assert SECRET not in f"{caught.value!r} {caught.value.__dict__}"


def test_usage_is_the_sum_over_repairs() -> None:
    body = {"response": "It is 3.", "usage": USAGE}
    written = call("add", a=1, b=2)
    with LocalService(Script(Answer(body=body), Answer(body=body | {"response": written}))) as service:
        llm = Dynaspark(base_url=service.url)
        response = llm.chat_with_tools([FunctionTool.from_defaults(add)], "1 + 2?", tool_required=True)
    assert (response.raw or {})["usage"] == {name: 2 * count for name, count in USAGE.items()}
    assert (response.raw or {})["repairs"] == 1


def noon() -> str:
    """The time."""
    return "12:00"


@pytest.fixture
def spans() -> Iterator[SimpleSpanHandler]:
    root, handler = get_dispatcher(), SimpleSpanHandler()
    root.add_span_handler(handler)
    yield handler
    root.span_handlers.remove(handler)


@pytest.mark.parametrize("way", ["predict_and_call", "apredict_and_call"])
async def test_a_call_of_tools_is_one_span_with_that_of_the_chat_in_it(spans: SimpleSpanHandler, way: str) -> None:
    with LocalService(Script(call("noon"))) as service:
        result = getattr(Dynaspark(base_url=service.url), way)([FunctionTool.from_defaults(noon)], "What time is it?")
        answer = await result if way[0] == "a" else result
    names = [span.id_.partition("-")[0] for span in spans.completed_spans]
    assert answer.response == "12:00"
    assert [name for name in names if name.startswith("Dynaspark.")] == [
        "Dynaspark._prepare_chat_with_tools",
        f"Dynaspark.{'a' if way[0] == 'a' else ''}chat",
        f"Dynaspark.{way}",
    ]

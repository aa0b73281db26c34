"""What the model tells of itself: to caches, tracers, dumps and agents; and how often it asks a limiter and warns."""

import asyncio
import json
import pickle
import threading
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from langchain_core import exceptions
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.load import dumpd, dumps, load
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, trim_messages
from langchain_core.outputs import LLMResult
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.tools import tool
from pydantic import SecretStr

from dynaspark_core import __version__, errors
from dynaspark_core.prompt.render import estimate_tokens
from dynaspark_core.server import Answer, LocalService, Script
from langchain_dynaspark import ChatDynaspark
from langchain_dynaspark import errors as twins

SECRETS: dict[str, Any] = {
    "api_key": SecretStr("k-secret"),
    "default_headers": {"X-Own": "h-secret"},
    "proxy": "http://u:p-secret@x:1",
}
HIDDEN = ("k-secret", "h-secret", "p-secret")


@pytest.fixture
def script() -> Script:
    return Script(lambda asked: f"By {asked.model}.")


@pytest.fixture
def url(script: Script) -> Iterator[str]:
    with LocalService(script) as service:
        yield service.url


@tool
def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_dumped_model_loads_as_the_same_and_asks_the_environment_for_its_key(
    url: str, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ChatDynaspark(model="gemini-2.0-flash", base_url=url, stop=["x"], image_policy="last", **SECRETS)
    dumped = dumpd(model)
    assert dumped["kwargs"]["api_key"] == {"lc": 1, "type": "secret", "id": ["DYNASPARK_API_KEY"]}
    monkeypatch.setenv("DYNASPARK_API_KEY", "k-again")
    again = load(
        dumped, valid_namespaces=["langchain_dynaspark"], allowed_objects=[ChatDynaspark], secrets_from_env=True
    )
    assert isinstance(again, ChatDynaspark)
    assert again._identifying_params == model._identifying_params
    assert again.invoke("Hi").content == "By gemini-2.0-flash."
    assert script.asked[0].query == {"api_key": "k-again"}


def test_no_secret_is_dumped_shown_or_told(url: str) -> None:
    model = ChatDynaspark(base_url=url.replace("//", "//user:b-secret@"), **SECRETS)
    told = f"{dumps(model)} {model!r} {model} {model._identifying_params} {model._get_llm_string()}"
    told += f"{model._get_ls_params()} {model.asdict()}"
    assert [secret for secret in HIDDEN if secret in told] == []
    assert "b-secret" not in dumps(model) + model._get_llm_string()


VARIANTS: list[dict[str, Any]] = [
    {"model": "gemini-2.0-flash"},
    {"base_url": "http://127.0.0.1:1"},
    {"path": "/other"},
    {"stop": ["x"]},
    {"model_aliases": {"short": "gemini-2.0-flash"}},
    {"image_policy": "last"},
    {"allow_image_urls": False},
    {"max_repairs": 0},
]


def test_two_configurations_never_share_a_cache_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [ChatDynaspark(), *(ChatDynaspark(**variant) for variant in VARIANTS)]
    by_dump = {model._get_llm_string() for model in models}
    by_parameters = {json.dumps(model._identifying_params, sort_keys=True) for model in models}
    assert len(by_dump) == len(by_parameters) == len(models)
    monkeypatch.setenv("DYNASPARK_MODEL", "gemini-2.0-flash-lite")
    assert '"gemini-2.0-flash-lite"' in ChatDynaspark(timeout=77)._get_llm_string()


def test_a_cache_knows_headers_apart_and_holds_none(url: str, script: Script) -> None:
    cache = InMemoryCache()
    for headers in (
        {"X-Tenant": "h-secret"},
        {"X-Tenant": "b"},
        {"X-Other": "b"},
        {"X-Tenant": "b", "X-Other": "b"},
        None,
    ):
        for _ in range(2):
            ChatDynaspark(base_url=url, cache=cache, default_headers=headers).invoke("Hi")
    assert len(script.asked) == 5
    assert "h-secret" not in repr(vars(cache))


def test_a_cache_knows_the_fields_as_they_are_now(url: str, script: Script) -> None:
    model = ChatDynaspark(base_url=url, route="api", cache=InMemoryCache(), context_window=100_000)
    changes: list[tuple[str, Any]] = [
        ("temperature", 0.5),
        ("stop", ["x"]),
        ("model", "gemini-2.0-flash-lite"),
        ("query", {"seed": "1"}),
        ("default_headers", {"X-Own": "1"}),
        ("image_policy", "last"),
    ]
    model.invoke("Hi")
    for count, (name, value) in enumerate(changes, 2):
        setattr(model, name, value)
        model.invoke("Hi")
        model.invoke("Hi")
        assert (len(script.asked), name) == (count, name)
    copied = model.model_copy(update={"temperature": 0.9})
    copied.invoke("Hi")
    assert script.asked[-1].sampling == {"temperature": 0.9, "seed": 1}
    assert len(script.asked) == len(changes) + 2


async def test_a_cache_answers_only_what_was_asked_before(url: str, script: Script) -> None:
    model = ChatDynaspark(base_url=url, cache=InMemoryCache())
    runs: list[tuple[Any, dict[str, Any]]] = [
        (model, {}),
        (model, {"model": "gemini-2.0-flash"}),
        (model, {"stop": ["."]}),
        (model.bind_tools([add]), {}),
        (model.bind_tools([add], tool_choice="none"), {}),
        (model.bind(response_format={"type": "json_object"}), {}),
    ]
    for runnable, arguments in [*runs, *runs]:
        runnable.invoke("Hi", **arguments)
        await runnable.ainvoke("Hi", **arguments)
    repairs = sum("cannot be used" in asked.prompt for asked in script.asked)
    assert len(script.asked) - repairs == len(runs)


class Tracing(BaseCallbackHandler):
    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.failed: list[LLMResult] = []

    def on_chat_model_start(self, serialized: dict[str, Any], messages: Any, **kwargs: Any) -> None:
        self.seen += [serialized, messages, kwargs]

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        self.seen += [repr(error), kwargs]
        self.failed.append(kwargs["response"])


ANSWERS: list[tuple[int, type[Exception], type[Exception], bool]] = [
    (400, exceptions.ModelInvalidRequestError, errors.RejectedError, False),
    (401, exceptions.ModelAuthenticationError, errors.AccessError, False),
    (403, exceptions.ModelPermissionDeniedError, errors.AccessError, False),
    (404, exceptions.ModelNotFoundError, errors.NotFoundError, False),
    (429, exceptions.ModelRateLimitError, errors.RateLimitError, True),
    (500, exceptions.ModelAPIError, errors.ServerError, True),
    (503, exceptions.ModelAPIError, errors.ServerError, True),
]


@pytest.mark.parametrize(("status", "theirs", "ours", "is_retryable"), ANSWERS)
def test_a_refusal_is_of_langchains_class_and_traced_without_secrets(
    status: int, theirs: type[Exception], ours: type[Exception], is_retryable: bool
) -> None:
    tracing = Tracing()
    with LocalService(Script(lambda _: Answer("not you, k-secret", status=status))) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0, api_key=SecretStr("k-secret"))
        for run in (model.invoke, lambda *arguments: list(model.stream(*arguments))):
            with pytest.raises(theirs) as caught:
                run("Hi", {"callbacks": [tracing]})
            assert isinstance(caught.value, ours)
            assert caught.value.is_retryable is is_retryable  # type: ignore[attr-defined]
    traced: Any = tracing.failed[0].generations[0]
    metadata = (traced[0] if isinstance(traced, list) else traced).message.response_metadata
    assert metadata["status_code"] == status
    assert metadata["body"] == {"error": {"code": status, "message": "not you, …"}}
    assert "k-secret" not in str(tracing.seen)


def test_no_connection_and_no_time_are_of_langchains_classes() -> None:
    with pytest.raises(exceptions.ModelConnectionError):
        ChatDynaspark(base_url="http://127.0.0.1:9", max_retries=0).invoke("Hi")
    release = asyncio.Event()

    async def late(_: object) -> str:
        await release.wait()
        return ""

    with LocalService(Script(late)) as service, pytest.raises(exceptions.ModelTimeoutError):
        ChatDynaspark(base_url=service.url, max_retries=0, timeout=0.05).invoke("Hi")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"", content_type="application/json"),
        Answer(body=b"not JSON", content_type="application/json"),
        Answer(body={"other": 1}),
        Answer(body={"error": "no"}),
        Answer(body=b"<html>waking up</html>", content_type="text/html"),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_a_type(answer: Answer) -> None:
    with LocalService(Script(lambda _: answer)) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0)
        for run in (model.invoke, lambda text: list(model.stream(text))):
            with pytest.raises(exceptions.ModelError):
                run("Hi")


def test_a_traced_body_is_its_json_or_its_text() -> None:
    assert twins.ErrorResponse(400, '{"a": 1}').json() == {"a": 1}
    with pytest.raises(ValueError, match="Expecting value"):
        twins.ErrorResponse(502, "<html>").json()


def test_tracers_are_told_the_model_that_is_asked_and_the_stops() -> None:
    model = ChatDynaspark(stop=["x"])
    assert model._get_ls_params() == {
        "ls_provider": "dynaspark",
        "ls_model_type": "chat",
        "ls_model_name": "gemini-1.5-flash",
        "ls_stop": ["x"],
    }
    asked = model._get_ls_params(model="gemini-2.0-flash", stop=["y"])
    assert (asked["ls_model_name"], asked["ls_stop"]) == ("gemini-2.0-flash", ["y"])
    assert (model.metadata or {})["lc_versions"]["langchain-dynaspark"] == __version__


def test_the_profile_claims_nothing_that_is_not_there() -> None:
    profile = ChatDynaspark(allow_image_urls=False).profile or {}
    claimed = {name for name, value in profile.items() if value is True}
    inputs = {"text_inputs", "image_inputs", "image_tool_message"}
    assert claimed == inputs | {"text_outputs", "tool_calling", "tool_choice"}
    assert profile["structured_output"] is False
    assert profile["max_input_tokens"] == 1_048_576
    assert (ChatDynaspark().profile or {})["image_url_inputs"] is True


def test_tokens_are_counted_of_what_would_be_sent(url: str, script: Script) -> None:
    model = ChatDynaspark(base_url=url)
    messages = [SystemMessage("Be brief."), HumanMessage("Hi")]
    model.invoke(messages)
    model.bind_tools([add]).invoke(messages)
    counted = [model.get_num_tokens_from_messages(messages), model.get_num_tokens_from_messages(messages, tools=[add])]
    assert counted == [estimate_tokens(asked.prompt) for asked in script.asked]
    picture = HumanMessage([{"type": "image", "base64": "eA==", "mime_type": "image/png"}])
    assert model.get_num_tokens_from_messages([picture]) == estimate_tokens("[image]") + 258
    assert model.get_num_tokens("12345") == 2
    with pytest.raises(NotImplementedError, match="tokenizer"):
        model.get_token_ids("x")
    assert ChatDynaspark(custom_get_token_ids=lambda text: list(range(len(text)))).get_num_tokens("12345") == 5


def test_tokens_are_counted_of_what_a_prompt_would_carry(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    picture = HumanMessage([{"type": "image", "url": (tmp_path / "a.png").as_uri()}])
    broken = HumanMessage([{"type": "file", "base64": "AA==", "mime_type": "application/pdf"}])
    model = ChatDynaspark(allow_files=True)
    assert model.get_num_tokens_from_messages([picture]) == estimate_tokens("[image]") + 258
    assert model.get_num_tokens_from_messages([broken, AIMessage("ok"), HumanMessage("x")]) > 20
    with pytest.raises(exceptions.ModelInvalidRequestError):
        ChatDynaspark().get_num_tokens_from_messages([HumanMessage("x")], [{"type": "web_search"}])


def test_what_cannot_be_sent_is_counted_as_its_mark_for_who_trims_a_history_counts_its_parts_in_any_order(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    picture = HumanMessage([{"type": "image", "url": (tmp_path / "a.png").as_uri()}])
    broken = HumanMessage([{"type": "file", "base64": "AA==", "mime_type": "application/pdf"}])
    model = ChatDynaspark()
    assert all(0 < model.get_num_tokens_from_messages([message]) < 40 for message in (picture, broken))
    history = [broken, AIMessage("ok"), picture, AIMessage("ok"), HumanMessage("x")]
    for strategy in ("first", "last"):
        assert trim_messages(history, max_tokens=2000, token_counter=model, strategy=strategy) == history
    with pytest.raises(exceptions.ModelInvalidRequestError):
        model.invoke([broken])


def test_messages_are_trimmed_by_that_count() -> None:
    messages = [HumanMessage("word " * 100), AIMessage("Yes."), HumanMessage("And now?")]
    trimmed = trim_messages(messages, max_tokens=20, token_counter=ChatDynaspark(), start_on="human")
    assert trimmed == messages[2:]


class Limiter(BaseRateLimiter):
    """Lets everything through, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def acquire(self, *, blocking: bool = True) -> bool:
        self.count += blocking
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        return self.acquire(blocking=blocking)


async def test_a_rate_limiter_is_asked_once_a_request(url: str) -> None:
    limiter = Limiter()
    model = ChatDynaspark(base_url=url, rate_limiter=limiter)
    model.invoke("Hi")
    await model.ainvoke("Hi")
    list(model.stream("Hi"))
    assert [chunk async for chunk in model.astream("Hi")]
    assert limiter.count == 4


def test_what_is_not_sent_is_said_once_for_a_model(url: str) -> None:
    model = ChatDynaspark(base_url=url)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            model.invoke("Hi", temperature=0.5)
    said = [str(warning.message) for warning in caught]
    assert said == ["Dynaspark has no field for temperature: accepted, not sent; route='api' sends temperature"]


def test_making_a_model_asks_nobody(script: Script, url: str) -> None:
    model: BaseChatModel = ChatDynaspark(base_url=url).model_copy()
    assert pickle.loads(pickle.dumps(model)).profile == model.profile
    assert script.asked == []


async def test_waiting_for_an_answer_leaves_the_loop_free_and_a_cancelled_one_ends(url: str) -> None:
    started, gone = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def forever(_: object) -> str:
        loop.call_soon_threadsafe(started.set)
        try:
            return str(await asyncio.Event().wait())
        finally:
            loop.call_soon_threadsafe(gone.set)

    with LocalService(Script(forever)) as service:
        task = asyncio.create_task(ChatDynaspark(base_url=service.url).ainvoke("Hi"))
        await asyncio.wait_for(started.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 10)


@pytest.mark.parametrize("way", ["stream", "astream"])
async def test_a_stream_that_is_left_early_ends_the_request(way: str) -> None:
    gone = threading.Event()

    async def endless(_: object) -> AsyncIterator[str]:
        try:
            yield "The first piece"
            await asyncio.Event().wait()
        finally:
            gone.set()

    with LocalService(Script(endless)) as service:
        model = ChatDynaspark(base_url=service.url)
        if way == "stream":
            for chunk in await asyncio.to_thread(lambda: [next(model.stream("Hi"))]):
                assert chunk.content == "The first piece"
        else:
            async with aclosing(model.astream("Hi")) as chunks:  # type: ignore[type-var]
                assert (await anext(chunks)).content == "The first piece"
        assert await asyncio.to_thread(gone.wait, 10)


def test_the_model_shows_its_default_and_traces_nothing_that_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ChatDynaspark().model == "gemini-1.5-flash"
    with pytest.warns(UserWarning, match="temperature"):
        traced = ChatDynaspark(temperature=0.5, max_tokens=5)._get_ls_params(stop=["x"])
    assert traced.keys().isdisjoint({"ls_temperature", "ls_max_tokens"})
    assert traced["ls_stop"] == ["x"]
    monkeypatch.setenv("DYNASPARK_MODEL", "gemini-2.0-flash")
    assert ChatDynaspark().model == "gemini-2.0-flash"

"""The keywords of one call, in both faces: what they do at the wire, which warn, which are refused with the way out."""

import asyncio
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from llama_index.core.base.llms.types import ChatMessage
from pydantic import BaseModel

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ConfigError, OutputError, RequestTimeoutError
from dynaspark_core.server import Asked, LocalService, Script
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

Ask = Callable[..., str]
"""Asks with the keywords of one call; gives the answer's text."""


class City(BaseModel):
    name: str


def langchain(model: ChatDynaspark, /, **given: Any) -> str:
    return str(model.invoke("x", **given).content)


def langchain_bound(model: ChatDynaspark, /, **given: Any) -> str:
    return str(model.bind(**given).invoke("x").content)


def langchain_stream(model: ChatDynaspark, /, **given: Any) -> str:
    return "".join(str(chunk.content) for chunk in model.stream([HumanMessage("x")], **given))


def llama_chat(llm: Dynaspark, /, **given: Any) -> str:
    return str(llm.chat([ChatMessage("x")], **given).message.content)


def llama_achat(llm: Dynaspark, /, **given: Any) -> str:
    return str(asyncio.run(llm.achat([ChatMessage("x")], **given)).message.content)


def llama_complete(llm: Dynaspark, /, **given: Any) -> str:
    return str(llm.complete("x", **given).text)


def llama_stream(llm: Dynaspark, /, **given: Any) -> str:
    return str([*llm.stream_chat([ChatMessage("x")], **given)][-1].message.content or "")


WAYS: dict[str, tuple[Any, Any]] = {
    "LangChain": (ChatDynaspark, langchain),
    "LangChain, bound": (ChatDynaspark, langchain_bound),
    "LangChain, stream": (ChatDynaspark, langchain_stream),
    "LlamaIndex, chat": (Dynaspark, llama_chat),
    "LlamaIndex, achat": (Dynaspark, llama_achat),
    "LlamaIndex, complete": (Dynaspark, llama_complete),
    "LlamaIndex, stream": (Dynaspark, llama_stream),
}


@pytest.fixture
def script() -> Script:
    return Script(lambda _: "Oslo, Norway")


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def ask(script: Script, request: pytest.FixtureRequest) -> Iterator[Ask]:
    face, asking = request.param
    with LocalService(script) as service:
        model = face(base_url=service.url, max_retries=0, default_headers={"X-Own": "default", "X-Kept": "kept"})
        yield lambda **given: asking(model, **given)


def test_what_is_sent_with_the_call(ask: Ask, script: Script) -> None:
    assert ask(model_name="gemini-2.0-flash", stop_sequences=","[:]) == "Oslo"
    assert ask(extra_headers={"x-own": "call", "anthropic-beta": "prompt-caching"}) == "Oslo, Norway"
    ask()
    first, second, third = script.asked
    assert first.model == "gemini-2.0-flash"
    assert (second.headers["x-own"], second.headers["x-kept"], second.headers["anthropic-beta"]) == (
        "call",
        "kept",
        "prompt-caching",
    )
    assert (third.headers["x-own"], "anthropic-beta" in third.headers) == ("default", False)


@pytest.mark.parametrize(
    "given", [{"n": 1}, {"n": None}, {"user": "u1"}, {"stream": False}, {"n": 1, "user": "u", "timeout": None}]
)
def test_what_changes_nothing(ask: Ask, script: Script, given: dict[str, Any]) -> None:
    assert ask(**given) == "Oslo, Norway"
    assert script.asked[0].fields == (("user_input", "x"), ("ai_model", "gemini-1.5-flash"))


@pytest.mark.parametrize(
    ("given", "elsewhere"),
    [
        ({"temperature": 0.5}, "; route='api' sends temperature"),
        ({"presence_penalty": 1}, "; route='api' sends presence_penalty"),
        ({"frequency_penalty": 1, "logit_bias": {"5": 1}}, "; route='api' sends frequency_penalty"),
        ({"reasoning_effort": "low"}, ""),
        ({"max_tokens": 5}, ""),
    ],
)
def test_what_is_not_sent_warns_once(ask: Ask, script: Script, given: dict[str, Any], elsewhere: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ask(**given)
        ask(**given)
    said = [str(warning.message) for warning in caught if "accepted, not sent" in str(warning.message)]
    assert said == [f"Dynaspark has no field for {', '.join(given)}: accepted, not sent{elsewhere}"]
    assert script.asked[0].fields == (("user_input", "x"), ("ai_model", "gemini-1.5-flash"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"n": 2}, "n is 2: the service gives one answer"),
        ({"api_base": "http://x"}, r"api_base \(did you mean base_url, a setting of the model\?\)"),
        ({"request_timeout": 3}, r"request_timeout \(did you mean timeout\?\)"),
        ({"max_output_tokens": 3}, r"max_output_tokens \(did you mean max_tokens\?\)"),
        ({"temprature": 3}, r"temprature \(did you mean temperature\?\)"),
        ({"zzz": 3}, "unknown parameters for one call: zzz$"),
        ({"zzz": None}, "unknown parameters for one call: zzz$"),
        ({"extra_headers": {"Content-Length": "3"}}, r"extra_headers\['Content-Length'\] cannot be replaced"),
        ({"extra_headers": {"X": "a\nb"}}, r"extra_headers\['X'\] holds a character"),
        ({"extra_headers": "X: 1"}, "extra_headers must map text to text"),
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": (3, 5)}, "timeout is "),
        ({"stop": "a", "stop_sequences": ["b"]}, "stop and stop_sequences mean the same"),
        ({"model": "a", "model_name": "b"}, "model and model_name mean the same"),
        ({"response_format": 3}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "holds no schema"),
    ],
)
def test_what_is_refused_is_named_with_the_way_out(ask: Ask, script: Script, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ask(**given)
    assert script.asked == []


def client(client: DynasparkClient, /, **given: Any) -> str:
    return client.sync.complete("x", **given).text


@pytest.mark.parametrize("way", [*WAYS.values(), (DynasparkClient, client)], ids=[*WAYS, "client"])
@pytest.mark.parametrize("is_of_the_call", [True, False])
def test_an_alias_is_replaced_once(way: tuple[Any, Any], is_of_the_call: bool) -> None:
    """What an alias means is a name that is sent, also where another alias has that name."""
    face, asking = way
    aliases = {"mine": "gemini-2.0-flash", "old": "mine"}
    with LocalService(script := Script(lambda _: "ok")) as service:
        own = {} if is_of_the_call else {"model": "old"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the name and its window are not known is said once only
            asking(face(base_url=service.url, model_aliases=aliases, **own), **({} if own else {"model": "old"}))
        asking(face(base_url=service.url, model_aliases=aliases, model="mine"))
    assert [asked.model for asked in script.asked] == ["mine", "gemini-2.0-flash"]


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_a_call_has_its_own_timeout(face: Any) -> None:
    held: list[Asked] = []

    async def never(asked: Asked) -> str:
        held.append(asked)
        await asyncio.Event().wait()
        return ""

    asking = langchain if face is ChatDynaspark else llama_chat
    with LocalService(Script(never)) as service, pytest.raises(RequestTimeoutError, match=r"timeout=0\.2 s"):
        asking(face(base_url=service.url, max_retries=0), timeout=0.2)
    assert len(held) == 1


SCHEMA = City.model_json_schema()


@pytest.mark.parametrize(
    "wanted",
    [City, {"type": "json_schema", "json_schema": {"name": "City", "schema": SCHEMA}}, {"type": "json_object"}, SCHEMA],
)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_response_format_gives_json_of_the_schema(way: tuple[Any, Any], wanted: Any) -> None:
    face, asking = way
    with LocalService(script := Script('Sure:\n```json\n{"name": "Oslo"}\n```', "no", "no")) as service:
        model = face(base_url=service.url, max_retries=0)
        assert json.loads(asking(model, response_format=wanted)) == {"name": "Oslo"}
        assert "JSON value" in script.asked[0].prompt
        if face is Dynaspark:
            with pytest.raises(OutputError):
                asking(model, response_format=wanted)


@pytest.mark.parametrize("name", ["parallel_tool_calls", "allow_parallel_tool_calls"])
def test_one_call_at_a_time_in_both_names(name: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}
    with LocalService(script := Script(lambda _: "ok")) as service:
        Dynaspark(base_url=service.url).chat([ChatMessage("x")], tools=[tool], **{name: False})
        if name == "parallel_tool_calls":
            ChatDynaspark(base_url=service.url).invoke("x", tools=[tool], parallel_tool_calls=False)
    assert all("at most one call" in asked.prompt for asked in script.asked)


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_a_constructors_warning_points_at_the_callers_line(face: Any) -> None:
    with pytest.warns(UserWarning, match="temperature") as caught:
        face(temperature=1)
    assert [warning.filename for warning in caught] == [__file__]

"""`ChatDynaspark` over real HTTP: what the service received, what the caller gets."""

import asyncio
import base64
import copy
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.exceptions import ModelAuthenticationError, ModelInvalidRequestError, ModelRateLimitError
from langchain_core.messages import AIMessage, AIMessageChunk, ChatMessage, HumanMessage, RemoveMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from pydantic import SecretStr, ValidationError
from serving import ADD, PNG, WRITTEN

import langchain_dynaspark
from dynaspark_core import errors
from dynaspark_core.server import Answer, Asked, LocalService, Pieces, Script
from langchain_dynaspark import ChatDynaspark
from langchain_dynaspark.errors import TWINS, twin

HISTORY = [
    SystemMessage("Be brief."),
    HumanMessage("Hi"),
    AIMessage("Hello."),
    HumanMessage([{"type": "text", "text": "And"}, {"type": "text", "text": "now?"}]),
]
PROMPT = (
    '<turn role="system">Be brief.</turn>\n<turn role="user">Hi</turn>\n<turn role="assistant">Hello.</turn>\n'
    '<turn role="user">And\nnow?</turn>\n<turn role="assistant">\n'
)


@pytest.fixture
def script() -> Script:
    return Script(lambda _: Pieces("Hel", "lo."))


def test_the_package_exports_the_model_and_its_version() -> None:
    assert langchain_dynaspark.__all__ == ["ChatDynaspark", "__version__"]


async def test_sync_async_and_streams_send_the_same_and_agree(model: ChatDynaspark, script: Script) -> None:
    """Also inside a running loop, as in a notebook: this test is one."""
    replies = [
        model.invoke(HISTORY),
        await model.ainvoke(HISTORY),
        await asyncio.to_thread(model.invoke, HISTORY),
        _joined(list(model.stream(HISTORY))),
        _joined([chunk async for chunk in model.astream(HISTORY)]),
    ]
    assert {str(reply.content) for reply in replies} == {"Hello."}
    assert {asked.fields for asked in script.asked} == {(("user_input", PROMPT), ("ai_model", "gemini-1.5-flash"))}
    assert len(script.asked) == 5
    for reply in replies:
        assert reply.response_metadata == {
            "model_name": "gemini-1.5-flash",
            "model_provider": "dynaspark",
            "finish_reason": "stop",
        }


def _joined(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    assert "".join(str(chunk.content) for chunk in chunks) == "Hello."
    assert chunks[-1].chunk_position == "last"
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole = whole + chunk
    return whole


async def test_a_piece_of_text_is_the_chunk_that_langchain_makes(model: ChatDynaspark) -> None:
    """Here it is made without the constructor, whose checks take half of what a piece costs."""
    chunk, *_ = [chunk async for chunk in model._astream(HISTORY)]
    other, *_ = [chunk async for chunk in model._astream(HISTORY)]
    made = ChatGenerationChunk(message=AIMessageChunk(content=str(chunk.text)))
    for ours, theirs in ((chunk, made), (chunk.message, made.message)):
        assert (ours, repr(ours), vars(ours).keys()) == (theirs, repr(theirs), vars(theirs).keys())
        assert ours.model_fields_set == theirs.model_fields_set
        assert [type(value) for value in vars(ours).values()] == [type(value) for value in vars(theirs).values()]
    assert pickle.loads(pickle.dumps(chunk)) == copy.deepcopy(chunk) == made
    chunk.message.additional_kwargs["mine"] = 1
    assert other.message.additional_kwargs == {}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_whole_answer_is_what_the_constructors_make(written: str) -> None:
    """Here it is made without them."""
    with LocalService(Script(lambda _: written)) as service:
        model = ChatDynaspark(base_url=service.url, max_repairs=0)
        result = model._generate(HISTORY, tools=[ADD])
    (generation,) = result.generations
    stored = generation.message.model_dump(exclude_unset=True)
    assert stored == {each: value for each, value in vars(generation.message).items() if each in stored}
    assert stored.keys() >= {"content", "response_metadata", "tool_calls", "invalid_tool_calls"}
    for ours in (result, generation, generation.message):
        made = type(ours)(**{name: getattr(ours, name) for name in vars(ours)})
        assert (ours, ours.model_dump(), vars(ours).keys()) == (made, made.model_dump(), vars(made).keys())
        assert [type(value) for value in vars(ours).values()] == [type(value) for value in vars(made).values()]
        assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == made


def test_a_lone_message_is_sent_as_its_bare_text(model: ChatDynaspark, script: Script) -> None:
    model.invoke("  <turn> {x}\n")
    assert script.asked[0].prompt == "  <turn> {x}\n"


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": base64.b64encode(PNG).decode(), "mime_type": "image/png"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(PNG).decode()}},
    ],
)
async def test_an_image_arrives_as_a_file(model: ChatDynaspark, script: Script, block: dict[str, Any]) -> None:
    message = HumanMessage([{"type": "text", "text": "What is this?"}, block])
    before = copy.deepcopy(message)
    model.invoke([message])
    await model.ainvoke([message])
    for asked in script.asked:
        assert (asked.prompt, asked.file, asked.content_type) == ("What is this?", PNG, "image/png")
    assert message == before


def test_a_chain_streams() -> None:
    acknowledged = threading.Event()

    def halves(_: Asked) -> Iterator[str]:
        yield "first"
        if not acknowledged.wait(10):
            raise TimeoutError("the first half was kept back")
        yield " second"

    with LocalService(Script(halves)) as service:
        prompt = ChatPromptTemplate.from_messages([("system", "s"), ("human", "{q}")])
        chain = prompt | ChatDynaspark(base_url=service.url) | StrOutputParser()
        stream = chain.stream({"q": "go"})
        assert next(stream) == "first"
        acknowledged.set()
        assert "".join(stream) == " second"


def test_stop_of_the_model_and_of_the_call(script: Script) -> None:
    with LocalService(script) as service:
        model = ChatDynaspark(base_url=service.url, stop=["lo"])
        assert model.invoke("x").content == "Hel"
        assert model.invoke("x", stop=["el"]).content == "H"
        assert "".join(str(chunk.content) for chunk in model.stream("x")) == "Hel"


@pytest.mark.parametrize("stop", ["Observation:", ["Observation:"], ("Observation:",)])
def test_one_text_is_one_stop(stop: Any) -> None:
    with LocalService(Script(lambda _: "Soon. Observation: none")) as service:
        model = ChatDynaspark(base_url=service.url)
        assert model.invoke("x", stop=stop).content == "Soon. "
        assert model.bind(stop=stop).invoke("x").content == "Soon. "
        assert ChatDynaspark(base_url=service.url, stop=stop).invoke("x").content == "Soon. "
        assert ChatDynaspark.model_validate({"base_url": service.url, "stop_sequences": stop}).stop == ["Observation:"]


def test_the_model_of_one_call_goes_over_the_wire(model: ChatDynaspark, script: Script) -> None:
    reply = model.invoke("x", model="gemini-2.0-flash")
    assert (script.asked[0].model, reply.response_metadata["model_name"]) == ("gemini-2.0-flash", "gemini-2.0-flash")
    assert ChatDynaspark.model_validate({"model_name": "gemini-2.0-flash"}).model == "gemini-2.0-flash"


def test_usage_is_what_the_service_reported_or_nothing(script: Script) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    said = Answer(body={"response": "x", "usage": usage})
    with LocalService(Script(said, said, "x")) as service:
        model = ChatDynaspark(base_url=service.url)
        expected = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
        assert model.invoke("x").usage_metadata == expected
        chunks = list(model.stream("x"))
        assert [chunk.usage_metadata for chunk in chunks] == [None] * (len(chunks) - 1) + [expected]
        assert model.invoke("x").usage_metadata is None


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"temprature": 1}, "temprature"),
        ({"timeout": -1}, "timeout is -1"),
        ({"base_url": "nope"}, "nope"),
        ({"image_policy": "some"}, "some"),
    ],
)
def test_wrong_settings_are_named_before_anything_is_sent(settings: dict[str, Any], shown: str) -> None:
    with pytest.raises(ValidationError, match=shown):
        ChatDynaspark(**settings)


@pytest.mark.parametrize(
    ("messages", "shown"),
    [
        ([], "empty"),
        ([HumanMessage([{"type": "audio", "url": "https://x/y.mp3"}])], "audio"),
        ([HumanMessage([{"type": "hologram"}])], "hologram"),
        ([HumanMessage([{"type": "image", "base64": "!!", "mime_type": "image/png"}])], "base64"),
        ([ChatMessage(content="x", role="wizard")], "wizard"),
        ([RemoveMessage(id="1")], "RemoveMessage"),
    ],
)
def test_input_that_cannot_be_sent_is_named_before(
    model: ChatDynaspark, script: Script, messages: list[Any], shown: str
) -> None:
    with pytest.raises(ModelInvalidRequestError, match=shown):
        model.invoke(messages)
    assert script.asked == []


def test_a_parameter_that_the_service_has_no_field_for_is_said(model: ChatDynaspark, script: Script) -> None:
    with pytest.warns(UserWarning, match="temperature, max_tokens"):
        ChatDynaspark(temperature=0, max_tokens=5)
    with pytest.warns(UserWarning, match="top_p"):
        model.invoke("x", top_p=0.5)
    with pytest.raises(ModelInvalidRequestError, match="frequency"):
        model.invoke("x", frequency=1)
    assert [name for name, _ in script.asked[0].fields] == ["user_input", "ai_model"]


@pytest.mark.parametrize(
    ("status", "theirs", "ours"),
    [(401, ModelAuthenticationError, errors.AccessError), (429, ModelRateLimitError, errors.RateLimitError)],
)
def test_an_error_is_langchains_and_ours(status: int, theirs: type[Exception], ours: type[Exception]) -> None:
    with LocalService(Script(Answer("why", status=status))) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0, api_key=SecretStr("k-secret"))
        with pytest.raises(theirs, match="why") as caught:
            model.invoke("x")
    error = caught.value
    assert isinstance(error, ours)
    assert error.response.status_code == status  # type: ignore[attr-defined]
    assert "k-secret" not in f"{error!r} {error.response}"  # type: ignore[attr-defined]


def test_every_error_of_ours_has_a_twin_that_pickles() -> None:
    kinds = {value for value in vars(errors).values() if isinstance(value, type) and value.__subclasses__() == []}
    leaves = {kind for kind in kinds if issubclass(kind, errors.DynasparkError) and "langchain" not in kind.__module__}
    assert leaves <= TWINS.keys()
    for kind in TWINS:
        again = pickle.loads(pickle.dumps(twin(kind("why", text="so far"))))
        assert isinstance(again, kind)
        assert (str(again), again.text, again.is_retryable) == ("why", "so far", kind("").is_retryable)


def test_a_used_model_pickles_copies_and_hides_its_key(script: Script) -> None:
    with LocalService(script) as service:
        model = ChatDynaspark(
            base_url=service.url, api_key=SecretStr("k-secret"), default_headers={"X-Own": "k-secret"}
        )
        model.invoke("x")
        for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
            assert other.invoke("x").content == "Hello."
    assert "k-secret" not in f"{model!r} {model}"
    assert {asked.query["api_key"] for asked in script.asked} == {"k-secret"}


def test_a_wrong_setting_does_not_print_the_key_beside_it() -> None:
    with pytest.raises(ValidationError) as caught:
        ChatDynaspark(api_key=SecretStr("k-secret"), default_headers={"X": "h-secret"}, timeout=-1)
    with pytest.raises(ValidationError) as plain:
        ChatDynaspark.model_validate({"api_key": "k-secret", "timeout": -1})
    assert "secret" not in f"{caught.value} {plain.value}"

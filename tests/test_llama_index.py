"""`Dynaspark` over real HTTP: what the service received, what the caller gets, from all eight endpoints."""

import asyncio
import base64
import copy
import inspect
import pickle
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from llama_index.core import PromptTemplate, Settings
from llama_index.core.base.llms.types import AudioBlock, ChatMessage, ChatResponse, ImageBlock, MessageRole, TextBlock
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms.custom import CustomLLM
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.schema import ImageDocument
from pydantic import SecretStr
from serving import ADD, PNG, WRITTEN

from dynaspark_core.errors import ConfigError, DynasparkError
from dynaspark_core.server import Answer, Asked, LocalService, Pieces, Script
from llama_index_dynaspark import Dynaspark
from llama_index_dynaspark.asking import AskingLLM

FILES = ["file"] if "IOBase" in str(ImageBlock.model_fields["image"].annotation) else []
"""Older cores take no open files."""
HISTORY = [
    ChatMessage("Be brief.", role=MessageRole.SYSTEM),
    ChatMessage("Hi"),
    ChatMessage("Hello.", role=MessageRole.ASSISTANT),
    ChatMessage(blocks=[TextBlock(text="And"), TextBlock(text="now?")]),
]
PROMPT = (
    '<turn role="system">Be brief.</turn>\n<turn role="user">Hi</turn>\n<turn role="assistant">Hello.</turn>\n'
    '<turn role="user">And\nnow?</turn>\n<turn role="assistant">\n'
)
ENDPOINTS = [f"{kind}{call}" for call in ("chat", "complete") for kind in ("", "a", "stream_", "astream_")]


@pytest.fixture
def script() -> Script:
    return Script(lambda _: Pieces("Hel", "lo."))


async def answers(llm: Dynaspark, endpoint: str, question: object, **options: Any) -> list[Any]:
    """The responses of one endpoint: one, or all of a stream."""
    result = getattr(llm, endpoint)(question, **options)
    if endpoint.startswith("a"):
        result = await result
    if endpoint.startswith("stream_"):
        return list(result)
    return [each async for each in result] if endpoint.startswith("astream_") else [result]


def text(response: Any) -> str:
    return str(response.message.content if hasattr(response, "message") else response.text)


def test_it_is_both_kinds_of_llm_and_defines_every_endpoint() -> None:
    assert issubclass(Dynaspark, CustomLLM)
    assert issubclass(Dynaspark, FunctionCallingLLM)
    assert set(ENDPOINTS) <= Dynaspark.__dict__.keys()


async def test_a_piece_of_text_is_the_response_that_llama_index_makes(llm: Dynaspark) -> None:
    """Here it is made without the constructors, whose checks take a third of what a piece costs."""
    ours, another = [(await answers(llm, "astream_chat", HISTORY))[0] for _ in range(2)]
    said = ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text=ours.delta)], additional_kwargs={})
    made = ChatResponse(message=said, delta=ours.delta, additional_kwargs={})
    for one, other in ((ours, made), (ours.message, said), (ours.message.blocks[0], said.blocks[0])):
        assert (one, repr(one), vars(one).keys()) == (other, repr(other), vars(other).keys())
        assert one.model_fields_set == other.model_fields_set
    assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == made
    ours.message.additional_kwargs["mine"] = ours.additional_kwargs["mine"] = 1
    assert (another.message.additional_kwargs, another.additional_kwargs) == ({}, {})


@pytest.mark.parametrize("written", WRITTEN)
def test_a_whole_answer_is_what_the_constructors_make(written: str) -> None:
    """Here it is made without them."""
    with LocalService(Script(lambda _: written)) as service:
        llm = Dynaspark(base_url=service.url, max_repairs=0)
        whole, completion = llm.chat(HISTORY, tools=[ADD]), llm.complete("Hi", tools=[ADD])
    for ours in (whole, whole.message, completion, *whole.message.blocks):
        made = type(ours)(**{name: getattr(ours, name) for name in ours.model_fields_set})
        assert (ours, repr(ours), vars(ours).keys()) == (made, repr(made), vars(made).keys())
        assert ours.model_fields_set == made.model_fields_set
        assert [type(value) for value in vars(ours).values()] == [type(value) for value in vars(made).values()]
        assert pickle.loads(pickle.dumps(ours)) == copy.deepcopy(ours) == made


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_every_endpoint_sends_the_same_and_agrees(llm: Dynaspark, script: Script, endpoint: str) -> None:
    """Also inside a running loop, as in a notebook: this test is one."""
    is_chat = endpoint.endswith("chat")
    responses = await answers(llm, endpoint, HISTORY if is_chat else "  <turn> {x}\n")
    assert text(responses[-1]) == "Hello."
    assert script.asked[0].fields == (
        ("user_input", PROMPT if is_chat else "  <turn> {x}\n"),
        ("ai_model", "gemini-1.5-flash"),
    )
    if "stream" in endpoint:
        deltas = [each.delta for each in responses]
        assert [text(each) for each in responses] == ["".join(deltas[:count]) for count in range(1, len(deltas) + 1)]
    assert len(script.asked) == 1
    assert responses[-1].raw["usage"]["estimated"] is True


@pytest.mark.parametrize("endpoint", ["stream_chat", "stream_complete"])
def test_a_stream_asks_nothing_until_it_is_read(llm: Dynaspark, script: Script, endpoint: str) -> None:
    stream = getattr(llm, endpoint)(HISTORY if endpoint == "stream_chat" else "x")
    assert script.asked == []
    assert "".join(each.delta for each in stream) == "Hello."


async def test_text_comes_as_it_arrives_at_the_socket() -> None:
    acknowledged = threading.Event()

    def halves(_: Asked) -> Iterator[str]:
        yield "first "
        if not acknowledged.wait(10):
            raise TimeoutError("the first half was kept back")
        yield "second"

    with LocalService(Script(halves)) as service:
        stream = await Dynaspark(base_url=service.url).astream_chat([ChatMessage("go")])
        assert (await anext(stream)).delta == "first "
        acknowledged.set()
        assert [each.delta async for each in stream] == ["second", ""]


@pytest.mark.parametrize("form", ["bytes", "base64", "lines", *FILES, "path", "data"])
async def test_an_image_arrives_as_a_file(llm: Dynaspark, script: Script, form: str, tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(PNG)
    block = {
        "bytes": lambda: ImageBlock(image=PNG),
        "base64": lambda: ImageBlock(image=base64.b64encode(PNG)),
        "lines": lambda: ImageBlock(image=base64.encodebytes(PNG)),
        "file": lambda: ImageBlock(image=BytesIO(PNG)),
        "path": lambda: ImageBlock(path=tmp_path / "dot.png"),
        "data": lambda: ImageBlock(url="data:image/png;base64," + base64.b64encode(PNG).decode()),
    }[form]()
    message = ChatMessage(blocks=[TextBlock(text="What is this?"), block])
    llm.chat([message])
    await llm.achat([message])
    for asked in script.asked:
        assert (asked.prompt, asked.file, asked.content_type) == ("What is this?", PNG, "image/png")


def test_image_documents_of_a_completion_are_sent(llm: Dynaspark, script: Script) -> None:
    llm.complete("What?", image_documents=[ImageDocument(image=base64.b64encode(PNG).decode())])
    assert script.asked[0].file == PNG
    with pytest.raises(ConfigError, match=r"image_documents\[0\] is of type str"):
        llm.complete("What?", image_documents=["x"])


@pytest.mark.parametrize(("endpoint", "question"), [("chat", [ChatMessage("x")]), ("complete", "x")])
def test_a_warning_about_an_argument_names_the_line_of_the_call(llm: Dynaspark, endpoint: str, question: Any) -> None:
    with pytest.warns(UserWarning, match="no field for temperature") as seen:
        getattr(llm, endpoint)(question, temperature=0.5)
    assert [warning.filename for warning in seen] == [__file__]


def test_the_payload_of_events_is_what_llama_index_makes_of_the_metadata() -> None:
    llm = Dynaspark("gemini-2.0-flash", context_window=4096, num_output=100, is_function_calling_model=False)
    assert llm.to_payload() == {"class_name": llm.class_name(), **llm.metadata.model_dump()}


def test_stop_of_the_model_and_of_the_call(script: Script) -> None:
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url, stop=["lo"])
        assert llm.complete("x").text == "Hel"
        assert llm.complete("x", stop=["el"]).text == "H"
        assert [each.text for each in llm.stream_complete("x")][-1] == "Hel"


@pytest.mark.parametrize(
    ("settings", "error", "shown"),
    [
        ({"temprature": 1}, TypeError, "temprature"),
        ({"timeout": -1}, ValueError, "timeout is -1"),
        ({"base_url": "nope"}, ValueError, "nope"),
        ({"num_output": 100, "context_window": 50}, ValueError, "100"),
        ({"temperature": -1}, ConfigError, "temperature"),
        ({"timeout": "soon"}, ConfigError, "Dynaspark: timeout: Input should be a valid number"),
        ({"model": 5, "seed": 1.5}, ConfigError, "model: .*; seed: "),
        ({"default_headers": {"A": 1}}, ConfigError, "default_headers.A: "),
        ({"max_tokens": 0}, ConfigError, "max_tokens: Input should be greater than 0"),
        (
            {"callback_manager": [TokenCountingHandler()]},
            ConfigError,
            "callback_manager is of type list; give Callback",
        ),
        ({"pydantic_program_mode": "none"}, ConfigError, "pydantic_program_mode: Input should be 'default'"),
    ],
)
def test_wrong_settings_are_named_before_anything_is_sent(
    settings: dict[str, Any], error: type[Exception], shown: str
) -> None:
    with pytest.raises(error, match=shown):
        Dynaspark(**settings)


@pytest.mark.parametrize(
    ("messages", "shown"),
    [
        ([], "empty"),
        ([ChatMessage(blocks=[AudioBlock(audio=b"x")])], "AudioBlock"),
        ([ChatMessage(blocks=[ImageBlock(image=b"no image")])], "no image|not an image|image"),
    ],
)
def test_input_that_cannot_be_sent_is_named_before(
    llm: Dynaspark, script: Script, messages: list[ChatMessage], shown: str
) -> None:
    with pytest.raises(DynasparkError, match=shown):
        llm.chat(messages)
    assert script.asked == []


def test_usage_is_counted_once_and_said_to_be_what_it_is() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    counter = TokenCountingHandler()
    with LocalService(Script(Answer(body={"response": "x", "usage": usage}))) as service:
        llm = Dynaspark(base_url=service.url, callback_manager=CallbackManager([counter]))
        response = llm.chat([ChatMessage("x")])
    assert response.raw == {"response": "x", "model": None, "usage": usage}
    assert (counter.prompt_llm_token_count, counter.completion_llm_token_count) == (3, 4)
    assert len(counter.llm_token_counts) == 1


def test_a_used_llm_pickles_copies_and_hides_its_key(script: Script) -> None:
    with LocalService(script) as service:
        llm = Dynaspark(base_url=service.url, api_key=SecretStr("k-secret"), default_headers={"X-Own": "k-secret"})
        llm.complete("x")
        for other in (pickle.loads(pickle.dumps(llm)), copy.deepcopy(llm)):
            assert other.complete("x").text == "Hello."
    assert "k-secret" not in f"{llm!r} {llm} {llm.to_dict()} {llm.to_json()} {getattr(llm, 'to_payload', dict)()}"
    assert {asked.query["api_key"] for asked in script.asked} == {"k-secret"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("messages_to_prompt", lambda _: "own"),
        ("completion_to_prompt", lambda _: "own"),
        ("callback_manager", CallbackManager([TokenCountingHandler(tokenizer=lambda text: [text])])),
    ],
)
def test_what_cannot_be_pickled_is_the_default_in_another_process(
    script: Script, caplog: pytest.LogCaptureFixture, name: str, value: Any
) -> None:
    with LocalService(script) as service:
        other = pickle.loads(pickle.dumps(Dynaspark(base_url=service.url, **{name: value})))
        assert other.predict(PromptTemplate("Hi {name}"), name="Ada") == other.complete("Hi Ada").text == "Hello."
    assert [asked.prompt for asked in script.asked] == ["Hi Ada"] * 2
    assert f"Removing unpickleable attribute {name}" in caplog.text


def test_metadata_says_what_is_configured() -> None:
    metadata = Dynaspark("gemini-2.0-flash", is_function_calling_model=False, num_output=5).metadata
    assert (metadata.model_name, metadata.is_chat_model, metadata.is_function_calling_model) == (
        "gemini-2.0-flash",
        True,
        False,
    )
    assert (metadata.context_window, metadata.num_output) == (1_048_576, 5)


OWN = {name: each for kind in (AskingLLM, Dynaspark) for name, each in vars(kind).items() if inspect.isfunction(each)}


@pytest.mark.parametrize("name", sorted(name for name in OWN if name in dir(FunctionCallingLLM) or name[0] != "_"))
def test_the_types_of_every_public_method_can_be_looked_up(name: str) -> None:
    assert "return" in get_type_hints(OWN[name])


def test_settings_take_it(llm: Dynaspark) -> None:
    Settings.llm = llm
    assert Settings.llm is llm
    Settings._llm = None


async def test_a_loop_that_llama_index_opens_and_closes_is_no_trouble(llm: Dynaspark) -> None:
    def own_loop() -> str:
        loop = asyncio.new_event_loop()
        try:
            return str(loop.run_until_complete(llm.acomplete("x")))
        finally:
            loop.close()

    assert [await asyncio.to_thread(own_loop) for _ in range(3)] == ["Hello."] * 3

"""The context window: what the frameworks plan by, and the error for a prompt that is too long for it."""

import warnings
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, HumanMessage

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ConfigError, PromptTooLongError, RejectedError
from dynaspark_core.server import Answer, Asked, LocalService, RefusedError, Script
from dynaspark_core.server.engines import Engine
from dynaspark_core.server.local.engine import Local
from langchain_dynaspark import ChatDynaspark
from langchain_dynaspark.errors import DynasparkRejectedError
from llama_index_dynaspark import Dynaspark

ELSEWHERE = "http://127.0.0.1:9"


def windows(**given: Any) -> tuple[int, int, int, int]:
    """Window and longest answer, in LangChain and in LlamaIndex."""
    profile, metadata = ChatDynaspark(**given).profile or {}, Dynaspark(**given).metadata
    return profile["max_input_tokens"], profile["max_output_tokens"], metadata.context_window, metadata.num_output


def test_the_window_is_a_setting_of_both_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    assert windows() == (1_048_576, 8_192, 1_048_576, 8_192)
    assert windows(context_window=8_192) == (8_192, 2_048, 8_192, 2_048)
    assert windows(context_window=200_000) == (200_000, 8_192, 200_000, 8_192)
    assert windows(context_window=3) == (3, 1, 3, 1)
    monkeypatch.setenv("DYNASPARK_CONTEXT_WINDOW", "4096")
    assert windows(base_url=ELSEWHERE) == (4_096, 1_024, 4_096, 1_024)
    assert windows(context_window=16_000, base_url=ELSEWHERE)[2:] == (16_000, 4_000)
    assert Dynaspark(num_output=3_000).metadata.num_output == 3_000


@pytest.mark.parametrize("wrong", [-1, 2.5, "many"])
def test_a_window_that_is_none_is_named(wrong: Any) -> None:
    for make in (DynasparkClient, ChatDynaspark):
        with pytest.raises(ValueError, match="context_window"):
            make(context_window=wrong)
    with pytest.raises(ConfigError, match="num_output is 5000"):
        Dynaspark(context_window=4_096, num_output=5_000)


@pytest.mark.parametrize("face", [ChatDynaspark, Dynaspark])
def test_a_window_that_nobody_knows_is_warned_of_once(face: Any) -> None:
    given = {"model": f"llama-{face.__name__}", "base_url": ELSEWHERE}
    with pytest.warns(UserWarning, match=r"1,048,576 tokens are assumed; set context_window") as caught:
        face(**given)
    assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        face(**given)
        face(**given | {"model": "another", "context_window": 8_192})
        face(model="another-still")


class Refuses(Engine):
    """Answers that the prompt is too long, as the local engine does."""

    async def answer(self, asked: Asked) -> Answer:
        raise RefusedError(413, "longer than 8064 is not taken", code="context_length_exceeded")

    async def close(self) -> None: ...


def refused(status: int, error: object) -> Script:
    return Script(lambda _: Answer(status=status, body={"error": error}))


TOO_LONG: dict[str, Engine] = {
    "the local service": Refuses(),
    "a code": refused(400, {"code": "context_length_exceeded", "message": "no"}),
    "a code in a 200": refused(200, {"code": "context_length_exceeded", "message": "no"}),
    "OpenAI": refused(400, {"message": "This model's maximum context length is 8192 tokens. However, you requested"}),
    "Anthropic": refused(413, {"message": "prompt is too long: 205000 tokens > 200000 maximum"}),
    "Gemini": refused(400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    "llama.cpp": refused(400, {"message": "the request exceeds the available context size, try increasing it"}),
    "text": Script(lambda _: Answer("the prompt is longer than the 8064 tokens that SmolLM2 takes", status=413)),
}
NOT_TOO_LONG: dict[str, Engine] = {
    "a large file": refused(413, {"code": 413, "message": "the field 'file' is larger than 10000000 bytes"}),
    "a broken form": refused(400, {"message": "Unexpected token } in JSON at position 3"}),
    "a page": Script(lambda _: Answer("<html>Request Entity Too Large</html>", status=413)),
    "a wrong model": refused(422, {"message": "no such model"}),
    "too many calls": refused(400, "the key 'tokens' is unknown"),
}


@pytest.mark.parametrize("engine", TOO_LONG.values(), ids=TOO_LONG)
def test_a_prompt_that_is_too_long_has_an_error_of_its_own(engine: Engine) -> None:
    with LocalService(engine) as service:
        with pytest.raises(ContextOverflowError) as caught:
            ChatDynaspark(base_url=service.url, max_retries=0).invoke("x")
        with pytest.raises(PromptTooLongError):
            Dynaspark(base_url=service.url, max_retries=0).complete("x")
    assert isinstance(caught.value, PromptTooLongError)


@pytest.mark.parametrize("engine", NOT_TOO_LONG.values(), ids=NOT_TOO_LONG)
def test_other_refusals_are_none(engine: Engine) -> None:
    with LocalService(engine) as service, pytest.raises(RejectedError) as caught:
        ChatDynaspark(base_url=service.url, max_retries=0).invoke("x")
    assert type(caught.value) is DynasparkRejectedError


def test_summarization_makes_room_after_an_overflow() -> None:
    """The middleware cuts what it wants summarized and asks again; another error would end the agent."""
    summaries: list[int] = []

    def answer(asked: Asked) -> str | Answer:
        if "Hello?" in asked.prompt:
            return "Hello again."
        summaries.append(len(asked.prompt))
        if len(summaries) == 1:
            return Answer(status=413, body={"error": {"code": "context_length_exceeded", "message": "no"}})
        return "They talked."

    with LocalService(Script(answer)) as service:
        model = ChatDynaspark(base_url=service.url, max_retries=0)
        middleware: Any = SummarizationMiddleware(
            model, trigger=("messages", 10), keep=("messages", 1), trim_tokens_to_summarize=None
        )
        agent = create_agent(model, [], middleware=[middleware])
        old = [kind(f"{number} " + "x" * 2_000) for number in range(10) for kind in (HumanMessage, AIMessage)]
        result = agent.invoke({"messages": [*old, HumanMessage("Hello?")]})
    assert result["messages"][-1].content == "Hello again."
    assert len(summaries) == 2
    assert summaries[1] < summaries[0]


def test_the_local_engine_knows_its_window() -> None:
    assert Local.context_window == 8_192

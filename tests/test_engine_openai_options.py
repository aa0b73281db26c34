"""The options of `--engine openai`: limits, sampling, roles, the list of models; asked through the local service."""

import argparse
import math
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from serving import listening_app
from test_engine_openai import RECEIPT, WHOLE, client, giving, ours, upstream

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Chat, Message, Tool
from dynaspark_core.server import LocalService, OpenAI
from dynaspark_core.server.cli import add_arguments, run

CHAT = [
    Message("system", ("Be brief.",)),
    Message("user", ("One?",)),
    Message("assistant", ("1",)),
    Message("user", ("Two?",)),
]


async def asked_with(question: str = "Hi", /, **settings: Any) -> dict[str, Any]:
    """What the endpoint is asked for this question of the query API."""
    async with (
        ours(giving(WHOLE), model="m", **settings) as (url, behind),
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/generate_response?{question}") as response,
    ):
        assert response.status == 200, await response.text()
    ((_, asked),) = behind.asked
    return asked


async def test_an_answer_is_limited_and_the_temperature_is_the_endpoints_own() -> None:
    asked = await asked_with("user_input=Hi")
    assert (asked["max_tokens"], "temperature" in asked) == (4096, False)
    asked = await asked_with("user_input=Hi", max_tokens=7, temperature=0.2)
    assert (asked["max_tokens"], asked["temperature"]) == (7, 0.2)


async def test_what_the_query_api_asks_is_passed_on_and_counts_more() -> None:
    query = "user_input=Hi&system=Be+brief.&temperature=1.5&top_p=0.5&presence_penalty=-1&frequency_penalty=2"
    query += "&seed=7&json=True"
    asked = await asked_with(query, temperature=0.2)
    numbers = {"temperature": 1.5, "top_p": 0.5, "presence_penalty": -1.0, "frequency_penalty": 2.0, "seed": 7}
    assert numbers.items() <= asked.items()
    assert asked["response_format"] == {"type": "json_object"}
    assert asked["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


async def test_an_endpoint_that_knows_only_the_newer_name_of_the_limit_is_asked_by_it() -> None:
    """As OpenAI's reasoning models do: 400, unsupported_parameter."""
    refusal = {"error": {"message": "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."}}

    async def handle(request: web.Request) -> web.StreamResponse:
        is_old = "max_tokens" in await request.json()
        return web.json_response(refusal, status=400) if is_old else await giving(WHOLE)(request)

    async with ours(handle, max_tokens=9) as (url, behind):
        for _ in range(2):
            assert (await client(url).complete("Hi")).text == "Hello é"
    limits = [(asked.get("max_tokens"), asked.get("max_completion_tokens")) for _, asked in behind.asked]
    assert limits == [(9, None), (None, 9), (None, 9)]


async def test_with_roles_the_turns_are_messages_and_the_image_is_in_the_last() -> None:
    async with ours(giving(WHOLE), has_roles=True) as (url, behind):
        await client(url).complete(CHAT)
        await client(url).complete("What is this?", images=[RECEIPT.read_bytes()])
        await client(url).complete(Chat(tuple(CHAT), tools=(Tool("add", "Adds", {"type": "object"}),)))
    plain, image, tools = (asked["messages"] for _, asked in behind.asked)
    assert [(turn["role"], turn["content"].strip()) for turn in plain[:3]] == [
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "1"),
    ]
    assert (plain[3]["role"], plain[3]["content"].startswith("Two?")) == ("user", True)
    assert [part["type"] for part in image[-1]["content"]] == ["text", "image_url"]
    assert '"name": "add"' in "".join(turn["content"] for turn in tools)
    assert [turn["role"] for turn in tools] == ["system", "user", "assistant", "user"]


@pytest.fixture
async def endpoint() -> AsyncIterator[str]:
    """An endpoint that lists two models."""
    listed = {"object": "list", "data": [{"id": "a"}, {"id": "b/c:8b"}, {"no": "id"}, None]}

    async def models(_: web.Request) -> web.Response:
        return web.json_response(listed)

    app = web.Application()
    app.router.add_get("/v1/models", models)
    async with listening_app(app) as url:
        yield url


async def listed(service: LocalService) -> tuple[int, Any]:
    async with aiohttp.ClientSession() as session, session.get(f"{service.url}/api/text/models") as response:
        return response.status, await response.json()


async def test_the_endpoints_models_are_listed(endpoint: str) -> None:
    with LocalService(OpenAI(endpoint)) as service:
        assert await listed(service) == (200, {"models": ["a", "b/c:8b"]})
    with LocalService(OpenAI(endpoint, model="mine")) as service:
        assert await listed(service) == (200, {"models": ["mine"]})


async def test_an_endpoint_without_a_list_is_an_error_that_says_so() -> None:
    async with upstream(giving(WHOLE)) as behind:
        with LocalService(OpenAI(behind.url)) as service:
            status, body = await listed(service)
    assert (status, "answered 405" in body["error"]["message"]) == (400, True)


@pytest.mark.parametrize("settings", [{"timeout": 0}, {"max_tokens": 0}, {"timeout": -1.0}, {"timeout": math.nan}])
def test_limits_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="must be more than 0"):
        OpenAI("http://localhost", **settings)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--engine script --roles", "--roles is for --engine openai"),
        ("--engine script --max-tokens 5", "--max-tokens is for --engine local or openai"),
        ("--engine openai", "needs --upstream URL"),
        ("--engine openai --upstream http://localhost --max-tokens 0 --port 0", "must be more than 0"),
        ("--engine openai --upstream http://localhost --temperature nan --port 0", "temperature must be a number: nan"),
        ("--engine script --api-key= --port 0", "api_key must not be empty"),
    ],
)
def test_options_of_another_engine_are_refused(words: str, says: str) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    with pytest.raises(ConfigError, match=says):
        run(parser.parse_args(words.split()))

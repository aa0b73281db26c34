"""The local service's second route, the query API, and what the service tells of itself; its log and its end."""

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from serving import listening_app

from dynaspark_core.messages import Usage
from dynaspark_core.server import Answer, Asked, LocalService, Rules, Script
from dynaspark_core.server.loading import LoadingEngine
from dynaspark_core.server.running import listening

ROOT = Path(__file__).parent.parent
BOTH = ["/generate_response", "/api/generate_response"]


async def get(service: LocalService, path: str, /, **query: object) -> tuple[int, str, Any]:
    """The status, the content type and the body: parsed, if it is JSON."""
    address = f"{service.url}{path}?{urlencode(query)}" if query else service.url + path
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        is_json = response.content_type == "application/json"
        return response.status, response.content_type, await (response.json() if is_json else response.text())


def message(body: Any) -> str:
    return str(body["error"]["message"])


@pytest.mark.parametrize("path", BOTH)
async def test_the_address_asks(path: str) -> None:
    with LocalService(script := Script(Answer("Hello é.", usage=Usage(1, 2, 3)))) as service:
        status, kind, body = await get(service, path, user_input="Hi +&=é\n", system="Be.", temperature=0.5, seed=7)
    assert (status, kind) == (200, "application/json")
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert body == {"response": "Hello é.", "model": "openai", "usage": usage}
    (asked,) = script.asked
    assert (asked.prompt, asked.system, asked.model) == ("Hi +&=é\n", "Be.", "openai")
    assert (asked.sampling, asked.wants_json, asked.file) == ({"temperature": 0.5, "seed": 7}, False, None)


@pytest.mark.parametrize("stream", ["true", "True", "TRUE", "1"])
async def test_events_come_for_a_true_in_any_case(stream: str) -> None:
    with LocalService(Script("Hello.")) as service:
        status, kind, body = await get(service, BOTH[1], user_input="Hi", stream=stream, model="mistral")
    assert (status, kind) == (200, "text/event-stream")
    assert body.startswith('data: {"response": "Hello."}\n\ndata: {"response": "", "model": "mistral"}')


@pytest.mark.parametrize("stream", ["false", "False", "0", ""])
async def test_one_document_comes_for_a_false(stream: str) -> None:
    with LocalService(script := Script("Hello.")) as service:
        query = {"stream": stream, "json": "True", "private": "False", "referrer": "x"}
        assert (await get(service, BOTH[0], user_input="Hi", **query))[1] == "application/json"
    assert script.asked[0].wants_json


BAD: dict[str, tuple[dict[str, object], int, str]] = {
    "no question": ({"user_input": ""}, 400, "'user_input' is missing"),
    "an unknown parameter": ({"max_tokens": 5}, 400, "no parameter 'max_tokens'"),
    "a stream that is no boolean": ({"stream": "maybe"}, 400, "'stream' is true or false"),
    "a json that is no boolean": ({"json": "maybe"}, 400, "'json' is true or false"),
    "too warm": ({"temperature": 3.1}, 400, "from 0 to 3"),
    "no number": ({"temperature": "warm"}, 400, "from 0 to 3"),
    "not a number": ({"top_p": "nan"}, 400, "from 0 to 1"),
    "infinite": ({"frequency_penalty": "-inf"}, 400, "from -2 to 2"),
    "a penalty out of range": ({"presence_penalty": -2.5}, 400, "from -2 to 2"),
    "a seed with a point": ({"seed": 1.5}, 400, "'seed' is an integer"),
    "a seed of thirty digits": ({"seed": "1" * 30}, 400, "'seed' is an integer"),
    "speech": ({"model": "openai-audio", "voice": "alloy"}, 501, "no speech"),
    "a voice": ({"voice": "nova"}, 501, "no speech"),
    "too long": ({"user_input": "x" * 101}, 413, "larger than 100 bytes"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_the_api_does_not_know_is_refused(name: str) -> None:
    query, status, says = BAD[name]
    with LocalService(script := Script("Hello."), rules=Rules(max_text_bytes=100)) as service:
        got, _, body = await get(service, BOTH[1], **{"user_input": "Hi"} | query)
    assert (got, says in message(body), script.asked) == (status, True, [])


async def test_a_parameter_sent_twice_is_refused() -> None:
    with LocalService(Script("Hello.")) as service:
        status, _, body = await get(service, f"{BOTH[1]}?user_input=a&user_input=b")
    assert (status, message(body)) == (400, "a parameter was sent twice")


@pytest.mark.parametrize("path", ["/api/generate_image?user_input=x&width=64", "/api/image/models"])
async def test_images_are_not_made(path: str) -> None:
    with LocalService(Script("Hello.")) as service:
        status, _, body = await get(service, path)
    assert (status, "makes no images" in message(body)) == (501, True)


async def test_it_tells_what_it_is_without_a_key() -> None:
    with LocalService(script := Script(), rules=Rules(api_key="k", path="/ask", requests_per_hour=1)) as service:
        status, _, about = await get(service, "/")
        assert (status, about["engine"], about["needs_key"]) == (200, "script", True)
        assert {"POST /ask", "GET /api/generate_response", "GET /health"} <= about["routes"].keys()
        for path in ("/health", "/api/status"):
            assert (await get(service, path))[::2] == (200, {"status": "ready", "engine": "script"})
        assert (await get(service, "/api/text/models"))[0] == 401
        assert (await get(service, "/api/text/models", api_key="k"))[2] == {"models": ["gemini-1.5-flash", "openai"]}
        assert (await get(service, BOTH[1], user_input="Hi"))[0] == 401
    assert script.asked == []


async def test_a_model_that_is_loading_is_503_and_requests_wait_for_it() -> None:
    begin, go = threading.Event(), threading.Event()

    def make() -> Script:
        begin.set()
        assert go.wait(30)
        return Script("Hello.")

    engine = LoadingEngine("local", make)
    async with listening(engine, Rules(), "127.0.0.1", 0) as url, aiohttp.ClientSession() as session:
        loaded = asyncio.create_task(engine.load())
        await asyncio.to_thread(begin.wait)
        async with session.get(f"{url}/health") as response:
            assert (response.status, await response.json()) == (503, {"status": "loading", "engine": "local"})
        asking = asyncio.create_task(session.get(f"{url}{BOTH[1]}?user_input=Hi"))
        go.set()
        await loaded
        async with await asking as response:
            assert (await response.json())["response"] == "Hello."
        async with session.get(f"{url}/health") as response:
            assert response.status == 200


# The log

LINE = re.compile(r"(GET|POST) (\S+) (\d+), \d+ ms, (\d+) bytes in, (\d+) out, model (\S+), engine (\S+)")


async def test_a_request_is_one_line_that_holds_no_prompt_answer_or_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dynaspark_core")
    answers = Script("an answer", Answer("no-no", status=500))
    with LocalService(answers, rules=Rules(api_key="a-key")) as service:
        await get(service, BOTH[1], user_input="a prompt", api_key="a-key", model="m\nforged")
        form = {"user_input": "a prompt", "ai_model": "gemini"}
        async with aiohttp.ClientSession() as session:
            for key in ("a-key", "wrong"):
                async with session.post(f"{service.url}/generate_response?api_key={key}", data=form) as response:
                    await response.read()
        await get(service, "/no/where%0Aforged")
    lines = [record.getMessage() for record in caplog.records]
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    told = [match.groups() for match in found if match is not None]
    assert [(line[0], line[1], line[2], line[5], line[6]) for line in told] == [
        ("GET", "/api/generate_response", "200", "m%0Aforged", "script"),
        ("POST", "/generate_response", "500", "gemini", "script"),
        ("POST", "/generate_response", "401", "-", "script"),
        ("GET", "/no/where%0Aforged", "404", "-", "-"),
    ]
    assert (int(told[1][3]), int(told[0][4]) > 20) == (len("user_input=a+prompt&ai_model=gemini"), True)
    assert not re.search(r"a prompt|an answer|a-key|wrong|no-no|\n", "".join(lines))


@pytest.mark.parametrize("path", ["/health", "/api/status"])
async def test_a_health_check_is_in_the_log_at_debug_only(path: str, caplog: pytest.LogCaptureFixture) -> None:
    for level, lines in ((logging.INFO, []), (logging.DEBUG, [f"GET {path} 200"])):
        caplog.clear()
        caplog.set_level(level, "dynaspark_core.server")
        with LocalService(Script()) as service:
            await get(service, f"{path}?from=probe")
        assert [record.getMessage().partition(",")[0] for record in caplog.records] == lines


async def test_a_client_that_leaves_is_499_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dynaspark_core")
    ended = threading.Event()

    async def endless(_: Asked) -> AsyncIterator[str]:
        try:
            while True:
                yield "more "
                await asyncio.sleep(0)
        finally:
            ended.set()

    with LocalService(Script(endless)) as service:
        async with aiohttp.ClientSession() as session:
            response = await session.get(f"{service.url}{BOTH[0]}?user_input=Hi")
            await response.content.readany()
            response.close()
        assert await asyncio.to_thread(ended.wait, 10)
    lines = [record.getMessage() for record in caplog.records]
    assert [" 499, " in line for line in lines] == [True], lines


# The end


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("grace", ["30", "0"])
async def test_requests_in_progress_end_before_the_service(number: signal.Signals, grace: str) -> None:
    """The upstream has begun its answer when the signal comes, and ends it when no new request is taken any more."""
    go = asyncio.Event()

    async def upstream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for text, reason in (("Hel", None), ("lo.", "stop")):
            choice = {"delta": {"content": text}, "finish_reason": reason}
            await response.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
            await go.wait()
        return response

    app = web.Application()
    app.router.add_post("/v1/chat/completions", upstream)
    command = ["-m", "dynaspark_core", "serve", "--engine", "openai", "--port", "0", "--grace", grace]
    async with listening_app(app) as behind, aiohttp.ClientSession() as session:
        command += ["--upstream", f"{behind}/v1"]
        served = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        assert served.stdout is not None
        url = (await served.stdout.readline()).decode().split()[2]
        response = await session.get(f"{url}/generate_response?user_input=Hi")
        begun = await response.content.readany()
        served.send_signal(number)
        if grace == "30":
            while await is_taken(url):
                pass
            for _ in range(300):  # the request goes on all the while
                assert not await is_taken(url)
            go.set()
            assert json.loads(begun + await response.read())["response"] == "Hello."
        else:
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.read()
            go.set()
        _, errors = await served.communicate()
    assert served.returncode == 0, errors.decode()
    assert re.search(r"^[-\d]+ [\d:,]+ INFO GET /generate_response (200|499), ", errors.decode(), re.MULTILINE)


async def is_taken(url: str) -> bool:
    """Whether a new request is answered."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/health"):
            return True
    except aiohttp.ClientConnectionError:
        return False

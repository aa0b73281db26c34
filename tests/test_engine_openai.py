"""The engine in front of an OpenAI-compatible endpoint, over real HTTP on both sides; and a real one with a model."""

import asyncio
import base64
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from serving import listening_app

from dynaspark_core import Chat, DynasparkClient, Message, Usage, render
from dynaspark_core.__main__ import main
from dynaspark_core.errors import (
    ConfigError,
    DynasparkError,
    RateLimitError,
    RejectedError,
    ServerError,
    StreamBrokenError,
)
from dynaspark_core.server import LocalService, OpenAI, completions
from dynaspark_core.server.openai import KEY

RECEIPT = Path(__file__).parent.parent / "examples/receipt.png"
SECRET = "sk-secret-123"
MODEL = "gemini-2.0-flash"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def chunk(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"} | fields


def delta(text: str | None = None, finish: str | None = None) -> dict[str, Any]:
    return chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": finish}])


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def piece(**fields: Any) -> bytes:
    """An event with a piece that has these fields."""
    return event(chunk(choices=[{"index": 0, "delta": fields, "finish_reason": None}]))


EVENTS = "text/event-stream"

USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
ROLE = event(chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}]))
DONE = b"data: [DONE]\n\n"
HEL, LO = event(delta("Hel")), event(delta("lo é"))
PARTS = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hel"}, 1]
STOP, COUNTS = event(delta(finish="stop")), event(chunk(choices=[], usage=USAGE))
WHOLE = ROLE + HEL + LO + STOP + COUNTS + DONE
HALF_OF_A_CHARACTER, OTHER_HALF = (
    b'data: {"choices": [{"delta": {"content": "\\u%s"}}]}\n\n' % half for half in (b"d83d", b"de00")
)


@dataclass
class Upstream:
    """An endpoint on this machine: where it is, and what it was asked."""

    url: str = ""
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def upstream(handler: Handler) -> AsyncIterator[Upstream]:
    """An endpoint that records each request and answers with the handler, which is cancelled when the asker leaves."""
    record = Upstream()

    async def handle(request: web.Request) -> web.StreamResponse:
        record.headers.append(dict(request.headers))
        record.asked.append((request.path, await request.json()))
        return await handler(request)

    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/{path:.*}", handle)
    async with listening_app(app) as record.url:
        yield record


def giving(body: bytes, content_type: str = "text/event-stream", **rest: Any) -> Handler:
    """A handler that gives this body."""

    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Type": content_type} | rest.get("headers", {}), **status)

    status = {"status": rest["status"]} if "status" in rest else {}
    return handle


def in_two(first: bytes, second: bytes, arrived: asyncio.Event) -> Handler:
    """A handler that gives the second part when the first has arrived."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(first)
        await arrived.wait()
        await response.write(second)
        return response

    return handle


@asynccontextmanager
async def ours(handler: Handler, **settings: Any) -> AsyncIterator[tuple[str, Upstream]]:
    """The URL of our service in front of an endpoint with this handler; and the endpoint."""
    async with upstream(handler) as behind, LocalService(OpenAI(behind.url, **settings)) as service:
        yield service.url, behind


def client(url: str, model: str = MODEL, **settings: Any) -> DynasparkClient:
    return DynasparkClient(model, base_url=url, max_retries=0, **settings)


async def form(url: str, **fields: str) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of a bare form."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/generate_response", data=fields) as response,
    ):
        return response.status, await response.json()


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


# What is asked


async def test_a_conversation_goes_as_one_user_message_and_the_answer_comes_back() -> None:
    chat = Chat((Message("system", ("Be brief.",)), Message("user", ("Hi é",))))
    async with ours(giving(WHOLE)) as (url, behind):
        reply = await client(url, model="gemini-1.5-flash-8b").complete(list(chat.messages))
    message = {"role": "user", "content": render(chat)}
    options = {"stream": True, "max_tokens": 4096, "stream_options": {"include_usage": True}}
    assert behind.asked == [("/v1/chat/completions", {"model": "gemini-1.5-flash-8b", "messages": [message]} | options)]
    assert (reply.text, reply.model, reply.usage) == ("Hello é", "tiny", Usage(7, 2, 9))


async def test_a_file_goes_as_an_image_in_the_message() -> None:
    async with ours(giving(WHOLE)) as (url, behind):
        await client(url).complete("What is this?", images=[RECEIPT.read_bytes()])
    text, image = behind.asked[0][1]["messages"][0]["content"]
    kind, _, content = image["image_url"]["url"].partition(",")
    assert (text, image["type"], kind) == (
        {"type": "text", "text": "What is this?"},
        "image_url",
        "data:image/png;base64",
    )
    assert base64.b64decode(content) == RECEIPT.read_bytes()


async def test_a_large_form_is_passed_on() -> None:
    async with ours(giving(WHOLE)) as (url, behind):
        await client(url).complete("é" * 2_000_000)
    assert len(behind.asked[0][1]["messages"][0]["content"]) == 2_000_000
    assert int(behind.headers[0]["Content-Length"]) < 4_001_000


@pytest.mark.parametrize(("fixed", "named", "sent"), [(None, "a", "a"), ("b", "a", "b"), ("b", "", "b")])
async def test_the_model_is_the_forms_unless_one_is_fixed(fixed: str | None, named: str, sent: str) -> None:
    async with ours(giving(WHOLE), model=fixed) as (url, behind):
        assert (await form(url, user_input="Hi", ai_model=named))[0] == 200
    assert behind.asked[0][1]["model"] == sent


async def test_without_any_model_nothing_is_asked() -> None:
    async with ours(giving(WHOLE)) as (url, behind):
        status, answer = await form(url, user_input="Hi")
    assert (status, behind.asked) == (400, [])
    assert "--upstream-model" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/api/a%2Fb", "/api/a/b/chat/completions"),
    ],
)
async def test_the_path_of_the_base_url_is_kept(base: str, path: str) -> None:
    async with upstream(giving(WHOLE)) as behind, LocalService(OpenAI(behind.url + base)) as service:
        await client(service.url).complete("Hi")
    assert behind.asked[0][0] == path


@pytest.mark.parametrize("given", ["argument", "environment"])
async def test_a_key_is_sent_as_bearer(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if given == "environment":
        monkeypatch.setenv(KEY, SECRET)
    async with ours(giving(WHOLE), api_key=SECRET if given == "argument" else None) as (url, behind):
        await client(url).complete("Hi")
    assert behind.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert behind.headers[0]["User-Agent"].startswith("dynaspark-llm/")


async def test_a_user_in_the_url_is_sent_as_basic() -> None:
    async with upstream(giving(WHOLE)) as behind:
        engine = OpenAI(behind.url.replace("//", "//ann:p%40ss%C3%A9@"))
        async with LocalService(engine) as service:
            await client(service.url).complete("Hi")
    kind, _, value = behind.headers[0]["Authorization"].partition(" ")
    assert (kind, base64.b64decode(value).decode()) == ("Basic", "ann:p@ssé")


async def test_without_a_key_no_authorization_is_sent_not_even_the_clients() -> None:
    async with ours(giving(WHOLE)) as (url, behind):
        await client(url, api_key="the-clients", headers={"Authorization": "Bearer x", "Cookie": "a=b"}).complete("Hi")
    assert not {"Authorization", "Cookie"} & behind.headers[0].keys()


async def test_an_endpoints_cookies_are_not_kept() -> None:
    async with (
        upstream(giving(WHOLE, headers={"Set-Cookie": "a=b"})) as behind,
        LocalService(OpenAI(behind.url.replace("127.0.0.1", "localhost"))) as service,
    ):
        for _ in range(2):
            await client(service.url).complete("Hi")
    assert ["Cookie" in headers for headers in behind.headers] == [False, False]


async def test_an_endpoint_that_refuses_to_count_is_asked_without_it_from_then_on() -> None:
    """As Mistral's does: 422, extra_forbidden."""
    refusal = {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "not permitted"}]}

    async def handle(request: web.Request) -> web.StreamResponse:
        has_options = "stream_options" in await request.json()
        return web.json_response(refusal, status=422) if has_options else await giving(WHOLE)(request)

    async with ours(handle) as (url, behind):
        for _ in range(2):
            assert (await client(url).complete("Hi")).text == "Hello é"
    assert ["stream_options" in asked for _, asked in behind.asked] == [True, False, False]


async def test_an_engine_outlives_its_service() -> None:
    async with upstream(giving(WHOLE)) as behind:
        engine = OpenAI(behind.url)
        for _ in range(2):
            async with LocalService(engine) as service:
                assert (await client(service.url).complete("Hi")).text == "Hello é"


# What comes back


async def test_half_an_answer_is_with_the_client_before_the_endpoint_sends_the_rest() -> None:
    arrived = asyncio.Event()
    async with ours(in_two(ROLE + HEL, LO + STOP + DONE, arrived)) as (url, _):
        pieces = client(url).stream("Hi")
        assert await anext(pieces) == "Hel"
        arrived.set()
        assert [piece async for piece in pieces] == ["lo é"]


DOCUMENT = json.dumps(
    chunk(choices=[{"message": {"role": "assistant", "content": "Hello é"}, "finish_reason": "stop"}], usage=USAGE)
).encode()
ANSWERS = [
    ("as OpenAI sends it", WHOLE, "text/event-stream; charset=utf-8"),
    ("carriage returns", WHOLE.replace(b"\n", b"\r\n"), "text/event-stream"),
    ("no space, a comment, an id", b": ping\n\nid: 1\n" + WHOLE.replace(b"data: ", b"data:"), "text/event-stream"),
    ("no mark at the end", ROLE + HEL + LO + STOP, "text/event-stream"),
    ("no reason at the end", HEL + LO + DONE, "text/event-stream"),
    ("no last newline", (HEL + LO + STOP).rstrip(), "text/event-stream"),
    ("in one piece", event(delta("Hello é", "stop")), "text/event-stream"),
    ("more after the end", WHOLE + HEL, "text/event-stream"),
    ("odd fields", event(chunk(choices=None, usage="?", model=None)) + WHOLE, "text/event-stream"),
    ("a mark of UTF-8", b"\xef\xbb\xbf" + HEL + LO + STOP, EVENTS),
    ("no stream at all", DOCUMENT, "application/json"),
    ("parts", ROLE + piece(content=PARTS) + piece(content=[{"type": "text", "text": "lo é"}]) + STOP, EVENTS),
    ("a refusal", ROLE + piece(content=None, refusal="Hel") + piece(refusal="lo é") + STOP, EVENTS),
    ("a refusal as a part", ROLE + piece(content=[{"type": "refusal", "refusal": "Hello é"}]) + STOP, EVENTS),
]


@pytest.mark.parametrize(("body", "content_type"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
async def test_every_way_of_answering_is_read(body: bytes, content_type: str) -> None:
    async with ours(giving(body, content_type)) as (url, _):
        reply = await client(url).complete("Hi")
    assert (reply.text, reply.model) == ("Hello é", "tiny")


@pytest.mark.parametrize("body", [WHOLE, WHOLE.replace(b"\n", b"\r\n"), (ROLE + HEL + LO + STOP).rstrip()])
def test_a_stream_says_the_same_however_it_is_cut(body: bytes) -> None:
    for at in range(len(body) + 1):
        reader = completions.Events()
        assert reader.feed(body[:at]) + reader.feed(body[at:]) + reader.close() == "Hello é"
    reader = completions.Events()
    assert "".join(reader.feed(bytes([byte])) for byte in body) + reader.close() == "Hello é"


async def test_the_answer_is_over_when_the_endpoint_says_so_whatever_else_it_does() -> None:
    async with ours(in_two(WHOLE, b"", asyncio.Event())) as (url, _):
        assert (await client(url).complete("Hi")).text == "Hello é"


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([HALF_OF_A_CHARACTER], "\ufffd"),
        ([HALF_OF_A_CHARACTER, HEL], "\ufffdHel"),
        ([HALF_OF_A_CHARACTER, ROLE, OTHER_HALF], "😀"),
        ([OTHER_HALF, HEL, HALF_OF_A_CHARACTER, OTHER_HALF], "\ufffdHel😀"),
    ],
)
async def test_a_character_may_come_in_two_pieces_and_half_of_one_is_marked(pieces: list[bytes], text: str) -> None:
    """As a server in JavaScript cuts a text."""
    async with ours(giving(b"".join(pieces) + STOP)) as (url, _):
        assert (await client(url).complete("Hi")).text == text


@pytest.mark.parametrize(("finish", "told"), [("length", {"metadata": {"finish_reason": "length"}}), ("stop", {})])
async def test_an_answer_that_was_cut_says_so(finish: str, told: dict[str, Any]) -> None:
    async with ours(giving(HEL + event(delta(finish=finish)) + DONE)) as (url, _):
        status, answer = await form(url, user_input="Hi", ai_model="tiny")
    assert (status, answer) == (200, {"response": "Hel", "model": "tiny"} | told)


async def test_an_empty_answer_is_an_empty_answer() -> None:
    async with ours(giving(ROLE + STOP + DONE)) as (url, _):
        assert await form(url, user_input="Hi", ai_model="x") == (200, {"response": "", "model": "tiny"})


# Errors


def error(message: object) -> bytes:
    return json.dumps({"error": message}).encode()


REFUSALS: list[tuple[int, bytes, type[DynasparkError], list[str]]] = [
    (400, error({"message": "context length exceeded", "code": "x"}), RejectedError, ["context length exceeded"]),
    (401, error({"message": "bad key"}), RejectedError, ["bad key", KEY]),
    (403, error("no"), RejectedError, ["answered 403: no", KEY]),
    (402, error("no credit"), RejectedError, ["no credit"]),
    (404, error({"message": "model 'tiny' not found"}), RejectedError, ["model 'tiny' not found", "--upstream-model"]),
    (404, b"<html><body>x", RejectedError, ["an HTML page", "/v1"]),
    (404, b'{"detail":"Not Found"}', RejectedError, ["Not Found"]),
    (405, b"", RejectedError, ["Method Not Allowed"]),
    (413, b"too large", RejectedError, ["too large"]),
    (422, b'{"detail":[{"msg":"wrong type","loc":["body"]}]}', RejectedError, ["answered 422: wrong type"]),
    (408, b"", ServerError, ["408"]),
    (500, error({"code": 500, "message": "image input is not supported"}), ServerError, ["image input"]),
    (503, error({"message": "Loading model"}), ServerError, ["Loading model"]),
    (529, error({"type": "overloaded_error", "message": "Overloaded"}), ServerError, ["Overloaded"]),
    (500, b'[{"error": {"message": "listed"}}]', ServerError, ["answered 500: listed"]),
    (500, b"\xff\x00" * 100_000, ServerError, ["500"]),
    (500, b"[" * 100_000, ServerError, ["500"]),
    (302, b"", ServerError, ["302"]),
    (204, b"", ServerError, ["204"]),
]


@pytest.mark.parametrize(("status", "body", "kind", "shown"), REFUSALS)
async def test_a_refusal_is_an_error_that_names_the_endpoint_and_what_it_said(
    status: int, body: bytes, kind: type[DynasparkError], shown: list[str]
) -> None:
    headers = {"Location": "/elsewhere"} if status == 302 else {}
    async with ours(giving(body, "application/json", status=status, headers=headers)) as (url, behind):
        with pytest.raises(kind) as caught:
            await client(url).complete("Hi")
    assert [word for word in [behind.url, *shown] if word not in str(caught.value)] == []
    assert "set api_key" not in str(caught.value)
    assert len(behind.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_the_wait_that_the_endpoint_asks_for_is_passed_on(status: int) -> None:
    handler = giving(error("slow down"), "application/json", status=status, headers={"Retry-After": "17"})
    async with ours(handler) as (url, _):
        with pytest.raises((RateLimitError, ServerError), match="slow down") as caught:
            await client(url).complete("Hi")
    assert caught.value.retry_after == 17


ODD = [
    ("a page", b"<html>", "text/html", "text/html instead of a chat completion"),
    ("no type", b"x", "application/octet-stream", "application/octet-stream"),
    ("no completion", b'{"object": "list"}', "application/json", "not a completion"),
    ("a list", b"[]", "application/json", "not a completion"),
    ("an error with 200", error({"message": "boom"}), "application/json", "boom"),
    ("no JSON", b"{", "application/json", "not JSON"),
    ("nothing", b"", "text/event-stream", "ended its answer early"),
    ("only the end", DONE, "text/event-stream", "ended its answer early"),
    ("an event that is no JSON", b"data: x\n\n", "text/event-stream", "not JSON"),
    ("an event that is no object", b"data: 1\n\n", "text/event-stream", "not a completion"),
    ("a deep event", b"data: " + b"[" * 100_000 + b"\n\n", "text/event-stream", "not JSON"),
    ("an error as an event", event({"error": {"message": "boom"}}), "text/event-stream", "failed: boom"),
    ("an unknown error", event({"object": "error", "message": "boom"}) + DONE, "text/event-stream", "completion: boom"),
    ("an unknown event", event({"kind": "ping é"}) + DONE, "text/event-stream", 'completion: {"kind": "ping é"}'),
    ("a line without end", b"data: " + b"x" * (1 << 20), "text/event-stream", "without ending"),
    ("a document without end", b" " * (17 << 20), "application/json", "without ending"),
]


@pytest.mark.parametrize(("body", "content_type", "shown"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
async def test_what_is_no_chat_completion_is_a_bad_gateway(body: bytes, content_type: str, shown: str) -> None:
    async with ours(giving(body, content_type)) as (url, behind):
        status, answer = await form(url, user_input="Hi", ai_model="tiny")
    assert (status, answer["error"]["code"]) == (502, 502)
    assert shown in answer["error"]["message"]
    assert behind.url in answer["error"]["message"]


@pytest.mark.parametrize(
    ("code", "kind"), [(429, RateLimitError), (401, RejectedError), (500, ServerError), ("x", ServerError)]
)
async def test_an_error_in_a_stream_has_the_status_that_it_names(code: object, kind: type[DynasparkError]) -> None:
    async with ours(giving(event({"error": {"code": code, "message": "slow down"}}))) as (url, _):
        with pytest.raises(kind, match="slow down"):
            await client(url).complete("Hi")


@pytest.mark.parametrize(
    "rest", [b"", event({"error": {"message": "boom"}}), b"data: x\n\n"], ids=["cut", "error", "odd"]
)
async def test_an_answer_that_breaks_is_never_a_short_one(rest: bytes, caplog: pytest.LogCaptureFixture) -> None:
    arrived = asyncio.Event()
    async with ours(in_two(HEL, rest, arrived)) as (url, _):
        pieces = client(url).stream("Hi")
        assert await anext(pieces) == "Hel"
        arrived.set()
        with pytest.raises(StreamBrokenError) as caught:
            await anext(pieces)
    assert caught.value.text == "Hel"
    assert "the engine failed in the middle of its answer" in caplog.text


async def test_an_endpoint_that_is_not_there_is_named_without_its_password() -> None:
    async with upstream(giving(WHOLE)) as behind:
        gone = behind.url
    async with LocalService(OpenAI(gone.replace("//", "//ann:pass@"))) as service:
        with pytest.raises(ServerError, match="cannot be reached") as caught:
            await client(service.url).complete("Hi")
    assert (caught.value.status, gone in str(caught.value)) == (502, True)
    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("user", ["ann:pa55word", "t0ken-pa55word"])
async def test_an_endpoint_may_repeat_what_its_url_holds(user: str) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(json.loads(error(f"{user}, {request.headers['Authorization']}")), status=401)

    async with upstream(handle) as behind, LocalService(OpenAI(behind.url.replace("//", f"//{user}@"))) as service:
        with pytest.raises(DynasparkError) as caught:
            await client(service.url).complete("Hi")
    sent = behind.headers[0]["Authorization"].removeprefix("Basic ")
    assert ("pa55word" in str(caught.value), sent in str(caught.value)) == (False, False)


async def test_an_endpoint_that_is_silent_is_given_up() -> None:
    async with ours(silent(asyncio.Event(), asyncio.Event()), timeout=0.05) as (url, _):
        with pytest.raises(ServerError, match="did not answer in time") as caught:
            await client(url).complete("Hi")
    assert caught.value.status == 504


async def test_an_endpoint_that_hangs_up_is_a_bad_gateway() -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with ours(handle) as (url, _):
        with pytest.raises(ServerError, match="hung up") as caught:
            await client(url).complete("Hi")
    assert caught.value.status == 502


async def test_a_refusal_that_repeats_the_key_is_told_without_it() -> None:
    async with ours(giving(f"wrong: {SECRET}".encode(), "text/plain", status=401), api_key=SECRET) as (url, _):
        with pytest.raises(RejectedError, match="wrong: …"):
            await client(url).complete("Hi")


async def test_a_failure_is_logged_with_what_was_said_and_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    refusal = giving(error(f"no model, {SECRET}"), "application/json", status=404)
    async with ours(refusal, api_key=SECRET) as (url, behind):
        await form(url, user_input="Hi", ai_model="tiny")
    (record,) = [record for record in caplog.records if record.name == "dynaspark_core.server.openai"]
    assert (record.levelname, SECRET in record.getMessage()) == ("WARNING", False)
    assert f"{behind.url}/v1/chat/completions answered 404: no model, …" in record.getMessage()


async def test_the_key_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    arrived = asyncio.Event()
    with caplog.at_level(logging.DEBUG):
        async with ours(in_two(HEL, event({"error": f"wrong: {SECRET}"}), arrived), api_key=SECRET) as (url, behind):
            pieces = client(url).stream("Hi")
            await anext(pieces)
            arrived.set()
            with pytest.raises(StreamBrokenError):
                await anext(pieces)
    assert behind.headers[0]["Authorization"].endswith(SECRET)
    assert "wrong: …" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("url", "key", "shown"),
    [
        ("localhost:11434", None, "localhost:11434"),
        ("ftp://host/v1", None, "ftp://host"),
        ("http://", None, "http://"),
        ("http://ann:pass@host name/v1", None, "host name"),
        ("http://ann:pass@host/v1?key=pass", None, "host/v1"),
        ("http://host:99999/v1", None, "99999"),
        ("http://host:0/v1", None, "http://host:0"),
        ("http://host/v1#part", None, "#part"),
        ("http://host/v1", "pass\n", KEY),
        ("http://ann:pass@host/v1", "pass", "one of them"),
    ],
)
def test_a_url_or_key_that_cannot_be_used_is_an_error_without_the_secret(url: str, key: str | None, shown: str) -> None:
    with pytest.raises(ConfigError) as caught:
        OpenAI(url, api_key=key)
    assert shown in str(caught.value)
    assert "pass" not in str(caught.value)


# A client that leaves


def silent(asked: asyncio.Event, left: asyncio.Event, before: bytes = b"") -> Handler:
    """A handler that begins, and waits until whoever asked has left."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if before:
            await response.prepare(request)
            await response.write(before)
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()
        return response

    return handle


@pytest.mark.parametrize("before", [b"", ROLE, ROLE + HEL], ids=["nothing", "begun", "text"])
async def test_when_the_client_leaves_the_endpoint_is_left_too(before: bytes) -> None:
    asked, left = asyncio.Event(), asyncio.Event()
    async with ours(silent(asked, left, before)) as (url, _):
        task = asyncio.create_task(client(url).complete("Hi"))
        await asked.wait()
        task.cancel()
        await asyncio.wait_for(left.wait(), 10)
        with pytest.raises(asyncio.CancelledError):
            await task


# The command line


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["--engine", "openai"], "--upstream"),
        (["--engine", "openai", "--upstream", "nope"], "nope"),
        (["--engine", "openai", "--upstream", "http://127.0.0.1:9", "--model", "x"], "--model is for --engine local"),
        (["--engine", "script", "--upstream-model", "x"], "--upstream-model is for --engine openai"),
        (["--upstream", "http://127.0.0.1:9"], "--upstream is for --engine openai"),
    ],
)
def test_options_that_do_not_fit_are_one_line(
    arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert shown in err


@pytest.mark.skipif(os.name == "nt", reason="signals")
async def test_serve_answers_with_the_endpoint() -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "dynaspark_core", "serve", "--port", "0"]
    async with upstream(giving(WHOLE)) as behind:
        served = await asyncio.create_subprocess_exec(
            *command,
            *("--engine", "openai", "--upstream", behind.url, "--upstream-model", "tiny"),
            env=os.environ | {KEY: SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert served.stdout is not None
        line = (await served.stdout.readline()).decode()
        reply = await client(line.split()[2], model="gemini-2.0-flash").complete("Hi")
        served.send_signal(signal.SIGTERM)
        out, err = await served.communicate()
    assert (reply.text, behind.asked[0][1]["model"]) == ("Hello é", "tiny")
    assert behind.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert (served.returncode, out, SECRET in line) == (0, b"", False)
    (logged,) = err.decode().splitlines()
    assert re.search(r" INFO POST /generate_response 200, .*model gemini-2.0-flash, engine openai$", logged)


# A real endpoint: llama.cpp's own server, with a real small model


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """The address of llama.cpp's server with SmolLM2-135M-Instruct."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="pip install --group upstream")
    from dynaspark_core.server.local import weights  # noqa: PLC0415  # only here is a model needed

    settings = xllamacpp.CommonParams()
    settings.model.path = str(weights.fetch())
    settings.n_ctx, settings.n_parallel, settings.n_predict = 2048, 1, 64
    settings.cpuparams.n_threads = 1
    settings.sampling.temp = 0
    server = xllamacpp.Server(settings)
    yield server.listening_address
    del server


@pytest.mark.model
async def test_a_real_endpoint_with_a_real_model_answers(llama: str) -> None:
    from langchain_dynaspark import ChatDynaspark  # noqa: PLC0415  # the one test here that needs it

    question = "Answer from the text. When does the library open?\n\nText:\nThe library opens at nine."
    async with LocalService(OpenAI(llama, model="smollm2")) as service:
        chunks = [chunk async for chunk in ChatDynaspark(base_url=service.url).astream(question)]
    text = "".join(chunk.text for chunk in chunks)
    usage = next(chunk.usage_metadata for chunk in chunks if chunk.usage_metadata)
    assert "nine" in text
    assert len([chunk for chunk in chunks if chunk.text]) >= 5
    assert usage["output_tokens"] >= 5


@pytest.mark.model
async def test_a_real_endpoint_refuses_an_image_that_its_model_cannot_see(llama: str) -> None:
    async with LocalService(OpenAI(llama)) as service:
        with pytest.raises(DynasparkError, match="image input is not supported"):
            await client(service.url).complete("What is this?", images=[RECEIPT.read_bytes()])

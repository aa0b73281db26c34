"""The local service at the wire, asked by aiohttp's plain client: every row of PROTOCOL.md, limits, errors, an end."""

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Usage
from dynaspark_core.server import Answer, Asked, LocalService, Pieces, RefusedError, Rules, Script
from dynaspark_core.server.cli import SERVICE_KEY
from dynaspark_core.server.rules import HOUR, Quota

PATH = "/generate_response"
PNG = b"\x89PNG\r\n\x1a\n\x00\xff rest"
LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


class Got:
    """A whole response."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status, self.headers, self.body = response.status, response.headers, body

    def json(self) -> dict[str, object]:
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value

    def error(self) -> dict[str, object]:
        assert self.headers["Content-Type"].startswith("application/json")
        error = self.json()["error"]
        assert isinstance(error, dict)
        return error


async def post(
    service: LocalService,
    data: object = None,
    *,
    path: str = PATH,
    headers: dict[str, str] | None = None,
    method: str = "POST",
) -> Got:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, service.url + path, data=data, headers=headers) as response,
    ):
        return Got(response, await response.read())


def form(prompt: str | None = "Hi", *, file: bytes | None = None, kind: str = "image/png", **fields: str) -> object:
    data = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
    if prompt is not None:
        data.add_field("user_input", prompt)
    for name, value in fields.items():
        data.add_field(name, value)
    if file is not None:
        data.add_field("file", file, filename="a b é.png", content_type=kind)
    return data


# What is asked


async def test_a_multipart_form_is_recorded_exactly() -> None:
    with LocalService(script := Script("Hello.")) as service:
        got = await post(service, form("Hi é\r\n ", ai_model="gemini-2.0-flash", file=PNG), headers={"X-Mine": "1"})
    (asked,) = script.asked
    assert (got.status, got.json()) == (200, {"response": "Hello.", "model": "gemini-2.0-flash"})
    assert (asked.prompt, asked.model) == ("Hi é\r\n ", "gemini-2.0-flash")
    assert (asked.file, asked.file_name, asked.content_type) == (PNG, "a b é.png", "image/png")
    assert asked.fields == (("user_input", "Hi é\r\n "), ("ai_model", "gemini-2.0-flash"))
    assert asked.headers["x-mine"] == "1"


async def test_an_urlencoded_form_is_taken_too() -> None:
    with LocalService(script := Script("Hello.")) as service:
        got = await post(service, {"user_input": "a+b &=é%", "ai_model": ""}, path=f"{PATH}?k=v")
    (asked,) = script.asked
    assert got.json() == {"response": "Hello.", "model": "gemini-1.5-flash"}
    assert (asked.prompt, asked.model, asked.file, asked.query) == ("a+b &=é%", "", None, {"k": "v"})


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/webp", "image/gif"])
async def test_the_four_image_types_are_taken(kind: str) -> None:
    with LocalService(script := Script("Hello.")) as service:
        await post(service, form(file=PNG, kind=kind))
    assert script.asked[0].content_type == kind


def twice(name: str) -> aiohttp.FormData:
    data = aiohttp.FormData([("user_input", "Hi")], default_to_multipart=True)
    for _ in range(2):
        data.add_field(name, PNG if name == "file" else "x", filename="a.png" if name == "file" else None)
    return data


def nameless() -> aiohttp.FormData:
    data = aiohttp.FormData([("user_input", "Hi")], default_to_multipart=True)
    data.add_field("file", "text")
    return data


@pytest.mark.parametrize(
    ("data", "headers", "status", "says"),
    [
        (form(None, ai_model="m"), {}, 400, "'user_input' is missing"),
        (form(""), {}, 400, "'user_input' is missing"),
        (form(other="x"), {}, 400, "no text field 'other'"),
        ({"user_input": "Hi", "other": "x"}, {}, 400, "no text field 'other'"),
        (twice("ai_model"), {}, 400, "'ai_model' was sent twice"),
        (form("Hi", file=b""), {}, 400, "the file is empty"),
        (nameless(), {}, 400, "needs a file name"),
        (form("Hi", file=PNG, kind="text/html"), {}, 415, "not text/html"),
        (b'{"user_input": "Hi"}', {"Content-Type": "application/json"}, 415, "not application/json"),
        (b"user_input=%ff", {"Content-Type": "application/x-www-form-urlencoded"}, 400, "cannot be read"),
        (b"garbage", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "cannot be read"),
        (b"garbage", {"Content-Type": "multipart/form-data"}, 400, "cannot be read"),
    ],
)
async def test_a_bad_form_is_refused(data: object, headers: dict[str, str], status: int, says: str) -> None:
    with LocalService(script := Script("Hello.")) as service:
        got = await post(service, data, headers=headers)
    assert (got.status, got.error()["code"]) == (status, status)
    assert says in str(got.error()["message"])
    assert script.asked == []


async def test_a_second_file_is_refused() -> None:
    data = aiohttp.FormData([("user_input", "Hi")], default_to_multipart=True)
    for _ in range(2):
        data.add_field("file", PNG, filename="a.png", content_type="image/png")
    with LocalService(Script("Hello.")) as service:
        got = await post(service, data)
    assert (got.status, got.error()["message"]) == (400, "the field 'file' was sent twice; at most one is taken")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (form("x" * 100, file=b"x" * 1000), 200),
        (form("x" * 101), 413),
        (form("é" * 51), 413),
        ({"user_input": "x" * 101}, 413),
        ({"user_input": "x" * 100}, 200),
        ({"user_input": "%" * 100}, 200),
        ({"user_input": "Hi", "ai_model": "x" * 400}, 413),
        (form(file=b"x" * 1001), 413),
    ],
)
async def test_texts_and_files_over_the_limit_are_refused(data: object, status: int) -> None:
    with LocalService(Script("Hello."), rules=Rules(max_text_bytes=100, max_file_bytes=1000)) as service:
        assert (await post(service, data)).status == status


async def test_other_paths_and_methods_are_refused_in_json() -> None:
    with LocalService(Script("Hello."), rules=Rules(path="/ask")) as service:
        missing, wrong = await post(service, form(), path="/other"), await post(service, path="/ask", method="GET")
        right = await post(service, form(), path="/ask")
    assert (missing.status, missing.error()["message"]) == (404, "Not Found: POST /other")
    assert (wrong.status, wrong.headers["Allow"], right.status) == (405, "POST", 200)
    assert all(name in got.headers for got in (missing, wrong, right) for name in LIMITS)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (PATH, {}, 401),
        (f"{PATH}?api_key=wrong", {}, 401),
        (PATH, {"Authorization": "Bearer wrong"}, 401),
        (PATH, {"Authorization": "Basic kéy"}, 401),
        (f"{PATH}?api_key=k%C3%A9y", {}, 200),
        (PATH, {"Authorization": "bearer  kéy"}, 200),
    ],
)
async def test_the_key_is_demanded(path: str, headers: dict[str, str], status: int) -> None:
    with LocalService(Script("Hello."), rules=Rules(api_key="kéy")) as service:
        got = await post(service, form(), path=path, headers=headers)
    assert got.status == status
    assert status == 200 or got.error()["message"] == "the API key is missing or wrong"


# Limits


async def test_every_answer_tells_the_quota_and_429_comes_when_it_is_used_up() -> None:
    before = time.time()
    with LocalService(Script(lambda _: "Hello."), rules=Rules(requests_per_hour=2)) as service:
        answers = [await post(service, form()) for _ in range(3)]
    assert [got.status for got in answers] == [200, 200, 429]
    assert [got.headers["X-RateLimit-Remaining"] for got in answers] == ["1", "0", "0"]
    assert {got.headers["X-RateLimit-Limit"] for got in answers} == {"2"}
    reset = int(answers[-1].headers["X-RateLimit-Reset"])
    assert before + HOUR <= reset <= time.time() + HOUR + 1
    assert HOUR - 60 < int(answers[-1].headers["Retry-After"]) <= HOUR
    details = answers[-1].error()["details"]
    assert isinstance(details, dict)
    assert abs(reset - int(time.mktime(time.strptime(details["reset_time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)) < 2


def test_the_quota_starts_anew_after_an_hour() -> None:
    quota = Quota(1)
    assert [quota.take(now) for now in (100.5, 3700.4, 3700.5)] == [True, False, True]
    assert quota.headers() == {
        "X-RateLimit-Limit": "1",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "7301",
    }


async def test_too_many_requests_at_a_time_are_refused() -> None:
    go, running = asyncio.Event(), threading.Event()

    async def wait(_: Asked) -> str:
        running.set()
        loops.append(asyncio.get_running_loop())
        await go.wait()
        return "Hello."

    loops: list[asyncio.AbstractEventLoop] = []
    with LocalService(Script(wait), rules=Rules(requests_at_once=1)) as service:
        first = asyncio.create_task(post(service, form()))
        await asyncio.to_thread(running.wait)
        refused = await post(service, form())
        loops[0].call_soon_threadsafe(go.set)
        assert (refused.status, refused.headers["Retry-After"], (await first).status) == (429, "1", 200)


@pytest.mark.parametrize(
    "rules",
    [{"path": "ask"}, {"api_key": ""}, {"max_file_bytes": -1}, {"requests_per_hour": -1}, {"requests_at_once": 0}],
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(rules))):
        Rules(**rules)


# What is answered


async def test_pieces_leave_as_they_come_in_one_json_document() -> None:
    """The second piece is made only when the client has the first."""
    has_first = threading.Event()

    def pieces(_: Asked) -> Iterator[str]:
        yield 'One "é"\n'
        assert has_first.wait(10)
        yield ""
        yield "two."

    async def read() -> list[bytes]:
        got = []
        async with (
            aiohttp.ClientSession() as session,
            session.post(service.url + PATH, data=form()) as response,
        ):
            async for chunk, _ in response.content.iter_chunks():
                got.append(chunk)
                has_first.set()
        return [chunk for chunk in got if chunk]

    with LocalService(Script(pieces)) as service:
        chunks = await read()
    assert chunks == ['{"response": "One \\"é\\"\\n'.encode(), b"two.", b'", "model": "gemini-1.5-flash"}']


@pytest.mark.parametrize("text", ["", "Hi", Pieces(), Pieces(""), Pieces("H", "i"), Pieces("Ω", "\u2028", "\x00\\")])
async def test_whole_and_pieced_texts_arrive_as_written(text: str | Pieces) -> None:
    with LocalService(Script(text)) as service:
        got = await post(service, form())
    assert got.json() == {"response": "".join(text), "model": "gemini-1.5-flash"}
    assert ("Content-Length" in got.headers) == isinstance(text, str)


async def test_usage_model_and_metadata_stand_in_the_richer_answer() -> None:
    async def counted(_: Asked) -> AsyncIterator[str | Usage]:
        yield "Hello."
        yield Usage(3, 2, 5)

    answer = Answer("Hello.", model="mine", usage=Usage(3, 2, 5), metadata={"a": 1})
    with LocalService(Script(answer, counted)) as service:
        whole, pieced = await post(service, form()), await post(service, form())
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert whole.json() == {"response": "Hello.", "model": "mine", "usage": usage, "metadata": {"a": 1}}
    assert pieced.json() == {"response": "Hello.", "model": "gemini-1.5-flash", "usage": usage}


@pytest.mark.parametrize(
    ("path", "fields", "headers"),
    [
        (f"{PATH}?stream=true", {}, {}),
        (PATH, {"stream": "true"}, {}),
        (PATH, {}, {"Accept": "text/event-stream"}),
    ],
)
async def test_events_come_on_demand(path: str, fields: dict[str, str], headers: dict[str, str]) -> None:
    with LocalService(Script(Pieces("One\n", "zwö"))) as service:
        got = await post(service, {"user_input": "Hi"} | fields, path=path, headers=headers)
    assert got.headers["Content-Type"] == "text/event-stream"
    assert got.body.decode() == (
        'data: {"response": "One\\n"}\n\n'
        'data: {"response": "zwö"}\n\n'
        'data: {"response": "", "model": "gemini-1.5-flash"}\n\n'
        "data: [DONE]\n\n"
    )


async def test_the_form_may_refuse_the_stream_that_the_query_asks_for() -> None:
    with LocalService(Script("Hello.")) as service:
        got = await post(service, form("Hi", stream="false"), path=f"{PATH}?stream=true")
    assert got.json()["response"] == "Hello."


@pytest.mark.parametrize(
    ("answer", "status", "kind", "body"),
    [
        (Answer("Slow down", status=429), 429, "application/json", b'{"error": {"code": 429, "message": "Slow down"}}'),
        (Answer(Pieces("a", "b"), status=500), 500, "application/json", b'{"error": {"code": 500, "message": "ab"}}'),
        (Answer(body={"error": "no"}), 200, "application/json", b'{"error": "no"}'),
        (Answer(body=b"<html>", content_type="text/html", status=503), 503, "text/html", b"<html>"),
        (Answer(body=[b"a", b"b"], content_type="text/plain"), 200, "text/plain", b"ab"),
        (Answer(body=iter([b"a", b"b"]), content_type="text/plain"), 200, "text/plain", b"ab"),
        (Answer(body=[]), 200, "application/json", b""),
    ],
)
async def test_an_answer_sets_status_body_and_type(answer: Answer, status: int, kind: str, body: bytes) -> None:
    with LocalService(Script(answer)) as service:
        got = await post(service, form())
    assert (got.status, got.headers["Content-Type"], got.body) == (status, kind, body)


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
@pytest.mark.parametrize("text", ["Hello.", Pieces("Hel", "lo.")])
async def test_an_answers_headers_win(text: str | Pieces, name: str) -> None:
    headers = {"Retry-After": "3", "X-RateLimit-Remaining": "0", name: "text/x"}
    with LocalService(Script(Answer(text, headers=headers))) as service:
        got = await post(service, form())
    assert {name: got.headers.getall(name) for name in headers} == {name: [value] for name, value in headers.items()}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"status": 100}, "status is 100"),
        ({"status": "429"}, "status is '429'"),
        ({"status": 1000}, "status is 1000"),
        ({"headers": {"Retry-After": 5}}, "header 'Retry-After' is 5"),
        ({"headers": {"A": "b\r\nC: d"}}, "header 'A' is"),
        ({"body": "<html>"}, "body is bytes, pieces of bytes or a mapping, not str"),
    ],
)
def test_what_no_answer_can_have_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Answer("Hello.", **given)


@pytest.mark.parametrize("pieces", [("a", 5), (["a", "b"],), (b"a",), ("a", None)])
def test_pieces_are_texts(pieces: tuple[Any, ...]) -> None:
    with pytest.raises(ConfigError, match=f"not {type(pieces[-1]).__name__}"):
        Pieces(*pieces)


@pytest.mark.parametrize("piece", [5, b"x", None, {"response": "x"}], ids=repr)
async def test_an_iterator_of_what_is_no_text_gives_no_answer(piece: Any) -> None:
    script = Script(lambda _: iter([piece]), lambda _: iter(["Hel", piece, "lo."]))
    with LocalService(script) as service:
        got = await post(service, form())
        with pytest.raises(aiohttp.ClientPayloadError):
            await post(service, form())
    told = f"TypeError: a piece of an answer has to be str, not {type(piece).__name__}"
    assert (got.status, got.error()["message"]) == (500, told)


@pytest.mark.parametrize(
    "answer",
    [
        Answer("Hello.", cut=True),
        Answer(Pieces("Hel", "lo."), cut=True),
        Answer(body=b'{"response": "Hel', cut=True),
        Answer(body=b'{"response": "Hel', headers={"Content-Length": "100"}, cut=True),
        Answer(body=[b'{"resp', b"onse"], cut=True),
    ],
)
async def test_a_cut_body_has_no_end(answer: Answer) -> None:
    with LocalService(Script(answer)) as service, pytest.raises(aiohttp.ClientPayloadError):
        await post(service, form())


async def test_a_script_answers_in_order_and_says_when_it_is_at_its_end() -> None:
    async def later(asked: Asked) -> str:
        return asked.prompt.upper()

    with LocalService(script := Script("One", Pieces("tw", "o"), later, lambda asked: Pieces(asked.prompt))) as service:
        answers = [await post(service, form(prompt)) for prompt in "abcde"]
    assert [got.json().get("response") for got in answers[:4]] == ["One", "two", "C", "d"]
    assert (answers[4].status, answers[4].error()["message"]) == (
        400,
        "the Script is at its end: it holds 4 answers, and this is request 5",
    )
    assert [asked.prompt for asked in script.asked] == list("abcde")


@pytest.mark.parametrize("is_asynchronous", [False, True])
async def test_a_function_whose_iterator_is_at_its_end_says_so(*, is_asynchronous: bool) -> None:
    answers = iter(["One"])

    async def later(_: Asked) -> str:
        return next(answers)

    with LocalService(Script(later if is_asynchronous else lambda _: next(answers))) as service:
        first, second = [await post(service, form()) for _ in range(2)]
    assert first.json()["response"] == "One"
    assert (second.status, second.error()["message"]) == (
        400,
        "the Script is at its end: its function raised StopIteration",
    )


@pytest.mark.parametrize("leave", [pytest.fail, pytest.skip, sys.exit])
async def test_a_function_that_leaves_by_no_usual_error_ends_its_request_alone(leave: Callable[[str], Any]) -> None:
    with LocalService(Script(lambda asked: leave("broken") if asked.prompt == "a" else "One")) as service:
        first, second = await post(service, form("a")), await post(service, form("b"))
    assert first.status == 500
    assert "broken" in str(first.error()["message"])
    assert second.json()["response"] == "One"


NO_ANSWERS = [["a", "b"], ("a", "b"), [], {"a": 1}, {"a"}, b"a", 1, None]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=repr)
async def test_a_list_is_no_answer_and_the_error_names_both_forms(answer: Any) -> None:
    forms = rf'not {type(answer).__name__}: two answers are Script\("a", "b"\), one .*Script\(Pieces\("a", "b"\)\)'
    with pytest.raises(ConfigError, match=forms):
        Script("Hello.", answer)
    with pytest.raises(ConfigError, match=forms):
        Answer(answer)
    script = Script("Hello.", lambda _: answer)
    script.answers[0] = answer
    with LocalService(script) as service:
        for got in [await post(service, form()), await post(service, form())]:
            assert got.status == 400
            assert re.search(forms, str(got.error()["message"]))


async def test_a_function_that_blocks_does_not_stop_the_others() -> None:
    second_is_there = threading.Event()

    def meet(asked: Asked) -> str:
        if asked.prompt == "second":
            second_is_there.set()
        assert second_is_there.wait(10)
        return "met"

    with LocalService(Script(meet)) as service:
        both = await asyncio.gather(post(service, form("first")), post(service, form("second")))
    assert [got.json()["response"] for got in both] == ["met", "met"]


@pytest.mark.parametrize("kind", [ValueError, ConnectionResetError])
@pytest.mark.parametrize("when", ["at once", "when drawn from"])
async def test_an_engine_that_fails_is_a_500_in_json(
    kind: type[Exception], when: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> Iterator[str]:
        raise kind("broken")
        yield ""

    with LocalService(Script(lambda _: fails() if when == "when drawn from" else next(fails()))) as service:
        got = await post(service, form())
    assert (got.status, got.error()) == (500, {"code": 500, "message": f"{kind.__name__}: broken"})
    assert "the engine failed" in caplog.text


@pytest.mark.parametrize("path", [PATH, f"{PATH}?stream=true"])
async def test_an_engine_that_fails_halfway_gives_no_short_answer(path: str, caplog: pytest.LogCaptureFixture) -> None:
    def halfway(_: Asked) -> Iterator[str]:
        yield "Hel"
        raise ValueError("broken")

    with LocalService(Script(halfway)) as service, pytest.raises(aiohttp.ClientPayloadError):
        await post(service, form(), path=path)
    assert "failed in the middle" in caplog.text


async def test_an_engine_refuses_with_status_headers_and_details() -> None:
    def refuses(_: Asked) -> str:
        raise RefusedError(422, "no", headers={"X-Why": "so"}, details={"a": 1})

    with LocalService(Script(refuses)) as service:
        got = await post(service, form())
    assert (got.status, got.headers["X-Why"]) == (422, "so")
    assert got.error() == {"code": 422, "message": "no", "details": {"a": 1}}


async def test_a_client_that_leaves_ends_the_generation() -> None:
    ended = threading.Event()

    async def endless(_: Asked) -> AsyncIterator[str]:
        try:
            while True:
                yield "more "
                await asyncio.sleep(0)
        finally:
            ended.set()

    with LocalService(Script(endless)) as service:
        async with (
            aiohttp.ClientSession() as session,
            session.post(service.url + PATH, data=form()) as response,
        ):
            await response.content.readany()
            response.close()
        assert await asyncio.to_thread(ended.wait, 10)


# Running


def test_it_works_in_synchronous_code_and_leaves_nothing() -> None:
    threads = set(threading.enumerate())
    service = LocalService(Script("Hello."))
    for _ in range(2):
        with service:
            host, port = service.url.removeprefix("http://").split(":")
            socket.create_connection((host, int(port))).close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))
    assert set(threading.enumerate()) == threads


async def test_it_works_as_an_asynchronous_block() -> None:
    async with LocalService(Script("Hello.")) as service:
        assert (await post(service, form())).status == 200


async def test_the_end_cancels_requests_in_progress_and_closes_the_engine() -> None:
    closed, running = threading.Event(), threading.Event()

    class Engine:
        async def answer(self, _: Asked) -> Answer:
            running.set()
            await asyncio.Event().wait()
            return Answer()

        async def close(self) -> None:
            closed.set()

    with LocalService(Engine()) as service:
        request = asyncio.create_task(post(service, form()))
        await asyncio.to_thread(running.wait)
    with pytest.raises(aiohttp.ClientConnectionError):
        await request
    assert closed.is_set()


def test_what_cannot_be_started_says_so() -> None:
    with LocalService(Script("Hello.")) as service:
        taken = LocalService(Script("Hello."), port=int(service.url.rpartition(":")[2]))
        with pytest.raises(ConfigError, match=r"cannot listen.*; --port 0 takes any free one$"):
            taken.start()
        with pytest.raises(ConfigError, match="is already running"):
            service.start()
        with pytest.raises(ConfigError, match="is not running"):
            _ = taken.url
    with pytest.raises(ConfigError, match=r"cannot listen on 127.0.0.1 port 70000") as caught:
        LocalService(Script("Hello."), port=70_000).start()
    assert "--port" not in str(caught.value)
    for host in ("a" * 64, "a..b"):
        with pytest.raises(ConfigError, match=f"cannot listen on {host} port 0"):
            LocalService(Script("Hello."), host=host).start()


def test_an_ipv6_address_stands_in_brackets() -> None:
    with LocalService(Script("Hello."), host="::1") as service:
        assert service.url.startswith("http://[::1]:")


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_its_address_and_stops_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "dynaspark_core", "serve"]
    command += ["--engine", "script", "--answer", "Hello.", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    ) as served:
        assert served.stdout is not None
        line = served.stdout.readline()
        served.send_signal(number)
        rest, errors = served.communicate(timeout=30)
    assert line.startswith("Listening on http://127.0.0.1:")
    assert (served.returncode, rest, errors) == (0, "", "")


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("option", "variable", "wanted"),
    [([], "from-env", "from-env"), (["--api-key", "given"], "from-env", "given"), ([], "", None)],
)
async def test_serve_takes_its_key_from_the_environment_too(
    option: list[str], variable: str, wanted: str | None
) -> None:
    command = [sys.executable, "-m", "dynaspark_core", "serve", "--engine", "script", "--port", "0", *option]
    served = await asyncio.create_subprocess_exec(
        *command,
        env=os.environ | {SERVICE_KEY: variable},
        stdout=subprocess.PIPE,
    )
    assert served.stdout is not None
    url = (await served.stdout.readline()).decode().split()[2]
    statuses = []
    async with aiohttp.ClientSession() as session:
        for key in (None, "from-env", "given"):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            async with session.post(f"{url}/generate_response", data={"user_input": "Hi"}, headers=headers) as response:
                statuses.append(response.status)
    served.send_signal(signal.SIGTERM)
    await served.communicate()
    assert statuses == [200 if wanted in {None, key} else 401 for key in (None, "from-env", "given")]

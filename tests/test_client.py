"""The client alone, over real HTTP to the scripted service: what it sends, gives out, retries and refuses."""

import asyncio
import copy
import io
import json
import logging
import pickle
import re
import threading
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from serving import PNG

from dynaspark_core import Chat, Done, DynasparkClient, Message, Reply, TextDelta, Usage
from dynaspark_core.errors import (
    AccessError,
    ConfigError,
    ConnectError,
    DynasparkError,
    NotFoundError,
    RateLimitError,
    ReplyError,
    RequestTimeoutError,
    ServerError,
    StreamBrokenError,
    WakingUpError,
)
from dynaspark_core.server import Answer, Asked, LocalService, Pieces, Rules, Script
from dynaspark_core.transport import sessions


async def pieces(client: DynasparkClient, prompt: object, **options: object) -> list[str]:
    return [text async for text in client.stream(prompt, **options)]  # type: ignore[arg-type]


async def test_the_form_and_headers_are_those_of_the_protocol() -> None:
    with LocalService(script := Script("Hello.")) as service:
        url = service.url
        reply = await DynasparkClient(base_url=url).complete("Hi é\r\n ", model="gemini-2.0-flash")
    (asked,) = script.asked
    assert asked.fields == (("user_input", "Hi é\r\n "), ("ai_model", "gemini-2.0-flash"))
    assert (asked.file, asked.query) == (None, {})
    assert asked.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert asked.headers["user-agent"].startswith("dynaspark-llm/")
    assert {name: asked.headers[name] for name in ("accept", "origin", "referer", "x-requested-with")} == {
        "accept": "*/*",
        "origin": url,
        "referer": f"{url}/",
        "x-requested-with": "XMLHttpRequest",
    }
    assert (reply.text, reply.finish_reason) == ("Hello.", "stop")


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({}, "Basic dXNlcjpzZWNyZXQ="),
        ({"Authorization": "Bearer mine"}, "Bearer mine"),
        ({"authorization": "Bearer mine"}, "Bearer mine"),
    ],
)
async def test_a_callers_authorization_goes_in_place_of_the_urls_user(headers: dict[str, str], sent: str) -> None:
    with LocalService(script := Script("Hello.", "Hello.")) as service:
        url = service.url.replace("//", "//user:secret@")
        await DynasparkClient(base_url=url, headers=headers).complete("Hi")
        await DynasparkClient(base_url=url).with_options(extra_headers=headers).complete("Hi")
    assert [asked.headers["authorization"] for asked in script.asked] == [sent, sent]


async def test_what_the_old_provider_offered_has_its_place(tmp_path: Path) -> None:
    """A history joined to one text, the first of `media`, a key only if given, the answer in pieces."""
    (tmp_path / "b.png").write_bytes(PNG)
    history = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Describe this."},
    ]
    with LocalService(script := Script(lambda _: Pieces("A ", "dot."))) as service:
        client = DynasparkClient(base_url=service.url, api_key="k", headers={"User-Agent": "mine"})
        assert "".join(await pieces(client, history, images=[("image.jpg", PNG)])) == "A dot."
        await client.complete("Describe this.", images=[tmp_path / "b.png"])
        await client.complete("Describe this.", images=[PNG])
        await client.complete("Describe this.", images=[(PNG, "c.png")])
    turns, bare, unnamed, turned = script.asked
    assert turns.prompt == (
        '<turn role="system">Be brief.</turn>\n<turn role="user">Hi</turn>\n<turn role="assistant">Hello.</turn>\n'
        '<turn role="user">Describe this.[image 1]</turn>\n<turn role="assistant">\n'
    )
    assert (turns.file, turns.content_type, turns.query) == (PNG, "image/png", {"api_key": "k"})
    assert turns.headers["user-agent"] == "mine"
    assert (bare.prompt, bare.file, bare.file_name) == ("Describe this.", PNG, "b.png")
    assert (unnamed.file, unnamed.file_name) == (PNG, "image.png")
    assert (turned.file, turned.file_name) == (PNG, "c.png")


async def test_a_large_image_arrives_byte_for_byte() -> None:
    data = PNG[:-12] + _chunk(b"teXt", bytes(range(256)) * 4096) + PNG[-12:]
    with LocalService(script := Script("ok")) as service:
        await DynasparkClient(base_url=service.url).complete("?", images=[data])
    assert script.asked[0].file == data
    assert int(script.asked[0].headers["content-length"]) > len(data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


async def test_text_comes_as_it_arrives_at_the_socket() -> None:
    """The service sends the rest only when the client has shown that it got the first half."""
    acknowledged = threading.Event()

    def halves(_: Asked) -> Iterator[str]:
        yield "first half, "
        if not acknowledged.wait(10):
            raise TimeoutError("the client kept the first half to itself")
        yield "second half"

    with LocalService(Script(halves)) as service:
        stream = DynasparkClient(base_url=service.url).stream("go")
        assert await anext(stream) == "first half, "
        acknowledged.set()
        assert [text async for text in stream] == ["second half"]


async def test_events_end_with_the_whole_reply_and_what_the_service_said_of_itself() -> None:
    answer = Answer(body={"response": "Hello.", "model": "m-1", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}})  # fmt: skip  # noqa: E501
    with LocalService(Script(answer)) as service:
        client = DynasparkClient(base_url=service.url)
        events = [event async for event in client.events(Chat((Message("user", ("Hi",)),)))]
    assert events == [TextDelta("Hello."), Done(Reply("Hello.", model="m-1", usage=Usage(1, 2, 3)))]


async def test_usage_that_the_service_did_not_report_is_a_flagged_estimate() -> None:
    with LocalService(Script(Answer(body={"response": "12345678"}))) as service:
        reply = await DynasparkClient(base_url=service.url).complete("x" * 40)
    assert reply.usage == Usage(10, 2, 12, estimated=True)


async def test_an_answer_is_cut_at_a_stop_sequence_in_any_pieces() -> None:
    with LocalService(Script(Pieces("one E", "ND two", " END"), "one END two")) as service:
        client = DynasparkClient(base_url=service.url)
        assert "".join(await pieces(client, "x", stop=["END"])) == "one "
        assert (await client.complete("x", stop=["END"])).text == "one "


async def test_a_model_that_goes_on_with_the_others_turns_is_cut_there() -> None:
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    with LocalService(Script('Yes.</turn>\n<turn role="user">And', "A </turn> in text")) as service:
        client = DynasparkClient(base_url=service.url)
        assert (await client.complete(chat)).text == "Yes."
        assert (await client.complete("lone")).text == "A </turn> in text"


EVENTS = b'data: {"response": "Hel"}\n\ndata: lo\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(body=EVENTS, content_type="text/event-stream"), "Hello"),
        (Answer(body=b"plain", content_type="text/plain"), "plain"),
        (Answer(body=b'{"response": "as html"}', content_type="text/html"), "as html"),
        (Answer(body={"response": ""}), ""),
    ],
)
async def test_each_kind_of_body_is_read(answer: Answer, text: str) -> None:
    with LocalService(Script(answer, answer)) as service:
        client = DynasparkClient(base_url=service.url)
        assert (await client.complete("x")).text == text
        assert "".join(await pieces(client, "x")) == text


async def test_a_failure_that_may_pass_is_asked_again_and_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    soon = {"Retry-After": "0"}
    script = Script(Answer("busy", status=503, headers=soon), Answer("slow down", status=429, headers=soon), "Hello.")
    with LocalService(script) as service, caplog.at_level(logging.DEBUG, "dynaspark_core"):
        assert (await DynasparkClient(base_url=service.url).complete("secret prompt")).text == "Hello."
    assert len(script.asked) == 3
    assert len({asked.prompt for asked in script.asked}) == 1
    said = [record for record in caplog.records if record.name == "dynaspark_core"]
    (first, second) = (record.getMessage() for record in said if record.levelno == logging.WARNING)
    assert [record.getMessage().split(":")[0][-2:] for record in said if " posts " in record.getMessage()] == [
        ".1",
        ".2",
        ".3",
    ]
    assert re.fullmatch(r"request \d+\.1: ServerError \(status 503\); retry 1 of 2 in 0\.0 s", first)
    assert re.fullmatch(r"request \d+\.2: RateLimitError \(status 429\); retry 2 of 2 in 0\.0 s", second)


async def test_the_log_tells_of_every_request_and_nothing_of_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    script = Script("secret answer", lambda asked: Answer(f"no: {asked.prompt}", status=400))
    with LocalService(script) as service, caplog.at_level(logging.DEBUG, "dynaspark_core"):
        url = service.url
        client = DynasparkClient(base_url=url.replace("//", "//user:secret@"), api_key="secret")
        await client.complete("secret prompt")
        with pytest.raises(DynasparkError):
            await client.complete("secret prompt")
    lines = [record.getMessage() for record in caplog.records if record.name == "dynaspark_core"]
    assert [re.sub(r"request \d+|\d+ bytes|\d+\.\d+ s", "#", line.replace(url, "URL")) for line in lines] == [
        "#.1: posts # to URL/generate_response",
        "#.1: status 200 after #",
        "#.1: # in #",
        "#.1: posts # to URL/generate_response",
        "#.1: status 400 after #",
        "#.1: RejectedError",
    ]
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "error", "requests"),
    [
        (Answer("no", status=500, headers={"Retry-After": "0"}), ServerError, 3),
        (Answer("no", status=429, headers={"Retry-After": "3600"}), RateLimitError, 1),
        (Answer("no", status=400), DynasparkError, 1),
        (Answer("no", status=401), AccessError, 1),
        (Answer("no", status=404), NotFoundError, 1),
        (Answer(body={"error": "no"}), DynasparkError, 1),
        (Answer(body={"reply": "x"}), ReplyError, 1),
        (Answer(body=b"", content_type="application/json"), ReplyError, 1),
        (Answer(status=307, headers={"Location": "http://127.0.0.1:1/"}), DynasparkError, 1),
    ],
)
async def test_requests_are_counted(answer: Answer, error: type[DynasparkError], requests: int) -> None:
    with LocalService(script := Script(lambda _: answer)) as service:
        with pytest.raises(error):
            await DynasparkClient(base_url=service.url).complete("x")
        assert len(script.asked) == requests


async def test_a_long_wait_that_the_service_asks_for_fails_at_once_and_is_told() -> None:
    script = Script(Answer("no", status=429, headers={"Retry-After": "3600"}))
    with LocalService(script) as service, pytest.raises(RateLimitError) as caught:
        await DynasparkClient(base_url=service.url).complete("x")
    assert (caught.value.retry_after, caught.value.status, caught.value.is_retryable) == (3600, 429, True)


async def test_a_waking_host_is_asked_again_then_told() -> None:
    page = Answer(body=b"<!doctype html><title>starting</title>", content_type="text/html")
    with LocalService(script := Script(page, page)) as service, pytest.raises(WakingUpError):
        await DynasparkClient(base_url=service.url, max_retries=1).complete("x")
    assert len(script.asked) == 2


async def test_a_broken_answer_is_asked_again_only_while_nothing_was_shown() -> None:
    broken = Answer(Pieces("half ", "and"), cut=True)
    with LocalService(script := Script(broken, "whole", broken)) as service:
        client = DynasparkClient(base_url=service.url)
        assert (await client.complete("x")).text == "whole"
        stream = client.stream("x")
        assert (await anext(stream)).startswith("half")
        with pytest.raises(StreamBrokenError) as caught:
            _ = [text async for text in stream]
    assert caught.value.text == "half and"
    assert isinstance(caught.value.__cause__, Exception)
    assert len(script.asked) == 3


async def test_a_slow_answer_times_out_with_what_had_arrived() -> None:
    async def stalls(_: Asked) -> AsyncIterator[str]:
        yield "half"
        await asyncio.Event().wait()

    async with LocalService(Script(stalls)) as service:
        client = DynasparkClient(base_url=service.url, timeout=0.2, max_retries=0)
        with pytest.raises(RequestTimeoutError) as caught:
            await client.complete("x")
    assert caught.value.text == "half"


async def test_a_service_that_is_not_there_is_a_connect_error() -> None:
    with LocalService(Script()) as service:
        url = service.url
    with pytest.raises(ConnectError, match=r"no connection to 127\.0\.0\.1"):
        await DynasparkClient(base_url=url, max_retries=0).complete("x")


async def test_a_proxy_is_used_and_its_failure_is_no_direct_connection() -> None:
    rules = Rules(allow_hosts=("far.invalid",))
    with LocalService(script := Script("through the proxy"), rules=rules) as service:
        failing = DynasparkClient(base_url=service.url, proxy="http://user:secret@127.0.0.1:9", max_retries=0)
        with pytest.raises(ConnectError) as caught:
            await failing.complete("x")
        assert script.asked == []
        proxied = DynasparkClient(base_url="http://far.invalid", proxy=service.url)
        assert (await proxied.complete("x")).text == "through the proxy"
    assert script.asked[0].headers["host"] == "far.invalid"
    assert "secret" not in str(caught.value)


async def test_cancelling_closes_the_connection_and_asks_no_more() -> None:
    began, gone = threading.Event(), threading.Event()

    async def forever(_: Asked) -> AsyncIterator[str]:
        began.set()
        try:
            yield "half"
            await asyncio.Event().wait()
        finally:
            gone.set()

    with LocalService(script := Script(forever)) as service:
        task = asyncio.create_task(DynasparkClient(base_url=service.url).complete("x"))
        assert await asyncio.to_thread(began.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(gone.wait, 10)
        assert len(script.asked) == 1


async def test_a_stream_that_is_left_closes_its_connection() -> None:
    gone = threading.Event()

    async def forever(_: Asked) -> AsyncIterator[str]:
        try:
            while True:
                yield "more "
        finally:
            gone.set()

    with LocalService(Script(forever)) as service:
        stream = DynasparkClient(base_url=service.url).stream("x")
        assert (await anext(stream)).startswith("more")
        await stream.aclose()
        assert await asyncio.to_thread(gone.wait, 10)


async def test_no_more_requests_are_under_way_than_allowed() -> None:
    under_way, most = 0, 0
    three = asyncio.Event()

    async def counts(_: Asked) -> str:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if under_way == 3:
            three.set()
        await three.wait()
        under_way -= 1
        return "ok"

    async with LocalService(Script(counts)) as service:
        client = DynasparkClient(base_url=service.url, max_concurrency=3)
        replies = await asyncio.gather(*(client.complete("x") for _ in range(9)))
    assert [reply.text for reply in replies] == ["ok"] * 9
    assert most == 3


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("", "empty"),
        ([], "empty"),
        (5, "int"),
        ([{"role": "wizard", "content": "x"}], "wizard"),
        ([{"content": "x"}], "role"),
        (["x"], "str"),
        ([{"role": "user", "content": [{"type": "audio", "url": "x"}]}], "audio"),
        ([{"role": "user", "content": [{"type": "hologram"}]}], "hologram"),
        ([{"role": "user", "content": [{"type": "image", "base64": "!!", "mime_type": "image/png"}]}], "base64"),
        (Chat(()), "empty"),
    ],
)
async def test_bad_input_is_named_before_anything_is_sent(prompt: object, shown: str) -> None:
    with LocalService(script := Script("never")) as service, pytest.raises(DynasparkError, match=shown):
        await DynasparkClient(base_url=service.url).complete(prompt)  # type: ignore[arg-type]
    assert script.asked == []


async def test_an_unknown_model_is_sent_with_one_warning() -> None:
    with LocalService(script := Script(lambda _: "ok")) as service:
        client = DynasparkClient("gemini-next", base_url=service.url)
        with pytest.warns(UserWarning, match=r"gemini-next.* known .*gemini-1\.5-flash, gemini"):
            await client.complete("x")
        await client.complete("x")
    assert [asked.model for asked in script.asked] == ["gemini-next"] * 2


async def test_a_used_client_pickles_and_copies() -> None:
    with LocalService(Script(lambda _: "ok")) as service:
        client = DynasparkClient(base_url=service.url, headers={"X-Own": "1"})
        await client.complete("x")
        for other in (pickle.loads(pickle.dumps(client)), copy.deepcopy(client)):
            assert (await other.complete("x")).text == "ok"


async def test_a_key_never_stands_in_an_error() -> None:
    echo = Script(lambda asked: Answer(f"bad key {asked.query['api_key']}", status=401))
    with LocalService(echo) as service, pytest.raises(AccessError) as caught:
        await DynasparkClient(base_url=service.url, api_key="k-secret").complete("x")
    assert "k-secret" not in f"{caught.value} {caught.value.body} {caught.value!r}"


async def test_limits_of_the_service_are_met_with_its_own_words() -> None:
    with LocalService(Script(lambda _: "ok"), rules=Rules(api_key="right")) as service:
        with pytest.raises(AccessError):
            await DynasparkClient(base_url=service.url, api_key="wrong").complete("x")
        assert (await DynasparkClient(base_url=service.url, api_key="right").complete("x")).text == "ok"


def test_an_error_pickles_with_what_it_carries() -> None:
    error = RateLimitError("slow", status=429, body=json.dumps({}), retry_after=3)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (RateLimitError, "slow", vars(error))


async def test_a_key_is_hidden_also_as_it_stands_in_an_address() -> None:
    echo = Script(lambda _: Answer("no such page: /?api_key=k%2Be%2Fy%3D1 and k%2Be/y%3D1 and k+e/y=1", status=404))
    with LocalService(echo) as service, pytest.raises(NotFoundError) as caught:
        await DynasparkClient(base_url=service.url, api_key="k+e/y=1").complete("x")
    assert "y=1" not in str(caught.value)
    assert "y%3D1" not in f"{caught.value} {caught.value.body}"


async def test_a_call_that_failed_gives_its_place_to_the_next() -> None:
    with LocalService(Script(Answer("no", status=400), "ok")) as service:
        client = DynasparkClient(base_url=service.url, max_concurrency=1)
        with pytest.raises(DynasparkError):
            await client.complete("x")
        assert (await asyncio.wait_for(client.complete("x"), 10)).text == "ok"


async def test_a_stream_that_holds_the_only_place_is_named_by_the_call_that_waits_for_it() -> None:
    with LocalService(script := Script(lambda _: Pieces("one ", "two"))) as service:
        client = DynasparkClient(base_url=service.url, max_concurrency=1, timeout=0.3)
        async with aclosing(client.stream("outer")) as stream:
            async for _ in stream:
                with pytest.raises(RequestTimeoutError, match="max_concurrency"):
                    await client.complete("inner")
                break
        assert (await client.complete("after")).text == "one two"
    assert [asked.prompt for asked in script.asked] == ["outer", "after"]


async def test_who_waits_for_a_place_is_patient_while_places_come_free() -> None:
    """Three stalled calls, 0.4 s each, go before one whose own `timeout` is 1 s."""
    is_over = threading.Event()

    def stalls(asked: Asked) -> str:
        if asked.prompt == "stall":
            is_over.wait()
        return "ok"

    with LocalService(Script(stalls)) as service:
        stalling, patient = (
            DynasparkClient(base_url=service.url, max_concurrency=1, timeout=seconds, max_retries=0)
            for seconds in (0.4, 1)
        )
        calls = [stalling.complete("stall") for _ in range(3)]
        ended = await asyncio.gather(*calls, patient.complete("x"), return_exceptions=True)
        is_over.set()
    assert [type(end) for end in ended] == [RequestTimeoutError] * 3 + [Reply]


async def test_the_time_that_a_reader_takes_is_not_the_services() -> None:
    go_on, stalled = threading.Event(), threading.Event()

    def answers(asked: Asked) -> Iterator[str]:
        yield "one "
        (go_on if asked.prompt == "read slowly" else stalled).wait()
        yield "two"

    async with LocalService(Script(answers)) as service:
        client = DynasparkClient(base_url=service.url, timeout=0.3, max_retries=0)
        text = ""
        async for piece in client.stream("read slowly"):
            text += piece
            if not go_on.is_set():
                with pytest.raises(RequestTimeoutError) as caught:
                    await client.complete("takes all of `timeout`")
                go_on.set()
        stalled.set()
    assert (text, caught.value.text) == ("one two", "one ")


async def test_a_key_is_hidden_also_where_a_message_is_cut_within_it() -> None:
    key = "sk-0123456789abcdef"
    echo = Script(lambda _: Answer(body=b"x" * 190 + key.encode()))
    with LocalService(echo) as service, pytest.raises(ReplyError) as caught:
        await DynasparkClient(base_url=service.url, api_key=key).complete("x")
    assert str(caught.value).endswith("xxx…")


async def test_a_value_is_also_found_in_a_text_longer_than_any_model_writes() -> None:
    chat = Chat((Message("user", ("x",)),), response_schema={"type": "object", "required": ["a"]})
    with LocalService(Script("{" * 40_000 + '\n{"a": 1}')) as service:
        value = await DynasparkClient(base_url=service.url, max_repairs=0).value(chat)
    assert value.value == {"a": 1}


async def test_a_key_is_hidden_where_what_the_service_said_is_cut_and_advice_is_given() -> None:
    key = "sk-0123456789abcdef"
    quoted = json.dumps({"error": key + 'é"'}).encode()
    echo = Script(Answer(body=b"x" * 290 + key.encode(), status=401), Answer(body=quoted, status=400))
    with LocalService(echo) as service:
        with pytest.raises(AccessError, match="DYNASPARK_API_KEY") as cut:
            await DynasparkClient(base_url=service.url, api_key=key).complete("x")
        with pytest.raises(DynasparkError) as escaped:
            await DynasparkClient(base_url=service.url, api_key=key + 'é"').complete("x")
    assert "sk-0" not in str(cut.value)
    assert "sk-0" not in f"{escaped.value} {vars(escaped.value)['body']}"


async def test_closing_the_pool_harms_no_call_that_waits_for_its_place() -> None:
    is_open = threading.Event()

    def answers(_: Asked) -> Iterator[str]:
        yield "one "
        is_open.wait()
        yield "two"

    with LocalService(Script(answers)) as service:
        client = DynasparkClient(base_url=service.url, max_concurrency=1)
        async with aclosing(client.stream("first")) as first:
            assert await anext(first) == "one "
            second = asyncio.create_task(client.complete("second"))
            assert not (await asyncio.wait({second}, timeout=0.05))[0]  # it waits
            await sessions.close()
        is_open.set()
        assert (await second).text == "one two"


async def test_places_are_given_in_the_order_of_asking_also_after_patience_has_run_out() -> None:
    slots, order = sessions.Slots(1), asyncio.Queue[int]()
    await slots.acquire(1)

    async def goes(number: int) -> None:
        await slots.acquire(0.02)
        order.put_nowait(number)

    waiting = {asyncio.create_task(goes(number)) for number in range(6)}
    for number in range(6):
        await asyncio.wait(waiting, timeout=0.015)
        slots.release()
        assert await order.get() == number
    await asyncio.gather(*waiting)


@pytest.mark.parametrize(("comes", "text"), [(True, "one two three"), (False, "one two ")])
async def test_the_clock_goes_on_with_the_seconds_that_are_left(comes: bool, text: str) -> None:
    """Of 1 s, 0.7 s are the reader's; then the next piece comes after 0.6 s, or never."""
    second, third, never = threading.Event(), threading.Event(), threading.Event()

    def answers(asked: Asked) -> Iterator[str]:
        for piece, event in () if asked.prompt == "stall" else (("one ", second), ("two ", third), ("three", never)):
            yield piece
            event.wait()
        never.wait()

    async def passes(seconds: float) -> None:
        with pytest.raises(RequestTimeoutError):
            await DynasparkClient(base_url=service.url, timeout=seconds, max_retries=0).complete("stall")

    async def reads() -> None:
        async for piece in DynasparkClient(base_url=service.url, timeout=1).stream("x"):
            got.append(piece)
            second.set()
            if "".join(got) == "one two ":
                await passes(0.7)
                later.append(asyncio.create_task(passes(0.6)))
                later[0].add_done_callback(lambda _: third.set() if comes else None)

    with LocalService(Script(answers)) as service:
        got, later = list[str](), list[asyncio.Task[None]]()
        try:
            with pytest.raises(RequestTimeoutError):
                await asyncio.wait_for(reads(), 10)
            await later[0]
        finally:
            for event in (second, third, never):
                event.set()
    assert "".join(got) == text


@pytest.mark.parametrize("wrong", [Path("a.png"), b"x", "https://x/y.png", io.BytesIO(b"x"), 5, {"a": 1}, iter([b"x"])])
def test_images_that_are_no_list_are_named(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"images is of type .*; give a list of images, also of one"):
        DynasparkClient().sync.preview("q", images=wrong)

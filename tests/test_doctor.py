"""`python -m dynaspark_core doctor` at the wire: what it asks of which service, what it tells, and that it stops."""

import argparse
import asyncio
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from faults.server import FaultServer, says
from PIL import Image

from dynaspark_core.__main__ import main
from dynaspark_core.doctor import command, picture, service
from dynaspark_core.doctor.definition import fits
from dynaspark_core.doctor.judge import Made, judge_calls
from dynaspark_core.doctor.questions import CALLS, ERROR_LOUNGE, NO_CALLS, OBJECTS, ORDER_SOIL
from dynaspark_core.doctor.report import Report
from dynaspark_core.errors import ConfigError
from dynaspark_core.server import Answer, Asked, LocalService, Pieces, Script
from dynaspark_core.server.local.engine import Local
from dynaspark_core.server.script import call

Calls = list[tuple[str, dict[str, Any]]]
PAGE = "<!DOCTYPE html><html><title>Service waking up</title></html>"
CALLED: dict[str, Calls] = {
    "lamp": [("switch_lamp", {"room": "kitchen", "on": True})],
    "water": [("read_meter", {"meter": "water"})],
    "eco": [("set_heating", {"room": "bedroom", "degrees": 18.5, "mode": "eco"})],
    "expense": [("log_expense", {"shop": "Corner Bakery", "total": 23.8, "category": "food"})],
    "stock": [("stock_level", {"product_id": "P-77"})],
    "gift": [("place_order", {"product_id": "P-12", "quantity": 2, "gift_wrap": True})],
    "ordine": [("order_status", {"order_number": 7001})],
    "dear-gardener": [("stock_level", {"product_id": "P-12"})],
    "order-soil": [
        ("search_products", {"words": "potting soil"}),
        ("place_order", {"product_id": "P-77", "quantity": 3}),
    ],
    "error-lounge": [("room_temperature", {"room": "lounge"}), ("room_temperature", {"room": "living room"})],
    "capital": [],
    "merci": [],
}
LAST = {
    "order-soil": "Order 9021 is placed.",
    "error-lounge": "21.5 degrees.",
    "capital": "Lisbon.",
    "merci": "De rien!",
}
VALUES: dict[str, Any] = {
    "person": {"name": "Ada Lovelace", "age": 36, "city": "London"},
    "mood": {"mood": "negative"},
    "parcel": {"pieces": [{"kind": "box", "count": 2, "kilos": 4}, {"kind": "tube", "count": 1, "kilos": 0.5}]},
    "meeting": {"date": "2026-03-09", "minutes": 45, "has_room": False},
}
LOOPS = (*CALLS, ORDER_SOIL, ERROR_LOUNGE, *NO_CALLS)
SCORES = {
    "calls a tool": (8, 8),
    "two calls in order": (1, 1),
    "corrects a wrong call": (1, 1),
    "writes an object": (4, 4),
    "calls no tool": (2, 2),
}
LARGER_THAN_A_READ = 100_000
"""Characters of a piece: small ones may arrive together."""
OF_SERVICE = 6
"""Requests to a service that is awake and answers on both routes."""


def good(asked: Asked) -> Any:
    """A model that does all it is asked."""
    prompt = asked.prompt
    if asked.file:
        image = Image.open(io.BytesIO(asked.file)).convert("RGB")
        colour = "yellow" if image.getpixel((3, 3)) == (255, 255, 0) else "grey"
        return f"The word ORCHID on a {colour} ground."
    if "Count from 1 to 20" in prompt:
        return Pieces(*("1" * LARGER_THAN_A_READ,) * 3)
    for question in OBJECTS:
        if question.text in prompt:
            return json.dumps(VALUES[question.name])
    for loop in LOOPS:
        if loop.question in prompt:
            turn, calls = prompt.count('<turn role="tool">'), CALLED[loop.name]
            return call(calls[turn][0], **calls[turn][1]) if turn < len(calls) else LAST[loop.name]
    if "AHOY" in f"{asked.system} {prompt}":
        return "AHOY, it is Paris."
    return "HERON" if "HERON" in prompt else "ready"


def only(route: str, status: int = 404) -> Callable[[Asked], Any]:
    """The good model behind one route; the other has `status` and a page."""

    def answer(asked: Asked) -> Any:
        is_api = "user_input" in asked.query
        return (
            good(asked)
            if is_api == (route == "api")
            else Answer(status=status, body=PAGE.encode(), content_type="text/html")
        )

    return answer


class Examined:
    """What the doctor did: its report, what it told, the seconds it waited."""

    def __init__(self, url: str, **options: Any) -> None:
        self.told: list[str] = []
        self.waits: list[float] = []
        given = {"base_url": url, "model": None, "quick": False, "json": False} | options

        async def wait(seconds: float) -> None:
            self.waits.append(seconds)

        self.report: Report = asyncio.run(command.examine(argparse.Namespace(**given), wait, self.told.append))
        self.rows = {row.step: row for row in self.report.rows}

    @property
    def scores(self) -> dict[str, tuple[int | None, int | None]]:
        return {row.step: (row.right, row.asked) for row in self.report.rows if row.asked is not None}

    @property
    def text(self) -> str:
        return "\n".join(self.told)


def examined(answer: Any, **options: Any) -> tuple[Examined, Script]:
    with LocalService(script := Script(answer)) as running:
        return Examined(running.url, **options), script


def test_a_good_model_gets_every_point() -> None:
    found, script = examined(good)
    assert found.report.requests == len(script.asked) == OF_SERVICE + 20
    assert (found.report.route, found.report.model, found.waits) == ("form", "gemini-1.5-flash", [])
    assert found.scores == SCORES
    assert {row.step: row.repairs for row in found.report.rows if row.repairs} == {}
    assert re.fullmatch(r"in \d+ pieces", found.rows["streams"].result)
    assert {step: found.rows[step].result for step in service.STEPS if step != "streams"} == {
        "sees a picture": "its word and colour",
        "follows a system text": "yes",
        "finds a word in 16,000": "yes",
    }
    assert found.rows["route form"].details[0].startswith("status 200, JSON, ")
    assert found.rows["quota"].result.endswith(" left")
    assert (
        found.told[0].splitlines()[1] == f"{found.report.base_url}: this sends at most 30 requests, repairs included."
    )


def test_quick_asks_of_the_service_only() -> None:
    found, script = examined(good, quick=True, model="gemini-2.0-flash")
    assert found.report.requests == len(script.asked) == OF_SERVICE
    assert "at most 10 requests" in found.told[0]
    assert found.scores == {}
    assert {asked.model for asked in script.asked} == {"gemini-2.0-flash"}


def test_a_model_that_needs_repairs_is_counted_and_ends_at_the_number_that_was_said() -> None:
    def sloppy(asked: Asked) -> Any:
        is_repair = "cannot be used" in asked.prompt
        is_call = any(loop.question in asked.prompt for loop in CALLS)
        return '<tool_call>\n{"name": "switch_lamp", "argum\n</tool_call>' if is_call and not is_repair else good(asked)

    found, script = examined(sloppy)
    assert found.report.requests == len(script.asked) == 30
    assert found.scores["calls a tool"] == (8, 8)
    assert found.rows["calls a tool"].repairs == 8
    assert found.rows["calls no tool"].result == "not asked"
    assert found.rows["calls no tool"].details == ["2 not asked: the 30 requests are used up"]
    assert found.scores["writes an object"] == (2, 2)
    assert re.search("calls a tool +8 of 8 +8 repairs", found.text)


def test_a_model_that_knows_no_format_gets_no_point_and_an_example_of_why() -> None:
    found, script = examined(lambda _: "I cannot do that.")
    assert found.scores == SCORES | {name: (0, many) for name, (_, many) in SCORES.items()} | {"calls no tool": (1, 2)}
    assert len(script.asked) <= 30
    assert "lamp: missing call, switch_lamp; made: none; said: 'I cannot do that.'" in found.text
    assert found.rows["writes an object"].repairs == 4
    assert (found.rows["sees a picture"].result, found.rows["streams"].result) == ("nothing right", "in one piece")


@pytest.mark.parametrize("status", [200, 503])
def test_a_host_that_wakes_up_is_waited_for(status: int) -> None:
    asleep = Answer(status=status, body=PAGE.encode(), content_type="text/html")
    with LocalService(script := Script(lambda asked: asleep if len(script.asked) < 3 else good(asked))) as running:
        found = Examined(running.url)
    assert found.waits == [5, 15]
    assert "its host had to wake up" in found.rows["route form"].details[0]
    assert found.report.requests == len(script.asked) == OF_SERVICE + 22
    assert found.scores == SCORES


def test_a_service_that_answers_pages_has_no_route() -> None:
    found, script = examined(lambda _: Answer(body=PAGE.encode(), content_type="text/html"))
    assert (found.report.route, found.waits, len(script.asked)) == ("", [5, 15, 30], 5)
    assert [found.rows[f"route {route}"].result for route in ("form", "api")] == ["a page", "a page"]
    assert found.rows["reachable"].result == "yes"
    assert list(found.rows) == ["reachable", "route form", "route api"]
    assert "route none" in found.text


def test_a_service_with_the_form_only() -> None:
    found, _ = examined(only("form"))
    assert (found.report.route, found.rows["route api"].result, found.scores) == ("form", "status 404", SCORES)


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_service_with_the_query_api_only(status: int) -> None:
    found, script = examined(only("api", status))
    assert (found.report.route, found.report.model) == ("api", "openai")
    assert found.rows["route form"].result == f"status {status}"
    for step in ("sees a picture", "finds a word in 16,000"):
        assert found.rows[step].result == "not asked"
        assert "route='form'" in found.rows[step].details[0]
    assert re.fullmatch(r"in \d+ pieces", found.rows["streams"].result)
    assert found.rows["streams"].details == ["events, 300000 characters"]
    assert found.scores == SCORES
    assert found.report.requests == len(script.asked)


def test_nobody_listens() -> None:
    found = Examined("http://127.0.0.1:9")
    assert (found.report.route, found.report.requests, found.waits) == ("", 2, [])
    assert found.rows["reachable"].result == "no"
    assert "no connection to 127.0.0.1" in found.rows["reachable"].details[0]


def test_what_is_wrong_with_tls_or_the_proxy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalService(Script(good)) as running:
        found = Examined(running.url.replace("http:", "https:"))
        assert "with TLS: no secure connection" in found.rows["reachable"].details[0]
        monkeypatch.setenv("DYNASPARK_PROXY", "http://user:pa55word@127.0.0.1:9")
        found = Examined(running.url)
    assert "without TLS, through a proxy: no connection to the proxy 127.0.0.1:9" in found.rows["reachable"].details[0]
    assert "pa55word" not in found.text + found.report.as_json()


def test_a_service_that_fails_midway_is_not_asked_on_and_on() -> None:
    with FaultServer() as server:
        ok = b'{"response": "ready"}'
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(ok), ok)
        limited = b"HTTP/1.1 429 No\r\nContent-Length: 0\r\nRetry-After: 3000\r\n\r\n"
        listener = server.open(says(whole, whole, limited))
        found = Examined(listener.url)
    assert (found.report.requests, len(listener.requests)) == (3, 3)
    assert found.rows["streams"].result == "status 429"
    assert {found.rows[step].result for step in SCORES} == {"not asked"}
    assert found.rows["calls a tool"].details == ["8 not asked: after RateLimitError"]


def test_one_timeout_is_told_and_the_second_ends_the_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNASPARK_TIMEOUT", "0.5")

    async def slow(asked: Asked) -> Any:
        if "HERON" in asked.prompt or "lamp" in asked.prompt:
            await asyncio.Event().wait()
        return good(asked)

    found, script = examined(slow)
    assert found.rows["finds a word in 16,000"].result == "no answer in time"
    assert found.rows["calls a tool"].details[0].startswith("lamp: failed, RequestTimeoutError")
    assert (found.scores["calls a tool"], found.rows["calls no tool"].result) == ((0, 1), "not asked")
    assert len(script.asked) == found.report.requests == OF_SERVICE + 1


def test_the_route_that_is_set_comes_first_with_its_path_and_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNASPARK_ROUTE", "api")
    monkeypatch.setenv("DYNASPARK_PATH", "/generate_response")
    monkeypatch.setenv("DYNASPARK_MODEL", "mistral")
    found, script = examined(good, quick=True)
    assert (found.report.route, found.report.model) == ("api", "mistral")
    assert [asked.model for asked in script.asked[:2]] == ["mistral", "gemini-1.5-flash"]


def test_no_key_and_no_password_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNASPARK_API_KEY", "s3cret-key")
    with LocalService(Script(lambda asked: Answer(f"no: {asked.query}", status=401))) as running:
        found = Examined(running.url.replace("//", "//user:pa55word@"))
    assert found.rows["route form"].result == "status 401"
    assert not [word for word in ("s3cret", "pa55word") if word in found.text + found.report.as_json()]


def test_the_command_prints_a_table_or_json_and_its_exit_code_tells(capsys: pytest.CaptureFixture[str]) -> None:
    with LocalService(Script(good)) as running:
        assert main(["doctor", "--base-url", running.url, "--quick"]) == 0
        table = capsys.readouterr().out
        assert main(["doctor", "--base-url", running.url, "--quick", "--json"]) == 0
        out, err = capsys.readouterr()
        url = running.url
    assert re.search(r"^streams {17}in \d+ pieces {3,}JSON, 300000 characters$", table, re.MULTILINE)
    assert max(map(len, table.splitlines())) <= 120
    document = json.loads(out)
    assert (document["route"], document["requests"], document["most"]) == ("form", 6, 10)
    assert document["asked_with"].startswith("dynaspark-llm ")
    assert document["rows"][0] == {
        "step": "reachable",
        "result": "yes",
        "details": [f"{url}, without TLS"],
        "right": None,
        "asked": None,
        "repairs": 0,
    }
    assert "at most 10 requests" in err
    assert main(["doctor", "--base-url", "http://127.0.0.1:9"]) == 1
    assert main(["doctor", "--base-url", "nope"]) == 1


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    assert {"--base-url", "--model", "--quick", "--json"} <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))


def test_there_are_as_many_questions_as_the_manual_says() -> None:
    assert (len(CALLS), len(OBJECTS), len(NO_CALLS)) == (8, 4, 2)


@pytest.mark.parametrize("loop", CALLS, ids=lambda loop: loop.name)
def test_each_call_is_right_only_as_it_is_asked_for(loop: Any) -> None:
    ((name, arguments),) = CALLED[loop.name]
    assert judge_calls(loop, [Made(name, arguments)], "") is None
    assert judge_calls(loop, [], "") is not None
    first = next(iter(arguments))
    assert judge_calls(loop, [Made(name, arguments | {first: "other"})], "") is not None


@pytest.mark.parametrize("question", OBJECTS, ids=lambda question: question.name)
def test_each_object_is_right_only_with_what_the_text_says(question: Any) -> None:
    value = VALUES[question.name]
    assert fits(value, question.wanted)
    assert not fits(value | {next(iter(value)): None}, question.wanted)


def test_the_picture_has_its_word_and_colour() -> None:
    image = Image.open(io.BytesIO(picture.png())).convert("RGB")
    red = image.getchannel("R").histogram()
    assert image.getpixel((0, 0)) == (255, 255, 0)
    assert 0.02 < sum(red[:50]) / sum(red) < 0.5


def test_a_wrong_setting_is_named_before_anything_is_asked() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        Examined("ftp://x")


@pytest.mark.model
def test_the_embedded_model_is_examined_to_the_end() -> None:
    """It is too small to choose tools; it reads the picture's letters, and streams."""
    with LocalService(Local()) as running:
        found = Examined(running.url)
    assert found.report.route == "form"
    assert found.report.requests <= 30
    assert re.fullmatch(r"in \d+ pieces", found.rows["streams"].result)
    assert "word" in found.rows["sees a picture"].result
    assert found.scores["calls a tool"][1] == 8

"""The page that a browser gets: at the wire, and driven in headless Chromium where there is one.

`python tests/test_server_page.py FOLDER` makes the pictures of it that the documentation shows.
"""

import json
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from browser import Browser

from dynaspark_core.server import Answer, Asked, LocalService, Pieces, RefusedError, Rules, Script, call

ROOT = Path(__file__).parent.parent
RECEIPT = ROOT / "examples/receipt.png"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TOOL = '{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}'
EVIL = "</textarea><script>alert(1)</script>&lt;\"'{{raw}}"


async def posted(service: LocalService, headers: dict[str, str] = BROWSER, **fields: str) -> tuple[int, str, Any]:
    """The status, the body and the headers of the page's form, sent as a browser sends it."""
    form = aiohttp.FormData(default_to_multipart=True, quote_fields=False)
    for name, value in ({"user_input": "Hi", "ai_model": "", "tool": ""} | fields).items():
        form.add_field(name, value)
    form.add_field("file", b"", filename="", content_type="application/octet-stream")
    async with (
        aiohttp.ClientSession() as session,
        session.post(service.url + "/", data=form, headers=headers) as response,
    ):
        return response.status, await response.text(), response.headers


def shown(page: str, part: str) -> str:
    """What the page shows in this part."""
    found = re.search(rf'id="{part}"[^>]*>(.*?)</(?:div|p|pre|textarea)>', page, re.DOTALL)
    assert found is not None, part
    return unescape(found[1])


async def test_a_browser_gets_a_page_and_a_program_json() -> None:
    async with aiohttp.ClientSession() as session:
        with LocalService(Script()) as service:
            async with session.get(service.url, headers=BROWSER) as response:
                page = await response.text()
                assert response.content_type == "text/html"
                policy = response.headers["Content-Security-Policy"]
            async with session.get(service.url) as response:
                assert (await response.json())["engine"] == "script"
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"?(?:https?:)?//", page)
    assert "{{" not in page


async def test_without_javascript_the_answer_comes_as_a_page() -> None:
    with LocalService(script := Script(Answer(Pieces("a <b>", "&amp; c"), model="m"))) as service:
        status, page, _ = await posted(service, ai_model="gemini")
    assert (status, shown(page, "answer"), shown(page, "prompt"), shown(page, "text")) == (
        200,
        "a <b>&amp; c",
        "Hi",
        "Hi",
    )
    assert json.loads(shown(page, "raw")) == {"response": "a <b>&amp; c", "model": "m"}
    assert (script.asked[0].prompt, script.asked[0].model, script.asked[0].file) == ("Hi", "gemini", None)


async def test_all_that_is_shown_is_escaped() -> None:
    with LocalService(Script(lambda _: EVIL)) as service:
        _, page, _ = await posted(service, user_input=EVIL, ai_model=EVIL, tool="")
        _, refused, _ = await posted(service, user_input=EVIL, tool=EVIL)
    assert [shown(page, part) for part in ("answer", "prompt", "text")] == [EVIL] * 3
    assert shown(refused, "tool") == EVIL
    assert "alert(1)" not in page.replace("&lt;script&gt;alert(1)", "")
    assert page.count("<script>") == refused.count("<script>") == 1


async def test_a_tool_is_offered_and_what_was_read_as_a_call_is_shown() -> None:
    answers = (f"I look.\n{call('get_weather', city='Oslo')}", call("fly"), "No tool.")
    with LocalService(script := Script(*answers)) as service:
        pages = [(await posted(service, tool=TOOL))[1] for _ in answers]
    assert '"name": "get_weather"' in script.asked[0].prompt
    assert "get_weather" in shown(pages[0], "prompt")
    read = [json.loads(shown(page, "calls")) for page in pages]
    assert (read[0]["calls"], read[0]["text"].strip()) == (
        [{"name": "get_weather", "arguments": {"city": "Oslo"}}],
        "I look.",
    )
    assert [refused["reason"] for refused in read[1]["refused"]] == ["unknown_tool"]
    assert (read[2]["calls"], read[2]["text"]) == ([], "No tool.")


@pytest.mark.parametrize("name", ["parameters", "input_schema", "inputSchema"])
@pytest.mark.parametrize("form", ["%s", '{"type": "function", "function": %s}'])
async def test_a_tool_may_have_any_of_the_usual_forms(form: str, name: str) -> None:
    with LocalService(script := Script("No.")) as service:
        await posted(service, tool=form % TOOL.replace("parameters", name))
    assert '{"city": string (optional)}' in script.asked[0].prompt


@pytest.mark.parametrize(
    "tool", ["{", "[]", "{}", '"x"', "1", '{"name": 1}', '{"name": ""}', '{"name": "x", "parameters": 3}']
)
async def test_what_is_no_tool_is_refused_on_the_page(tool: str) -> None:
    with LocalService(script := Script("Hello.")) as service:
        status, page, _ = await posted(service, tool=tool)
    assert (status, "no JSON object with name and parameters" in shown(page, "error")) == (400, True)
    assert (shown(page, "tool"), script.asked) == (tool, [])


async def test_half_a_character_is_shown_as_its_escape() -> None:
    """Of a tool that a person pastes, and of what a model writes."""
    with LocalService(Script("Hello \ud800.")) as service:
        status, page, _ = await posted(service, tool='{"name": "get_\\udfff"}')
    assert (status, shown(page, "answer")) == (200, "Hello \\ud800.")
    assert "get_\\udfff" in page


def refuses(_: Asked) -> str:
    raise RefusedError(413, "too <long>")


@pytest.mark.parametrize("answer", [Answer("too <long>", status=413), refuses])
async def test_a_refusal_is_shown(answer: Any) -> None:
    with LocalService(Script(answer, answer)) as service:
        status, page, _ = await posted(service)
        assert (status, shown(page, "error")) == (413, "too <long>")
        events = (await posted(service, {"Accept": "text/event-stream"}))[1]
    assert "too <long>" in events


async def test_the_script_gets_events() -> None:
    with LocalService(Script(Pieces("a", "b"))) as service:
        _, body, headers = await posted(service, {"Accept": "text/event-stream"}, tool=TOOL)
    assert headers["Content-Type"] == "text/event-stream"
    events = [json.loads(event.removeprefix("data: ")) for event in body.strip().split("\n\n")]
    assert [next(iter(event)) for event in events] == ["prompt", "text", "text", "calls", "raw"]
    assert events[1:3] == [{"text": "a"}, {"text": "b"}]


async def test_the_page_needs_the_key_and_other_pages_may_not_post_to_it() -> None:
    with LocalService(Script("Hello."), rules=Rules(api_key="k")) as service:
        assert (await posted(service))[0] == 401
        assert (await posted(service, BROWSER | {"Authorization": "Bearer k"}))[0] == 200
        assert (await posted(service, BROWSER | {"Origin": "https://evil.example"}))[0] == 403


# In a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        pytest.skip("there is no Chromium with its ChromeDriver here")
    with Browser() as running:
        yield running


def test_a_person_asks_and_sees_the_answer_arrive(browser: Browser) -> None:
    go = threading.Event()

    def slowly(_: Asked) -> Iterator[str]:
        yield "Hel<b>"
        assert go.wait(30)
        yield "lo."

    with LocalService(script := Script(slowly)) as service:
        browser.open(service.url)
        browser.type("text", "Hi <you>")
        browser.click("ask")
        browser.wait_for("answer", "Hel<b>")
        go.set()
        browser.wait_for("answer", "Hel<b>lo.")
        browser.wait_for("prompt", "Hi <you>")
        browser.wait_until("return document.getElementById('stop').hidden")
        assert json.loads(browser.text("raw"))["response"] == "Hel<b>lo."
    assert script.asked[0].headers["sec-fetch-site"] == "same-origin"
    assert browser.complaints() == []


def test_a_person_sends_a_picture_and_a_tool(browser: Browser) -> None:
    with LocalService(script := Script(call("get_weather", city="Oslo"))) as service:
        browser.open(service.url)
        assert browser.run("return document.getElementById('preview').offsetParent === null")
        browser.choose("file", RECEIPT)
        browser.wait_until("const i = document.getElementById('preview'); return !i.hidden && i.naturalWidth > 0")
        browser.type("text", "What is this?")
        browser.type("tool", TOOL)
        browser.click("ask")
        browser.wait_until("return document.getElementById('raw').textContent !== ''")
        assert json.loads(browser.text("calls"))["calls"] == [{"name": "get_weather", "arguments": {"city": "Oslo"}}]
    assert (script.asked[0].file, script.asked[0].content_type) == (RECEIPT.read_bytes(), "image/png")
    assert browser.complaints() == []


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_can_be_dropped_and_pasted(browser: Browser, way: str) -> None:
    with LocalService(script := Script("Seen.")) as service:
        browser.open(service.url)
        browser.run(
            """
            const data = new DataTransfer();
            const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
            data.items.add(new File([bytes], "a.png", { type: "image/png" }));
            const options = { bubbles: true, dataTransfer: data, clipboardData: data };
            const kind = arguments[1] === "drop" ? DragEvent : ClipboardEvent;
            const event = new kind(arguments[1], options);
            document.getElementById("drop").dispatchEvent(event);
            """,
            browser.encoded(RECEIPT),
            way,
        )
        browser.type("text", "What is this?")
        browser.click("ask")
        browser.wait_for("answer", "Seen.")
    assert script.asked[0].file == RECEIPT.read_bytes()


def test_a_refusal_is_shown_and_a_key_is_sent(browser: Browser) -> None:
    with LocalService(Script("Hello."), rules=Rules(api_key="a-key")) as service:
        browser.open(service.url)
        browser.type("text", "Hi")
        browser.click("ask")
        browser.wait_for("error", "the API key is missing or wrong")
        browser.type("key", "a-key")
        browser.click("ask")
        browser.wait_for("answer", "Hello.")
        assert browser.text("error") == ""


def test_it_works_without_javascript(browser: Browser) -> None:
    with LocalService(script := Script("Hello <b>.")) as service:
        browser.set_javascript(enabled=False)
        try:
            browser.open(service.url)
            browser.type("text", "Hi")
            browser.click("ask")
            browser.wait_for("answer", "Hello <b>.")
        finally:
            browser.set_javascript(enabled=True)
    assert script.asked[0].headers["origin"] == service_origin(script)


def service_origin(script: Script) -> str:
    return f"http://{script.asked[0].headers['host']}"


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_window(browser: Browser, width: int) -> None:
    with LocalService(Script("x" * 500)) as service:
        browser.size(width, 800)
        browser.open(service.url)
        browser.type("text", "y" * 500)
        browser.click("ask")
        browser.wait_for("answer", "x" * 500)
        assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")


# Pictures for the documentation


def take_pictures(folder: Path) -> None:
    """Write the page with an answer to the folder: desktop and phone, light and dark."""
    answer = "The weather in Oslo is what I need.\n" + call("get_weather", city="Oslo")
    with Browser() as browser, LocalService(Script(lambda _: answer)) as service:
        for name, width, height in (("desktop", 1000, 1440), ("phone", 390, 1500)):
            for scheme in ("light", "dark"):
                browser.size(width, height)
                browser.prefer(scheme)
                browser.open(service.url)
                browser.type("text", "What is the weather in Oslo?")
                browser.type("tool", TOOL)
                browser.click("ask")
                browser.wait_until("return document.getElementById('stop').hidden")
                (folder / f"page-{name}-{scheme}.png").write_bytes(browser.screenshot())


if __name__ == "__main__":
    take_pictures(Path(sys.argv[1]))

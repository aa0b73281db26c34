"""`content`: every dialect's block → our parts, or an error that names it and the way out."""

import base64
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from dynaspark_core.content.blocks import READERS, read_parts
from dynaspark_core.content.image_refs import Place, image_ref
from dynaspark_core.errors import ConfigError, DynasparkError, ForbiddenImageError, ImageError, UnreadableImageError
from dynaspark_core.messages import Image, ImageRef, TextFile

B64 = base64.b64encode(b"picture").decode()
DATA = f"data:image/png;base64,{B64}"
WEB = "https://pictures.example/cat.png"

in_base64 = ImageRef("base64", B64)
in_data = ImageRef("url", DATA)
on_web = ImageRef("url", WEB)
as_bytes = ImageRef("bytes", b"picture")

IMAGES: dict[str, tuple[dict[str, Any], ImageRef]] = {
    "OpenAI": ({"type": "image_url", "image_url": {"url": WEB}}, on_web),
    "OpenAI, detail": ({"type": "image_url", "image_url": {"url": WEB, "detail": "low"}}, on_web),
    "OpenAI, cache_control": ({"type": "image_url", "image_url": {"url": WEB}, "cache_control": {}}, on_web),
    "OpenAI, bare string": ({"type": "image_url", "image_url": WEB}, on_web),
    "OpenAI, data URI": ({"type": "image_url", "image_url": {"url": DATA}}, in_data),
    "OpenAI, bare data URI": ({"type": "image_url", "image_url": DATA}, in_data),
    "OpenAI, file": (
        {"type": "file", "file": {"file_data": DATA, "filename": "c.png"}},
        ImageRef("url", DATA, "c.png"),
    ),
    "OpenAI, file in base64": ({"type": "file", "file": {"file_data": B64}}, in_base64),
    "responses": ({"type": "input_image", "image_url": WEB, "detail": "auto"}, on_web),
    "responses, screenshot": ({"type": "computer_screenshot", "image_url": DATA}, in_data),
    "responses, dictionary": ({"type": "input_image", "image_url": {"url": DATA}}, in_data),
    "responses, file": ({"type": "input_file", "file_data": DATA, "filename": "c.png"}, ImageRef("url", DATA, "c.png")),
    "responses, file URL": ({"type": "input_file", "file_url": WEB}, on_web),
    "LangChain v0, URL": ({"type": "image", "source_type": "url", "url": WEB}, on_web),
    "LangChain v0, base64": (
        {
            "type": "image",
            "source_type": "base64",
            "data": B64,
            "mime_type": "image/png",
            "metadata": {"name": "c.png"},
        },
        ImageRef("base64", B64, "c.png"),
    ),
    "LangChain v0, file": (
        {"type": "file", "source_type": "base64", "data": B64, "mime_type": "image/png", "filename": "c.png"},
        ImageRef("base64", B64, "c.png"),
    ),
    "LangChain v1, URL": ({"type": "image", "url": WEB, "id": "lc_1"}, on_web),
    "LangChain v1, base64": ({"type": "image", "base64": B64, "mime_type": "image/png", "id": "lc_1"}, in_base64),
    "LangChain v1, base64 without type": ({"type": "image", "base64": B64}, in_base64),
    "LangChain v1, data URI": ({"type": "image", "url": DATA}, in_data),
    "LangChain v1, data URI as base64": ({"type": "image", "base64": DATA}, in_data),
    "LangChain v1, file": (
        {"type": "file", "base64": B64, "mime_type": "IMAGE/PNG", "extras": {"filename": "c.png"}},
        ImageRef("base64", B64, "c.png"),
    ),
    "LangChain v1, file URL": ({"type": "file", "url": WEB, "mime_type": "image/png"}, on_web),
    "LangChain v1, non_standard": ({"type": "non_standard", "value": {"type": "image_url", "image_url": WEB}}, on_web),
    "Anthropic, base64": (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": B64}},
        in_base64,
    ),
    "Anthropic, URL": ({"type": "image", "source": {"type": "url", "url": WEB}}, on_web),
    "Anthropic, image as document": (
        {"type": "document", "source": {"type": "base64", "media_type": "image/png", "data": B64}, "title": "c.png"},
        ImageRef("base64", B64, "c.png"),
    ),
    "Google, media": ({"type": "media", "mime_type": "image/png", "data": B64}, in_base64),
    "Google, media bytes": ({"type": "media", "mime_type": "image/png", "data": b"picture"}, as_bytes),
    "Google, media URI": ({"type": "media", "mime_type": "image/png", "file_uri": WEB}, on_web),
    "Google, inline_data": ({"inline_data": {"mime_type": "image/png", "data": B64}}, in_base64),
    "Google, inlineData": ({"inlineData": {"mimeType": "image/png", "data": B64}}, in_base64),
    "Google, file_data": ({"file_data": {"mime_type": "image/png", "file_uri": WEB}}, on_web),
    "Converse": ({"image": {"format": "png", "source": {"bytes": b"picture"}}}, as_bytes),
    "Converse, typed": ({"type": "image", "image": {"format": "png", "source": {"bytes": b"picture"}}}, as_bytes),
    "MCP": ({"type": "image", "data": B64, "mimeType": "image/png"}, in_base64),
    "AI SDK": ({"type": "image", "image": b"picture"}, as_bytes),
    "Qwen": ({"type": "image", "image": WEB}, on_web),
}

TEXTS: dict[str, tuple[object, tuple[str | TextFile, ...]]] = {
    "text": ({"type": "text", "text": "hi"}, ("hi",)),
    "text with citations": ({"type": "text", "text": "hi", "citations": []}, ("hi",)),
    "responses": ({"type": "input_text", "text": "hi"}, ("hi",)),
    "responses, answer": ({"type": "output_text", "text": "hi", "annotations": []}, ("hi",)),
    "refusal": ({"type": "refusal", "refusal": "I cannot"}, ("I cannot",)),
    "Converse": ({"text": "hi"}, ("hi",)),
    "bare": ("hi", ("hi",)),
    "empty": ({"type": "text", "text": ""}, ()),
    "empty, bare": ("", ()),
    "LangChain v1 text-plain": (
        {"type": "text-plain", "text": "one\ntwo", "title": "notes.txt", "mime_type": "text/plain"},
        (TextFile("notes.txt", "one\ntwo"),),
    ),
    "LangChain v0 text file": (
        {"type": "file", "source_type": "text", "text": "one", "mime_type": "text/plain"},
        (TextFile("", "one"),),
    ),
    "LangChain v0 text file, as core keeps it": (
        {"type": "file", "source_type": "text", "url": "one"},
        (TextFile("", "one"),),
    ),
    "Anthropic text document": (
        {"type": "document", "title": "Notes", "source": {"type": "text", "media_type": "text/plain", "data": "one"}},
        (TextFile("Notes", "one"),),
    ),
    "Anthropic document of blocks": (
        {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "one"}]}},
        ("one",),
    ),
    "Anthropic tool_result": ({"type": "tool_result", "tool_use_id": "t1", "content": "21 degrees"}, ("21 degrees",)),
    "Anthropic tool_result, empty": ({"type": "tool_result", "tool_use_id": "t1"}, ()),
    "Anthropic search_result": (
        {"type": "search_result", "title": "Moss", "source": "x", "content": [{"type": "text", "text": "green"}]},
        ("\nMoss (x):\n\n", "green"),
    ),
    "Anthropic search_result without a title": (
        {"type": "search_result", "source": "x", "content": [{"type": "text", "text": "green"}]},
        ("\nx:\n\n", "green"),
    ),
}

LEFT_OUT = (
    {"type": "reasoning", "reasoning": "hm"},
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "redacted_thinking", "data": "x"},
    {"reasoningContent": {"reasoningText": {"text": "hm"}}},
    {"type": "tool_use", "id": "t1", "name": "f", "input": {}},
    {"type": "tool_call", "id": "t1", "name": "f", "args": {}},
    {"type": "server_tool_call", "name": "web_search", "args": {}},
    {"cachePoint": {"type": "default"}},
)

REFUSED: dict[str, tuple[object, type[DynasparkError], str]] = {
    "audio": ({"type": "input_audio", "input_audio": {"data": B64}}, ConfigError, "'input_audio'.*write it out"),
    "audio v1": ({"type": "audio", "base64": B64, "mime_type": "audio/wav"}, ConfigError, "'audio'.*write it out"),
    "video": ({"type": "video", "url": WEB}, ConfigError, "'video'.*frames"),
    "PDF": ({"type": "file", "base64": B64, "mime_type": "application/pdf"}, ImageError, "'file'.*pdf.*pages"),
    "PDF, OpenAI": (
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}},
        ImageError,
        "application/pdf.*pages",
    ),
    "PDF, Anthropic": (
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": B64}},
        ImageError,
        "'document'.*application/pdf.*pages",
    ),
    "document by URL": ({"type": "document", "source": {"type": "url", "url": WEB}}, ImageError, "'document'.*PDF"),
    "document, Converse": ({"document": {"format": "docx", "source": {"bytes": b"x"}}}, ImageError, "docx"),
    "media audio": ({"type": "media", "mime_type": "audio/mp3", "data": B64}, ImageError, "'media'.*audio/mp3"),
    "file id, OpenAI": ({"type": "file", "file": {"file_id": "f1"}}, ImageError, "uploaded to another provider.*bytes"),
    "file id, responses": ({"type": "input_image", "file_id": "f1"}, ImageError, r"\.file_id.*another provider"),
    "file id, Anthropic": (
        {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        ImageError,
        "uploaded to another provider",
    ),
    "file id, v0": ({"type": "image", "source_type": "id", "id": "f1"}, ImageError, "another provider"),
    "file id, assistants": ({"type": "image_file", "image_file": {"file_id": "f1"}}, ImageError, "another provider"),
    "unknown type": ({"type": "hologram", "x": 1}, ConfigError, r"content\[0\].*'hologram'"),
    "unhashable type": ({"type": ["text"]}, ConfigError, r"\['text'\]"),
    "no type": ({"x": 1}, ConfigError, r"without a type.*\['x'\]"),
    "no text": ({"type": "text"}, ConfigError, "'text'.*missing"),
    "text of a wrong type": ({"type": "text", "text": 3}, ConfigError, "is of type int"),
    "no image": ({"type": "image_url"}, ConfigError, "no url, base64 text or bytes.*'image_url'"),
    "image of a wrong type": ({"type": "image_url", "image_url": {"url": 3}}, ConfigError, "is of type int"),
    "base64 of a wrong type": ({"type": "image", "base64": 3}, ConfigError, "is of type int"),
    "number": (3, ConfigError, r"content\[0\] is of type int"),
    "list in a list": (["hi"], ConfigError, r"content\[0\] is of type list"),
    "bytes": (b"hi", ConfigError, "is of type bytes"),
    "file URL": (
        {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}},
        ForbiddenImageError,
        "a file: addr",
    ),
    "file URL, shouted": ({"type": "image", "url": "FILE:///etc/passwd"}, ForbiddenImageError, "a file: address"),
    "path": ({"type": "image_url", "image_url": "/etc/passwd"}, ForbiddenImageError, "or a data URL; allow_files"),
    "relative path": ({"type": "image", "image": "cat.png"}, ForbiddenImageError, "a path or bare text"),
    "Windows path": ({"type": "image", "url": r"C:\cat.png"}, ForbiddenImageError, "never opens a local file"),
    "bucket": (
        {"type": "media", "mime_type": "image/png", "file_uri": "gs://b/c"},
        ForbiddenImageError,
        "a gs: address",
    ),
    "text file in broken base64": (
        {"type": "file", "base64": "!!!", "mime_type": "text/csv"},
        UnreadableImageError,
        r"^content\[0\]: the base64 text cannot be decoded",
    ),
    "place in a place": (
        {"type": "search_result", "content": ["see", {"type": "hologram"}]},
        ConfigError,
        r"content\[0\]\.content\[1\]",
    ),
}


@pytest.mark.parametrize(("block", "expected"), IMAGES.values(), ids=IMAGES)
def test_an_image_block_of_any_dialect_becomes_one_reference(block: dict[str, Any], expected: ImageRef) -> None:
    assert read_parts([block]) == (expected,)


@pytest.mark.parametrize(("block", "expected"), TEXTS.values(), ids=TEXTS)
def test_a_text_block_of_any_dialect_becomes_text(block: object, expected: tuple[str | TextFile, ...]) -> None:
    assert read_parts([block]) == expected


@pytest.mark.parametrize("block", LEFT_OUT, ids=str)
def test_reasoning_and_calls_are_left_out(block: dict[str, Any]) -> None:
    assert read_parts(["a", block, "b"]) == ("a", "\n", "b")


@pytest.mark.parametrize(("block", "kind", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_sent_is_named_with_the_way_out(block: object, kind: type[DynasparkError], words: str) -> None:
    with pytest.raises(kind, match=words):
        read_parts([block])


@pytest.mark.parametrize("text", ["hi", " ", "{x}"])
def test_a_text_is_one_part(text: str) -> None:
    assert read_parts(text) == (text,)


@pytest.mark.parametrize("content", ["", None, []])
def test_no_content_is_no_part(content: Any) -> None:
    assert read_parts(content) == ()


@pytest.mark.parametrize("content", [{"type": "text", "text": "hi"}, b"hi", 3])
def test_content_of_a_wrong_type_is_refused(content: Any) -> None:
    with pytest.raises(ConfigError, match=f"content is of type {type(content).__name__}"):
        read_parts(content)


def test_the_order_of_texts_and_images_is_kept() -> None:
    content = ["one", {"type": "image", "url": WEB}, {"type": "text", "text": "two"}, in_base64]
    assert read_parts(content) == ("one", on_web, "two", in_base64)


def test_blocks_deep_in_one_another_are_refused() -> None:
    block: dict[str, Any] = {"type": "text", "text": "hi"}
    for _ in range(2000):
        block = {"type": "non_standard", "value": block}
    with pytest.raises(ConfigError, match="are nested more than"):
        read_parts([block])


@pytest.mark.parametrize("wrappers", [("source",), ("source", "image"), ("source", "image", "file")])
def test_an_image_stands_up_to_three_wrappers_deep(wrappers: tuple[str, ...]) -> None:
    held: dict[str, Any] = {"url": WEB}
    for key in reversed(wrappers):
        held = {key: held}
    assert read_parts([{"type": "image", **held}]) == (on_web,)


def test_an_image_four_wrappers_deep_is_no_image() -> None:
    block = {"type": "image", "source": {"image": {"file": {"document": {"url": WEB}}}}}
    with pytest.raises(ConfigError, match="no url, base64 text or bytes"):
        read_parts([block])


@pytest.mark.parametrize(
    ("url", "path"),
    [("file:///tmp/a%20cat.png", "/tmp/a cat.png"), ("/tmp/cat.png", "/tmp/cat.png"), ("c.png", "c.png")],
)
def test_a_place_that_allows_files_takes_paths_from_text(url: str, path: str) -> None:
    block = {"type": "image_url", "image_url": {"url": url}}
    assert read_parts([block], Place("content", allow_files=True)) == (ImageRef("path", path),)


def test_a_place_that_allows_files_still_fetches_urls() -> None:
    assert read_parts([IMAGES["OpenAI"][0]], Place("content", allow_files=True)) == (on_web,)


def test_every_reader_answers_an_empty_block_with_an_error_of_ours_or_nothing() -> None:
    for kind in READERS:
        try:
            assert read_parts([{"type": kind}]) == ()
        except DynasparkError as error:
            assert kind in str(error) or "content[0]" in str(error)  # noqa: PT017 - both ways out are allowed


GIVEN: dict[str, tuple[object, Image | ImageRef]] = {
    "bytes": (b"picture", as_bytes),
    "bytearray": (bytearray(b"picture"), as_bytes),
    "memoryview": (memoryview(b"picture"), as_bytes),
    "BytesIO": (BytesIO(b"picture"), as_bytes),
    "URL": (WEB, on_web),
    "URL with blanks": (f" {WEB}\n", on_web),
    "data URI": (DATA, in_data),
    "path": (Path("/tmp/cat.png"), ImageRef("path", "/tmp/cat.png")),
    "pair": (("c.png", b"picture"), ImageRef("bytes", b"picture", "c.png")),
    "pair as a list": (["c.png", b"picture"], ImageRef("bytes", b"picture", "c.png")),
    "pair with a path": (("c.png", Path("x")), ImageRef("path", "x", "c.png")),
    "reference": (in_base64, in_base64),
    "image": (Image(b"x", "c.png", "image/png"), Image(b"x", "c.png", "image/png")),
}


@pytest.mark.parametrize(("value", "expected"), GIVEN.values(), ids=GIVEN)
def test_a_programmers_value_becomes_a_reference(value: object, expected: Image | ImageRef) -> None:
    assert image_ref(value) == expected


@pytest.mark.parametrize("value", ["cat.png", "/etc/passwd", "file:///etc/passwd", "ftp://x/y", "~/cat.png", ""])
def test_bare_text_is_no_path(value: str) -> None:
    with pytest.raises(ForbiddenImageError, match=r"pathlib\.Path"):
        image_ref(value)


@pytest.mark.parametrize("value", [None, 3, {"url": WEB}, (b"a", b"b"), (1, 2, 3)])
def test_what_is_no_image_is_named(value: object) -> None:
    with pytest.raises(ConfigError, match=type(value).__name__):
        image_ref(value)

"""A picture as somebody wrote it down, in base64 or a data URL, or of any size: what bytes arrive at the service."""

import asyncio
import base64
from io import BytesIO
from pathlib import Path
from random import Random
from urllib.parse import quote

import pytest
from langchain_core.messages import HumanMessage
from PIL import Image as Pillow
from serving import PNG

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ImageError
from dynaspark_core.server import LocalService, Script
from dynaspark_core.transport.endpoint import MAX_JOINED_BYTES
from langchain_dynaspark import ChatDynaspark

PICTURE = PNG + b"\xfb\xef\xbe\xff\xff" * 29
"""A picture whose base64 text has both signs that the URL-safe alphabet replaces, and padding."""
TEXT = base64.b64encode(PICTURE).decode()
LINES = base64.encodebytes(PICTURE).decode()
URL_SAFE = TEXT.replace("+", "-").replace("/", "_")

WRITTEN = {
    "usual": TEXT,
    "lines": LINES,
    "lines of Windows": LINES.replace("\n", "\r\n"),
    "lines, no padding": LINES.replace("=", ""),
    "no padding": TEXT.rstrip("="),
    "too much padding": TEXT + "==",
    "URL-safe": URL_SAFE,
    "URL-safe, no padding": URL_SAFE.rstrip("="),
    "URL-safe, lines, no padding": LINES.translate({43: "-", 47: "_", 61: None}),
    "blanks": f" {TEXT[:40]}\t{TEXT[40:]} ",
}
URLS = {
    **{name: f"data:image/png;base64,{text}" for name, text in WRITTEN.items()},
    "shouted": f"DATA:IMAGE/PNG;BASE64,{TEXT}",
    "percent-encoded base64": f"data:image/png;base64,{quote(TEXT, safe='')}",
    "percent-encoded lines": f"data:image/png;base64,{quote(LINES)}",
    "percent-encoded": f"data:image/png,{quote(PICTURE)}",
}
REFUSED = {
    "empty": ("data:image/png;base64,", "an empty file is no image that can be sent"),
    "no comma": ("data:image/png;base64", "the data URI has no comma, so it holds no data"),
    "other signs": ("data:image/png;base64,!!!!", "the base64 text cannot be decoded: "),
    "letters of other alphabets": ("data:image/png;base64,aGké", "the base64 text cannot be decoded: "),
    "data after padding": ("data:image/png;base64,aGk=aGk=", "the base64 text cannot be decoded: "),
    "huge": ("data:image/png;base64," + "A" * 50_000_000, "the image is larger than the 32,000,000 bytes that are"),
    "huge, plain": ("data:image/png," + "A" * 33_000_000, "the image is larger than the 32,000,000 bytes that are"),
    "many signs": ("data:image/png," + "%41" * 1_000_001, "the image is larger than the 32,000,000 bytes that are"),
}


@pytest.fixture
def script() -> Script:
    return Script(lambda _: "Seen.")


def test_the_picture_has_what_its_text_may_be_written_in_different_ways() -> None:
    assert {"+", "/"} <= set(TEXT)
    assert TEXT.endswith("==")


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_a_data_url_arrives_as_the_same_bytes(model: ChatDynaspark, script: Script, url: str) -> None:
    model.invoke([HumanMessage([{"type": "image_url", "image_url": {"url": url}}])])
    (asked,) = script.asked
    assert (asked.file, asked.file_name, asked.content_type) == (PICTURE, "image.png", "image/png")


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_base64_arrives_as_the_same_bytes(model: ChatDynaspark, script: Script, text: str) -> None:
    model.invoke([HumanMessage([{"type": "image", "base64": text, "mime_type": "image/png"}])])
    assert script.asked[0].file == PICTURE


@pytest.mark.parametrize(("url", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_picture_is_not_sent(model: ChatDynaspark, script: Script, url: str, why: str) -> None:
    with pytest.raises(ImageError) as caught:
        model.invoke([HumanMessage([{"type": "image_url", "image_url": {"url": url}}])])
    assert str(caught.value).startswith(why)
    assert script.asked == []


async def test_a_picture_of_any_size_arrives_whole() -> None:
    with LocalService(script := Script(lambda _: "Seen.")) as service:
        client = DynasparkClient(base_url=service.url)
        await client.complete("x", images=[PNG])
        around = int(script.asked[0].headers["content-length"]) - len(PNG)
        sizes = [times * MAX_JOINED_BYTES + more - around for times in (1, 2, 3) for more in (-1, 0, 1)]
        pictures = [PNG + Random(size).randbytes(size - len(PNG)) for size in (*sizes, 5_000_000)]
        for picture in pictures:
            await client.complete("x", images=[picture])
    asked = script.asked[1:]
    assert [each.file for each in asked] == pictures
    assert [int(each.headers["content-length"]) - around for each in asked] == [*sizes, 5_000_000]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture that takes a while to be decoded."""
    path = tmp_path / "photo.png"
    Pillow.effect_noise((800, 800), 90).save(path)
    return path


async def test_calls_at_once_are_given_the_same_pillow_image(script: Script, photo: Path) -> None:
    with LocalService(script) as service, Pillow.open(photo) as picture:
        client = DynasparkClient(base_url=service.url)
        await asyncio.gather(*(client.complete("x", images=[picture]) for _ in range(6)))
    for asked in script.asked:
        with Pillow.open(BytesIO(asked.file or b"")) as sent, Pillow.open(photo) as kept:
            assert sent.tobytes() == kept.convert("RGB").tobytes()


async def test_an_open_file_is_whole_in_every_call(script: Script, photo: Path) -> None:
    """Wherever it stands; there it stands afterwards, too."""
    with LocalService(script) as service, photo.open("rb") as file:
        client = DynasparkClient(base_url=service.url)
        whole = file.read()
        file.seek(100)
        preview = await client.preview("x", images=[file])
        await asyncio.gather(*(client.complete("x", images=[file]) for _ in range(6)))
        assert file.tell() == 100
    assert preview.file is not None
    assert [preview.file.data, *(asked.file for asked in script.asked)] == [whole] * 7


async def test_a_picture_that_is_drawn_anew_keeps_the_name_of_its_own_call(script: Script) -> None:
    """What was drawn for another call is used, but the name that somebody else gave the picture is theirs."""
    red, blue = (Pillow.new("RGB", (20, 20), colour) for colour in ("red", "blue"))
    red.save(animation := BytesIO(), "GIF", save_all=True, append_images=[blue])
    names = ["ann.gif", "bob.gif", "image"]
    with LocalService(script) as service:
        client = DynasparkClient(base_url=service.url)
        for name in names:
            await client.complete("x", images=[(name, animation.getvalue())])
    assert [asked.file_name for asked in script.asked] == ["ann.png", "bob.png", "image.png"]

"""Images through the client to the wire: one untouched, several on a numbered sheet, policies, refusals."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import DynasparkError, ForbiddenImageError, ImageError, UnreadableImageError
from dynaspark_core.server import Asked, LocalService, Script


def picture(color: str, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", size, color).save(file, kind)
    return file.getvalue()


RED, GREEN, BLUE = picture("red"), picture("lime"), picture("blue")


def data_url(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


def block(data: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data_url(data)}}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


async def asked(prompt: object, **settings: Any) -> Asked:
    """What the service received."""
    images = settings.pop("images", ())
    with LocalService(script := Script("ok")) as service:
        await DynasparkClient(base_url=service.url, **settings).complete(prompt, images=images)  # type: ignore[arg-type]
    return script.asked[0]


def colors(data: bytes | None) -> set[tuple[int, ...]]:
    """The pure colours of a picture: those of the images on a sheet."""
    with Pillow.open(io.BytesIO(data or b"")) as sheet:
        found = sheet.convert("RGB").getcolors(2**24) or []
    return {
        color for count, color in found if count > 500 and isinstance(color, tuple) and sorted(color) == [0, 0, 255]
    }


async def test_several_images_are_one_sheet_with_numbers_at_their_places() -> None:
    content = [text("Which of "), block(RED), text(" and "), block(GREEN), text(" is red?")]
    request = await asked([{"role": "user", "content": content}])
    assert request.prompt == "Which of [image 1] and [image 2] is red?"
    assert (request.file_name or "").endswith(".png")
    assert colors(request.file) == {(255, 0, 0), (0, 255, 0)}


async def test_images_of_earlier_turns_stay_visible_and_the_same_is_shown_once() -> None:
    history = [
        {"role": "user", "content": [text("First: "), block(RED)]},
        {"role": "assistant", "content": "Seen."},
        {"role": "user", "content": [text("Again: "), block(RED), text(" new: "), block(BLUE)]},
    ]
    request = await asked(history)
    assert "First: [image 1]<" in request.prompt
    assert "Again: [image 1] new: [image 2]<" in request.prompt
    assert colors(request.file) == {(255, 0, 0), (0, 0, 255)}


async def test_the_last_image_alone_goes_untouched_and_the_others_are_said_to_be_missing() -> None:
    request = await asked("Compare.", images=[("a.png", RED), ("b.png", GREEN)], image_policy="last")
    assert (request.file, request.file_name) == (GREEN, "b.png")
    assert "a.png" in request.prompt
    assert "not shown" in request.prompt


async def test_several_images_can_be_refused_with_the_way_out() -> None:
    with pytest.raises(ImageError, match="set image_policy to 'sheet'"):
        await asked("Compare.", images=[RED, GREEN], image_policy="error")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_one_image_within_the_limits_goes_as_it_is(kind: str) -> None:
    data = picture("red", kind=kind)
    request = await asked("?", images=[data])
    assert (request.file, request.content_type) == (data, f"image/{kind.lower()}")


async def test_an_animation_goes_as_its_first_frame_and_the_prompt_says_so() -> None:
    frames = [Pillow.new("RGB", (20, 20), color) for color in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    request = await asked("What is it?", images=[file.getvalue()])
    assert "first frame of an animation" in request.prompt
    assert request.content_type == "image/png"


@pytest.mark.parametrize(
    ("image", "error", "shown"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnreadableImageError, "SVG|svg"),
        (b"%PDF-1.7", UnreadableImageError, "PDF"),
        (b"", ImageError, "empty"),
        (RED[:40], UnreadableImageError, "truncated|cut|ends|incomplete|whole"),
        ("http://127.0.0.1:9/x.png", ForbiddenImageError, r"127\.0\.0\.1"),
        ("file:///etc/passwd", ForbiddenImageError, "file"),
        ("/etc/passwd", DynasparkError, "Path"),
    ],
)
async def test_what_is_no_image_or_may_not_be_read_is_refused_before(
    image: Any, error: type[Exception], shown: str
) -> None:
    with LocalService(script := Script("never")) as service, pytest.raises(error, match=shown):
        await DynasparkClient(base_url=service.url).complete("?", images=[image])
    assert script.asked == []


BROKEN = block(b"junk")


@pytest.mark.parametrize(
    ("said", "is_refused"),
    [
        ([("user", BROKEN)], True),
        ([("user", BROKEN), ("system", block(RED))], True),
        ([("user", BROKEN), ("user", block(RED))], True),
        ([("system", BROKEN), ("user", block(RED))], False),
        ([("user", BROKEN), ("assistant", text("a")), ("user", block(RED))], False),
        ([("user", BROKEN), ("assistant", text("a")), ("user", BROKEN)], True),
    ],
    ids=["alone", "before a system message", "before another", "in a system message", "earlier", "sent again"],
)
async def test_what_the_user_sends_now_is_an_error_if_it_is_broken(
    said: list[tuple[str, dict[str, Any]]], *, is_refused: bool
) -> None:
    messages = [{"role": role, "content": [part]} for role, part in said]
    if is_refused:
        with pytest.raises(UnreadableImageError, match="text, not an image"):
            await asked(messages)
    else:
        assert (await asked(messages)).file == RED


async def test_urls_can_be_turned_off() -> None:
    content = [{"type": "image", "url": "https://example.com/x.png"}]
    with pytest.raises(ForbiddenImageError, match="allow_image_urls"):
        await asked([{"role": "user", "content": content}], allow_image_urls=False)


async def test_content_names_files_only_when_the_programmer_allows_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(RED)
    said = [{"role": "user", "content": [{"type": "image", "url": (tmp_path / "a.png").as_uri()}]}]
    with pytest.raises(ForbiddenImageError):
        await asked(said)
    assert (await asked(said, allow_files=True)).file == RED

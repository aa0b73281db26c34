"""Agents with pictures: what is shown of a growing history, under which number, and how often anything is decoded."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image as Pillow

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ImageError, UnreadableImageError
from dynaspark_core.images import Entry, Limits, Packed, pack_entries, ready_image
from dynaspark_core.messages import Image, ImageRef
from dynaspark_core.server import LocalService, Script
from dynaspark_core.transport.image_cache import ImageCache
from dynaspark_core.transport.loading import DEFAULT_OPTIONS
from dynaspark_core.transport.packing import History, load_packed


def screenshot(number: int, size: tuple[int, int] = (1280, 800)) -> bytes:
    """A picture of one colour, which tells its number."""
    file = BytesIO()
    Pillow.new("RGB", size, (number, 120, 200)).save(file, "PNG")
    return file.getvalue()


def widths(sheet: bytes | None) -> dict[int, int]:
    """Number of the screenshot → how wide it is shown."""
    assert sheet is not None
    with Pillow.open(BytesIO(sheet)) as picture:
        plain, width = picture.convert("RGB"), picture.width
    found: dict[int, int] = {}
    for y in range(0, plain.height, 40):
        row = plain.crop((0, y, width, y + 1)).getcolors(width) or ()
        for count, (red, *rest) in row:  # type: ignore[misc]  # of an RGB picture
            if rest == [120, 200]:
                found[red] = max(count, found.get(red, 0))
    return found


def history(count: int, per_turn: int = 1) -> list[dict[str, Any]]:
    """A task, then turns in which a tool gives screenshots 1 to `count`."""
    said: list[dict[str, Any]] = [{"role": "user", "content": "Find the button."}]
    for first in range(1, count + 1, per_turn):
        ids = [f"c{number}" for number in range(first, min(first + per_turn, count + 1))]
        calls = [{"id": name, "function": {"name": "look", "arguments": "{}"}} for name in ids]
        said.append({"role": "assistant", "content": "", "tool_calls": calls})
        for name in ids:
            data = base64.b64encode(screenshot(int(name[1:]))).decode()
            block = {"type": "image", "base64": data, "mime_type": "image/png"}
            said.append({"role": "tool", "tool_call_id": name, "content": [block]})
    return said


@pytest.fixture
def script() -> Script:
    return Script(lambda _: "ok")


@pytest.fixture
def client(script: Script) -> Iterator[DynasparkClient]:
    with LocalService(script) as service:
        yield DynasparkClient(base_url=service.url, max_retries=0)


@pytest.mark.parametrize("count", [2, 12, 25, 30])
async def test_the_newest_screenshot_keeps_its_size(client: DynasparkClient, script: Script, count: int) -> None:
    await client.complete(history(count))
    shown = widths(script.asked[0].file)
    assert shown[count] == 1280
    assert set(shown) == set(range(max(1, count - 24), count + 1)), "the newest 25"
    assert {width for number, width in shown.items() if number != count} == {400}


async def test_all_pictures_of_the_last_turn_keep_their_size(client: DynasparkClient, script: Script) -> None:
    await client.complete(history(9, per_turn=3))
    shown = widths(script.asked[0].file)
    assert [shown[number] for number in (7, 8, 9)] == [1280] * 3
    assert [shown[number] for number in range(1, 7)] == [400] * 6


async def test_a_picture_of_an_earlier_turn_keeps_its_size_while_none_is_newer(
    client: DynasparkClient, script: Script
) -> None:
    later = [{"role": "assistant", "content": "Seen."}, {"role": "user", "content": "And?"}]
    await client.complete([*history(3), *later])
    assert widths(script.asked[0].file)[3] == 1280


async def test_a_growing_history_changes_nothing_before_the_end_of_its_old_turns(
    client: DynasparkClient, script: Script
) -> None:
    before = ""
    for count in (1, 2, 3, 24, 25, 26, 29):
        await client.complete(history(count))
        prompt = script.asked[-1].prompt
        assert prompt.startswith(before)
        assert f"[image {count}]" in prompt
        before = prompt[: prompt.rindex("</turn>")]
    assert "\nNot shown: images 1-4.\n" in prompt
    assert prompt.count("ot shown") == 1


async def test_the_last_alone_is_named_with_its_number(script: Script) -> None:
    with LocalService(script) as service:
        await DynasparkClient(base_url=service.url, image_policy="last").complete(history(3))
    (asked,) = script.asked
    assert asked.file == screenshot(3)
    assert "[image 1]" in asked.prompt
    assert "the attached one is image 3; the others are not shown" in asked.prompt


class Counting(ImageCache):
    """Counts what is put in: each is a picture that was decoded."""

    def __init__(self) -> None:
        super().__init__()
        self.puts = 0

    def put(self, key: object, value: Any) -> None:
        self.puts += 1
        super().put(key, value)


def entries(count: int) -> list[Entry]:
    images = [ready_image(screenshot(number)) for number in range(1, count + 1)]
    return [Entry(image, number, is_large=number == count) for number, image in enumerate(images, 1)]


def test_each_turn_decodes_only_what_is_new() -> None:
    cache = Counting()
    for count in range(2, 12):
        before = cache.puts
        pack_entries(entries(count), thumbnails=cache)
        assert cache.puts - before == (2 if count == 2 else 1)


def test_too_many_for_what_is_left_are_shown_from_the_newest() -> None:
    limits = Limits(max_side=1500)
    packed = pack_entries(entries(25), limits)
    assert 25 in packed.numbers
    hidden = set(range(1, 26)) - set(packed.numbers)
    assert hidden == set(range(1, len(hidden) + 1))
    assert packed.file is not None
    assert widths(packed.file.data)[25] == 1280


def damaged() -> Image:
    file = BytesIO()
    Pillow.effect_noise((90, 90), 90).save(file, "PNG")
    data = file.getvalue()
    return ready_image(data[:200] + b"\0" * 2000 + data[2200:])


@pytest.mark.parametrize("is_large", [True, False])
@pytest.mark.parametrize("others", [0, 1, 3])
def test_a_damaged_picture_that_is_not_sent_now_is_left_out(others: int, is_large: bool) -> None:
    bad = Entry(damaged(), 9, is_large=is_large, is_optional=True)
    packed = pack_entries([*entries(others), bad], Limits(max_pixels=3_000_000, max_bytes=5_000))
    assert packed.numbers == tuple(range(1, others + 1)) or set(packed.numbers) == set(range(1, others + 1))
    with pytest.raises(UnreadableImageError):
        pack_entries([*entries(others), Entry(damaged(), 9)], Limits(max_bytes=5_000))


async def test_a_history_that_is_too_large_loses_its_oldest_pictures() -> None:
    sources = [ImageRef("bytes", screenshot(number)) for number in range(4)]
    limit = replace(DEFAULT_OPTIONS, limits=Limits(max_total=sum(len(source.source) for source in sources[1:])))
    packed = await load_packed(sources, "sheet", limit, History(now=1, large=1))
    assert (packed.numbers, set(packed.hidden)) == ((1, 2, 3, 4), {1})
    with pytest.raises(ImageError, match="together"):
        await load_packed(sources, "sheet", limit, History(now=4, large=4))


async def test_a_sheet_is_drawn_once_for_the_turns_in_which_no_picture_comes() -> None:
    sources = [ImageRef("bytes", screenshot(number, (320, 200))) for number in range(40, 43)]

    async def file(shown: list[ImageRef], now: int, large: int = 1) -> Image | None:
        return (await load_packed(shown, "sheet", DEFAULT_OPTIONS, History(now, large))).file

    first = await file(sources, 1)
    assert await file(sources, 0) is first
    assert await file(list(sources), 0) is first
    assert await file([*sources, ImageRef("bytes", screenshot(43, (320, 200)))], 1) != first
    assert await file(sources, 0, 3) is not first
    assert await file(sources[::-1], 0) != first


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_cache_is_bounded_in_bytes_and_time() -> None:
    clock = Clock()
    cache = ImageCache(100, 60, clock)
    for key in "abc":
        cache.put(key, (b"x" * 40, ""))
    assert [cache.get(key) is not None for key in "abc"] == [False, True, True]
    cache.get("b")
    cache.put("d", (b"x" * 40, ""))
    assert [cache.get(key) is not None for key in "bcd"] == [True, False, True]
    cache.put("huge", (b"x" * 101, ""))
    cache.put("d", (b"x" * 10, ""))
    assert (cache.get("huge"), cache.size) == (None, 50)
    clock.now = 61
    assert [cache.get(key) for key in "bd"] == [None, None]
    assert cache.size == 0


def test_a_picture_in_the_cache_counts_its_pixels() -> None:
    cache = ImageCache(1000)
    cache.put("a", Pillow.new("RGB", (10, 10)))
    cache.put("grey", Pillow.new("L", (10, 20)))
    cache.put("sheet", Packed(Image(b"x" * 70, "images.png", "image/png"), (1, 2)))
    assert cache.size == 670

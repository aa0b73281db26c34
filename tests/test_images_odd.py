"""Odd files: what decodes whole is accepted, the cap of pixels holds, and memory stays bounded at the cap."""

import struct
import subprocess
import sys
import zlib
from io import BytesIO
from textwrap import dedent
from typing import Any

import pytest
from PIL import Image as Pillow

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import RequestTimeoutError, UnreadableImageError
from dynaspark_core.images import content_type_of, pack, read_header, ready_image
from dynaspark_core.messages import Image
from dynaspark_core.server import LocalService, Script

MAX_PEAK_MB = 300


def written(picture: Pillow.Image, form: str, **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND", b"")


def header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


PIXELS = chunk(b"IDAT", zlib.compress((b"\0" + b"\x10\x20\x30" * 4) * 4))
HUGE = header(30_000, 30_000)
SMALL = header(4, 4)


@pytest.mark.parametrize(
    "data",
    [
        png(chunk(b"tEXt", b"x\0" + b"\0" * 20), HUGE, PIXELS),
        png(chunk(b"CgBI", struct.pack(">II", 4, 4)), HUGE, PIXELS),
        png(SMALL, HUGE, PIXELS),
        png(SMALL, PIXELS, HUGE),
        png(HUGE, PIXELS),
    ],
    ids=["text before the header", "Apple's chunk before it", "two headers", "a header behind", "a plain bomb"],
)
def test_the_cap_of_pixels_cannot_be_gone_around(data: bytes) -> None:
    with pytest.raises(UnreadableImageError):
        ready_image(data)


def frames(count: int) -> bytes:
    return chunk(b"acTL", struct.pack(">II", count, 0))


@pytest.mark.parametrize(
    ("data", "animated"),
    [
        (png(SMALL, frames(1), PIXELS), False),
        (png(SMALL, PIXELS, frames(5)), False),
        (png(SMALL, frames(0), PIXELS), False),
        (png(SMALL, frames(2), PIXELS), True),
        (png(SMALL, chunk(b"gAMA", b"\0\0\xb1\x8f"), frames(2), PIXELS), True),
    ],
    ids=["one frame", "declared too late", "no frame", "two frames", "two frames, other chunks"],
)
def test_an_animation_is_one_that_decoders_play(data: bytes, animated: bool) -> None:
    assert read_header(data).animated is animated
    file = pack([ready_image(data)]).file
    assert file is not None
    assert (file.data == data) is not animated


def jpeg() -> bytes:
    return written(Pillow.new("RGB", (40, 30), "red"), "JPEG")


def with_bytes(data: bytes, between: bytes) -> bytes:
    """These bytes in front of the second segment, and of each that follows in the head."""
    at = data.index(b"\xff\xdb")
    return data[:at] + between + data[at:]


@pytest.mark.parametrize("between", [b"\0", b"\0" * 99, b"old editor", b"\xff\xff\xff", b"\x01\x02\xff\xff"])
def test_a_jpeg_with_bytes_between_its_segments_goes_as_it_is(between: bytes) -> None:
    data = with_bytes(jpeg(), between)
    with Pillow.open(BytesIO(data)) as shown:  # every viewer shows it
        shown.load()
    assert pack([ready_image(data)]).file == Image(data, "image.jpg", "image/jpeg")


def test_a_jpeg_without_an_end_is_refused_still() -> None:
    with pytest.raises(UnreadableImageError, match="truncated"):
        ready_image(with_bytes(jpeg(), b"\0\0")[:-2])


@pytest.mark.parametrize(
    ("start", "way_out"),
    [
        (b"\0\0\0\x18ftypheic", "pillow-heif"),
        (b"\0\0\0\x18ftypavif", "convert"),
        (b"II*\0" + b"\0" * 8, r"\.save\("),
        (b"BM" + b"\0" * 8, r"\.save\("),
        (b"<svg>", "svg2png"),
        (b"%PDF-1.7", "pypdfium2"),
    ],
)
def test_what_cannot_be_sent_says_how_to_convert_it(start: bytes, way_out: str) -> None:
    with pytest.raises(UnreadableImageError, match=way_out):
        content_type_of(start)


async def test_a_mark_is_not_glued_to_the_question() -> None:
    pictures = [Pillow.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = written(pictures[0], "GIF", save_all=True, append_images=pictures[1:])
    with LocalService(script := Script("ok")) as service:
        await DynasparkClient(base_url=service.url).complete("What is this?", images=[data])
    assert script.asked[0].prompt == "What is this? [image: first frame of an animation]"


async def test_the_images_of_a_call_end_in_time() -> None:
    """A time that is over before the first image is read."""
    data = written(Pillow.new("RGB", (3000, 3000)), "PNG")
    with LocalService(script := Script("ok")) as service:
        client = DynasparkClient(base_url=service.url, timeout=1e-9)
        with pytest.raises(RequestTimeoutError, match="the images of this call took longer than timeout"):
            await client.complete("x", images=[data, data + b"x"])
    assert script.asked == []


BOMB = """

from io import BytesIO
from PIL import Image as Pillow
from dynaspark_core.images import pack, ready_image, Limits
picture = Pillow.new({mode!r}, ({width}, {height}))
file = BytesIO()
picture.save(file, {form!r}, **{options!r})
del picture
import ctypes, gc
gc.collect()
with open("/proc/self/clear_refs", "w") as clear:
    clear.write("5")
def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) // 1024
before = status("VmRSS")
pack([ready_image(file.getvalue())], limits=Limits(max_bytes={max_bytes}))
print(status("VmHWM") - before)
"""
CAP = {"width": 8000, "height": 6250}
SCREEN = {"width": 1920, "height": 1080}
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("RGB", "PNG", {}),
    ("RGBA", "PNG", {}),
    ("I;16", "PNG", {}),
    ("P", "PNG", {}),
    ("RGB", "JPEG", {}),
    ("CMYK", "JPEG", {}),
    ("RGB", "WEBP", {"lossless": True, "method": 0}),
    ("RGB", "GIF", {}),
]


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize(("size", "most"), [(SCREEN, 64), (CAP, MAX_PEAK_MB)], ids=["screen", "cap"])
@pytest.mark.parametrize(("mode", "form", "options"), KINDS, ids=str)
def test_memory_is_bounded(mode: str, form: str, options: dict[str, Any], size: dict[str, int], most: int) -> None:
    script = dedent(BOMB).format(mode=mode, form=form, options=options, max_bytes=1000, **size)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= most

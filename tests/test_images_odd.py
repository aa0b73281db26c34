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
from dynaspark_core.images import Limits, content_type_of, pack, read_header, ready_image
from dynaspark_core.images.metadata import orientation
from dynaspark_core.messages import Image
from dynaspark_core.server import LocalService, Script

MAX_PEAK_MB = 300
MAX_SCREEN_MB = 64


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


@pytest.mark.parametrize(
    "between", [b"\0", b"\0" * 99, b"old editor", b"\xff\xff\xff", b"\xff\0\xff\0", b"\x01\x02\xff\xff"]
)
def test_a_jpeg_with_bytes_between_its_segments_goes_as_it_is(between: bytes) -> None:
    data = with_bytes(jpeg(), between)
    with Pillow.open(BytesIO(data)) as shown:  # every viewer shows it
        shown.load()
    assert pack([ready_image(data)]).file == Image(data, "image.jpg", "image/jpeg")


def test_a_file_begins_as_it_did_where_what_is_dropped_is_followed_by_other_bytes() -> None:
    """Old editors write such bytes also behind the EXIF, which is the first segment."""
    data = jpeg().replace(jpeg()[2:20], b"\xff\xe1\0\x08Exif\0\0" + b"old editor")
    assert shown(pack([ready_image(data)], limits=Limits(max_pixels=300)).file).size == (20, 15)


def shown(file: Image | None) -> Pillow.Image:
    assert file is not None
    picture = Pillow.open(BytesIO(file.data), formats=("PNG", "JPEG", "GIF", "WEBP"))
    picture.load()
    return picture


DAMAGED = {
    "a jpeg's end is other bytes": (jpeg()[:-2] + b"\0\0", "image/jpeg"),
    "a jpeg's end is other bytes, more": (jpeg()[:-2] + b"\0" * 99, "image/jpeg"),
    "a png without its end": (png(SMALL, PIXELS)[:-12], "image/png"),
    "a png whose end is cut": (png(SMALL, PIXELS)[:-5], "image/png"),
    "a png whose last chunk is too long": (png(SMALL, PIXELS)[:-12] + b"\xff\xff\xff\xffIEND", "image/png"),
    "a png with a chunk before its header": (png(chunk(b"CgBI", b"\0" * 4), SMALL, PIXELS), "image/png"),
}


@pytest.mark.parametrize(("data", "kind"), DAMAGED.values(), ids=DAMAGED)
async def test_a_damaged_image_that_decodes_whole_is_encoded_anew(data: bytes, kind: str) -> None:
    with pytest.raises(UnreadableImageError):
        ready_image(data)
    whole = shown(Image(data, "x", kind))
    with LocalService(script := Script("ok")) as service:
        await DynasparkClient(base_url=service.url).complete("x", images=[data])
    (sent,) = script.asked
    assert sent.file is not None
    assert read_header(sent.file).content_type == kind
    assert shown(Image(sent.file, "x", kind)).size == whole.size


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (jpeg()[:-2], "truncated"),
        (jpeg()[:400], "truncated"),
        (png(SMALL, PIXELS)[:50], "truncated"),
        (png(HUGE, PIXELS), "30,000 by 30,000"),
        (png(SMALL, HUGE, PIXELS), "two headers"),
        (b"<svg>", "SVG"),
    ],
)
async def test_what_does_not_decode_is_refused_with_its_own_reason(data: bytes, message: str) -> None:
    with LocalService(script := Script("ok")) as service, pytest.raises(UnreadableImageError, match=message):
        await DynasparkClient(base_url=service.url).complete("x", images=[data])
    assert script.asked == []


def tags(order: str, *entries: tuple[int, int, int, int]) -> bytes:
    """EXIF with these tags: number, kind, count and value."""
    body = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    return b"Exif\0\0" + mark + struct.pack(f"{order}IH", 8, len(entries)) + body + b"\0" * 4


BROKEN_TAGS = [(0x9000 + number, 5, 9, 0xFFFF0000) for number in range(2000)]
TURNED = (0x0112, 4, 1, 6)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [tags(">", *BROKEN_TAGS), tags("<", *BROKEN_TAGS, TURNED)], ids=["upright", "turned"])
def test_thousands_of_broken_tags_are_no_warnings(form: str, exif: bytes) -> None:
    """Warnings are errors here; Pillow would give one for each tag."""
    data = written(Pillow.new("RGB", (40, 30), "red"), form, exif=exif)
    sheet = pack([ready_image(data), ready_image(jpeg())]).file
    alone = shown(pack([ready_image(data)], limits=Limits(max_pixels=1000)).file)
    assert sheet is not None
    assert (alone.height > alone.width) is (TURNED[0].to_bytes(2, "little") in exif)


def test_exif_that_cannot_be_read_is_one_warning() -> None:
    data = written(Pillow.new("RGB", (40, 30), "blue"), "JPEG", exif=b"Exif\0\0nothing of the kind")
    with pytest.warns(UserWarning, match="EXIF") as told:
        pack([ready_image(data), ready_image(data + b"x"), ready_image(jpeg())])
    assert [str(one.message) for one in told] == [
        "the EXIF of an image is damaged; the picture is shown as it is stored"
    ]


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize(
    ("exif", "xmp", "found"),
    [
        (b"", b"", 1),
        *((tags(order, (1, 3, 1, 1), (0x0112, kind, 1, 3 << (32 - bits if order == ">" else 0))), b"", 3)
          for order in "<>" for kind, bits in ((1, 8), (3, 16), (4, 32), (6, 8), (8, 16), (9, 32))),
        (tags("<", (0x0112, 2, 1, 3)), b"", 1),
        (tags("<", (0x0112, 9, 1, 8)), XMP, 8),
        (b"Exif\0\0" + tags("<", TURNED), b"", 6),
        (tags("<", TURNED)[6:], b"", 6),
        (b"", XMP, 6),
        (b"", b"<tiff:Orientation>8</tiff:Orientation>", 8),
        (b"", b'tiff:Orientation="9"', 1),
        (tags("<", (1, 3, 1, 1)), XMP, 6),
    ],
)  # fmt: skip
def test_the_orientation_is_read(exif: bytes, xmp: bytes, found: int) -> None:
    assert orientation(exif, xmp) == found


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


SCAN = b"\xff\xda"


def with_scans(data: bytes, count: int) -> bytes:
    """A progressive JPEG whose last scan, of some 70 bytes, comes `count` times more, each over all pixels."""
    last = data[data.rindex(SCAN) : -2]
    return data[:-2] + last * count + data[-2:]


@pytest.mark.parametrize(("side", "scans", "is_shown"), [(200, 90, True), (3000, 60, True), (3000, 2000, False)])
def test_a_jpeg_of_thousands_of_scans_is_refused(side: int, scans: int, is_shown: bool) -> None:
    data = with_scans(written(Pillow.new("L", (side, side)), "JPEG", progressive=True), scans)
    shrunk = Limits(max_bytes=900, max_side=64)
    if is_shown:
        assert pack([ready_image(data)], limits=shrunk).file is not None
        return
    with pytest.raises(UnreadableImageError, match="2,006 scans"):
        pack([ready_image(data)], limits=shrunk)


@pytest.mark.parametrize(
    ("mode", "form", "options"),
    [
        ("CMYK", "JPEG", {"progressive": True}),
        ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
        ("L", "WEBP", {"method": 0}),
    ],
    ids=str,
)
def test_what_a_decoder_keeps_too_much_of_goes_alone_and_on_no_sheet(
    mode: str, form: str, options: dict[str, Any]
) -> None:
    image = ready_image(written(Pillow.new(mode, (7000, 6500)), form, **options))
    assert pack([image]).file == image
    with pytest.raises(UnreadableImageError, match="make it smaller"):
        pack([image, ready_image(jpeg())])


BOMB = """

from io import BytesIO
from PIL import Image as Pillow
from dynaspark_core.images import pack, ready_image, Limits
grey = Pillow.linear_gradient("L").resize(({width}, {height}))
picture = Pillow.new({mode!r}, grey.size, 7777) if {mode!r} == "I;16" else grey.convert({mode!r})
file = BytesIO()
picture.save(file, {form!r}, **{options!r})
del picture, grey
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
CAP = 8000, 6250
WEBP_CAP = 4600, 3760
"""Pixels of what is decoded; a larger one is only sent as it is."""
SCREEN = 1920, 1080
KINDS: list[tuple[str, str, dict[str, Any], tuple[int, int]]] = [
    ("RGB", "PNG", {"compress_level": 1}, CAP),
    ("RGBA", "PNG", {"compress_level": 1}, CAP),
    ("I;16", "PNG", {}, CAP),
    ("P", "PNG", {}, CAP),
    ("RGB", "JPEG", {}, CAP),
    ("RGB", "JPEG", {"progressive": True}, CAP),
    ("CMYK", "JPEG", {}, CAP),
    ("RGB", "WEBP", {"method": 0}, WEBP_CAP),
    ("P", "GIF", {}, CAP),
]


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("is_screen", [True, False], ids=["screen", "cap"])
@pytest.mark.parametrize(("mode", "form", "options", "cap"), KINDS, ids=str)
def test_memory_is_bounded(
    mode: str, form: str, options: dict[str, Any], cap: tuple[int, int], *, is_screen: bool
) -> None:
    width, height = SCREEN if is_screen else cap
    most = MAX_SCREEN_MB if is_screen else MAX_PEAK_MB
    script = dedent(BOMB).format(mode=mode, form=form, options=options, max_bytes=1000, width=width, height=height)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= most

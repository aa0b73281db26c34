"""`images`: bytes → what they are; one image untouched or made to fit; several on one numbered sheet."""

import base64
import struct
import tracemalloc
import zlib
from importlib.util import find_spec
from io import BytesIO
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageOps

from dynaspark_core.errors import ConfigError, ImageError, UnreadableImageError
from dynaspark_core.images import (
    Entry,
    Limits,
    Packed,
    choose,
    content_type_of,
    encode_png,
    from_base64,
    from_data_uri,
    pack,
    pack_entries,
    read_header,
    ready_image,
)
from dynaspark_core.images.layout import GAP, Layout, beside, lay_out
from dynaspark_core.images.pillow import encode_within
from dynaspark_core.images.sniff import jpeg_coefficients
from dynaspark_core.messages import Image, Policy
from dynaspark_core.server.local.ocr import Ocr

LARGE = 1_000_000


def written(picture: Pillow.Image, form: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def plain(width: int = 40, height: int = 30, colour: Any = "red", mode: str = "RGB") -> Pillow.Image:
    return Pillow.new(mode, (width, height), colour)


def noisy(width: int, height: int) -> Pillow.Image:
    return Pillow.effect_noise((width, height), 90).convert("RGB")


def seen(image: Image | None) -> Pillow.Image:
    assert image is not None
    return Pillow.open(BytesIO(image.data))


def declared(width: int, height: int) -> bytes:
    """A PNG whose header says so; its data hold nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    start = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + start + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


FRAMES = [plain(40, 30, colour) for colour in ("red", "green", "blue")]
WHOLE = {
    "png": (written(plain()), "image/png", False),
    "png, of two frames": (written(FRAMES[0], save_all=True, append_images=FRAMES[1:2]), "image/png", True),
    "gif, of two frames": (written(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:2]), "image/gif", True),
    "png, animated": (written(FRAMES[0], save_all=True, append_images=FRAMES[1:]), "image/png", True),
    "jpeg": (written(plain(), "JPEG"), "image/jpeg", False),
    "jpeg, progressive": (written(plain(), "JPEG", progressive=True), "image/jpeg", False),
    "jpeg, grey": (written(plain(mode="L", colour=9), "JPEG"), "image/jpeg", False),
    "jpeg, trailing bytes": (written(plain(), "JPEG") + b"motion photo" * 99, "image/jpeg", False),
    "gif": (written(plain(), "GIF"), "image/gif", False),
    "gif, no trailer": (written(plain(), "GIF")[:-1], "image/gif", False),
    "gif, comment": (written(plain(), "GIF", comment="hi" * 300), "image/gif", False),
    "gif, animated": (written(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]), "image/gif", True),
    "webp": (written(plain(), "WEBP"), "image/webp", False),
    "webp, lossless": (written(plain(), "WEBP", lossless=True), "image/webp", False),
    "webp, alpha": (written(plain(mode="RGBA"), "WEBP", exif=b"Exif\0\0MM\0*"), "image/webp", False),
    "webp, animated": (
        written(FRAMES[0], "WEBP", lossless=True, save_all=True, append_images=FRAMES[1:]),
        "image/webp",
        True,
    ),
}

NOT_IMAGES = {
    "empty": (b"", "an empty file"),
    "blank": (b"  \n", "an empty file"),
    "text": (b"hello, world\n", "text"),
    "text, not ASCII": ("grüße ".encode() * 500, "text"),
    "JSON": (b'{"error": "not found"}', "text"),
    "HTML": (b"\n<!DOCTYPE html><html>", "a web page"),
    "HTML, no doctype": (b"<!-- x -->\n<html><body>", "a web page"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
    "SVG, prologue": (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- Inkscape -->\n<svg>', "an SVG drawing"),
    "XML": (b'<?xml version="1.0"?><feed/>', "XML"),
    "PDF": (b"%PDF-1.7\n", "a PDF"),
    "MP4": (b"\0\0\0\x20ftypisom", "a video"),
    "WebM": (b"\x1aE\xdf\xa3", "a video"),
    "AVI": (b"RIFF\0\0\0\0AVI LIST", "a video"),
    "WAV": (b"RIFF\0\0\0\0WAVEfmt ", "an audio file"),
    "MP3": (b"ID3\x04", "an audio file"),
    "Ogg": (b"OggS\0", "an audio file"),
    "HEIC": (b"\0\0\0\x18ftypheic", "AVIF or HEIC"),
    "AVIF": (b"\0\0\0\x18ftypavif", "AVIF or HEIC"),
    "BMP": (written(plain(), "BMP"), "BMP, TIFF or ICO"),
    "TIFF": (written(plain(), "TIFF"), "BMP, TIFF or ICO"),
    "ZIP": (b"PK\x03\x04", "an archive"),
    "start of a PNG": (b"\x89PNG\r\n", "damaged start"),
    "noise": (bytes(range(128, 256)), "unknown type"),
}


@pytest.mark.parametrize(("data", "kind", "animated"), WHOLE.values(), ids=WHOLE)
def test_an_image_is_known_by_its_bytes(data: bytes, kind: str, *, animated: bool) -> None:
    found = read_header(data)
    assert (found.content_type, found.width, found.height, found.animated) == (kind, 40, 30, animated)
    assert content_type_of(data) == kind


@pytest.mark.parametrize(("data", "what"), NOT_IMAGES.values(), ids=NOT_IMAGES)
def test_what_is_no_image_is_named(data: bytes, what: str) -> None:
    with pytest.raises(UnreadableImageError, match=f"^{what}.*|{what}"):
        ready_image(data)


@pytest.mark.parametrize("name", ["png", "jpeg", "gif", "webp", "webp, lossless"])
def test_a_truncated_image_is_refused_wherever_it_is_cut(name: str) -> None:
    data = WHOLE[name][0]
    for end in range(len(data) - 2):
        with pytest.raises(UnreadableImageError):
            read_header(data[:end])


@pytest.mark.parametrize(("data", "kind", "_animated"), WHOLE.values(), ids=WHOLE)
def test_damaged_bytes_raise_nothing_but_our_errors(data: bytes, kind: str, _animated: bool) -> None:
    for position in range(min(len(data), 300)):
        damaged = data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]
        try:
            pack([ready_image(damaged), ready_image(data)], limits=Limits(max_side=200))
        except ImageError:
            continue


@pytest.mark.parametrize("filler", [b"\0\0\0\0aaaa\0\0\0\0", b"\xff\xe0\0\x02", b"\x21\xfe\x01a\0"])
def test_an_image_cut_into_countless_blocks_is_refused(filler: bytes) -> None:
    starts = {0: declared(9, 9)[:33], 0xFF: b"\xff\xd8", 0x21: b"GIF89a\x09\0\x09\0\0\0\0"}
    with pytest.raises(UnreadableImageError, match="blocks"):
        read_header(starts[filler[0]] + filler * 300_000)


@pytest.mark.parametrize("size", [(50_000, 50_000), (1, 60_000_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_by_its_declared_size(size: tuple[int, int]) -> None:
    bomb = declared(*size)
    tracemalloc.start()
    with pytest.raises(UnreadableImageError, match="at most 50,000,000 pixels"):
        pack([ready_image(bomb), ready_image(bomb)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < LARGE


def test_a_bomb_in_a_frame_larger_than_its_screen_is_refused() -> None:
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, 60_000, 60_000, 0) + b"\x02\x01\0\0"
    with pytest.raises(UnreadableImageError, match="60,000 by 60,000"):
        ready_image(b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + frame + b";")


def test_an_image_without_a_size_is_refused() -> None:
    with pytest.raises(UnreadableImageError, match="declares no size"):
        ready_image(declared(0, 9))


def test_more_bytes_than_are_read_are_refused() -> None:
    data = written(plain())
    with pytest.raises(ImageError, match=f"at most {len(data) - 1} are read"):
        ready_image(data, limits=Limits(max_read=len(data) - 1))


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("", "image.png"),
        ("cat.png", "cat.png"),
        ("cat.PNG", "cat.PNG"),
        ("cat.jpeg", "cat.png"),
        ("cat", "cat.png"),
        ("cat.v2", "cat.v2.png"),
        ("../../etc/cat.png", "cat.png"),
        (r"C:\pictures\cat.png", "cat.png"),
        ('a"b\r\nX: y.png', "abX y.png"),
        ("кот.png", "кот.png"),
        (".png", "png.png"),
        ("a" * 300 + ".png", "a" * 100 + ".png"),
    ],
)
def test_a_file_name_gets_the_extension_of_the_bytes(given: str, name: str) -> None:
    assert ready_image(written(plain()), given).name == name


@pytest.mark.parametrize("limit", [0, -1, 1.5, None])
def test_a_limit_is_a_positive_number(limit: Any) -> None:
    with pytest.raises(ConfigError, match="max_bytes"):
        Limits(max_bytes=limit)


def test_the_smallest_limit_is_one() -> None:
    assert Limits(max_pixels=1).max_pixels == 1


# --- base64 and data URIs ---------------------------------------------------------------------------------------------

BYTES = bytes(range(250, 256)) * 50 + b"!"
B64 = base64.b64encode(BYTES).decode()

BASE64 = {
    "text": B64,
    "bytes": B64.encode(),
    "lines": base64.encodebytes(BYTES).decode(),
    "lines of Windows": base64.encodebytes(BYTES).decode().replace("\n", "\r\n"),
    "blanks around": f"  {B64}\n",
    "no padding": B64.rstrip("="),
    "URL-safe": base64.urlsafe_b64encode(BYTES).decode(),
    "URL-safe, no padding": base64.urlsafe_b64encode(BYTES).decode().rstrip("="),
    "data URI in its place": f"data:image/png;base64,{B64}",
}
URIS = {
    "usual": f"data:image/png;base64,{B64}",
    "shouted": f"DATA:IMAGE/PNG;BASE64,{B64}",
    "no type": f"data:;base64,{B64}",
    "parameters": f"data:image/svg+xml;charset=utf-8;base64,{B64}",
    "blank before base64": f"data:image/png; base64,{B64}",
    "percent-encoded base64": f"data:image/png;base64,{quote(B64)}",
    "percent-encoded": f"data:image/png,{quote(BYTES)}",
    "no type, percent-encoded": f"data:,{quote(BYTES)}",
}


@pytest.mark.parametrize("text", BASE64.values(), ids=BASE64)
def test_base64_is_read_however_it_is_wrapped(text: str | bytes) -> None:
    assert from_base64(text, LARGE) == BYTES


@pytest.mark.parametrize("text", ["!!!!", "aGk=aGk=", "a", "aGk\x00", "aGké", "aGk,aGk", "a===", "=" * 8 + "aGk"])
def test_other_text_is_no_base64(text: str) -> None:
    with pytest.raises(UnreadableImageError, match="base64"):
        from_base64(text, LARGE)


@pytest.mark.parametrize("uri", URIS.values(), ids=URIS)
def test_a_data_uri_is_read_in_all_its_variants(uri: str) -> None:
    assert from_data_uri(uri, LARGE) == BYTES


@pytest.mark.parametrize("piece", ["data:;base64,", "%41", "%"])
def test_a_data_uri_made_to_be_costly_is_refused(piece: str) -> None:
    with pytest.raises(ImageError):
        from_data_uri("data:;base64," + piece * 2_000_000, 32_000_000)


def test_a_data_uri_without_a_comma_is_refused() -> None:
    with pytest.raises(UnreadableImageError, match="comma"):
        from_data_uri("data:image/png;base64", LARGE)


@pytest.mark.parametrize("text", [B64, f"data:,{quote(BYTES)}", f"data:,{'a' * 302}"])
def test_encoded_bytes_over_the_limit_are_refused(text: str) -> None:
    read = from_data_uri if text.startswith("data:") else from_base64
    assert len(read(text, 302)) in {301, 302}
    with pytest.raises(ImageError, match="larger than the 300 bytes"):
        read(text, 300)
    with pytest.raises(ImageError, match="larger than the 30 bytes"):
        read(text, 30)


# --- one image --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, (_, _, animated) in WHOLE.items() if not animated])
def test_one_image_within_the_limits_is_untouched(name: str) -> None:
    image = ready_image(WHOLE[name][0])
    assert pack([image]) == Packed(image, (1,), ("",))


def test_an_image_that_is_as_large_as_the_limits_allow_is_untouched() -> None:
    data = written(plain(40, 30))
    assert pack([ready_image(data)], limits=Limits(max_pixels=1200, max_bytes=len(data))).file == ready_image(data)


def test_no_image_is_no_file() -> None:
    assert pack([]) == Packed(None)


@pytest.mark.parametrize("name", [name for name, (_, _, animated) in WHOLE.items() if animated])
def test_of_an_animation_the_first_frame_is_sent_and_that_is_said(name: str) -> None:
    packed = pack([ready_image(WHOLE[name][0], "spin.gif")])
    assert packed.remarks == ("first frame of an animation",)
    assert packed.file is not None
    assert (packed.file.name, packed.file.content_type) == ("spin.png", "image/png")
    assert seen(packed.file).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_an_image_over_the_pixels_is_shrunk_to_them(form: str) -> None:
    file = pack([ready_image(written(noisy(400, 300), form))], limits=Limits(max_pixels=30_000)).file
    assert seen(file).size == (200, 150)
    assert file is not None
    assert file.content_type == ("image/jpeg" if form == "JPEG" else "image/png")


@pytest.mark.parametrize(
    ("size", "shown"), [((3200, 100), (3072, 96)), ((100, 3200), (96, 3072)), ((40, 30), (40, 30))]
)
def test_what_is_encoded_again_has_3072_pixels_a_side_at_most(size: tuple[int, int], shown: tuple[int, int]) -> None:
    frames = [plain(*size, colour) for colour in ("red", "blue")]
    file = pack([ready_image(written(frames[0], "GIF", save_all=True, append_images=frames[1:]))]).file
    assert seen(file).size == shown


@pytest.mark.parametrize("marker", sorted({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}), ids=hex)
@pytest.mark.parametrize("colours_of_a_scan", [3, 1])
def test_what_a_decoder_keeps_of_a_jpeg(marker: int, colours_of_a_scan: int) -> None:
    frame = struct.pack(">BHHB", 8, 80, 100, 3) + b"\1\x21\0\2\x11\0\3\x11\0"  # two columns of the first colour
    scan = bytes([colours_of_a_scan]) + b"\1\0" * colours_of_a_scan + b"\0\x3f\0"
    data = b"\xff\xd8" + b"".join(
        bytes([0xFF, kind]) + struct.pack(">H", len(body) + 2) + body for kind, body in ((marker, frame), (0xDA, scan))
    )
    is_kept = marker in {0xC2, 0xC6, 0xCA, 0xCE} or colours_of_a_scan < 3  # T.81, table B.1: the progressive ones
    assert jpeg_coefficients(data) == (100 * 80 * (2 + 1 + 1) // 2 if is_kept else 0)


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("limit", [60_000, 10_000, 2_000])
def test_an_image_over_the_bytes_is_made_to_fit(form: str, limit: int) -> None:
    file = pack([ready_image(written(noisy(400, 300), form), "n.png")], limits=Limits(max_bytes=limit)).file
    assert file is not None
    assert len(file.data) <= limit
    assert file.name == "n.jpg"
    assert content_type_of(file.data) == file.content_type == "image/jpeg"


@pytest.mark.parametrize(("side", "shown"), [(24, (16, 16)), (16, (10, 10)), (15, None)])
def test_a_picture_is_made_smaller_while_it_has_16_pixels_a_side(side: int, shown: tuple[int, int] | None) -> None:
    picture = Pillow.frombytes("RGB", (side, side), Random(1).randbytes(3 * side * side))
    most = len(written(picture, "JPEG", quality=75, subsampling=0)) - 1
    if shown is None:
        with pytest.raises(ImageError, match=f"cannot be made smaller than {most + 1:,} bytes"):
            encode_within(picture, most, "a.jpg", lossless=False)
    else:
        assert seen(encode_within(picture, most, "a.jpg", lossless=False)).size == shown


def test_a_limit_that_nothing_fits_is_an_error() -> None:
    with pytest.raises(ImageError, match="cannot be made smaller"):
        pack([ready_image(written(noisy(400, 300)))], limits=Limits(max_bytes=100))


def test_what_is_encoded_again_is_upright_and_without_metadata() -> None:
    picture = plain(300, 200, "blue")
    picture.paste(plain(150, 200), (0, 0))  # red on the left
    exif = Pillow.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    exif[0x010F] = "SECRET CAMERA"
    data = written(picture, "JPEG", exif=exif, comment=b"SECRET PLACE")
    file = pack([ready_image(data)], limits=Limits(max_pixels=15_000)).file
    assert file is not None
    upright = seen(file)
    assert upright.size == (100, 150)
    assert "SECRET" not in file.data.decode("latin-1")
    top, bottom = (upright.convert("RGB").getpixel((50, y)) for y in (10, 140))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[0] > 200, bottom[2] > 200) == (True, True)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_turned_upright(orientation: int, form: str) -> None:
    picture = plain(300, 200, "blue")
    picture.paste(plain(150, 100), (0, 0))
    picture.paste(plain(150, 100, "white"), (150, 0))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = written(picture, form, exif=exif)
    expected = ImageOps.exif_transpose(Pillow.open(BytesIO(data))).resize((2, 2), Pillow.Resampling.NEAREST)
    one = seen(pack([ready_image(data)], limits=Limits(max_pixels=15_000)).file).convert("RGB")
    assert (one.width > one.height) == (orientation not in {5, 6, 7, 8})
    small = one.resize((2, 2), Pillow.Resampling.NEAREST)
    assert all(abs(a - b) < 16 for a, b in zip(small.tobytes(), expected.convert("RGB").tobytes(), strict=True)), (
        orientation
    )


def test_damaged_metadata_do_not_matter() -> None:
    data = written(noisy(400, 300), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff broken")
    with pytest.warns(UserWarning, match="EXIF"):
        file = pack([ready_image(data)], limits=Limits(max_pixels=30_000)).file
    assert seen(file).size == (200, 150)


def sixteen_bits() -> bytes:
    return written(Pillow.new("I;16", (400, 300), 0x8000))


def palette_with_hole() -> bytes:
    picture = plain(400, 300).convert("P")
    return written(picture, transparency=picture.getpixel((0, 0)))


MODES = {
    "CMYK": (written(plain(400, 300, (0, 255, 255, 0), "CMYK"), "JPEG"), (255, 0, 0)),
    "16 bits": (sixteen_bits(), (128, 128, 128)),
    "palette with transparency": (palette_with_hole(), (255, 255, 255)),
    "grey": (written(plain(400, 300, 100, "L")), (100, 100, 100)),
    "grey with alpha": (written(plain(400, 300, (100, 0), "LA")), (255, 255, 255)),
    "black and white": (written(plain(400, 300, 1, "1")), (255, 255, 255)),
    "half transparent": (written(plain(400, 300, (255, 0, 0, 128), "RGBA")), (255, 127, 127)),
}


@pytest.mark.parametrize(("data", "colour"), MODES.values(), ids=MODES)
def test_every_colour_mode_looks_right_when_encoded_again(data: bytes, colour: tuple[int, int, int]) -> None:
    small = seen(pack([ready_image(data)], limits=Limits(max_pixels=10_000)).file)
    paper = Pillow.new("RGBA", small.size, "white")
    found = Pillow.alpha_composite(paper, small.convert("RGBA")).convert("RGB").getpixel((20, 20))
    assert isinstance(found, tuple)
    assert all(abs(a - b) <= 6 for a, b in zip(found, colour, strict=True)), found


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1", "I;16", "F", "LAB", "HSV", "YCbCr"])
def test_a_pillow_image_of_any_mode_becomes_a_png(mode: str) -> None:
    assert content_type_of(encode_png(Pillow.new(mode, (9, 9)))) == "image/png"


# --- several images ---------------------------------------------------------------------------------------------------


def pictures(*sizes: tuple[int, int]) -> list[Image]:
    return [ready_image(written(plain(*size, (index * 9, 200, 0)))) for index, size in enumerate(sizes)]


def test_several_images_stand_on_one_numbered_sheet() -> None:
    packed = pack(pictures((300, 200), (200, 300)))
    assert packed.numbers == (1, 2)
    assert packed.file is not None
    assert (packed.file.name, packed.file.content_type) == ("images.png", "image/png")
    colours = {colour for _, colour in seen(packed.file).getcolors(LARGE) or ()}
    assert {(0, 200, 0), (9, 200, 0), (255, 255, 255)} <= colours


def test_each_image_on_a_sheet_keeps_its_size_where_there_is_room() -> None:
    sheet = seen(pack(pictures((300, 200), (200, 300))).file)
    shown = dict((colour, count) for count, colour in sheet.getcolors(LARGE) or ())  # noqa: C402 - pairs turned round
    assert (shown[0, 200, 0], shown[9, 200, 0]) == (60_000, 60_000)


def test_small_pictures_are_scaled_to_their_places() -> None:
    sizes = [(400, 300), (300, 400)]
    entries = [Entry(image, number, is_large=False) for number, image in enumerate(pictures(*sizes), 1)]
    sheet = seen(pack_entries(entries, Limits(max_side=300)).file)
    layout = lay_out(sizes, 300, Limits().max_pixels)
    assert sheet.size == (layout.width, layout.height)
    for index, box in enumerate(layout.boxes):
        colour = (index * 9, 200, 0)
        assert box.width < sizes[index][0]
        corners = [(x, y) for x in (0, box.width - 1) for y in (0, box.height - 1)]
        assert {sheet.getpixel((box.left + x, box.top + y)) for x, y in corners} == {colour}
        assert dict((shown, count) for count, shown in sheet.getcolors(LARGE) or ())[colour] == box.width * box.height  # noqa: C402


class Kept(dict[bytes, Pillow.Image]):
    """Thumbnails that are never given up."""

    def put(self, key: bytes, picture: Pillow.Image) -> None:
        assert key not in self
        self[key] = picture


def test_a_thumbnail_is_shown_in_place_of_its_file_once_it_is_kept() -> None:
    images = pictures((900, 600), (200, 300))
    kept = Kept()
    first = seen(pack_entries([Entry(images[0], 1), Entry(images[1], 2, is_large=False)], thumbnails=kept).file)
    assert sorted(small.size for small in kept.values()) == [(200, 300), (400, 267)]
    assert first.getpixel((30, 90)) == (0, 200, 0)
    for small in kept.values():
        small.paste("blue", (0, 0, *small.size))
    again = seen(
        pack_entries([Entry(image, at, is_large=False) for at, image in enumerate(images)], thumbnails=kept).file
    )
    counts = dict((colour, count) for count, colour in again.getcolors(LARGE) or ())  # noqa: C402
    assert counts[0, 0, 255] == 200 * 300 + 400 * 267


def test_the_same_image_twice_is_shown_once() -> None:
    one, two = pictures((300, 200), (200, 300))
    again = ready_image(one.data, "other name.png")
    packed = pack([one, two, again])
    assert packed.numbers == (1, 2, 1)
    assert packed.file == pack([one, two]).file


def test_the_same_image_only_is_sent_as_it_is() -> None:
    (one,) = pictures((300, 200))
    assert pack([one, one]) == Packed(one, (1, 1), ("", ""))


def test_an_animation_on_a_sheet_is_said_to_be_one() -> None:
    packed = pack([*pictures((30, 20)), ready_image(WHOLE["gif, animated"][0])])
    assert packed.remarks == ("", "first frame of an animation")


def test_photographs_make_a_jpeg_sheet() -> None:
    photo = ready_image(written(noisy(300, 200), "JPEG"))
    file = pack([photo, *pictures((300, 200))]).file
    assert file is not None
    assert (file.name, file.content_type) == ("images.jpg", "image/jpeg")


def test_a_sheet_keeps_to_the_limits() -> None:
    photos = [ready_image(written(noisy(900, 700))) for _ in range(4)]
    limits = Limits(max_bytes=50_000, max_pixels=400_000, max_side=800)
    file = pack(photos, limits=limits).file
    assert file is not None
    width, height = seen(file).size
    assert (len(file.data) <= 50_000, max(width, height) <= 800, width * height <= 400_000) == (True, True, True)


def test_a_damaged_image_on_a_sheet_is_refused() -> None:
    good = written(noisy(90, 90))
    bad = good[:200] + b"\0" * 2000 + good[2200:]
    with pytest.raises(UnreadableImageError, match=r"^image 2: the image/png image cannot be decoded"):
        pack([ready_image(good), ready_image(bad)])


def test_the_last_image_alone_is_sent_where_asked() -> None:
    one, two = pictures((300, 200), (200, 300))
    assert pack([one, two], "last") == Packed(two, (1, 2), ("", ""), frozenset({1}))


def test_several_images_are_an_error_where_asked() -> None:
    one, two = pictures((300, 200), (200, 300))
    assert pack([one], "error").file == one
    with pytest.raises(ImageError, match=r"2 images.*'sheet'"):
        pack([one, two], "error")


def test_of_very_many_images_the_newest_are_shown() -> None:
    packed = pack(pictures(*((20 + index, 20) for index in range(28))))
    assert packed.numbers == tuple(range(1, 29))
    assert packed.hidden == {1, 2, 3}


@pytest.mark.parametrize("policy", ["", "first", None])
def test_an_unknown_policy_is_refused(policy: Any) -> None:
    with pytest.raises(ConfigError, match="'sheet', 'last' or 'error'"):
        choose([1], policy)


@pytest.mark.parametrize("policy", ["sheet", "last", "error"])
def test_a_single_image_is_shown_with_every_policy(policy: Policy) -> None:
    assert choose([1], policy) == [1]
    assert choose([], policy) == []


@pytest.mark.parametrize(("policy", "expected"), [("sheet", [1, 2]), ("last", [2])])
def test_what_a_policy_does_not_show_need_not_be_loaded(policy: Policy, expected: list[int]) -> None:
    assert choose([1, 2], policy) == expected


SHAPES = {
    "two alike": [(1000, 800)] * 2,
    "three": [(1600, 1200), (1200, 800), (600, 1800)],
    "five": [(1600, 1200), (1200, 800), (600, 1800), (3000, 400), (64, 64)],
    "tall ones": [(400, 5000)] * 3,
    "wide ones": [(5000, 400)] * 3,
    "large ones": [(4000, 3000), (3000, 4000)],
    "twenty-five": [(300 + 97 * index % 2000, 300 + 61 * index % 1500) for index in range(25)],
    "row": [(800 + 100 * index, 600) for index in range(12)],
    "dots": [(1, 1)] * 4,
}


@pytest.mark.parametrize("sizes", SHAPES.values(), ids=SHAPES)
def test_a_layout_keeps_shapes_never_enlarges_and_never_overlaps(sizes: list[tuple[int, int]]) -> None:
    layout = lay_out(sizes, 3072, 9_000_000)
    assert max(layout.width, layout.height) <= 3072
    assert layout.width * layout.height <= 9_000_000
    for (width, height), box in zip(sizes, layout.boxes, strict=True):
        assert box.width <= width
        assert abs(box.width / width - box.height / height) < 0.01
        assert min(box.left, box.top - layout.band) >= GAP
        assert max(box.left + box.width + GAP - layout.width, box.top + box.height + GAP - layout.height) <= 0
    for number, one in enumerate(layout.boxes):
        for other in layout.boxes[number + 1 :]:
            beside = one.left + one.width < other.left or other.left + other.width < one.left
            above = one.top + one.height < other.top - layout.band or other.top + other.height < one.top - layout.band
            assert beside or above


@pytest.mark.parametrize(
    ("name", "share"), [("two alike", 1.0), ("three", 1.0), ("five", 1.0), ("large ones", 0.42), ("row", 0.8)]
)
def test_a_layout_makes_pictures_as_large_as_there_is_room(name: str, share: float) -> None:
    sizes = SHAPES[name]
    layout = lay_out(sizes, 3072, 25_000_000)
    assert min(box.width / size[0] for box, size in zip(layout.boxes, sizes, strict=True)) >= share


def test_a_large_picture_gives_way_before_a_small_one() -> None:
    large, small = lay_out([(5000, 5000), (200, 200)], 3072, 25_000_000).boxes
    assert (small.width, large.width > 2500) == (200, True)


def test_tall_pictures_take_the_whole_side() -> None:
    assert lay_out(SHAPES["tall ones"], 3072, 9_000_000).height == 3072


def test_a_low_picture_fits_below_another_one_whatever_stands_beside_them() -> None:
    sizes = [(1000, 1000), (1000, 600), (1000, 550), (1000, 500), (1000, 450)]
    layout = lay_out(sizes, 3 * (1000 + GAP) + GAP, 25_000_000)
    assert [(box.width, box.height) for box in layout.boxes] == sizes
    assert layout.height == 600 + 450 + 2 * (GAP + layout.band) + GAP


LAYOUTS: list[tuple[str, list[tuple[int, int]], int, int, tuple[int, int, int], list[tuple[int, int, int, int]]]] = [
    (
        "two alike",
        [(1000, 800), (1000, 800)],
        3072,
        9_000_000,
        (1048, 1784, 56),
        [(24, 80, 1000, 800), (24, 960, 1000, 800)],
    ),
    (
        "three",
        [(1600, 1200), (1200, 800), (600, 1800)],
        3072,
        9_000_000,
        (2272, 2184, 56),
        [(24, 80, 1600, 1200), (24, 1360, 1200, 800), (1648, 80, 600, 1800)],
    ),
    (
        "tall ones",
        [(400, 5000), (400, 5000), (400, 5000)],
        3072,
        9_000_000,
        (807, 3072, 56),
        [(24, 80, 237, 2968), (285, 80, 237, 2968), (546, 80, 237, 2968)],
    ),
    (
        "wide ones",
        [(5000, 400), (5000, 400), (5000, 400)],
        3072,
        9_000_000,
        (3072, 939, 40),
        [(24, 64, 3024, 241), (24, 369, 3024, 241), (24, 674, 3024, 241)],
    ),
    (
        "two large",
        [(4000, 3000), (3000, 4000)],
        3072,
        9_000_000,
        (3072, 1818, 56),
        [(24, 80, 1714, 1286), (1762, 80, 1286, 1714)],
    ),
    (
        "in few pixels",
        [(4000, 3000), (3000, 4000)],
        3072,
        2_000_000,
        (1815, 1100, 56),
        [(24, 80, 996, 747), (1044, 80, 747, 996)],
    ),
    (
        "dots",
        [(1, 1), (1, 1), (1, 1)],
        3072,
        9_000_000,
        (303, 71, 22),
        [(24, 46, 1, 1), (117, 46, 1, 1), (210, 46, 1, 1)],
    ),
    ("one", [(5000, 3000)], 3072, 9_000_000, (3072, 1918, 56), [(24, 80, 3024, 1814)]),
    (
        "a row",
        [(800, 600), (900, 600), (1000, 600), (1100, 600), (1200, 600)],
        3072,
        9_000_000,
        (2796, 1384, 56),
        [(24, 80, 800, 600), (848, 80, 900, 600), (1772, 80, 1000, 600), (24, 760, 1100, 600), (1148, 760, 1200, 600)],
    ),
    (
        "tallest first",
        [(300, 200), (300, 900), (300, 500), (900, 300)],
        1300,
        9_000_000,
        (1272, 1252, 52),
        [(348, 1028, 300, 200), (24, 76, 300, 900), (348, 76, 300, 500), (348, 652, 900, 300)],
    ),
    (
        "huge",
        [(9000, 7000), (9000, 7000)],
        8192,
        60_000_000,
        (5196, 8190, 56),
        [(24, 80, 5148, 4003), (24, 4163, 5148, 4003)],
    ),
    (
        "huge ones",
        [(7000, 9000), (8000, 3000)],
        8192,
        60_000_000,
        (7427, 8075, 56),
        [(24, 80, 3985, 5124), (24, 5284, 7379, 2767)],
    ),
    ("too small a side", [(10, 10), (10, 10)], 50, 100, (117, 118, 22), [(24, 46, 1, 1), (24, 93, 1, 1)]),
]
"""Sizes, side and pixels → the sheet and its band, and the boxes: left, top, width, height."""


def shape(layout: Layout | None) -> tuple[tuple[int, int, int], list[tuple[int, int, int, int]]]:
    assert layout is not None
    boxes = [(box.left, box.top, box.width, box.height) for box in layout.boxes]
    return (layout.width, layout.height, layout.band), boxes


@pytest.mark.parametrize(
    ("sizes", "side", "pixels", "sheet", "boxes"),
    [pytest.param(*rest, id=name) for name, *rest in LAYOUTS],
)
def test_where_each_picture_stands(
    sizes: list[tuple[int, int]],
    side: int,
    pixels: int,
    sheet: tuple[int, int, int],
    boxes: list[tuple[int, int, int, int]],
) -> None:
    assert shape(lay_out(sizes, side, pixels)) == (sheet, boxes)


@pytest.mark.parametrize(
    ("count", "room", "sheet", "second", "third"),
    [
        (3, (1600, 2_560_000), (1296, 1208, 56), (24, 884, 400, 300), (448, 884, 400, 300)),
        (3, (2200, 9_000_000), (1920, 804, 56), (1072, 80, 400, 300), (1496, 80, 400, 300)),
        (12, (2200, 9_000_000), (2144, 1968, 56), (24, 884, 400, 300), (448, 884, 400, 300)),
        (24, (2200, 9_000_000), (1968, 2048, 56), (24, 884, 300, 225), (348, 884, 300, 225)),
        (9, (1600, 2_560_000), (1522, 1174, 56), (1072, 80, 200, 150), (1297, 80, 200, 150)),
        (9, (1600, 1_700_000), (1522, 804, 56), (1072, 80, 100, 75), (1297, 80, 100, 75)),
        (24, (1600, 2_560_000), (1599, 1448, 56), (24, 884, 100, 75), (249, 884, 100, 75)),
    ],
)
def test_small_pictures_stand_beside_a_large_one_at_the_largest_share_that_fits(
    count: int,
    room: tuple[int, int],
    sheet: tuple[int, int, int],
    second: tuple[int, int, int, int],
    third: tuple[int, int, int, int],
) -> None:
    large = lay_out([(1000, 700)], 2000, 10_000_000)
    found, boxes = shape(beside(large, [(400, 300)] * count, *room, 30))
    assert (found, boxes[:3], len(boxes)) == (sheet, [(24, 80, 1000, 700), second, third], count + 1)


def test_more_small_pictures_than_fit_at_the_least_share_do_not_fit() -> None:
    large = lay_out([(1000, 700)], 2000, 10_000_000)
    assert beside(large, [(400, 300)] * 24, 1600, 1_700_000, 30) is None


def test_a_side_too_small_for_any_layout_still_gives_one() -> None:
    assert len(lay_out([(10, 10)] * 3, 50, 100).boxes) == 3


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="it comes with the extra 'local'")
def test_labels_can_be_read_by_a_machine() -> None:
    shots = []
    for number in range(5):
        shot = plain(700 + 90 * number, 900 - 120 * number, "white")
        ImageDraw.Draw(shot).rectangle((90, 90, 300, 300), fill=(0, 40 * number, 120))
        shots.append(ready_image(written(shot)))
    sheet = pack(shots).file
    assert sheet is not None
    words = " ".join(Ocr().read(sheet.data).lines).lower().replace(" ", "")
    assert [number for number in range(1, 6) if f"image{number}" in words] == [1, 2, 3, 4, 5]

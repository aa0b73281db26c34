"""`loading` and `download`: references → bytes, over real files and real HTTP; private addresses get no connect."""

import asyncio
import base64
import gzip
import os
import socket
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer
from PIL import Image as Pillow
from PIL import ImageOps

from dynaspark_core.errors import (
    ConfigError,
    DynasparkError,
    ForbiddenImageError,
    ImageError,
    RequestTimeoutError,
    UnreadableImageError,
)
from dynaspark_core.images import Limits
from dynaspark_core.images.addresses import public_only
from dynaspark_core.messages import Image, ImageRef
from dynaspark_core.transport.loading import DEFAULT_OPTIONS, image_from, load
from dynaspark_core.transport.packing import MAX_DEAD_ADDRESSES, History, load_packed


def picture(colour: str = "red", form: str = "PNG") -> bytes:
    file = BytesIO()
    Pillow.new("RGB", (40, 30), colour).save(file, form)
    return file.getvalue()


PNG = picture()
SMALL = replace(DEFAULT_OPTIONS, limits=Limits(max_read=1_000_000))

# --- the network, watched ---------------------------------------------------------------------------------------------

_connects: list[Any] = []
sys.addaudithook(lambda event, args: _connects.append(args[1]) if event == "socket.connect" else None)


@pytest.fixture
def connects() -> Iterator[list[Any]]:
    """The addresses to which a socket was connected during the test, by whatever code."""
    _connects.clear()
    yield _connects
    _connects.clear()


class Names(AbstractResolver):
    """Names and their addresses; a list of lists gives another answer at each look-up, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = answers

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        answers = self.answers[host.removesuffix(".test")]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass


def home_too(address: str) -> str | None:
    """The strict rule, and the one address at which a test's server listens."""
    return None if address == "127.0.0.1" else public_only(address)


HOME = replace(SMALL, rule=home_too, resolver=Names(pictures=[["127.0.0.1"]]))

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """The URL of a server at which every path gets the answer."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield f"http://pictures.test:{server.port}"


def saying(body: bytes, **options: Any) -> Answer:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, **options)

    return answer


async def fetched(answer: Answer, path: str = "/cat.png", how: Any = HOME) -> Image:
    async with serving(answer) as url:
        return await load(ImageRef("url", url + path), how)


# --- what is at hand --------------------------------------------------------------------------------------------------

AT_HAND = {
    "bytes": ImageRef("bytes", PNG, "cat.png"),
    "base64": ImageRef("base64", base64.encodebytes(PNG).decode(), "cat.png"),
    "data URI": ImageRef("url", "data:image/gif;base64," + base64.b64encode(PNG).decode(), "cat.png"),
    "image": Image(PNG, "cat.png", "image/gif"),
}


@pytest.mark.parametrize("source", AT_HAND.values(), ids=AT_HAND)
async def test_every_kind_gives_the_same_bytes_with_the_type_found_in_them(source: Image | ImageRef) -> None:
    assert await load(source) == Image(PNG, "cat.png", "image/png")


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        (ImageRef("bytes", b""), UnreadableImageError, "an empty file"),
        (ImageRef("bytes", b"%PDF-1.7"), UnreadableImageError, "a PDF"),
        (ImageRef("bytes", "text"), ConfigError, "kind 'base64'"),
        (ImageRef("base64", "!!!"), UnreadableImageError, "base64"),
        (ImageRef("base64", "a" * 2_000_000), ImageError, "larger than the 1,000,000 bytes"),
        (ImageRef("bytes", b"a" * 1_000_001), ImageError, "at most 1,000,000 are read"),
        (ImageRef("url", "data:image/png;base64"), UnreadableImageError, "no comma"),
        (ImageRef("url", "data:image/svg+xml,<svg/>"), UnreadableImageError, "SVG"),
        (Image(b"<html>", "cat.png", "image/png"), UnreadableImageError, "web page"),
    ],
)
async def test_what_cannot_be_used_is_refused(source: Any, kind: type[DynasparkError], words: str) -> None:
    with pytest.raises(kind, match=words):
        await load(source, SMALL)


# --- files ------------------------------------------------------------------------------------------------------------


async def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    assert await load(ImageRef("path", str(tmp_path / "cat.png"))) == Image(PNG, "cat.png", "image/png")


async def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    (tmp_path / "link").symlink_to(tmp_path / "cat.png")
    assert await load(ImageRef("path", str(tmp_path / "link"))) == Image(PNG, "link.png", "image/png")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no FIFOs")
async def test_a_fifo_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cat.png")
    with pytest.raises(ForbiddenImageError, match="not a regular file"):
        await load(ImageRef("path", str(tmp_path / "cat.png")))


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
async def test_a_device_is_refused() -> None:
    with pytest.raises(ForbiddenImageError, match="not a regular file"):
        await load(ImageRef("path", "/dev/zero"))


async def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"not a regular file|cannot be read"):
        await load(ImageRef("path", str(tmp_path)))


async def test_a_large_file_is_refused_after_the_limit(tmp_path: Path) -> None:
    with (tmp_path / "cat.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ImageError, match="larger than the 1,000,000 bytes"):
        await load(ImageRef("path", str(tmp_path / "cat.png")), SMALL)


@pytest.mark.parametrize("path", ["missing.png", "nul\0.png", "a" * 5000, ""])
async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, path: str) -> None:
    with pytest.raises(ImageError, match="cannot be read: "):
        await load(ImageRef("path", f"{tmp_path}/{path}/x"))


# --- what a programmer hands over -------------------------------------------------------------------------------------


async def test_an_open_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    with (tmp_path / "cat.png").open("rb") as file:
        assert await image_from(("cat.png", file)) == ImageRef("bytes", PNG, "cat.png")


async def test_a_stream_that_cannot_be_sought_is_read() -> None:
    read, write = os.pipe()
    os.write(write, PNG)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        assert await image_from(stream) == ImageRef("bytes", PNG)


async def test_a_file_that_has_to_be_awaited_is_refused_with_the_way_out() -> None:
    class Upload:
        """As FastAPI's `UploadFile`."""

        async def read(self, _size: int = -1) -> bytes:
            return PNG

    with pytest.raises(ConfigError, match=r"give the bytes: await file\.read\(\)$"):
        await image_from(Upload())


async def test_a_file_open_as_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.txt").write_text("hi")
    with (tmp_path / "cat.txt").open() as file, pytest.raises(ConfigError, match="binary mode"):
        await image_from(file)


async def test_a_closed_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(PNG)
    with (tmp_path / "cat.png").open("rb") as file:
        pass
    buffer = BytesIO(PNG)
    buffer.close()
    opened: list[object] = [file, buffer]
    for closed in opened:
        with pytest.raises(ImageError, match=r"cannot be read: .*closed file"):
            await image_from(closed)


async def test_pillow_may_be_half_imported_by_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", ModuleType("PIL.Image"))
    assert await image_from(PNG) == ImageRef("bytes", PNG)


async def test_a_buffer_is_taken_whole_wherever_it_stands() -> None:
    buffer = BytesIO()
    buffer.write(PNG)
    assert await image_from(buffer) == ImageRef("bytes", PNG)


@pytest.mark.parametrize("orientation", range(10))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_a_pillow_image_of_a_file_is_upright(mode: str, form: str, orientation: int) -> None:
    """What was made of it, as by rotate, is sent as the program made it."""
    picture = Pillow.new(mode, (32, 16), "black")
    picture.paste("white", (0, 0, 16, 8))
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    picture.save(file := BytesIO(), form, exif=exif)
    opened = Pillow.open(file)
    upright, made = ImageOps.exif_transpose(opened), opened.rotate(90, expand=True)
    for given, expected in ((opened, upright), (made, made)):
        source = await image_from(given)
        assert isinstance(source, ImageRef)
        assert isinstance(source.source, bytes)
        sent = Pillow.open(BytesIO(source.source))
        assert (sent.size, sent.tobytes()) == (expected.size, expected.convert("RGB").tobytes())


async def test_a_pillow_image_is_encoded() -> None:
    source = await image_from(("cat", Pillow.new("CMYK", (40, 30))))
    assert (await load(source)).name == "cat.png"


async def test_other_values_are_left_to_image_ref() -> None:
    assert await image_from(Path("cat.png")) == ImageRef("path", "cat.png")
    with pytest.raises(ConfigError, match="cannot read an image from int"):
        await image_from(3)


# --- the web ----------------------------------------------------------------------------------------------------------


async def test_a_picture_is_fetched_and_named_after_its_url(connects: list[Any]) -> None:
    async with serving(saying(PNG)) as url:
        assert await load(ImageRef("url", f"{url}/a/my%20cat.png?size=1"), HOME) == Image(
            PNG, "my cat.png", "image/png"
        )
        assert connects == [("127.0.0.1", int(url.rsplit(":", 1)[1]))]


async def test_the_picture_host_learns_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine pictures.test login me password secret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heads: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        heads.append(dict(request.headers))
        if request.path == "/start":
            raise web.HTTPFound("/cat.png", headers={"Set-Cookie": "track=me"})
        return web.Response(body=PNG)

    await fetched(answer, "/start")
    assert [set(head) - {"Accept-Encoding", "Connection"} for head in heads] == [{"Host", "User-Agent", "Accept"}] * 2


async def test_urls_are_not_fetched_where_that_is_off(connects: list[Any]) -> None:
    with pytest.raises(ForbiddenImageError, match="allow_image_urls"):
        await load(ImageRef("url", "https://pictures.example/cat.png"), replace(DEFAULT_OPTIONS, allow_urls=False))
    assert connects == []


LITERALS = (
    *("127.0.0.1", "127.1", "127.0.0.1.", "0x7f.1", "0x7f000001", "2130706433"),
    *("017700000001", "0177.0.0.1", "0", "0.0.0.0", "localhost", "localhost."),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]"),
    *("[2002:7f00:1::]", "[2001:0:1::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]"),
    *("169.254.169.254", "100.64.0.1", "100.100.100.200", "10.0.0.1", "172.16.0.1", "192.168.0.1"),
    *("192.0.0.192", "168.63.129.16", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
    *(
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.0.0.1",
    ),  # full-width, ideographic dots, circled
)


@pytest.mark.parametrize("host", LITERALS)
async def test_no_spelling_of_a_private_host_is_connected_to(connects: list[Any], host: str) -> None:
    with pytest.raises(ImageError):
        await load(ImageRef("url", f"http://{host}:8080/cat.png"))
    assert connects == []


ANSWERS = {
    "loopback": ["127.0.0.1"],
    "private": ["10.1.2.3"],
    "metadata": ["169.254.169.254"],
    "IPv6 loopback": ["::1"],
    "mapped": ["::ffff:127.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1"],
    "public, then private": ["8.8.8.8", "10.1.2.3"],
    "private, then public": ["10.1.2.3", "8.8.8.8"],
    "public IPv6, then private": ["2606:4700:4700::1111", "192.168.1.1"],
    "another spelling": ["2130706433"],
}


@pytest.mark.parametrize("addresses", ANSWERS.values(), ids=ANSWERS)
async def test_a_name_with_any_private_address_is_refused(connects: list[Any], addresses: list[str]) -> None:
    how = replace(DEFAULT_OPTIONS, resolver=Names(pictures=[addresses]))
    with pytest.raises(ForbiddenImageError, match=r"pictures\.test is not fetched from: its address"):
        await load(ImageRef("url", "http://pictures.test/cat.png"), how)
    assert connects == []


async def test_the_address_of_the_socket_itself_passes_the_gate(connects: list[Any]) -> None:
    asked: list[str] = []

    def once(address: str) -> str | None:
        asked.append(address)
        return None if len(asked) == 1 else "was only allowed once"

    with pytest.raises(ForbiddenImageError, match="only allowed once"):
        await fetched(saying(PNG), how=replace(HOME, rule=once))
    assert (asked, connects) == (["127.0.0.1"] * 2, [])


async def test_a_name_that_turns_private_between_two_look_ups_is_refused(connects: list[Any]) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/cat.png")

    how = replace(HOME, resolver=Names(pictures=[["127.0.0.1"], ["127.0.0.2"]]))
    with pytest.raises(ForbiddenImageError, match=r"127\.0\.0\.2"):
        await fetched(answer, "/start", how)
    assert [address for address, _ in connects] == ["127.0.0.1"]


REDIRECTS = {
    "private literal": "http://10.0.0.1/",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "odd spelling": "http://2130706433/",
    "IPv6": "http://[::1]/",
    "name": "http://inside.test/",
    "file": "file:///etc/passwd",
    "other scheme": "ftp://8.8.8.8/cat.png",
    "data": "data:image/png;base64,AAAA",
    "credentials": "http://me:secret@8.8.8.8/",
    "port": "http://8.8.8.8:25/",
}


@pytest.mark.parametrize("target", REDIRECTS.values(), ids=REDIRECTS)
@pytest.mark.parametrize("status", [301, 303, 308])
async def test_every_redirect_passes_the_gate(connects: list[Any], target: str, status: int) -> None:
    how = replace(HOME, resolver=Names(pictures=[["127.0.0.1"]], inside=[["192.168.1.1"]]))
    with pytest.raises(ForbiddenImageError) as caught:
        await fetched(saying(b"", status=status, headers={"Location": target}), how=how)
    assert [address for address, _ in connects] == ["127.0.0.1"]
    assert "secret" not in str(caught.value)


async def test_redirects_are_followed_a_few_times() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        left = int(request.path.strip("/"))
        if left:
            raise web.HTTPTemporaryRedirect(f"{left - 1}")
        return web.Response(body=PNG)

    assert (await fetched(answer, "/5")).data == PNG
    with pytest.raises(ImageError, match="redirected more than 5 times"):
        await fetched(answer, "/6")


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(body=picture("green"))

    async with serving(proxy) as url:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, url.replace("pictures.test", "127.0.0.1"))
        assert (await fetched(saying(PNG))).data == PNG
    assert asked == []


BODIES: dict[str, tuple[Answer, type[DynasparkError], str]] = {
    "HTML": (saying(b"<!doctype html><html>", content_type="image/png"), UnreadableImageError, "a web page"),
    "SVG": (saying(b"<svg/>", content_type="image/svg+xml"), UnreadableImageError, "an SVG"),
    "text": (saying(b"no", content_type="image/png"), UnreadableImageError, "look like text, not an image"),
    "PDF": (saying(b"%PDF-1.4", content_type="image/png"), UnreadableImageError, "a PDF"),
    "empty": (saying(b""), UnreadableImageError, "an empty file"),
    "not found": (saying(PNG, status=404), ImageError, "answered 404"),
    "error": (saying(PNG, status=500), ImageError, "answered 500"),
    "not modified": (saying(b"", status=304), ImageError, "answered 304"),
    "redirect to nowhere": (saying(b"", status=302), ImageError, "answered 302"),
    "redirect to what is no URL": (
        saying(b"", status=302, headers={"Location": "http://["}),
        ImageError,
        "cannot be r",
    ),
    "too large": (saying(bytes(1_000_001)), ImageError, "larger than the 1,000,000 bytes"),
    "no gzip": (saying(PNG, headers={"Content-Encoding": "gzip"}), ImageError, "compression is damaged"),
}


@pytest.mark.parametrize(("answer", "kind", "words"), BODIES.values(), ids=BODIES)
async def test_what_comes_instead_of_a_picture_is_named(answer: Answer, kind: type[ImageError], words: str) -> None:
    with pytest.raises(kind, match=words):
        await fetched(answer)


async def test_an_error_behind_a_redirect_names_where_it_led() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/cat.png":
            return web.Response(status=302, headers={"Location": "/moved?key=secret"})
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    with pytest.raises(ImageError, match=r"^http://pictures.test:\d+/moved c") as caught:
        await fetched(answer)
    assert "secret" not in str(caught.value)


async def test_the_type_is_found_in_the_bytes_and_not_in_the_header() -> None:
    image = await fetched(saying(picture(form="JPEG"), content_type="text/html"), "/cat.png")
    assert (image.name, image.content_type) == ("cat.jpg", "image/jpeg")


async def test_a_body_without_a_length_is_cut_off_at_the_limit() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65_536))

    with pytest.raises(ImageError, match="larger than the 1,000,000 bytes"):
        await fetched(answer)


async def test_a_compressed_bomb_is_cut_off_at_the_limit() -> None:
    bomb = gzip.compress(bytes(100_000_000))

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    tracemalloc.start()
    with pytest.raises(ImageError, match="larger than the 1,000,000 bytes"):
        await fetched(answer)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16_000_000


@asynccontextmanager
async def raw(answer: bytes, until: asyncio.Event | None = None) -> AsyncIterator[str]:
    """A server that writes these bytes, waits for the event, and closes."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if until:
            await until.wait()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://pictures.test:{server.sockets[0].getsockname()[1]}/cat.png?key=secret"
        if until:
            until.set()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
BROKEN = {
    "cut off by length": (HEAD + PNG, "broke off"),
    "cut off in chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n\x89PNG\r\r\n", "broke off"),
    "bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "broke off|could not be fetched"),
    "no answer": (b"", "closed the connection without an answer"),
    "no HTTP": (b"220 smtp ready\r\n\r\n", "could not be fetched"),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000, "could not be fetched"),
}


@pytest.mark.parametrize(("answer", "words"), BROKEN.values(), ids=BROKEN)
async def test_a_broken_answer_is_an_error_of_ours(answer: bytes, words: str) -> None:
    async with raw(answer) as url:
        with pytest.raises(ImageError, match=words) as caught:
            await load(ImageRef("url", url), HOME)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, HEAD + PNG[:20]])
async def test_one_deadline_covers_the_whole_download(start: bytes) -> None:
    async with raw(start, asyncio.Event()) as url, asyncio.timeout(3):
        with pytest.raises(RequestTimeoutError, match=r"within 0\.05 s") as caught:
            await load(ImageRef("url", url), replace(HOME, timeout=0.05))
    assert "secret" not in str(caught.value)


async def test_the_deadline_covers_the_look_up_of_the_name() -> None:
    class Slow(Names):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            await asyncio.Event().wait()
            return []

    async with asyncio.timeout(3):
        with pytest.raises(RequestTimeoutError):
            await load(ImageRef("url", "http://pictures.test/"), replace(HOME, timeout=0.05, resolver=Slow()))


async def test_a_cancelled_download_ends_at_once_with_its_connection() -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await reader.read()
        gone.set()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        url = f"http://pictures.test:{server.sockets[0].getsockname()[1]}/"
        download = asyncio.create_task(load(ImageRef("url", url), HOME))
        await asked.wait()
        download.cancel()
        with pytest.raises(asyncio.CancelledError):
            await download
        await asyncio.wait_for(gone.wait(), 1)


async def test_nobody_at_home_is_an_error_of_ours() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://pictures.test:{taken.getsockname()[1]}/cat.png?key=secret"
        with pytest.raises(ImageError, match="cannot be reached") as caught:
            await load(ImageRef("url", url), HOME)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://", "http://[", "http://a b/", f"http://{'a' * 300}.test/", "http://pictures..x/"]
)
async def test_a_url_that_leads_nowhere_is_an_error_of_ours(url: str, connects: list[Any]) -> None:
    class Nowhere(Names):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            raise OSError(None, "no such name")

    with pytest.raises(ImageError):
        await load(ImageRef("url", url), replace(DEFAULT_OPTIONS, resolver=Nowhere()))
    assert connects == []


# --- packed -----------------------------------------------------------------------------------------------------------


async def test_one_image_is_packed_untouched() -> None:
    result = await load_packed([ImageRef("bytes", PNG, "cat.png")])
    assert (result.file, result.numbers) == (Image(PNG, "cat.png", "image/png"), (1,))


async def test_no_image_is_packed_as_no_file() -> None:
    assert (await load_packed([])).file is None


async def test_several_are_loaded_together_and_numbered_in_order() -> None:
    async with serving(saying(picture("green"))) as url:
        sources = [
            ImageRef("bytes", PNG),
            ImageRef("url", f"{url}/a"),
            ImageRef("bytes", PNG),
            ImageRef("url", f"{url}/b"),
        ]
        result = await load_packed(sources, "sheet", HOME)
    assert result.numbers == (1, 2, 1, 3)
    assert result.file is not None
    assert result.file.name == "images.png"


async def test_only_what_is_shown_is_loaded(connects: list[Any]) -> None:
    sources = [ImageRef("url", "http://127.0.0.1/"), ImageRef("bytes", PNG)]
    result = await load_packed(sources, "last")
    assert (result.numbers, set(result.hidden), connects) == ((1, 2), {1}, [])


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ([PNG, b"%PDF-"], 2),
        ([b"%PDF-", PNG, b"%PDF-"], 1),
        ([*(PNG + bytes([each]) for each in range(29)), b"%PDF-"], 30),
    ],
    ids=["second", "twice", "one of many"],
)
async def test_the_image_that_cannot_be_used_is_named_by_its_number(written: list[bytes], number: int) -> None:
    with pytest.raises(UnreadableImageError, match=f"^image {number}: a PDF"):
        await load_packed([ImageRef("bytes", each) for each in written])


async def test_images_that_are_too_large_together_are_refused() -> None:
    how = replace(DEFAULT_OPTIONS, limits=Limits(max_total=len(PNG) + 50))
    sources = [ImageRef("bytes", PNG), ImageRef("bytes", picture("blue"))]
    with pytest.raises(ImageError, match="together"):
        await load_packed(sources, "sheet", how)


async def test_the_loop_runs_on_while_pictures_are_worked_on() -> None:
    file = BytesIO()
    Pillow.effect_noise((3000, 2000), 90).convert("RGB").save(file, "JPEG", quality=95)
    work = asyncio.create_task(
        load_packed(
            [ImageRef("bytes", file.getvalue())], "sheet", replace(DEFAULT_OPTIONS, limits=Limits(max_pixels=10_000))
        )
    )
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await work).file is not None
    assert turns > 100


async def test_an_address_of_a_history_is_fetched_once() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response(
            body=PNG if request.path == "/good" else b"gone", status=200 if "good" in request.path else 404
        )

    dead: set[str] = set()
    async with serving(answer) as url:
        good, bad = ImageRef("url", f"{url}/good"), ImageRef("url", f"{url}/bad")
        for _ in range(3):
            packed = await load_packed([good, bad], "sheet", HOME, History(now=0, large=2, dead=dead))
            assert (packed.numbers, set(packed.hidden)) == ((1, 2), {2})
        assert sorted(seen) == ["/bad", "/good"]
        with pytest.raises(ImageError, match="404"):  # sent now: it is tried again
            await load_packed([good, bad], "sheet", HOME, History(now=1, large=1, dead=dead))
        assert seen.count("/bad") == 2
        with pytest.raises(ForbiddenImageError):  # what one may fetch is not shown to another
            await load_packed([good], "sheet", replace(HOME, allow_urls=False))


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ({"status": 404}, "404"),
        ({"text": "<html>Your picture is being drawn.</html>", "content_type": "text/html"}, "a web page"),
        ({"body": PNG[:40]}, "truncated"),
    ],
    ids=["an error", "a page", "a part"],
)
async def test_an_address_that_answers_again_is_fetched_for_a_history_too(first: dict[str, Any], words: str) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response(**first) if len(seen) == 1 else web.Response(body=PNG)

    dead: set[str] = set()
    async with serving(answer) as url:
        picture = [ImageRef("url", f"{url}/late")]
        with pytest.raises(ImageError, match=words):
            await load_packed(picture, "sheet", HOME, History(now=1, large=1, dead=dead))
        assert (await load_packed(picture, "sheet", HOME, History(now=1, large=1, dead=dead))).file is not None
        assert (await load_packed(picture, "sheet", HOME, History(now=0, large=1, dead=dead))).file is not None


async def test_the_only_address_of_a_history_is_tried_again_once_it_is_sent_anew() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.Response(status=404)

    dead: set[str] = set()
    async with serving(answer) as url:
        bad = ImageRef("url", f"{url}/bad")
        for _ in range(3):
            packed = await load_packed([bad], "sheet", HOME, History(now=0, large=1, dead=dead))
            assert (packed.file, packed.numbers, set(packed.hidden)) == (None, (1,), {1})
        assert seen == ["/bad"]
        with pytest.raises(ImageError, match=r"^http://pictures.test:\d+/bad"):
            await load_packed([bad], "sheet", HOME, History(now=1, large=1, dead=dead))
    assert seen == ["/bad", "/bad"]


async def test_a_history_does_not_wait_for_a_host_that_has_gone_silent() -> None:
    """Of two addresses the one that was tried is not tried again; there was no time for the other one."""
    end, seen = asyncio.Event(), list[str]()

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        if request.path != "/new":
            await end.wait()
        return web.Response(body=PNG)

    dead: set[str] = set()
    async with serving(answer) as url:
        old, other, new = (ImageRef("url", f"{url}/{name}") for name in ("old", "other", "new"))
        for refs, past, asked in (([old, new], 0.05, ["/new", "/old"]), ([old, other, new], 0, ["/new", "/old"])):
            deadline = asyncio.get_running_loop().time() + past
            packed = await load_packed(refs, "sheet", HOME, History(1, 1, dead, deadline))
            assert packed.file is not None
            assert (packed.numbers[-1:], set(packed.hidden)) == ((len(refs),), {*range(1, len(refs))})
            assert (sorted(seen), dead) == (asked, {f"{url}/old"})
        end.set()


async def test_a_client_that_lives_long_remembers_only_so_many_dead_addresses() -> None:
    dead: set[str] = set()
    for number in range(MAX_DEAD_ADDRESSES + 10):
        with pytest.raises(ForbiddenImageError):
            await load_packed([ImageRef("url", f"http://127.0.0.1/{number}")], history=History(dead=dead))
        assert f"http://127.0.0.1/{number}" in dead
    assert len(dead) == MAX_DEAD_ADDRESSES

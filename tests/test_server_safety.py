"""What the local service refuses: pages of other hosts, slow and swollen forms, broken bytes. At the wire."""

import asyncio
import gzip
import io
import logging
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image
from serving import PNG

from dynaspark_core import DynasparkClient
from dynaspark_core.server import LocalService, RefusedError, Rules, Script
from dynaspark_core.server.local.ocr import decode_image
from dynaspark_core.server.urlencoded import MAX_FIELDS, TooLarge, UrlencodedReader

URLENCODED = "application/x-www-form-urlencoded"
Headers = Mapping[str, str | bytes]
MULTIPART = "multipart/form-data; boundary=x"


def ask(
    url: str,
    blocks: Iterable[bytes] = (b"user_input=Hi",),
    *,
    target: str = "POST /generate_response",
    end: bool = True,
    headers: Headers | None = None,
) -> tuple[int, bytes]:
    """The status and the rest of the answer to these bytes, on a connection of their own; 0 where none came."""
    host, port = url.removeprefix("http://").split(":")
    lines: dict[str, str | bytes] = {
        "Host": f"{host}:{port}",
        "Content-Type": URLENCODED,
        "Transfer-Encoding": "chunked",
        "Connection": "close",
    }
    lines |= headers or {}
    head = f"{target} HTTP/1.1\r\n".encode()
    for name, value in lines.items():
        head += name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        try:
            connection.sendall(head + b"\r\n")
            for block in blocks:
                connection.sendall(b"%x\r\n%b\r\n" % (len(block), block))
            connection.sendall(b"0\r\n\r\n" if end else b"")
        except OSError:
            pass  # it has heard enough
        answer = b""
        try:
            while block := connection.recv(1 << 16):
                answer += block
        except ConnectionResetError:
            pass
    return int(answer.split(b" ", 2)[1]) if answer else 0, answer


@pytest.fixture
def service() -> Iterator[LocalService]:
    with LocalService(Script(lambda _: "Hello.")) as running:
        yield running


# Pages in a browser

OWN = "{url}"
REQUESTS: dict[str, tuple[dict[str, str], int]] = {
    "curl": ({}, 200),
    "our client": ({"Origin": OWN, "Referer": OWN + "/"}, 200),
    "the service's own page": ({"Origin": OWN, "Sec-Fetch-Site": "same-origin"}, 200),
    "an address typed in": ({"Sec-Fetch-Site": "none"}, 200),
    "localhost": ({"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}, 200),
    "a name under localhost": ({"Host": "llm.localhost:{port}"}, 200),
    "another loopback address": ({"Host": "127.8.8.8"}, 200),
    "IPv6": ({"Host": "[::1]:{port}", "Origin": "http://[::1]:{port}"}, 200),
    "behind TLS": ({"Host": "localhost", "Origin": "https://localhost"}, 200),
    "a name in capitals": ({"Host": "LOCALHOST:{port}", "Origin": "http://localhost:{port}"}, 200),
    "a name with a dot at its end": ({"Host": "localhost.:{port}", "Origin": "http://localhost.:{port}"}, 200),
    "IPv4 written as IPv6": ({"Host": "[::ffff:127.0.0.1]:{port}"}, 200),
    "a named host in capitals": ({"Host": "LLM.example.", "Origin": "https://llm.example."}, 200),
    "a named host with any port": ({"Host": "llm.example:8080"}, 200),
    "a host named with its port": ({"Host": "port.example:81"}, 200),
    "an address named without brackets": ({"Host": "[fd00::1]:9"}, 200),
    "a named page, its port written": ({"Origin": "https://APP.example:443"}, 200),
    "another port than the named one": ({"Host": "port.example:82"}, 403),
    "every address": ({"Host": "0.0.0.0:{port}"}, 403),
    "a short address": ({"Host": "127.1"}, 403),
    "an address as a number": ({"Host": "2130706433"}, 403),
    "two names": ({"Host": "localhost, evil.example"}, 403),
    "an escaped name": ({"Host": "evil.example%2elocalhost"}, 403),
    "a port that is none": ({"Host": "localhost:x", "Origin": "null"}, 403),
    "a named page by http": ({"Origin": "http://app.example"}, 403),
    "a WebSocket of another page": ({"Origin": "http://evil", "Upgrade": "websocket"}, 403),
    "a named host": ({"Host": "llm.example", "Origin": "https://llm.example"}, 200),
    "a named page": ({"Origin": "https://app.example", "Sec-Fetch-Site": "cross-site"}, 200),
    "a form of another page": ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403),
    "a form of another page, old browser": ({"Origin": "https://evil.example"}, 403),
    "another port of this machine": ({"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}, 403),
    "another name of this machine": ({"Origin": "http://localhost:{port}"}, 403),
    "an image in another page": ({"Sec-Fetch-Site": "cross-site"}, 403),
    "a sandboxed page": ({"Origin": "null"}, 403),
    "a file opened in the browser": ({"Origin": "file://"}, 403),
    "a name that leads here": ({"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}"}, 403),
    "a name that begins like ours": ({"Host": "127.0.0.1.evil.example"}, 403),
    "a name that ends like ours": ({"Host": "evillocalhost"}, 403),
    "a user in the name": ({"Host": "localhost@evil.example"}, 403),
    "an address of the network": ({"Host": "192.168.1.10"}, 403),
    "an empty name": ({"Host": ""}, 403),
    "half an address": ({"Host": "[::1"}, 403),
    "a page that begins like a named one": ({"Origin": "https://app.example.evil"}, 403),
    "a broken origin": ({"Origin": "http://[::1"}, 403),
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("target", ["POST /generate_response", "GET /nothing"])
def test_a_web_page_may_not_use_the_service(name: str, target: str) -> None:
    headers, expected = REQUESTS[name]
    script = Script(lambda _: "Hello.")
    rules = Rules(allow_hosts=("llm.example", "port.example:81", "fd00::1"), allow_origins=("https://app.example/",))
    with LocalService(script, rules=rules) as service:
        port = service.url.rpartition(":")[2]
        filled = {key: value.format(url=service.url, port=port) for key, value in headers.items()}
        status, answer = ask(service.url, target=target, headers=filled)
    assert status == (404 if expected == 200 and target.startswith("GET") else expected)
    assert len(script.asked) == (status == 200)
    assert expected == 200 or b"--allow-" in answer


OWN_HOST = b"Host: localhost\r\n"
HEADS = {
    "HTTP/1.0": (b"POST /generate_response HTTP/1.0\r\n" + OWN_HOST, 200),
    "HTTP/1.0 without a host": (b"POST /generate_response HTTP/1.0\r\n", 403),
    "no host": (b"POST /generate_response HTTP/1.1\r\n", 400),
    "two hosts": (b"POST /generate_response HTTP/1.1\r\n" + OWN_HOST + b"Host: evil\r\n", 400),
    "two hosts, ours behind": (b"POST /generate_response HTTP/1.1\r\nHost: evil\r\n" + OWN_HOST, 400),
    "two origins": (
        b"POST /generate_response HTTP/1.1\r\nOrigin: http://localhost\r\nOrigin: http://evil\r\n" + OWN_HOST, 403),
    "a whole URL": (b"POST http://localhost/generate_response HTTP/1.1\r\n" + OWN_HOST, 200),
    "a whole URL of another": (b"POST http://evil/generate_response HTTP/1.1\r\n" + OWN_HOST, 403),
    "a whole URL, another host": (b"POST http://localhost/generate_response HTTP/1.1\r\nHost: evil\r\n", 403),
    "a blank behind the name": (b"POST /generate_response HTTP/1.1\r\nHost : evil\r\n" + OWN_HOST, 400),
    "a name in two lines": (b"POST /generate_response HTTP/1.1\r\nHost: localhost\r\n evil\r\n", 400),
    "no HTTP": (b"\x00\x01\r\n", 400),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_can_be_read_in_two_ways_is_refused(name: str, caplog: pytest.LogCaptureFixture) -> None:
    head, expected = HEADS[name]
    rest = f"Content-Type: {URLENCODED}\r\nContent-Length: 13\r\nConnection: close\r\n\r\nuser_input=Hi"
    with LocalService(script := Script("Hello.")) as service:
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(head + rest.encode())
            status = int(connection.makefile("rb").readline().split()[1])
    assert (status, len(script.asked)) == (expected, expected == 200)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_our_own_client_and_the_named_page_keep_working(service: LocalService) -> None:
    assert (await DynasparkClient(base_url=service.url).complete("Hi")).text == "Hello."
    rules = Rules(allow_origins=("https://app.example",))
    with LocalService(Script("Hello."), rules=rules) as other:
        asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        status, answer = await asyncio.to_thread(ask, other.url, target="OPTIONS /generate_response", headers=asks)
        assert (status, b"Access-Control-Allow-Origin: https://app.example" in answer) == (204, True)
        status, answer = await asyncio.to_thread(ask, other.url, headers={"Origin": "https://app.example"})
        assert (status, b"Access-Control-Allow-Origin: https://app.example" in answer) == (200, True)


def test_on_other_addresses_the_key_protects() -> None:
    with LocalService(Script("Hello."), host="0.0.0.0", rules=Rules(api_key="k")) as service:  # on purpose
        port = service.url.rpartition(":")[2]
        strange = {"Host": "llm.lan", "Origin": "http://elsewhere"}
        here, keyed = f"http://127.0.0.1:{port}", strange | {"Authorization": "Bearer k"}
        assert [ask(here, headers=strange)[0], ask(here, headers=keyed)[0]] == [401, 200]


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("options", "warned"), [([], True), (["--api-key", "k"], False), (["--host", "127.0.0.1"], False)]
)
def test_serve_warns_that_everybody_may_use_it(options: list[str], warned: bool) -> None:
    command = [sys.executable, "-m", "dynaspark_core", "serve", "--engine", "script", "--port", "0"]
    with subprocess.Popen(
        [*command, "--host", "0.0.0.0", *options],  # on purpose
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent,
    ) as served:  # fmt: skip
        assert served.stdout is not None
        served.stdout.readline()
        served.send_signal(signal.SIGTERM)
        _, errors = served.communicate(timeout=30)
    assert ("anybody who reaches 0.0.0.0 can use this service: set DYNASPARK_SERVICE_KEY" in errors) is warned


# Forms that would block it


@pytest.fixture
def steps() -> Iterator[Counter[str]]:
    """Counts the calls, of Python and of C functions, in threads that begin inside this block."""
    counted: Counter[str] = Counter()

    def count(_frame: object, event: str, _argument: object) -> None:
        counted[event] += 1

    threading.setprofile(count)
    yield counted
    threading.setprofile(None)


def part(name: str, content: bytes, kind: str = "text/plain") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content + b"\r\n"


SLOW = ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "rot13", "zlib", "bz2", "hex", "undefined",
        "nonsense", "utf-16", "x" * 4000, "../x", "\x00"]  # fmt: skip


@pytest.mark.parametrize("charset", SLOW)
def test_a_slow_charset_is_refused_unread(charset: str, steps: Counter[str]) -> None:
    body = part("user_input", b"ab" * 100_000 + b"-" + b"zz" * 100_000, f"text/plain; charset={charset}") + b"--x--\r\n"
    with LocalService(Script("Hello.")) as service:
        status, answer = ask(service.url, [body], headers={"Content-Type": MULTIPART})
    assert (status, b"charset" in answer or charset in {"../x", "\x00"}) == (400, True)
    assert steps["call"] + steps["c_call"] < 60_000


CHARSETS = ["utf-8", "UTF8", "latin-1", "windows-1252", "shift_jis", "gb18030", "big5", "euc-kr", "koi8-r", "us-ascii"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_the_webs_charsets_are_read(charset: str) -> None:
    said = "Hi" if charset == "us-ascii" else "日本" if charset in {"shift_jis", "gb18030", "big5", "euc-kr"} else "Да"
    said = "Ö" if charset in {"latin-1", "windows-1252"} else said
    body = part("user_input", said.encode(charset), f"text/plain; charset={charset}") + b"--x--\r\n"
    with LocalService(script := Script("Hello.")) as service:
        assert ask(service.url, [body], headers={"Content-Type": MULTIPART})[0] == 200
    assert script.asked[0].prompt == said


@pytest.mark.parametrize("pair", [b"a&", b"a=1&", b"&", b"=&", b"stream=1&"])
def test_millions_of_fields_are_refused_in_few_steps(pair: bytes, steps: Counter[str]) -> None:
    with LocalService(Script("Hello.")) as service:
        status, _ = ask(service.url, [pair * 30_000] * 30)
    assert status == 400
    assert steps["call"] + steps["c_call"] < 50_000


MEGA = 1 << 20
SWOLLEN: dict[str, tuple[str, list[bytes], int, str]] = {
    "a prompt of nothing but escapes": (URLENCODED, [b"user_input=", *[b"%41" * 20_000] * 90], 200, ""),
    "a field's name without an end": (URLENCODED, [b"x" * 60_000] * 90, 400, ""),
    "a prompt over the limit": (URLENCODED, [b"user_input=", *[b"x" * 60_000] * 200], 413, ""),
    "a prompt over the limit, escaped": (URLENCODED, [b"user_input=", *[b"%41" * 20_000] * 450], 413, ""),
    "a file over the limit": (
        MULTIPART, [part('file"; filename="a', b"", "image/png")[:-2], *[b"x" * 60_000] * 200], 413, ""),
    "a form that unpacks to a hundred megabytes": (
        URLENCODED, [b"".join([gzip.compress(b"user_input=" + b"x" * 100 * MEGA)])], 413, "gzip"),
    "a text before the form without an end": (MULTIPART, [b"x" * 60_000] * 200, 400, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", SWOLLEN)
def test_a_swollen_form_takes_little_memory(name: str) -> None:
    kind, blocks, expected, packed = SWOLLEN[name]
    rules = Rules(max_text_bytes=4 * MEGA, max_file_bytes=4 * MEGA)
    headers = {"Content-Type": kind} | ({"Content-Encoding": packed} if packed else {})
    with LocalService(Script(lambda _: "Hello."), rules=rules) as service:
        ask(service.url)
        tracemalloc.start()
        status, _ = ask(service.url, blocks, headers=headers)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert ask(service.url)[0] == 200
    assert status in {expected, 0}  # 0: it hung up while we were sending
    assert peak < 16 * MEGA


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_urlencoded_form_is_read_however_it_is_cut(cut: int) -> None:
    body = b"user_input=%C3%A9+%2B%%4&ai_model=m%41&&stream=%"
    reader = UrlencodedReader(100)
    for start in range(0, len(body), cut):
        reader.feed(body[start : start + cut])
    assert reader.close() == [("user_input", "é +%%4"), ("ai_model", "mA"), ("stream", "%")]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=12345", TooLarge),
        (b"a=%31%31%31%31%31", TooLarge),
        (b"a=123%", None),
        (b"a=1234%", TooLarge),
        (b"a=1&" * (MAX_FIELDS + 1), ValueError),
        (b"a=%ff", UnicodeDecodeError),
        (b"%ff=1", UnicodeDecodeError),
        (b"n" * 257, ValueError),
    ],
)
def test_a_urlencoded_form_has_bounds(body: bytes, kind: type[Exception] | None) -> None:
    reader = UrlencodedReader(4)

    def read() -> None:
        reader.feed(body)
        reader.close()

    if kind is None:
        read()
    else:
        with pytest.raises(kind):
            read()


def test_a_slow_upload_is_closed() -> None:
    for kind, begun in ((URLENCODED, [b"user_input=H"]), (MULTIPART, [part("user_input", b"H")]), (MULTIPART, [])):
        with LocalService(Script("Hello."), rules=Rules(upload_seconds=0.05)) as service:
            status, answer = ask(service.url, begun, end=False, headers={"Content-Type": kind})
        assert (status, b"did not arrive within 0.05 s" in answer) == (408, True)


# Broken bytes

FILE = part("file", PNG, "image/png").replace(b'"file"', b'"file"; filename="a.png"')
TEXT = part("user_input", b"Hi")
BROKEN: dict[str, tuple[list[bytes], Headers]] = {
    "no boundary": ([TEXT], {"Content-Type": "multipart/form-data"}),
    "a boundary that never comes": ([TEXT], {"Content-Type": "multipart/form-data; boundary=y"}),
    "a boundary of a thousand letters": ([TEXT], {"Content-Type": f"multipart/form-data; boundary={'y' * 1000}"}),
    "no end": ([TEXT[:-10]], {"Content-Type": MULTIPART}),
    "no disposition": ([b"--x\r\n\r\nHi\r\n--x--\r\n"], {"Content-Type": MULTIPART}),
    "a header without a colon": ([b"--x\r\nContent\r\n\r\nHi\r\n--x--\r\n"], {"Content-Type": MULTIPART}),
    "a header that is not UTF-8, in a part": (
        [b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nHi\r\n--x--\r\n'], {"Content-Type": MULTIPART}),
    "a wrong length": ([TEXT.replace(b"text/plain", b"text/plain\r\nContent-Length: -3")], {"Content-Type": MULTIPART}),
    "a form in a form": ([part("user_input", b"", "multipart/mixed; boundary=z")], {"Content-Type": MULTIPART}),
    "thousands of headers": ([b"--x\r\n" + b"A: b\r\n" * 5000], {"Content-Type": MULTIPART}),
    "no gzip": ([b"user_input=Hi"], {"Content-Encoding": "gzip"}),
    "half a gzip": ([gzip.compress(b"user_input=Hi")[:-12]], {"Content-Encoding": "gzip"}),
    "no deflate": ([b"\xff\xfe user_input"], {"Content-Encoding": "deflate"}),
    "a type that is none": ([b"user_input=Hi"], {"Content-Type": "\u2028"}),
    "a type that is not UTF-8": ([b"user_input=Hi"], {"Content-Type": b"text/\xff"}),
    "a header that is not UTF-8": ([b"user_input=Hi"], {"X-Mine": b"\xff\xfe"}),
    "an escape that is not UTF-8": ([b"user_input=%ff"], {}),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bytes_are_a_400_and_no_traceback(name: str, caplog: pytest.LogCaptureFixture) -> None:
    blocks, headers = BROKEN[name]
    caplog.set_level(logging.INFO)
    with LocalService(script := Script("Hello.")) as service:
        status, answer = ask(service.url, blocks, headers=headers)
    assert (status in {400, 415}, b'"error"' in answer, script.asked) == (True, True, [])
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_client_that_leaves_while_it_sends_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    with LocalService(Script("Hello.")) as service:
        for kind in (URLENCODED, MULTIPART):
            host, port = service.url.removeprefix("http://").split(":")
            with socket.create_connection((host, int(port))) as connection:
                head = f"POST /generate_response HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
                connection.sendall(head.encode() + b"Content-Length: 99\r\n\r\n--x\r\n")
        assert ask(service.url)[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# Files


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for Ghostscript")
@pytest.mark.parametrize("kind", ["EPS", "TIFF", "BMP", "PPM", "ICO", "PDF", "TGA", "PCX", "SGI"])
def test_only_four_formats_are_opened_and_no_program_is_started(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {started}\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    Image.new("RGB", (8, 8)).save(file := io.BytesIO(), kind)
    with pytest.raises(RefusedError, match="no image that can be read"):
        decode_image(file.getvalue())
    assert not started.exists()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_four_formats_are_opened(kind: str) -> None:
    Image.new("RGB", (8, 6), "red").save(file := io.BytesIO(), kind)
    assert decode_image(file.getvalue()).size == (8, 6)

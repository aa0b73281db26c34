"""Inputs made to be expensive, and what each costs: `PYTHONPATH=tests python -m bombs` prints the table.

Each is met in a process of its own, which counts the calls of Python and C functions (steps, the same everywhere),
the peak of memory over the input (Linux), and seconds of processor time. What C does inside a call is
not counted; memory and seconds show it.
"""

import gzip
import json
import resource
import struct
import subprocess
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from pathlib import Path
from time import process_time
from typing import Any

from PIL import Image as Pillow

from dynaspark_core.errors import UnreadableImageError
from dynaspark_core.images import Limits, pack, ready_image
from dynaspark_core.server import LocalService, Script

MAX_SECONDS = 20
"""Of processor time; a process that needs more is ended."""
FORM_MB, SCREEN_MB, CAP_MB = 64, 64, 300
MAX_STEPS = 100_000
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
Headers = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """The blocks of a request's body."""

    headers: Headers
    blocks: Iterable[bytes]
    max_steps: int = MAX_STEPS
    max_mb: int = FORM_MB


@dataclass(frozen=True, slots=True)
class Picture:
    """What makes the file."""

    make: Callable[[], bytes]
    max_mb: int = SCREEN_MB
    max_steps: int = MAX_STEPS


def _part(content: bytes, kind: str = "text/plain", name: str = "user_input") -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content + b"\r\n--x--\r\n"


def _saved(mode: str, size: tuple[int, int], form: str, **options: Any) -> bytes:
    grey = Pillow.linear_gradient("L").resize(size)
    picture = Pillow.new(mode, size, 7777) if mode == "I;16" else grey.convert(mode)
    picture.save(file := BytesIO(), form, **options)
    return file.getvalue()


def _animation() -> bytes:
    first, *others = [Pillow.new("RGB", (2000, 2000), (shade, 0, 99)) for shade in range(0, 240, 8)]
    first.save(file := BytesIO(), "WEBP", save_all=True, append_images=others, method=0)
    return file.getvalue()


def _many_scans() -> bytes:
    Pillow.new("L", (3000, 3000)).save(file := BytesIO(), "JPEG", progressive=True)
    data = file.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 2000 + data[-2:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _late_header() -> bytes:
    """A PNG of 144 million pixels whose first chunk is a text that can be taken for the header of a small one."""
    small, large = (struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0) for side in (40, 12_000))
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(12_001 * 100)) for _ in range(120)) + packer.flush()
    chunks = ((b"tEXt", small), (b"IHDR", large), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _broken_exif() -> bytes:
    tags = b"".join(struct.pack(">HHII", 0x9000 + number, 5, 9, 0xFFFF0000) for number in range(2000))
    return _saved("RGB", (400, 300), "JPEG", exif=b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2000) + tags + b"\0" * 4)


def _slow(charset: str) -> Form:
    text = b"ab" * 100_000 + b"-" + b"zz" * 100_000
    return Form(MULTIPART, [_part(text, f"text/plain; charset={charset}")])


CAP, WEBP_CAP, SCREEN = (8000, 6250), (4600, 3760), (1920, 1080)
BOMBS: dict[str, Form | Picture] = {
    "a text in punycode": _slow("punycode"),
    "a text in UTF-7": _slow("utf-7"),
    "a text in idna": _slow("idna"),
    "4.5 million fields": Form(URLENCODED, [b"a=1&" * 15_000] * 300),
    "24 MB of %41": Form(URLENCODED, [b"user_input=", *[b"%41" * 20_000] * 400], max_steps=20_000_000),
    "100 MB out of 100 kB of gzip": Form(
        URLENCODED | {"Content-Encoding": "gzip"}, [gzip.compress(b"user_input=" + b"x" * 100_000_000)]
    ),
    "broken gzip": Form(URLENCODED | {"Content-Encoding": "gzip"}, [b"user_input=Hi"]),
    "a multipart body without its boundary": Form(MULTIPART, [b"x" * 60_000] * 200),
    "a part of 5,000 headers": Form(MULTIPART, [b"--x\r\n" + b"A: b\r\n" * 5000]),
    "a header that is not UTF-8": Form(URLENCODED | {"X-Mine": b"\xff\xfe"}, [b"user_input=Hi"]),
    "a PNG whose header is not its first chunk": Picture(_late_header),
    "an animated WebP": Picture(_animation, CAP_MB),
    "a 16-bit PNG at the cap": Picture(lambda: _saved("I;16", CAP, "PNG"), CAP_MB),
    "a progressive JPEG at the cap": Picture(lambda: _saved("RGB", CAP, "JPEG", progressive=True), CAP_MB),
    "a JPEG of 2,006 scans": Picture(_many_scans),
    "a CMYK JPEG at the cap": Picture(lambda: _saved("CMYK", CAP, "JPEG"), CAP_MB),
    "a WebP at its cap": Picture(lambda: _saved("RGB", WEBP_CAP, "WEBP", method=0), CAP_MB),
    "an EXIF of 2,000 broken tags": Picture(_broken_exif),
    "a PNG of a screen": Picture(lambda: _saved("RGB", SCREEN, "PNG")),
    "a WebP of a screen": Picture(lambda: _saved("RGB", SCREEN, "WEBP", method=0)),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What became of a bomb, and what it cost."""

    end: str
    steps: int = 0
    mb: int = 0
    seconds: float = 0.0


def cost_of(name: str) -> Cost:
    """What the bomb costs, in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return Cost(**json.loads(done.stdout)) if done.returncode == 0 else Cost(f"ended after {MAX_SECONDS} s")


def _measured(name: str) -> Cost:
    bomb = BOMBS[name]
    work = _asking(bomb) if isinstance(bomb, Form) else _decoding(bomb.make())
    next(work)  # what is needed only once
    _forget_peak()
    before, began = _memory("VmRSS"), process_time()
    resource.setrlimit(resource.RLIMIT_CPU, (int(began) + MAX_SECONDS, resource.RLIM_INFINITY))
    end = next(work)
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY,) * 2)
    seconds, peak = process_time() - began, _memory("VmHWM") - before
    return Cost(end, _steps(work), peak, round(seconds, 2))


def _steps(work: Iterator[str]) -> int:
    counted: Counter[str] = Counter()

    def count(_frame: object, event: str, _argument: object) -> None:
        counted[event] += 1

    threading.setprofile(count)  # of the service's thread, which begins in `work`
    sys.setprofile(count)
    next(work)
    sys.setprofile(None)
    threading.setprofile(None)
    return counted["call"] + counted["c_call"]


def _asking(form: Form) -> Iterator[str]:
    """The status of a small request, then of the form; each time the service is another one."""
    yield _status(URLENCODED, [b"user_input=Hi"])
    while True:
        yield _status(form.headers, form.blocks)


def _status(headers: Headers, blocks: Iterable[bytes]) -> str:
    with LocalService(Script("Hello.")) as service:
        connection = HTTPConnection(service.url.removeprefix("http://"), timeout=600)
        with suppress(OSError):  # it has heard enough
            connection.request("POST", "/generate_response", iter(blocks), headers, encode_chunked=True)
        try:
            return str(connection.getresponse().status)
        except (OSError, HTTPException):
            return "hung up"
        finally:
            connection.close()


def _decoding(data: bytes) -> Iterator[str]:
    """What becomes of a small picture, then of the file."""
    small = _saved("RGB", (40, 30), "PNG")
    yield _packed(small)
    while True:
        yield _packed(data)


def _packed(data: bytes) -> str:
    try:
        pack([ready_image(data)], limits=Limits(max_bytes=900))
    except UnreadableImageError:
        return "refused"
    return "read"


def _memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _table() -> Iterator[str]:
    yield "| bomb | end | steps | memory, MB | seconds |"
    yield "|---|---|---|---|---|"
    for name in BOMBS:
        cost = cost_of(name)
        yield f"| {name} | {cost.end} | {cost.steps:,} | {cost.mb} | {cost.seconds} |"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        found = _measured(sys.argv[1])
        sys.stdout.write(json.dumps({name: getattr(found, name) for name in Cost.__slots__}))
    else:
        for row in _table():
            print(row, flush=True)  # noqa: T201  # this is what it is for

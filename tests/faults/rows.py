"""The table: what a host does, and what a caller has to be told. Kinds are the classes of the note's report."""

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote, quote_plus

from dynaspark_core.errors import (
    AccessError,
    ConnectError,
    DynasparkError,
    NotFoundError,
    RateLimitError,
    RejectedError,
    ReplyError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    StreamBrokenError,
    TransportError,
    WakingUpError,
)
from faults.server import (
    Said,
    Talk,
    blurts,
    deaf,
    drips,
    floods,
    halves,
    interrupts,
    keeps,
    leaves,
    resets,
    says,
    stalls,
)

QUESTION = "priv8te-question"
KEY = "k3y/of+thé user=1:2,3@4&5"
PASSWORD = "pässword/4+proxy"
PROMPT = "a pr1vate/question é?"
SHORT = 2.0
"""Seconds: the `timeout` of the faults that never end by themselves."""
Outcome = str | type[DynasparkError]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break, and its outcome: the reply's text, or the error with what it carries.

    `requests` are those that the listener sees of a call for the whole reply; `streamed` those of a stream, where they
    differ, as nothing is asked again once text is out. `calls` are made one after the other on one object. `at` is the
    base URL; with `has_proxy` the listener is the proxy and the service behind it is another one, which must see none.
    `is_heavy` says that it costs tenths of a second of computing.
    """

    kind: str
    name: str
    talk: Talk
    outcome: Outcome
    requests: int
    text: str = ""
    status: int = 0
    retry_after: float | None = None
    streamed: int | None = None
    calls: int = 1
    timeout: float = 60
    max_retries: int = 1
    prompt: str = PROMPT
    at: str = "http://127.0.0.1:{port}"
    has_tls: bool = False
    has_proxy: bool = False
    is_closed: bool = False
    is_heavy: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}"


ROWS: list[Fault] = []


def rows(kind: str, *table: tuple[Any, ...], **common: Any) -> None:
    """Adds (name, talk, outcome, requests, {more}) rows."""
    for name, talk, outcome, requests, *more in table:
        ROWS.append(Fault(kind, name, talk, outcome, requests, **common | (more[0] if more else {})))


def answer(*lines: bytes, body: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", body])


def sized(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    return answer(b"Content-Length: %d" % len(body), *lines, body=body, status=status)


def chunks(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def reply(value: object) -> bytes:
    return sized(json.dumps({"response": value}).encode(), b"Content-Type: application/json")


OK = b'{"response": "whole answer"}'
CUT = OK[:-8]
PART = "whole "
GOOD = sized(OK)
SAID = "whole answer"
CHUNKED = b"Transfer-Encoding: chunked"
EVENTS = b"Content-Type: text/event-stream"
TEXT = b"Content-Type: text/plain"
HTML = b"Content-Type: text/html"
PAGE = b"<!DOCTYPE html><html><head><title>waking</title></head><body><p>Just a moment</p></body></html>"
MEGABYTE = 2**20

BROKEN: dict[str, Any] = {"text": PART, "streamed": 1}
HEAVY: dict[str, Any] = {"is_heavy": True}
LATE: dict[str, Any] = {"timeout": SHORT, "max_retries": 0}

rows(
    "no connection",
    ("refused", leaves(), ConnectError, 0, {"is_closed": True}),
    ("no such host", leaves(), ConnectError, 0, {"at": "http://nowhere.invalid"}),
    ("no such host, TLS", leaves(), ConnectError, 0, {"at": "https://nowhere.invalid"}),
    ("TLS with a plain server", blurts(b"", GOOD), ConnectError, 1, {"at": "https://127.0.0.1:{port}"}),
    ("TLS that closes", leaves(), ConnectError, 2, {"at": "https://127.0.0.1:{port}"}),
    ("TLS that stalls", stalls(), RequestTimeoutError, 0, {"at": "https://127.0.0.1:{port}", **LATE}),
    ("TLS of an unknown authority", says(GOOD), ConnectError, 0, {"at": "https://127.0.0.1:{port}", "has_tls": True}),
    ("no TLS with a TLS server", says(GOOD), DynasparkError, 0, {"has_tls": True}),
)
rows(
    "closed or reset",
    ("closed at once", leaves(), TransportError, 2),
    ("reset at once", leaves(is_reset=True), TransportError, 2),
    ("closed after the request", says(b""), TransportError, 2),
    ("reset after the request", resets(b""), TransportError, 2),
    ("closed in the status line", says(b"HTTP/1.1 2"), TransportError, 2),
    ("closed in the headers", says(b"HTTP/1.1 200 OK\r\nContent-Ty"), TransportError, 2),
    ("reset in the headers", resets(b"HTTP/1.1 200 OK\r\nContent-Ty"), TransportError, 2),
    ("reset in the body", resets(answer(b"Content-Length: 500", body=CUT)), StreamBrokenError, 2, BROKEN),
    ("reset in a chunk", resets(answer(CHUNKED, body=b"ff\r\n" + CUT)), StreamBrokenError, 2, BROKEN),
    ("then good", says(b"", GOOD), SAID, 2),
)
rows(
    "cut short",
    ("shorter than its length", says(answer(b"Content-Length: 500", body=CUT)), StreamBrokenError, 2, BROKEN),
    ("a whole JSON, shorter than its length", says(answer(b"Content-Length: 500", body=OK)), StreamBrokenError, 2,
     {"text": SAID, "streamed": 1}),
    ("only headers of a length", says(answer(b"Content-Length: 500")), StreamBrokenError, 2),
    ("a chunk cut", says(answer(CHUNKED, body=b"ff\r\n" + CUT)), StreamBrokenError, 2, BROKEN),
    ("no last chunk", says(answer(CHUNKED, body=chunks(CUT))), StreamBrokenError, 2, BROKEN),
    ("a whole JSON, no last chunk", says(answer(CHUNKED, body=chunks(OK))), StreamBrokenError, 2,
     {"text": SAID, "streamed": 1}),
    ("cut inside a chunk's size", says(answer(CHUNKED, body=chunks(CUT) + b"f")), StreamBrokenError, 2, BROKEN),
    ("JSON cut, length right", says(sized(CUT)), StreamBrokenError, 2, BROKEN),
    ("JSON cut, closed without a length", says(answer(body=CUT)), StreamBrokenError, 2, BROKEN),
    ("JSON cut in an escape", says(sized(CUT + b"\\u00")), StreamBrokenError, 2, BROKEN),
    ("JSON cut in a character", says(sized(CUT + b"\xc3")), StreamBrokenError, 2, BROKEN),
    ("JSON cut in its first key", says(sized(b'{"resp')), StreamBrokenError, 2),
    ("JSON cut behind the text", says(sized(OK[:-1])), StreamBrokenError, 2, {"text": SAID, "streamed": 1}),
    ("plain text cut", says(answer(TEXT, b"Content-Length: 99", body=PART.encode())), StreamBrokenError, 2, BROKEN),
    ("then good", says(answer(b"Content-Length: 500"), GOOD), SAID, 2),
)  # fmt: skip
rows(
    "slow",
    ("stalls before the headers", stalls(), RequestTimeoutError, 2, {"max_retries": 1}),
    ("stalls in the headers", stalls(b"HTTP/1.1 200 OK\r\nX: "), RequestTimeoutError, 1),
    ("stalls in the body", stalls(answer(b"Content-Length: 99", body=CUT)), RequestTimeoutError, 1, {"text": PART}),
    ("stalls in a chunk", stalls(answer(CHUNKED, body=b"ff\r\n" + CUT)), RequestTimeoutError, 1, {"text": PART}),
    ("stalls before the last chunk", stalls(answer(CHUNKED, body=chunks(OK))), RequestTimeoutError, 1, {"text": SAID}),
    ("stalls in the body of an error", stalls(answer(b"Content-Length: 99", status=b"401 No")), AccessError, 1,
     {"status": 401}),
    ("drips status", drips(b"", b"H"), DynasparkError, 1),
    ("drips headers", drips(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), RequestTimeoutError, 1),
    ("drips in one header", drips(b"HTTP/1.1 200 OK\r\nX: ", b"y"), RequestTimeoutError, 1),
    ("drips 100 Continue", drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), RequestTimeoutError, 1),
    ("drips blanks in the body", drips(answer(CHUNKED), chunks(b" ")), RequestTimeoutError, 1),
    ("drips text", drips(answer(b"Content-Length: 9999", body=CUT), b""), RequestTimeoutError, 1, {"text": PART}),
    ("drips comments of events", drips(answer(EVENTS), b": ping\n\n"), RequestTimeoutError, 1),
    ("drips the body of an error", drips(answer(status=b"503 Busy"), b"x"), ServerError, 1, {"status": 503}),
    ("does not read the request", deaf, RequestTimeoutError, 1, {"prompt": "x" * 8 * MEGABYTE, **HEAVY}),
    **LATE,
)  # fmt: skip

rows(
    "not HTTP",
    ("SSH", says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ReplyError, 1),
    ("HTTP/0.9", says(OK), ReplyError, 1),
    ("HTTP/2", says(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\0\xff\xff"), ReplyError, 1),
    ("TLS", says(b"\x15\x03\x03\0\x02\x02\x46"), ReplyError, 1),
    ("a status that is no number", says(b"HTTP/1.1 abc OK\r\n\r\n"), ReplyError, 1),
    ("a status of two digits", says(b"HTTP/1.1 20 OK\r\n\r\n"), ReplyError, 1),
    ("a status of four digits", says(b"HTTP/1.1 2000 OK\r\n\r\n"), ReplyError, 1),
    ("a header without a name", says(b"HTTP/1.1 200 OK\r\n: x\r\n\r\n"), ReplyError, 1),
    ("a header without a colon", says(b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"), ReplyError, 1),
    ("a NUL in a header", says(answer(b"X: \0", b"Content-Length: 28", body=OK)), ReplyError, 1),
    ("garbage", says(bytes(range(256)) * 40), ReplyError, 1),
    ("the request, echoed", says(lambda request: request), ReplyError, 1),
    ("one huge header", says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"), ReplyError, 1),
    ("an endless header", floods(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), ReplyError, 1),
    ("endless headers", floods(b"HTTP/1.1 200 OK\r\n", b"X: yyyyyyyyy\r\n" * 5000), ReplyError, 1),
    ("10,000 headers", says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"), ReplyError, 1),
    ("an endless status line", floods(b"HTTP/1.1 200 ", b"x" * 65536), ReplyError, 1),
)
rows(
    "interim answers",
    ("100, then good", says(b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD), SAID, 1),
    ("103, then good", says(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + GOOD), SAID, 1),
    ("only a 100", says(b"HTTP/1.1 100 Continue\r\n\r\n"), TransportError, 2),
    ("only a 103", says(b"HTTP/1.1 103 Early Hints\r\n\r\n"), TransportError, 2),
    ("101 nobody asked for", says(answer(b"Upgrade: x", b"Connection: upgrade", status=b"101 Switching Protocols")),
     StatusError, 1, {"status": 101}),
    ("endless 100s", floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), DynasparkError, 1,
     {**LATE, **HEAVY}),
)  # fmt: skip
BEGUN = chunks(b'{"resp')
"""A chunk with no text yet: what an error carries of the answer does not depend on how much arrived at a time."""
rows(
    "wrong framing",
    ("a negative length", says(answer(b"Content-Length: -5", body=OK)), ReplyError, 1),
    ("a length that is no number", says(answer(b"Content-Length: ten", body=OK)), ReplyError, 1),
    ("a length with a sign", says(answer(b"Content-Length: +28", body=OK)), ReplyError, 1),
    ("two lengths", says(answer(b"Content-Length: 28", b"Content-Length: 20", body=OK)), ReplyError, 1),
    ("a length and chunks", says(answer(b"Content-Length: 5", CHUNKED, body=chunks(OK) + b"0\r\n\r\n")), ReplyError, 1),
    ("a chunk size that is none", says(answer(CHUNKED, body=b"zz\r\n" + OK)), DynasparkError, 1),
    ("a negative chunk size", says(answer(CHUNKED, body=b"-1\r\n" + OK)), DynasparkError, 1),
    ("a chunk size past 64 bits", says(answer(CHUNKED, body=b"f" * 17 + b"\r\n" + OK)), DynasparkError, 1),
    ("an endless chunk size", floods(answer(CHUNKED), b"0" * 65536), DynasparkError, 2, HEAVY),
    ("an endless chunk extension", floods(answer(CHUNKED, body=b"1;"), b"x" * 65536), DynasparkError, 2, HEAVY),
    ("a chunk longer than its size", says(answer(CHUNKED, body=b"3\r\n" + OK + b"\r\n0\r\n\r\n")), DynasparkError, 1),
    ("endless trailers", floods(answer(CHUNKED, body=BEGUN + b"0\r\n"), b"X: yyyy\r\n" * 5000), ReplyError, 1),
    (
        "more than its length",
        says(sized(OK) + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        SAID * 2,
        2,
        {"calls": 2},
    ),
    ("a length that is too small", says(answer(b"Content-Length: 20", body=OK)), ReplyError, 1),
)
rows(
    "wrong framing behind the head",
    *((name, halves(answer(CHUNKED), body), ReplyError, 1) for name, body in {
        "a chunk size that is none": b"zz\r\n" + OK,
        "a negative chunk size": b"-1\r\n" + OK,
        "a chunk size past 64 bits": b"f" * 17 + b"\r\n" + OK,
        "a chunk longer than its size": b"3\r\n" + OK + b"\r\n0\r\n\r\n",
        "another answer between two chunks": BEGUN + b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        "a page between two chunks": BEGUN + b"<html>502 Bad Gateway</html>",
        "a trailer that is none": BEGUN + b"0\r\nX\0y\r\n\r\n",
        "a trailer without end": BEGUN + b"0\r\nX: " + b"y" * 70_000,
        "thousands of trailers": BEGUN + b"0\r\n" + b"X: yyyy\r\n" * 5000,
    }.items()),
)  # fmt: skip
rows(
    "endless or large",
    ("endless text", floods(answer(body=b'{"response": "'), b"x" * 65536), ReplyError, 1, {"text": "x"}),
    ("endless blanks", floods(answer(), b" " * 65536), ReplyError, 1),
    ("endless names", floods(answer(body=b'{"a": "'), b"x" * 65536), ReplyError, 1),
    ("endless lists", floods(answer(body=b'{"a": ['), b"1," * 32768), ReplyError, 1),
    ("endless quotes", floods(answer(body=b'{"a": ['), b'"",' * 20000), ReplyError, 1),
    ("endless escapes", floods(answer(body=b'{"response": "'), b"\\u00e9" * 10000), ReplyError, 1, {"text": "é"}),
    ("endless chunks of text", floods(answer(CHUNKED, body=chunks(b'{"response": "')), chunks(b"x" * 65536)),
     ReplyError, 1, {"text": "x"}),
    ("endless plain text", floods(answer(TEXT), b"x" * 65536), ReplyError, 1, {"text": "x"}),
    ("an event without end", floods(answer(EVENTS, body=b"data: "), b"x" * 65536), ReplyError, 1),
    ("events without end", floods(answer(EVENTS), b"data: x\n\n" * 5000), ReplyError, 1, {"text": "x"}),
    ("lines of one event without end", floods(answer(EVENTS), b"data: x\n" * 5000), ReplyError, 1),
    ("an error without end", floods(answer(status=b"400 Bad"), b"x" * 65536), RejectedError, 1, {"status": 400}),
    ("an answer of 100 MB, announced", floods(answer(b"Content-Length: 100000000", body=b'{"response": "'),
     b"x" * 65536), ReplyError, 1, {"text": "x"}),
    **HEAVY,
)  # fmt: skip


def bomb(start: bytes, filling: bytes, wbits: int) -> bytes:
    """About 300 kB that unpack to 300 MB; the sum at the end is never reached."""
    packer = zlib.compressobj(9, wbits=wbits)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(filling * (MEGABYTE // len(filling))) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block * 300


def exploding(*lines: bytes, start: bytes = b'{"response": "', filling: bytes = b"x", wbits: int = 31,
              status: bytes = b"200 OK") -> Talk:  # fmt: skip
    return says(sized(bomb(start, filling, wbits), *lines, status=status))


PACKED = b"Content-Encoding: gzip"
DEFLATED = b"Content-Encoding: deflate"
rows(
    "compression",
    ("gzip, good", says(sized(gzip.compress(OK), PACKED)), SAID, 1),
    ("deflate, good", says(sized(zlib.compress(OK), DEFLATED)), SAID, 1),
    ("gzip that is none", says(sized(OK, PACKED)), StreamBrokenError, 2),
    ("deflate that is none", says(sized(b"\xff" * 40, DEFLATED)), StreamBrokenError, 2),
    (
        "gzip cut",
        says(sized(gzip.compress(OK)[:-12], PACKED)),
        StreamBrokenError,
        2,
        {"text": "whole answe", "streamed": 1},
    ),
    ("gzip with a wrong sum", says(sized(gzip.compress(OK)[:-8] + b"\0" * 8, PACKED)), StreamBrokenError, 2),
    ("an unknown encoding", says(sized(OK, b"Content-Encoding: klingon")), SAID, 1),
    ("a bomb of text", exploding(PACKED), ReplyError, 1, {"text": "x"}),
    ("a bomb of blanks", exploding(PACKED, start=b"", filling=b" "), ReplyError, 1),
    ("a bomb of zeros", exploding(PACKED, filling=b"\0"), ReplyError, 1),
    ("a bomb of lists", exploding(PACKED, start=b'{"a":', filling=b"["), ReplyError, 1),
    ("a bomb of names", exploding(PACKED, start=b"{", filling=b'"":1,'), ReplyError, 1),
    ("a bomb of plain text", exploding(PACKED, TEXT, start=b""), ReplyError, 1, {"text": "x"}),
    ("a bomb of events", exploding(PACKED, EVENTS, start=b"", filling=b"data: x\n\n"), ReplyError, 1, {"text": "x"}),
    ("a bomb of one event", exploding(PACKED, EVENTS, start=b"data: "), ReplyError, 1),
    ("a bomb, deflated", exploding(DEFLATED, wbits=15), ReplyError, 1, {"text": "x"}),
    ("a bomb with 500", exploding(PACKED, status=b"500 Oops"), ServerError, 2, {"status": 500}),
    ("a bomb with 403", exploding(PACKED, status=b"403 No"), AccessError, 1, {"status": 403}),
    **HEAVY,
)
rows(
    "pages",
    ("always", says(sized(PAGE, HTML)), WakingUpError, 2),
    ("then good", says(sized(PAGE, HTML), GOOD), SAID, 2),
    ("as JSON", says(sized(PAGE, b"Content-Type: application/json")), WakingUpError, 2),
    ("as plain text", says(sized(b" \n" + PAGE, TEXT)), WakingUpError, 2),
    ("as events", says(sized(PAGE, EVENTS)), DynasparkError, 2),
    ("without a type", says(sized(b"<HTML><body>")), WakingUpError, 2),
    ("behind a BOM", says(sized(b"\xef\xbb\xbf" + PAGE, HTML)), WakingUpError, 2),
    ("behind a comment", says(sized(b"<!-- host --><html>", HTML)), WakingUpError, 2),
    ("in Latin-1", says(sized("<html>é".encode("latin-1"), HTML)), WakingUpError, 2),
    ("cut", says(answer(HTML, b"Content-Length: 9999", body=PAGE)), WakingUpError, 2),
    ("endless", floods(answer(HTML, body=b"<html>"), b"x" * 65536), WakingUpError, 2),
)
for code in (502, 503, 504, 520, 521, 522, 523, 524):
    rows(
        "pages",
        (f"{code}", says(sized(PAGE, HTML, status=b"%d Bad" % code)), ServerError, 2, {"status": code}),
        (f"{code}, then good", says(sized(PAGE, HTML, status=b"%d Bad" % code), GOOD), SAID, 2),
    )

KINDS: dict[int, type[StatusError]] = {
    **dict.fromkeys((400, 413, 415, 422), RejectedError),
    **dict.fromkeys((401, 403), AccessError),
    404: NotFoundError,
    **dict.fromkeys((402, 405, 406, 407, 409, 410, 411, 414, 418, 421, 423, 425, 426, 428, 431, 451, 499), StatusError),
}
DOCUMENTED = json.dumps({"error": {"code": "x", "message": "said so"}}).encode()
for code, refusal in KINDS.items():
    status = b"%d Refused" % code
    rows(
        "refusals",
        (f"{code}", says(sized(DOCUMENTED, status=status)), refusal, 1, {"status": code}),
        (f"{code}, page", says(sized(PAGE, HTML, status=status)), refusal, 1, {"status": code}),
    )
rows(
    "refusals",
    ("401, and hangs up in the body", says(answer(b"Content-Length: 99", body=b"n", status=b"401 No")), AccessError, 1,
     {"status": 401}),
    ("401 that wants Basic", says(sized(b"", b'WWW-Authenticate: Basic realm="x"', status=b"401 No")), AccessError, 1,
     {"status": 401}),
    ("422, not UTF-8", says(sized(b"\xff\xfe\0", status=b"422 No")), RejectedError, 1, {"status": 422}),
    ("400, deep JSON", says(sized(b"[" * 60_000, status=b"400 No")), RejectedError, 1, {"status": 400}),
    ("400, a number of 4,000 digits", says(sized(b'{"error": ' + b"9" * 4000 + b"}", status=b"400 No")), RejectedError,
     1, {"status": 400}),
    ("400, control codes", says(sized(b'{"error": "\\u001b[31m\\u0000\\r\\n\\u202e"}', status=b"400 No")),
     RejectedError, 1, {"status": 400}),
    ("400, 9,000 characters", says(sized(b'{"error": "' + b"x" * 9000 + b'"}', status=b"400 No")), RejectedError, 1,
     {"status": 400}),
    ("204", says(answer(status=b"204 No Content")), StatusError, 1, {"status": 204}),
    ("205", says(sized(b"", status=b"205 Reset")), StatusError, 1, {"status": 205}),
    ("206", says(sized(OK, b"Content-Range: bytes 0-27/99", status=b"206 Part")), StatusError, 1, {"status": 206}),
    ("201", says(sized(OK, status=b"201 Created")), SAID, 1),
    ("203", says(sized(OK, status=b"203 Other")), SAID, 1),
    ("299", says(sized(OK, status=b"299 ")), SAID, 1),
    ("413 before the body is read", interrupts(sized(b"", b"Connection: close", status=b"413 Large")), RejectedError, 1,
     {"prompt": "x" * 4 * MEGABYTE, "status": 413}),
)  # fmt: skip
for code in (408, 500, 501, 505, 507, 511, 530, 599):
    kind = ServerError if code >= 500 else StatusError
    rows(
        "failures",
        (f"{code}", says(sized(DOCUMENTED, status=b"%d Bad" % code)), kind, 2, {"status": code}),
        (f"{code}, empty", says(sized(b"", status=b"%d Bad" % code)), kind, 2, {"status": code}),
        (f"{code}, then good", says(sized(b"no", status=b"%d Bad" % code), GOOD), SAID, 2),
    )


REPEATED = " ".join((KEY, quote(KEY, safe=""), quote(KEY), quote_plus(KEY), json.dumps(KEY)[1:-1])).encode()
"""The key in every form in which a host may send it back."""
rows(
    "secrets",
    ("the key in an error", says(sized(json.dumps({"error": {"message": f"bad {KEY}"}}).encode(), status=b"401 No")),
     AccessError, 1, {"status": 401}),
    ("the key in every form", says(sized(REPEATED, status=b"400 No")), RejectedError, 1, {"status": 400}),
    ("the request in an error", says(lambda request: sized(request, status=b"400 No")), RejectedError, 1,
     {"status": 400}),
    ("the request in a page", says(lambda request: sized(b"<html>" + request, HTML)), WakingUpError, 2),
    ("the request in JSON of another shape",
     says(lambda request: sized(json.dumps({"path": request.decode()}).encode())), ReplyError, 1),
    ("the key in the reason", says(sized(b"", status=b"400 " + REPEATED)), RejectedError, 1, {"status": 400}),
    ("the key in a redirect", says(sized(b"", b"Location: https://" + quote(KEY, safe="").encode() + b"@h/?" +
     quote_plus(KEY).encode(), status=b"302 Found")), StatusError, 1, {"status": 302}),
    ("the key in an event", says(sized(b"event: error\ndata: " + REPEATED + b"\n\n", EVENTS)), DynasparkError, 1),
    ("the key at the end of what a body keeps", says(sized(b"x" * 4090 + REPEATED, status=b"400 No")), RejectedError, 1,
     {"status": 400}),
    ("the key at the end of a message", says(sized(b"x" * 290 + REPEATED, status=b"400 No")), RejectedError, 1,
     {"status": 400}),
    ("the key in a header that is none", says(b"HTTP/1.1 200 OK\r\n" + REPEATED + b"\r\n\r\n"), ReplyError, 1),
    ("the key in the status line", says(b"HTTP/1.1 4x0 " + REPEATED + b"\r\n\r\n"), ReplyError, 1),
    ("the key in a charset", says(sized(b"x", TEXT + b"; charset=" + REPEATED)), ReplyError, 1),
)  # fmt: skip

LIMITED = b"429 Too Many Requests"


def limited(*lines: bytes, body: bytes = b"") -> bytes:
    return sized(body, *lines, status=LIMITED)


def ahead(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def http_date(seconds: float) -> Said:
    return lambda _: limited(b"Retry-After: " + format_datetime(ahead(seconds), usegmt=True).encode())


def quota(seconds: float) -> Said:
    return lambda _: limited(f"X-RateLimit-Reset: {ahead(seconds).timestamp()}".encode())


def reset_time(moment: object) -> bytes:
    error = {"code": "rate_limit_exceeded", "message": "slow down", "details": {"reset_time": moment}}
    return json.dumps({"error": error}).encode()


def resets_at(seconds: float) -> Said:
    return lambda _: limited(body=reset_time(ahead(seconds).isoformat().replace("+00:00", "Z")))


NO_HINTS = (
    *(f"Retry-After: {text}" for text in ("nan", "inf", "-inf", "-1", "1e999", "soon", "", "0x10")),
    "Retry-After: Fri, 31 Feb 2099 00:00:00 GMT",
    "Retry-After: Mon, 01 Jan 0001 00:00:00 +2359",
    "Retry-After: Fri, 99 Dec 99999 99:99:99 GMT",
    *(f"Retry-After-Ms: {text}" for text in ("nan", "-5", "1e999")),
    *(f"X-RateLimit-Reset: {text}" for text in ("nan", "inf", "-1", "1e999", "0", "now")),
)
"""Headers of a wait that make no sense: the usual wait is taken."""
NO_MOMENTS: tuple[object, ...] = (
    None, "", "soon", 12, [], "2015-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "2024-99-01", {"a": 1},
)  # fmt: skip
LONG: dict[str, Any] = {"status": 429, "retry_after": 3600}
rows(
    "limits",
    ("without a hint", says(limited()), RateLimitError, 2, {"status": 429}),
    ("a page", says(sized(PAGE, HTML, status=LIMITED)), RateLimitError, 2, {"status": 429}),
    ("then good", says(limited(), GOOD), SAID, 2),
    ("in no seconds", says(limited(b"Retry-After: 0"), GOOD), SAID, 2),
    ("in a second", says(limited(b"Retry-After: 1"), GOOD), SAID, 2),
    ("in 50 ms", says(limited(b"Retry-After-Ms: 50"), GOOD), SAID, 2),
    ("at a date", says(http_date(1), GOOD), SAID, 2),
    ("at a date that is past", says(limited(b"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"), GOOD), SAID, 2),
    ("at X-RateLimit-Reset", says(quota(1), GOOD), SAID, 2),
    ("at reset_time", says(resets_at(1), GOOD), SAID, 2),
    ("in an hour", says(limited(b"Retry-After: 3600")), RateLimitError, 1, LONG),
    ("in an hour, in ms", says(limited(b"Retry-After-Ms: 3600000")), RateLimitError, 1, LONG),
    ("in an hour, as a date", says(http_date(3600)), RateLimitError, 1, LONG),
    ("in an hour, by the quota", says(quota(3600)), RateLimitError, 1, LONG),
    ("in an hour, by reset_time", says(resets_at(3600)), RateLimitError, 1, LONG),
    ("503 in an hour", says(sized(b"", b"Retry-After: 3600", status=b"503 Busy")), ServerError, 1,
     {"status": 503, "retry_after": 3600}),
    ("as an error with 200", says(lambda _: sized(reset_time(ahead(3600).isoformat()))), RateLimitError, 1, LONG),
    *((hint, says(limited(hint.encode()), GOOD), SAID, 2) for hint in NO_HINTS),
    *((f"reset_time: {json.dumps(moment)}", says(limited(body=reset_time(moment)), GOOD), SAID, 2)
      for moment in NO_MOMENTS),
)  # fmt: skip
rows(
    "redirects",
    *((f"{code}", says(sized(b"", b"Location: /generate_response", status=b"%d Moved" % code)), StatusError, 1,
      {"status": code}) for code in (300, 301, 302, 303, 305, 307, 308)),
    ("304", says(answer(status=b"304 Not Modified")), StatusError, 1, {"status": 304}),
    ("without a place", says(sized(b"", status=b"302 Found")), StatusError, 1, {"status": 302}),
    ("to another scheme", says(sized(b"", b"Location: file:///etc/passwd", status=b"302 Found")), StatusError, 1,
     {"status": 302}),
    ("to nonsense", says(sized(b"", b"Location: http://[::1", status=b"302 Found")), StatusError, 1, {"status": 302}),
    ("by a refreshing page", says(sized(b'<html><meta http-equiv="refresh" content="0;url=/">', HTML,
     b"Refresh: 0; url=/")), WakingUpError, 2),
)  # fmt: skip


def body(name: str, said: bytes, outcome: Outcome = ReplyError, **more: Any) -> tuple[Any, ...]:
    return name, says(sized(said, b"Content-Type: application/json")), outcome, more.pop("requests", 1), more


rows(
    "JSON of another shape",
    *(
        body(text.decode()[:30], text)
        for text in (
            b"{}",
            b"null",
            b"true",
            b"12",
            b'"text"',
            b"[]",
            b'["whole answer"]',
            b'[{"response": "x"}]',
            b"NaN",
            b'{"response": null}',
            b'{"response": 5}',
            b'{"response": 1.5}',
            b'{"response": true}',
            b'{"response": []}',
            b'{"response": ["x"]}',
            b'{"response": {}}',
            b'{"response": {"text": "x"}}',
            b'{"response": NaN}',
            b'{"Response": "x"}',
            b'{"text": "x"}',
            b'{"choices": [{"message": {"content": "x"}}]}',
            b'{"data": {"response": "x"}}',
            b'{"status": "ok"}',
            b"-",
            b"nul",
            b"OK",
            b"Service ready",
            b"{'response': 'x'}",
            b'{response: "x"}',
            b"{,}",
        )
    ),
    body("empty", b""),
    body("blanks", b" \r\n\t "),
    body("empty, chunked", b""),
    body("an empty text", b'{"response": ""}', ""),
    body("blank text", b'{"response": " "}', " "),
)
rows(
    "JSON that is broken",
    body("NaN beside it", b'{"response": "x", "a": NaN}', text="x"),
    body("Infinity beside it", b'{"a": -Infinity, "response": "x"}', text="x"),
    body("100,000 lists", b'{"response": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    body("100,000 objects", b'{"a": ' * 100_000),
    body("100,000 lists beside it", b'{"response": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", text="x"),
    body("100,000 ends", b"]" * 100_000),
    body("6,000 digits", b'{"response": ' + b"9" * 6000 + b"}"),
    body("6,000 digits beside it", b'{"response": "x", "a": ' + b"9" * 6000 + b"}", text="x"),
    body("6,000 digits of usage", b'{"response": "x", "usage": {"prompt_tokens": ' + b"9" * 6000 + b"}}", text="x"),
    body("an exponent of 6,000 digits", b'{"response": "x", "a": 1e' + b"9" * 6000 + b"}", "x"),
    body("two texts", b'{"response": "a", "response": "b"}', text="a"),
    body("text, then null", b'{"response": "a", "response": null}', text="a"),
    body("null, then text", b'{"response": null, "response": "b"}', "b"),
    body("an escaped name twice", b'{"response": "a", "\\u0072esponse": "b"}', text="a"),
    body("trailing garbage", OK + b"x", text=SAID),
    body("two documents", OK + OK, text=SAID),
    body("lines of documents", OK + b"\n" + OK, text=SAID),
    body("a trailing comma", b'{"response": "x",}', text="x"),
    body("a comment", b'{"response": "x" /* y */}', text="x"),
    body("a raw line break in the text", b'{"response": "a\nb"}', text="a"),
    body("a wrong escape", b'{"response": "a\\qb"}', text="a"),
    body("a wrong number", b'{"response": "x", "a": 01}', text="x"),
    body("ends that do not match", b'{"response": "x", "a": [}]', text="x"),
    body("with a prefix against hijacking", b")]}',\n" + OK),
    body("as JSONP", b"callback(" + OK + b")", text=SAID),
)
rows(
    "text that is broken",
    body("a BOM", b"\xef\xbb\xbf" + OK, SAID),
    body("UTF-16", OK.decode().encode("utf-16")),
    body("UTF-16 without a BOM", OK.decode().encode("utf-16-le")),
    body("UTF-32", OK.decode().encode("utf-32")),
    body("Latin-1", '{"response": "caf\xe9"}'.encode("latin-1"), text="caf"),
    body("not UTF-8", b'{"response": "a\xffb"}', text="a"),
    body("overlong UTF-8", b'{"response": "a\xc0\xaf"}', text="a"),
    body("a surrogate in UTF-8", b'{"response": "a\xed\xa0\x80"}', text="a"),
    body("a lone surrogate", b'{"response": "a\\ud83db"}', "a\ufffdb"),
    body("a lone low surrogate", b'{"response": "a\\ude00b"}', "a\ufffdb"),
    body("a pair the wrong way round", b'{"response": "\\ude00\\ud83d"}', "\ufffd\ufffd"),
    body("a pair", b'{"response": "\\ud83d\\ude00"}', "😀"),
    body("a NUL", b'{"response": "a\\u0000b"}', "a\0b"),
    ("a charset that is unknown", says(sized(b"x", TEXT + b"; charset=klingon")), ReplyError, 1),
    ("a charset that is no text", says(sized(b"x", TEXT + b"; charset=rot13")), ReplyError, 1),
    ("a charset that is a bomb", says(sized(b"x", TEXT + b"; charset=zip")), ReplyError, 1),
    ("Latin-1 that says so", says(sized(b"caf\xe9", TEXT + b"; charset=latin-1")), "café", 1),
    ("Latin-1 that does not", says(sized(b"caf\xe9 au lait", TEXT)), ReplyError, 1, {"text": "caf"}),
    ("JSON in a type of Latin-1", says(sized(OK, b"Content-Type: application/json; charset=latin-1")), SAID, 1),
)


def reported(name: str, value: object, outcome: Outcome, requests: int = 1, **more: Any) -> tuple[Any, ...]:
    return body(name, json.dumps({"error": value}).encode(), outcome, requests=requests, **more)


rows(
    "errors with 200",
    reported("text", "out of order", StatusError),
    reported("a list", ["out of order"], StatusError),
    reported("a number", 5, StatusError),
    reported("true", True, StatusError),
    reported("an object", {"code": "x", "message": "y"}, StatusError),
    reported("a code of a key", {"code": "invalid_api_key", "message": "y"}, AccessError),
    reported("a code of a limit", {"code": "rate_limit_exceeded", "message": "y"}, RateLimitError, 2),
    reported("a number of a key", {"code": 401, "message": "y"}, AccessError, status=401),
    reported("a number of a failure", {"code": "503", "message": "y"}, ServerError, 2, status=503),
    reported("a deep message", {"message": {"message": {"x": 1}}}, StatusError),
    body("beside a text", b'{"response": "x", "error": "y"}', StatusError, text="x", status=200),
    body("before a text", b'{"error": "y", "response": "x"}', StatusError, text="x", status=200),
    body("that is null", b'{"response": "x", "error": null}', "x"),
    body("that is empty", b'{"response": "x", "error": ""}', "x"),
    body("that is false", b'{"response": "x", "error": false}', "x"),
)


def events(name: str, said: bytes, outcome: Outcome = ReplyError, **more: Any) -> tuple[Any, ...]:
    return name, says(sized(said, EVENTS)), outcome, more.pop("requests", 1), more


HALF = b"data: whole \n\n"
rows(
    "events",
    events("good", HALF + b"data: answer\n\ndata: [DONE]\n\n", SAID),
    events("JSON, good", b'data: {"response": "whole answer"}\n\ndata: [DONE]\n\n', SAID),
    ("good, and stays open", stalls(answer(EVENTS, body=HALF + b"data: answer\n\ndata: [DONE]\n\n")), SAID, 1),
    events("no [DONE]", HALF, StreamBrokenError, requests=2, text=PART, streamed=1),
    events("cut in an event", HALF + b"data: ans", StreamBrokenError, requests=2, text=PART + "ans", streamed=1),
    events("empty", b"", StreamBrokenError, requests=2),
    ("cut by its length", says(answer(EVENTS, b"Content-Length: 999", body=HALF)), StreamBrokenError, 2, BROKEN),
    ("reset", resets(answer(EVENTS, body=HALF)), StreamBrokenError, 2, BROKEN),
    ("stalls", stalls(answer(EVENTS, body=HALF)), RequestTimeoutError, 1, {"text": PART, **LATE}),
    (
        "stalls in an event",
        stalls(answer(EVENTS, body=HALF + b"data: a")),
        RequestTimeoutError,
        1,
        {"text": PART, **LATE},
    ),
    events("turns into a page", HALF + PAGE, StreamBrokenError, requests=2, text=PART, streamed=1),
    events("an error", HALF + b'data: {"error": "y"}\n\n', StatusError, text=PART),
    events("an event of an error", HALF + b"event: error\ndata: y\n\n", StatusError, text=PART),
    events("an error of a limit", b'data: {"error": {"code": "rate_limit"}}\n\n', RateLimitError, requests=2),
    events("not UTF-8", HALF + b"data: \xff\n\n", ReplyError, text=PART),
    events("UTF-16", "data: x\n\n".encode("utf-16"), ReplyError),
    events("broken JSON", HALF + b'data: {"response": "x\n\n', ReplyError, text=PART),
    events("a number for a text", HALF + b'data: {"response": 5}\n\n', ReplyError, text=PART),
    events("deep", HALF + b'data: {"response": ' + b"[" * 100_000 + b"\n\n", ReplyError, text=PART),
    events("6,000 digits", HALF + b'data: {"response": ' + b"9" * 6000 + b"}\n\n", ReplyError, text=PART),
    events("an answer that is no stream", OK, StreamBrokenError, requests=2),
)
NAMED: dict[str, Any] = {"calls": 2, "at": "http://localhost:{port}"}
"""Cookie jars take none from hosts without a name."""
rows(
    "connections",
    ("a cookie", says(sized(OK, b"Set-Cookie: session=planted; Path=/")), SAID * 2, 2, NAMED),
    ("a cookie, kept open", keeps(sized(OK, b"Set-Cookie: session=planted")), SAID * 2, 2, NAMED),
    ("an answer for the next call", keeps(GOOD + sized(b'{"response": "smuggled"}')), SAID * 2, 2, {"calls": 2}),
    ("half an answer for the next call", keeps(GOOD + b"HTTP/1.1 200 OK\r\nX: "), SAID * 2, 2, {"calls": 2}),
    ("noise behind the answer", keeps(GOOD + b"noise\r\n\r\n"), ReplyError, 1),
    ("closed while idle", says(GOOD), SAID * 3, 3, {"calls": 3}),
    ("kept open", keeps(GOOD), SAID * 3, 3, {"calls": 3}),
    ("hangs up every other time", says(GOOD, b"", GOOD, b"", GOOD), SAID * 3, 5, {"calls": 3}),
    ("an error, then good", keeps(sized(b"no", status=b"500 No"), GOOD), SAID * 2, 3, {"calls": 2}),
    ("HTTP/1.0", says(b"HTTP/1.0 200 OK\r\n\r\n" + OK), SAID, 1),
)
PROXY: dict[str, Any] = {"has_proxy": True}
TUNNEL: dict[str, Any] = {"has_proxy": True, "at": "https://127.0.0.1:{port}"}
rows(
    "proxies",
    (
        "407",
        says(sized(PAGE, HTML, b'Proxy-Authenticate: Basic realm="x"', status=b"407 Who")),
        ConnectError,
        1,
        PROXY,
    ),
    ("403", says(sized(PAGE, HTML, status=b"403 No")), AccessError, 1, {"status": 403, **PROXY}),
    ("502", says(sized(PAGE, HTML, status=b"502 Bad Gateway")), ServerError, 2, {"status": 502, **PROXY}),
    ("a page", says(sized(PAGE, HTML)), WakingUpError, 2, PROXY),
    ("closes", says(b""), TransportError, 2, PROXY),
    ("resets", resets(b""), TransportError, 2, PROXY),
    ("stalls", stalls(), RequestTimeoutError, 1, {**PROXY, **LATE}),
    ("not HTTP", says(b"\x05\xff"), ReplyError, 1, PROXY),
    ("good", says(GOOD), SAID, 1, PROXY),
    ("refused", leaves(), ConnectError, 0, {"is_closed": True, **PROXY}),
    ("CONNECT, 407", says(sized(PAGE, HTML, status=b"407 Who")), ConnectError, 1, TUNNEL),
    ("CONNECT, 403", says(sized(PAGE, HTML, status=b"403 No")), ConnectError, 1, TUNNEL),
    *((f"CONNECT, {code}", says(sized(PAGE, HTML, status=b"%d Busy" % code)), ConnectError, 2, TUNNEL)
      for code in (429, 500, 502, 503, 504)),
    ("CONNECT, 503 in an hour", says(sized(b"", b"Retry-After: 3600", status=b"503 Busy")), ConnectError, 1,
     {"retry_after": 3600, **TUNNEL}),
    ("CONNECT, closes", says(b""), TransportError, 2, TUNNEL),
    ("CONNECT, stalls", stalls(), RequestTimeoutError, 1, {**TUNNEL, **LATE}),
    ("CONNECT, 200, then closes", says(GOOD), ConnectError, 2, TUNNEL),
    ("CONNECT, 200 and no TLS", blurts(GOOD, GOOD), ConnectError, 1, TUNNEL),
    ("CONNECT, not HTTP", says(b"\x05\xff"), DynasparkError, 1, TUNNEL),
)  # fmt: skip

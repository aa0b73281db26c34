"""Every body decodes alike in every cut of its bytes, half a body raises, and nothing but a reply is one."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynaspark_core.errors import DynasparkError, ReplyError, StatusError, StreamBrokenError, WakingUpError
from dynaspark_core.messages import Usage
from dynaspark_core.wire.body import MAX_ANSWER_BYTES
from dynaspark_core.wire.decoders import decoder

JSON = "application/json; charset=utf-8"
EVENTS = "text/event-stream"
PLAIN = "text/plain; charset=utf-8"
TEXT = 'He said "hi"\\ / é 😀\n\t\u2028 end'
RICH = {"response": TEXT, "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
USAGE = Usage(1, 2, 3)
SAID = json.dumps({"model": "m", "usage": RICH["usage"]}).encode()


def read(content_type: str, *pieces: bytes) -> tuple[object, ...]:
    """The text, model and usage that the pieces give; or the error's class, message and the text until then."""
    reader = decoder(content_type, lambda error: StatusError(str(error)))
    text = ""
    try:
        for piece in pieces:
            text += reader.feed(piece)
        text += reader.close()
    except DynasparkError as error:
        return type(error), str(error), text + getattr(error, "text", "")
    return text, reader.model, reader.usage


def used(asked: int, answered: int, total: int) -> bytes:
    counts = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": total}
    return json.dumps({"response": "x", "usage": counts}).encode()


GOOD = [
    (JSON, json.dumps(RICH).encode(), (TEXT, "m", USAGE)),
    (JSON, json.dumps(RICH, ensure_ascii=False).encode(), (TEXT, "m", USAGE)),
    (JSON, json.dumps(dict(reversed(RICH.items())), indent=2).encode(), (TEXT, "m", USAGE)),
    ("", b'\xef\xbb\xbf {"\\u0072esponse" :\t"a\\u00e9\\ud83d\\ude00\\/"}\r\n', ("aé😀/", None, None)),
    (JSON, b'{"other": {"response": "no", "deep": [{"response": 1}]}, "response": "yes"}', ("yes", None, None)),
    (JSON, b'{"list": ["response", ":", "\\"response\\": \\"no\\""], "response": "yes"}', ("yes", None, None)),
    (JSON, b'{"response": "lone \\ud83d and \\ude00"}', ("lone \ufffd and \ufffd", None, None)),
    (JSON, b'{"response": ""}', ("", None, None)),
    (JSON, b'{"response": "' + b"{[" * 60 + b'"}', ("{[" * 60, None, None)),
    (JSON, b'{"list": [' + b"[], " * 120 + b'1], "response": "' + b"]}" * 60 + b'"}', ("]}" * 60, None, None)),
    (JSON, used(1, -2, 3), ("x", None, None)),
    (JSON, used(1, 2, -3), ("x", None, None)),
    (JSON, used(0, 0, 0), ("x", None, Usage(0, 0, 0))),
    (EVENTS, b"event: error\n\ndata: x\n\ndata: [DONE]\n\n", ("x", None, None)),
    (EVENTS, b"data: caf\xc3\xa9 \xf0\x9f\x98\x80\n\ndata: [DONE]\n\n", ("café 😀", None, None)),
    (JSON, b'{"response": "[", "n": ' + b"[" * 99 + b"]" * 99 + b"}", ("[", None, None)),
    (JSON, b'{"response": "x", "error": null, "model": 3, "usage": {"prompt_tokens": -1}}', ("x", None, None)),
    ("text/html", b'{"response": "some hosts say it is HTML"}', ("some hosts say it is HTML", None, None)),
    (EVENTS, b'data: Hel\r\ndata:lo\r\rdata: {"response":" w\xc3\xa9"}\n\ndata:[DONE]\n\n', ("Hel\nlo wé", None, None)),
    (EVENTS, b"\xef\xbb\xbf: note\nid: 1\ndata: " + SAID + b"\n\ndata: a\n\ndata: [DONE]", ("a", "m", USAGE)),
    (EVENTS, b'data: {"city": 1}\n\ndata: {half\n\ndata: [DONE]\n\ndata: late\n\n', ('{"city": 1}{half', None, None)),
    (EVENTS, b"data: a\n\ndata: [DONE]\n\n\xff", ("a", None, None)),
    (PLAIN, "é\r\n{\"response\": 1}".encode(), ("é\r\n{\"response\": 1}", None, None)),
    ("text/plain; charset=latin-1", b"caf\xe9", ("café", None, None)),
    (PLAIN, b" <b>bold</b>", (" <b>bold</b>", None, None)),
    (PLAIN, b"<", ("<", None, None)),
    (EVENTS, b"data: a\n\ndata: [DONE] \n\n", ("a", None, None)),
    (EVENTS, b'data: {"response": "\\ud83d"}\n\ndata: {"response": "\\ude00"}\n\ndata: [DONE]\n\n', ("😀", None, None)),
    (EVENTS, b'data: {"response": "a\\ud83d"}\n\ndata: b\n\ndata: [DONE]\n\n', ("a\ufffdb", None, None)),
    (EVENTS, b'data: {"response": "\\ud83d"}\n\ndata: [DONE]\n\n', ("\ufffd", None, None)),
]  # fmt: skip

BAD = [
    (JSON, b"", ReplyError, ""),
    (JSON, b" \n", ReplyError, ""),
    (JSON, b"{}", ReplyError, ""),
    (JSON, b"null", ReplyError, ""),
    (JSON, b"42", ReplyError, ""),
    (JSON, b'["response", "x"]', ReplyError, ""),
    (JSON, b'{"response": null}', ReplyError, ""),
    (JSON, b'{"response": 5}', ReplyError, ""),
    (JSON, b'{"response": ["x"]}', ReplyError, ""),
    (JSON, b'{"a": {"response": "x"}}', ReplyError, ""),
    (JSON, b'{"response": "a", "response": "b"}', ReplyError, "a"),
    (JSON, b'{"response": "a", "\\u0072esponse": "b"}', ReplyError, "a"),
    (JSON, b'{"response": "abc"} tail', ReplyError, "abc"),
    (JSON, b'{"response": "abc", "n": NaN}', ReplyError, "abc"),
    (JSON, b'{"response": "abc", "n": ' + b"1" * 6000 + b"}", ReplyError, "abc"),
    (JSON, b'{"response": "abc", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", ReplyError, "abc"),
    (JSON, b'{"response": "abc", "n": ' + b"[" * 100 + b"]" * 100 + b"}", ReplyError, "abc"),
    (JSON, b'{"response": "' + rb"\u005b" * 100 + b'", "n": ' + b"[" * 150 + b"]" * 150 + b"}", ReplyError, "[" * 100),
    (JSON, b'{"response": "a", "respons\\u0065": "b"}', ReplyError, "a"),
    (JSON, b'{"response": "{{[[", "n": ' + b"[" * 100 + b"]" * 100 + b"}", ReplyError, "{{[["),
    (JSON, b'{"response": "abc\ndef"}', ReplyError, "abc"),
    (JSON, b'{"response": "abc\\x"}', ReplyError, "abc"),
    (JSON, b'{"response": "abc\\u12"}', ReplyError, "abc"),
    (JSON, b'{"response": "caf\xe9"}', ReplyError, "caf"),
    (JSON, b'{"error": "bad", "response": "abc"}', StatusError, "abc"),
    (JSON, b'{"error": {"message": "bad"}}', StatusError, ""),
    (JSON, b"\n <!doctype html><title>x</title>", WakingUpError, ""),
    (JSON, b'{"response": "abc', StreamBrokenError, "abc"),
    (JSON, b'{"response": "abc"', StreamBrokenError, "abc"),
    (JSON, b'{"response": "caf\xc3', StreamBrokenError, "caf"),
    (EVENTS, b"data: a\n\n", StreamBrokenError, "a"),
    (EVENTS, b"", StreamBrokenError, ""),
    (EVENTS, b"event: error\ndata: overloaded\n\n", StatusError, ""),
    (EVENTS, b'data: a\n\ndata: {"error": "bad"}\n\ndata: [DONE]\n\n', StatusError, "a"),
    (EVENTS, b'data: {"response": 5}\n\ndata: [DONE]\n\n', ReplyError, ""),
    (PLAIN, b"caf\xff", ReplyError, "caf"),
    (EVENTS, b"data: caf\n\ndata: \xff\n\n", ReplyError, "caf"),
    (PLAIN, b"\n<HTML><title>", WakingUpError, ""),
    (EVENTS, b'data: {"response": false}\n\ndata: [DONE]\n\n', ReplyError, ""),
    (EVENTS, b'data: {"response": "x"\n\ndata: [DONE]\n\n', ReplyError, ""),
]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"overloaded", "overloaded"),
        (b'{"code": 429, "message": "slow"}', {"code": 429, "message": "slow"}),
        (b'{"error": {"code": 429, "message": "slow"}}', {"code": 429, "message": "slow"}),
        (b'{"error": "slow"}', "slow"),
        (b'{"error": null, "message": "slow"}', {"error": None, "message": "slow"}),
    ],
)
def test_an_event_of_an_error_tells_the_error_alone(data: bytes, told: object) -> None:
    assert read(EVENTS, b"event: error\ndata: " + data + b"\n\n")[:2] == (StatusError, str(told))


@pytest.mark.parametrize(("kind", "body", "expected"), GOOD)
def test_a_body_gives_its_text_in_every_cut(kind: str, body: bytes, expected: tuple[object, ...]) -> None:
    assert read(kind, body) == expected
    assert read(kind, *(body[at : at + 1] for at in range(len(body)))) == expected
    for cut in range(1, len(body)):
        assert read(kind, body[:cut], body[cut:]) == expected, cut


@pytest.mark.parametrize(("kind", "body", "error", "text"), BAD)
def test_what_is_no_reply_raises_alike_in_every_cut(
    kind: str, body: bytes, error: type[DynasparkError], text: str | None
) -> None:
    whole = read(kind, body)
    assert whole[0] is error
    assert whole[2] == text
    for cut in range(1, len(body), max(1, len(body) // 60)):
        assert read(kind, body[:cut], body[cut:])[0] is error, cut
        assert read(kind, body[:cut], body[cut:])[2] == text, cut


@pytest.mark.parametrize(("kind", "body", "_expected"), [row for row in GOOD if row[0] in {JSON, EVENTS}])
def test_every_truncation_raises(kind: str, body: bytes, _expected: object) -> None:
    ends = len(body.rstrip())
    for cut in range(ends if kind == JSON else body.index(b"[DONE") + 5):
        assert read(kind, body[:cut])[0] in {StreamBrokenError, ReplyError}, cut


@given(text=st.text(), cuts=st.lists(st.integers(0, 400), max_size=6), ascii_only=st.booleans())
def test_any_text_comes_back_from_json_in_any_cuts(text: str, cuts: list[int], ascii_only: bool) -> None:
    body = json.dumps({"response": text}, ensure_ascii=ascii_only).encode("utf-8", "replace")
    edges = [0, *sorted(cuts), len(body)]
    pieces = [body[start:end] for start, end in pairwise(edges)]
    assert read(JSON, *pieces) == (json.loads(body)["response"], None, None)


def test_text_is_given_out_while_the_body_is_still_arriving() -> None:
    reader = decoder(JSON, lambda _: StatusError())
    assert reader.feed(b'{"response": "half') == "half"
    assert reader.feed(b" and \\u00") == " and "
    assert reader.feed(b'e9 half"') == "é half"


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_only_events_say_that_nothing_follows(kind: str) -> None:
    reader = decoder(kind, lambda error: StatusError(str(error)))
    reader.feed(b'{"response": "Oslo"}')
    assert not reader.is_finished


def test_what_an_event_says_of_the_model_holds_for_all() -> None:
    said = b'data: {"response": "a", ' + SAID[1:] + b"\n\n"
    assert read(EVENTS, said, b'data: {"response": "b"}\n\n', b"data: [DONE]\n\n") == ("ab", "m", USAGE)


def test_an_answer_over_the_cap_is_refused() -> None:
    reader = decoder(JSON, lambda _: StatusError())
    reader.feed(b'{"response": "')
    for _ in range(MAX_ANSWER_BYTES // 2**20 - 1):
        reader.feed(b"x" * 2**20)
    with pytest.raises(ReplyError, match=str(MAX_ANSWER_BYTES)):
        reader.feed(b"x" * 2**20)


def test_much_beside_the_text_is_refused() -> None:
    reader = decoder(JSON, lambda _: StatusError())
    with pytest.raises(ReplyError, match="outside its text"):
        reader.feed(b'{"a": [' + b"[]," * 400_000)

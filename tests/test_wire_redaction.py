"""Secrets are hidden in every spelling, in texts and in all that an error holds."""

import html
import json
import pickle
import re
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from dynaspark_core.errors import StatusError, StreamBrokenError
from dynaspark_core.wire.redaction import HIDDEN, MAX_FOREIGN_CHARACTERS, Redactor

SECRETS = [
    "plain1234",
    "k3y/of+thé user=1",
    "a:b,c@d",
    "blank beside/signs",
    "100% sure & <safe>",
    "quote\"and'this",
    "back\\slash",
    "emoji😀key",
    "ключ-доступа",
    "a+b c%20d",
    "~._-!*()",
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent": lambda secret: quote(secret, safe=""),
    "percent, lower": lambda secret: re.sub("%..", lambda sign: sign[0].lower(), quote(secret, safe="")),
    "percent, twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "percent but /": quote,
    "plus": quote_plus,
    "as aiohttp sends it": lambda secret: URL("http://h").with_query({"": secret}).raw_query_string[1:],
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "JSON, Unicode": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON, PHP's": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "HTML": html.escape,
    "HTML, numbers": lambda secret: "".join(c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in secret),
    "Python": lambda secret: repr(secret)[1:-1],
    "Python, ASCII": lambda secret: ascii(secret)[1:-1],
    "Python, bytes": lambda secret: repr(secret.encode())[2:-1],
    "read as Latin-1": lambda secret: secret.encode().decode("latin-1"),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_hidden_in_each_spelling(secret: str, spelling: str) -> None:
    said = SPELLINGS[spelling](secret)
    assert Redactor([secret]).text(f"bad key [{said}], sorry") == f"bad key [{HIDDEN}], sorry"


@settings(deadline=None)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=6, max_size=40))
def test_what_is_really_sent_is_hidden(secret: str) -> None:
    sent = URL("http://h").with_query({"": secret}).raw_query_string[1:]
    assert Redactor([secret]).text(f"GET /?api_key={sent}&x=1") == f"GET /?api_key={HIDDEN}&x=1"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", ["as it is", "percent", "JSON"])
def test_the_beginning_of_a_secret_is_hidden_where_a_text_was_cut(secret: str, spelling: str) -> None:
    said = SPELLINGS[spelling](secret)
    four = len(SPELLINGS[spelling](secret[:4]))
    for size in range(four, len(said)):
        cut = Redactor([secret]).text(f"key [{said[:size]}")
        assert (cut, size) == (f"key [{HIDDEN}", size)


@pytest.mark.parametrize("text", ["", "…", "nothing of it", "plain", "plain123 and more", "x" * 100_000])
def test_other_text_stays(text: str) -> None:
    kept = f"{text}."
    assert Redactor(["plain1234", ""]).text(kept) == kept


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    assert Redactor(["abcd", "abcdefgh"]).text("abcdefgh!") == f"{HIDDEN}!"


def test_a_redactor_pickles_once_used() -> None:
    redactor = Redactor(["a/b/c/d"])
    redactor.text("x")
    assert pickle.loads(pickle.dumps(redactor)).text("a%2Fb%2Fc%2Fd") == HIDDEN


KEY, PASSWORD = "s3cret/key", "pass/word"
SERVICE = URL(f"http://host/x?api_key={quote(KEY, safe='')}&user_input=prompt-text")
PROXY = URL.build(scheme="http", user="u", password=PASSWORD, host="proxy", port=1)


def _request(url: URL) -> aiohttp.RequestInfo:
    headers = CIMultiDictProxy(CIMultiDict({"X-Key": KEY}))
    return aiohttp.RequestInfo(url, "POST", headers, url)


class _Shows:
    def __repr__(self) -> str:
        return f"<request to {SERVICE}>"


def _json_error() -> Exception:
    try:
        json.loads(f'{{"key": "{KEY}", nope')
    except ValueError as exc:
        return exc
    raise AssertionError


def _with_context(error: Exception, other: Exception) -> Exception:
    error.__context__ = other
    return error


def _noted(error: Exception) -> Exception:
    error.add_note(f"the key was {KEY}")
    return error


ERRORS: list[BaseException] = [
    TimeoutError(f"Connection timeout to host {SERVICE}"),
    aiohttp.ClientOSError(104, f"can not write request body for {SERVICE}"),
    aiohttp.ClientResponseError(_request(SERVICE), (), status=400, message=KEY, headers=CIMultiDict({"X": KEY})),
    aiohttp.InvalidURL(SERVICE, f"bad {PROXY}"),
    aiohttp.ServerDisconnectedError(f"hung up on {SERVICE}"),
    UnicodeDecodeError("utf-8", KEY.encode() + b"\xff", 10, 11, f"near {KEY}"),
    OSError(2, f"no {KEY}", f"/tmp/{KEY}", None, f"/tmp/{PASSWORD}"),
    _json_error(),
    _with_context(ValueError("x"), ValueError(KEY)),
    _noted(ValueError("x")),
    ExceptionGroup("group", [ValueError(KEY), ExceptionGroup("inner", [OSError(f"{PROXY}")])]),
    ValueError({"a": [KEY, (PASSWORD, KEY.encode())]}, _Shows()),
    KeyError(KEY),
    StopIteration(KEY),
    StatusError(f"bad {KEY}", status=401, body=f"<{KEY}>", text=f"the key is {KEY}"),
]


def _told(error: BaseException) -> str:
    parts: list[Any] = [error, error.args, vars(error), error.__context__, *traceback.format_exception(error)]
    parts += [getattr(error, name, "") for name in ("doc", "object", "strerror", "filename", "filename2", "value")]
    return " ".join(f"{part} {part!r}" for part in parts)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_keeps_its_kind_and_tells_no_secret(error: BaseException) -> None:
    outer = StreamBrokenError("the connection broke")
    outer.__cause__ = error
    assert {KEY, PASSWORD, quote(KEY, safe="")} & {part for part in (KEY, PASSWORD) if part in _told(error)}
    Redactor([KEY, PASSWORD]).clean(outer)
    told = _told(outer) + _told(error)
    assert [part for part in (KEY, PASSWORD, quote(KEY, safe=""), quote(PASSWORD, safe="")) if part in told] == []
    assert isinstance(error, StatusError) or "prompt-text" not in told
    assert outer.__cause__ is error


def test_errors_that_lead_in_a_circle_are_cleaned_once() -> None:
    first, second = ValueError(KEY), ValueError(KEY)
    first.__context__, second.__context__ = second, first
    Redactor([KEY]).clean(first)
    assert (first.args, second.args) == ((HIDDEN,), (HIDDEN,))


def test_a_long_text_of_a_library_is_cut() -> None:
    error = ValueError("x" * 1_000_000)
    Redactor([KEY]).clean(error)
    assert len(error.args[0]) == MAX_FOREIGN_CHARACTERS

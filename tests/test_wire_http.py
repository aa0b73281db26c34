"""The form, the headers, and what a status means."""

import json
import math
import time
from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP

import pytest
from multidict import CIMultiDict

from dynaspark_core.errors import (
    AccessError,
    ConfigError,
    NotFoundError,
    RateLimitError,
    RejectedError,
    ServerError,
    StatusError,
)
from dynaspark_core.messages import Image
from dynaspark_core.wire import http, query

NOW = 1_704_067_200.0  # 2024-01-01T00:00:00Z
NONE: CIMultiDict[str] = CIMultiDict()


def parts(form: http.Form) -> list[tuple[object, ...]]:
    """Name, file name, content type and bytes of each field, read by the standard library."""
    head = f"Content-Type: {form.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + b"".join(form.pieces))
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get("content-type"),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


def test_a_form_holds_the_prompt_and_the_model() -> None:
    form = http.form("Hi é", "gemini-1.5-flash")
    assert parts(form) == [("user_input", None, None, "Hi é".encode()), ("ai_model", None, None, b"gemini-1.5-flash")]
    assert form.size == len(b"".join(form.pieces))


def test_an_image_goes_into_the_field_file_and_is_not_copied() -> None:
    data = bytes(range(256)) * 4
    form = http.form("Hi", "m", Image(data, 'a"b.png', "image/png"))
    assert parts(form)[2][1:] == ("a%22b.png", "image/png", data)
    assert form.pieces[1] is data


def test_a_file_name_cannot_add_a_header() -> None:
    form = http.form("Hi", "m", Image(b"x", "a\r\nX-Evil: 1", "image/png"))
    assert b"\r\nX-Evil" not in form.pieces[0]


def test_text_that_utf8_cannot_hold_is_named() -> None:
    with pytest.raises(ConfigError, match=r"user_input holds '\\ud800' at character 2"):
        http.form("ab\ud800", "m")


@pytest.mark.parametrize(
    ("status", "kind", "is_retryable"),
    [
        (400, RejectedError, False),
        (401, AccessError, False),
        (403, AccessError, False),
        (404, NotFoundError, False),
        (405, StatusError, False),
        (408, StatusError, True),
        (413, RejectedError, False),
        (422, RejectedError, False),
        (429, RateLimitError, True),
        (500, ServerError, True),
        (503, ServerError, True),
        (522, ServerError, True),
    ],
)
def test_a_status_has_its_error(status: int, kind: type[StatusError], is_retryable: bool) -> None:
    error = http.status_error(status, NONE, b'{"error": "why"}', NOW)
    assert type(error) is kind
    assert (error.status, error.is_retryable, "why" in str(error)) == (status, is_retryable, True)


def test_an_error_body_is_shown_short_and_never_a_page() -> None:
    page = http.status_error(502, NONE, b"<html><body>" + b"x" * 9000, NOW)
    assert str(page) == "the service answered 502 (its host is waking up or down: try again in a minute): an HTML page"
    assert len(page.body) == http.MAX_ERROR_CHARACTERS
    assert "\x1b" not in str(http.status_error(500, NONE, b"\x1b[31mred\nline", NOW))


def test_a_redirect_names_where_to_without_a_password() -> None:
    error = http.status_error(301, CIMultiDict({"Location": "https://u:secret@new.host/x?key=1"}), b"", NOW)
    assert "https://new.host" in str(error)
    assert "secret" not in str(error)


def test_without_an_address_there_is_no_redirect() -> None:
    assert str(http.status_error(304, NONE, b"not changed", NOW)).endswith(": not changed")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry-After": "3"}, 3),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
        ({"Retry-After": "Mon, 01 Jan 2024 00:00:05 GMT"}, 5),
        ({"X-RateLimit-Reset": str(NOW + 7)}, 7),
        ({"Retry-After": "nan", "X-RateLimit-Reset": str(NOW + 7)}, 7),
        ({"Retry-After": "inf"}, 60),
        ({"Retry-After": "-1"}, 60),
        ({"Retry-After": "1e999"}, 60),
        ({"Retry-After": "9" * 400}, 60),
        ({"Retry-After": "1_0"}, 60),
        ({"Retry-After": "\u0663"}, 60),
        ({"Retry-After": "0x5"}, 60),
        ({"Retry-After": "0.25"}, 0.25),
        ({"X-RateLimit-Reset": str((NOW + 7) * 1000)}, 7),
        ({"X-RateLimit-Reset": "1"}, 60),
        ({}, 60),
    ],
)
def test_the_wait_is_the_first_hint_that_makes_sense(header: dict[str, str], seconds: float) -> None:
    body = {"error": {"message": "slow down", "details": {"reset_time": "2024-01-01T00:01:00Z"}}}
    assert http.status_error(429, CIMultiDict(header), json.dumps(body).encode(), NOW).retry_after == seconds


@pytest.fixture
def _far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has one zone for all processes")
@pytest.mark.usefixtures("_far_from_greenwich")
@pytest.mark.parametrize(
    ("header", "reset_time"),
    [
        ({"Retry-After": "Mon Jan  1 00:00:05 2024"}, None),  # C's asctime, which RFC 9110 has recipients read
        ({"Retry-After": "Monday, 01-Jan-24 00:00:05 GMT"}, None),
        ({"Retry-After": "Mon, 01 Jan 2024 00:00:05 -0000"}, None),
        ({}, "2024-01-01T00:00:05"),
        ({}, "2024-01-01T09:00:05+09:00"),
    ],
)
def test_a_moment_without_a_zone_is_one_of_utc(header: dict[str, str], reset_time: str | None) -> None:
    body = json.dumps({"error": {"details": {"reset_time": reset_time}}}).encode()
    assert http.status_error(429, CIMultiDict(header), body, NOW).retry_after == 5


@pytest.mark.parametrize(("status", "seconds"), [(408, 3), (429, 3), (500, 3), (409, None), (404, None)])
def test_a_wait_is_asked_for_where_the_error_may_pass(status: int, seconds: float | None) -> None:
    assert http.status_error(status, CIMultiDict({"Retry-After": "3"}), b"", NOW).retry_after == seconds


@pytest.mark.parametrize(("name", "least", "greatest"), [(name, *bounds) for name, bounds in query.RANGES.items()])
def test_the_query_api_takes_the_ends_of_a_range_and_nothing_beyond(name: str, least: int, greatest: int) -> None:
    assert [query.parameter(name, end) for end in (least, greatest)] == [str(least), str(greatest)]
    for beyond in (least - 0.001, greatest + 0.001, math.nan, True):
        with pytest.raises(ConfigError, match=f"takes a number from {least} to {greatest}"):
            query.parameter(name, beyond)


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ("something", StatusError, 200),
        ({"code": 429, "message": "slow"}, RateLimitError, 429),
        ({"code": "429", "message": "slow"}, RateLimitError, 429),
        ({"code": "RATE_LIMIT_EXCEEDED"}, RateLimitError, 429),
        ({"code": "invalid-api-key"}, AccessError, 401),
        ({"details": {"reset_time": "2024-01-01T00:01:00Z"}}, RateLimitError, 429),
        ({"code": 500}, ServerError, 500),
        ({"code": True, "message": 5}, StatusError, 200),
        ([1], StatusError, 200),
    ],
)
def test_an_error_field_wins_over_the_status_200(error: object, kind: type[StatusError], status: int) -> None:
    result = http.body_error(error, NONE, NOW)
    assert (type(result), result.status) == (kind, status)


@pytest.mark.parametrize(
    ("status", "remaining", "seconds"),
    [(503, "80", None), (503, "0", 3000), (503, "?", None), (429, "80", None), (429, "0", 3000), (429, "?", 3000)],
)
def test_the_hour_of_a_quota_is_no_wait_while_there_is_quota_left(
    status: int, remaining: str, seconds: float | None
) -> None:
    header = CIMultiDict({"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": str(NOW + 3000)})
    assert http.status_error(status, header, b"", NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "set api_key or DYNASPARK_API_KEY"),
        (403, "if it is about the key, set api_key or DYNASPARK_API_KEY"),
        (404, "check base_url and path"),
        (405, "check base_url, path and route"),
        (414, "use route='form'"),
        (406, ""),
    ],
)
def test_a_status_comes_with_the_way_out(status: int, advice: str) -> None:
    shown = str(http.status_error(status, NONE, b"no", NOW))
    assert (advice in shown) if advice else ("(" not in shown)


def test_a_page_with_a_status_of_the_callers_is_no_host_that_wakes_up() -> None:
    assert "waking up" not in str(http.status_error(406, NONE, b"<html>", NOW))


@pytest.mark.parametrize(
    ("code", "status"), [(399, 200), (400, 400), (599, 599), (600, 200), ("503", 503), (True, 200)]
)
def test_the_code_of_an_error_in_a_body_is_its_status(code: object, status: int) -> None:
    error = http.body_error({"message": "no", "code": code}, header=NONE, now=NOW)
    assert isinstance(error, StatusError)
    assert error.status == status

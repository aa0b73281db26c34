"""How long to wait: numbers from numbers."""

import pytest

from dynaspark_core.errors import AccessError, ConnectError, RateLimitError, ServerError
from dynaspark_core.wire.pacing import MAX_QUOTA_SECONDS, MAX_REQUESTED_WAIT_SECONDS, empty_for, wait


def test_the_wait_doubles_from_half_a_second_to_eight() -> None:
    assert [wait(attempt, ServerError(), 0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_jitter_takes_up_to_a_quarter() -> None:
    assert wait(1, ServerError(), 1) == pytest.approx(0.375)


def test_what_the_service_asks_for_goes_first_up_to_the_cap() -> None:
    assert wait(1, RateLimitError(retry_after=7), 1) == 7
    assert wait(1, RateLimitError(retry_after=MAX_REQUESTED_WAIT_SECONDS + 1), 0) is None


def test_what_cannot_pass_is_not_asked_again() -> None:
    assert wait(1, AccessError(), 0) is None
    assert wait(1, ConnectError(is_retryable=False), 0) is None


def test_a_huge_attempt_number_is_no_overflow() -> None:
    assert wait(10**6, ServerError(), 0) == 8


NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        ("0", NOW + 90, 90),
        ("0", (NOW + 90) * 1000, 90),
        ("0", NOW + MAX_QUOTA_SECONDS, MAX_QUOTA_SECONDS),
        ("0", NOW + MAX_QUOTA_SECONDS + 1, None),
        ("0", NOW - 1, None),
        ("0", "nan", None),
        ("0", "1_9", None),
        ("0", "", None),
        ("3", NOW + 90, 0),
        ("3", "", 0),
        ("", NOW + 90, None),
        ("-1", NOW + 90, None),
        ("none", NOW + 90, None),
        ("\u0663", NOW + 90, None),
    ],
)
def test_a_quota_is_known_to_be_used_up_until_its_reset(remaining: str, reset: object, seconds: float | None) -> None:
    headers = {"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": str(reset)}
    assert empty_for({name: value for name, value in headers.items() if value}, NOW) == seconds


def test_what_the_service_asks_for_goes_before_the_reset_of_its_quota() -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 90), "Retry-After": "20"}
    assert empty_for(headers, NOW) == 20

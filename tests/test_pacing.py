"""How long to wait: numbers from numbers."""

import pytest

from dynaspark_core.errors import AccessError, ConnectError, RateLimitError, ServerError
from dynaspark_core.pacing import LONGEST_ASKED_WAIT, wait


def test_the_wait_doubles_from_half_a_second_to_eight() -> None:
    assert [wait(attempt, ServerError(), 0) for attempt in range(1, 8)] == [0.5, 1, 2, 4, 8, 8, 8]


def test_jitter_takes_up_to_a_quarter() -> None:
    assert wait(1, ServerError(), 1) == pytest.approx(0.375)


def test_what_the_service_asks_for_goes_first_up_to_the_cap() -> None:
    assert wait(1, RateLimitError(retry_after=7), 1) == 7
    assert wait(1, RateLimitError(retry_after=LONGEST_ASKED_WAIT + 1), 0) is None


def test_what_cannot_pass_is_not_asked_again() -> None:
    assert wait(1, AccessError(), 0) is None
    assert wait(1, ConnectError(is_retryable=False), 0) is None


def test_a_huge_attempt_number_is_no_overflow() -> None:
    assert wait(10**6, ServerError(), 0) == 8

"""How long to wait before asking again: numbers from numbers. No clock, no sleep, no randomness of its own."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dynaspark_core.errors import DynasparkError

FIRST_WAIT_SECONDS = 0.5
MAX_DOUBLINGS = 4
"""Of the first wait: the longest one is 8 s."""
MAX_REQUESTED_WAIT_SECONDS = 60.0
"""Seconds: a longer wait that the service asks for fails the call at once, with `retry_after` set."""
MAX_QUOTA_SECONDS = 3900.0
"""Seconds: the service's quota is one of an hour, and clocks differ; a reset that is further ahead is not believed."""
MILLISECONDS = 1e11
"""A Unix time above this is counted in milliseconds: in seconds it would be in the year 5138."""


def wait(attempt: int, error: DynasparkError, jitter: float) -> float | None:
    """Seconds to wait after failed attempt number `attempt` (1 is the first), or None: do not ask again.

    A wait that the service requested takes precedence. Otherwise back-off starts at 0.5 s and doubles up to 8 s, less
    up to 25 % by `jitter` (0 to 1).
    """
    if not error.is_retryable:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= MAX_REQUESTED_WAIT_SECONDS else None
    return float(FIRST_WAIT_SECONDS * 2 ** min(attempt - 1, MAX_DOUBLINGS) * (1 - jitter / 4))


def requested_wait(headers: Mapping[str, str], reset_time: object, now: float, *, is_spent: bool) -> float | None:
    """Seconds the service asks to wait, from the first of its hints that makes sense; None without one.

    `headers` is case-insensitive; `reset_time` the body's ISO time; `now` the Unix time; `is_spent` says that the quota
    is used up, as `X-RateLimit-Reset` comes with every answer. Not a number, infinite, negative or past values are no
    hint.
    """
    hints = (
        _seconds(headers.get("Retry-After-Ms"), 1000),
        _seconds(headers.get("Retry-After"), 1),
        _until(_http_date(headers.get("Retry-After")), now),
        _until(_unix_time(headers.get("X-RateLimit-Reset")), now) if is_spent else None,
        _until(_iso_date(reset_time), now),
    )
    return next((hint for hint in hints if hint is not None), None)


def empty_for(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds for which the service's quota is known to be used up; 0: it is not; None: the headers do not say.

    That is `X-RateLimit-Remaining: 0` with a hint on when more may be asked, as in `requested_wait`. A time that is
    past, or more than `MAX_QUOTA_SECONDS` ahead, says nothing.
    """
    remaining = _remaining(headers)
    if remaining is None or remaining > 0:
        return None if remaining is None else 0.0
    asked = requested_wait(headers, None, now, is_spent=True)
    return asked if asked is not None and asked <= MAX_QUOTA_SECONDS else None


def is_quota_spent(headers: Mapping[str, str], status: int) -> bool:
    """Whether the service's quota is used up: a 429 with requests left is about something else, such as their number.

    Where the headers do not tell how many are left, every 429 is about the quota.
    """
    remaining = _remaining(headers)
    return status == 429 if remaining is None else remaining <= 0


def _remaining(headers: Mapping[str, str]) -> float | None:
    """How many requests are left; None where the headers do not say."""
    return _seconds(headers.get("X-RateLimit-Remaining"), 1)


_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")


def _seconds(text: str | None, divisor: int) -> float | None:
    """The number in plain digits; other forms that Python reads (1_0, ٣, nan) are none."""
    number = float(text) / divisor if text and _NUMBER.fullmatch(text.strip()) else math.inf
    return number if math.isfinite(number) else None


def _unix_time(text: str | None) -> float | None:
    number = _seconds(text, 1)
    return number / 1000 if number is not None and number > MILLISECONDS else number


def _until(moment: float | None, now: float) -> float | None:
    return None if moment is None or moment < now else moment - now


def _http_date(text: str | None) -> float | None:
    try:
        return _timestamp(parsedate_to_datetime(text or ""))
    except (ValueError, OverflowError):
        return None


def _iso_date(value: object) -> float | None:
    try:
        return _timestamp(datetime.fromisoformat(str(value))) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _timestamp(moment: datetime) -> float:
    """The Unix time; a moment without a zone is one of UTC, as all are in HTTP (RFC 9110, section 5.6.7)."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

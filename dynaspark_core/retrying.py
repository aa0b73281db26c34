"""An attempt, made again by tenacity as long as `pacing` says so; each failure goes to the log, without the prompt."""

import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt

from dynaspark_core import pacing
from dynaspark_core.errors import DynasparkError

T = TypeVar("T")
_log = logging.getLogger("dynaspark_core")


async def retried(attempt: Callable[[], Awaitable[T]], max_retries: int) -> T:
    """What the attempt returns, at the latest at attempt `max_retries` + 1. Raises the last failure.

    Only a failure brings in tenacity, which costs a good part of what a whole call does.
    """
    try:
        return await attempt()
    except DynasparkError as error:
        failed = [error]

    async def again() -> T:
        if failed:
            raise failed.pop()
        return await attempt()

    return await _retrying(max_retries)(again)


def _retrying(max_retries: int) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(max_retries + 1),
        wait=_wait,
        before_sleep=_tell,
        reraise=True,
    )


def _may_pass(exc: BaseException) -> bool:
    return isinstance(exc, DynasparkError) and pacing.wait(1, exc, 0) is not None


def _failure(state: RetryCallState) -> DynasparkError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, DynasparkError)  # noqa: S101  # `_may_pass` lets no other through
    return error


def _wait(state: RetryCallState) -> float:
    return pacing.wait(state.attempt_number, _failure(state), random.random()) or 0  # noqa: S311  # jitter is no secret


def _tell(state: RetryCallState) -> None:
    seconds = state.next_action.sleep if state.next_action else 0
    _log.warning("attempt %d failed, next in %.1f s: %s", state.attempt_number, seconds, _failure(state))

"""An attempt, made again by tenacity as long as `pacing` says so. Each new one is a WARNING under `dynaspark_core`.

The log has the kind of a failure and its status, not its message: the service may quote the prompt.
"""

import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from dynaspark_core.errors import DynasparkError, StatusError
from dynaspark_core.wire import pacing

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")
_log = logging.getLogger("dynaspark_core")


async def retried(attempt: Callable[[str], Awaitable[T]], failure: DynasparkError, max_retries: int, name: str) -> T:
    """What the attempt returns after this failure of the first, at the latest at attempt `max_retries` + 1.

    Raises the last failure. An attempt is told its name for the log: the call's `name` and its number. Tenacity comes
    in here only: its import takes tens of milliseconds, and each use a good part of what a whole call does.
    """
    if not max_retries or not _may_pass(failure):
        raise failure
    failed = [failure]

    async def again() -> T:
        if failed:
            raise failed.pop()
        return await attempt(f"{name}.{retrying.statistics['attempt_number']}")

    from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt  # noqa: PLC0415  # see the docstring

    retrying = AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(max_retries + 1),
        wait=_wait,
        before_sleep=partial(_log_retry, name, max_retries),
        reraise=True,
    )
    return await retrying(again)


def _may_pass(exc: BaseException) -> bool:
    return isinstance(exc, DynasparkError) and pacing.wait(1, exc, 0) is not None


def _failure(state: "RetryCallState") -> DynasparkError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, DynasparkError)  # noqa: S101  # `_may_pass` lets no other through
    return error


def _wait(state: "RetryCallState") -> float:
    return pacing.wait(state.attempt_number, _failure(state), random.random()) or 0  # noqa: S311  # jitter is no secret


def _log_retry(name: str, max_retries: int, state: "RetryCallState") -> None:
    seconds = state.next_action.sleep if state.next_action else 0
    number, error = state.attempt_number, _failure(state)
    status = f" (status {error.status})" if isinstance(error, StatusError) else ""
    kind = type(error).__name__
    _log.warning(
        "request %s.%d: %s%s; retry %d of %d in %.1f s", name, number, kind, status, number, max_retries, seconds
    )

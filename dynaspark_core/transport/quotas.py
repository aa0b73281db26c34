"""Permission to send: under the client-side limit, and under the service's quota while it is known to be used up.

Which headers mean what is in `wire.pacing`; where requests are counted, in `counters`; what was noted is kept here.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from dynaspark_core.errors import ConnectError, RateLimitError
from dynaspark_core.transport import counters
from dynaspark_core.transport.sessions import Slots
from dynaspark_core.wire import pacing

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter

MIN_WAIT_SECONDS = 0.01
"""A request that is allowed by now is tried again, not at once and not for ever."""

_log = logging.getLogger("dynaspark_core")
_empty: dict[str, float] = {}
"""Account → the Unix time until which the service's quota is known to be used up."""
_noted: dict[tuple[str, str], float] = {}
"""Account and storage → the time that was written to that storage."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a client may send: `per_hour` requests in any rolling hour, None for no client-side limit.

    Clients with the same bucket, number and storage count together, over all loops and threads, and over processes
    where `storage` is the URL of a Redis. `account` is whose quota the service counts: other headers, or another
    proxy, may mean somebody else. Plain values, so that it pickles.
    """

    bucket: str
    account: str
    per_hour: int | None = None
    storage: str | None = field(default=None, repr=False)

    def acquire(self, slots: Slots, patience: float) -> Awaitable[None] | None:
        """Take a slot; what remains to be awaited where none is free, or where requests are limited."""
        if self.account in _empty or self.per_hour is not None or self.storage is not None or not slots.take():
            return self._acquire(slots, patience)
        return None

    async def _acquire(self, slots: Slots, patience: float) -> None:
        """Take a slot, and count a request under the limits; no slot is held while the limits are waited for.

        The slot is taken first and held while the storage is asked, for `counters.MAX_QUESTION_SECONDS` at most: a
        request is counted when it can be sent, not before. Raises `RateLimitError` with `retry_after` where the waits
        would be longer than `pacing.MAX_REQUESTED_WAIT_SECONDS` in all, not retryable where a part of them is over;
        `ConnectError` where the shared storage cannot be asked, and what `Slots.acquire` raises.
        """
        waited = 0.0
        while True:
            await slots.acquire(patience)
            try:
                left = _empty.get(self.account, 0) - time.time()
                refusal = _used_up(left) if 0 < left <= pacing.MAX_QUOTA_SECONDS else None
                if refusal is None and (self.storage is not None or self.per_hour is not None):
                    refusal = await self._counted()
            except BaseException:
                slots.release()
                raise
            if refusal is None:
                return
            slots.release()
            seconds = refusal.retry_after or 0
            if waited + seconds > pacing.MAX_REQUESTED_WAIT_SECONDS:
                refusal.is_retryable = not waited
                raise refusal
            waited += seconds
            _log.info("waiting %.1f s: %s", seconds, refusal)
            await asyncio.sleep(seconds)

    def noted(self, header: Mapping[str, str], now: float) -> Awaitable[None] | None:
        """Remember what an answer says of the service's quota; what remains to be awaited, where others must learn it.

        `header` is case-insensitive, `now` the Unix time. What is known holds until the time that the service has
        named: an answer with requests left that comes before it is one to an earlier request.
        """
        seconds = pacing.empty_for(header, now)
        if not seconds:
            return None
        until = _empty[self.account] = max(now + seconds, _empty.get(self.account, 0))
        is_news = self.storage is not None and self._is_news(self.storage, until)
        return self._tell(self.storage, until - now) if self.storage is not None and is_news else None

    async def _tell(self, storage: str, seconds: float) -> None:
        """Write it to the storage. One that cannot be written is a WARNING: the answer is worth more."""
        try:
            await counters.ask_storage(storage, lambda limiter: self._mark_empty(limiter, seconds))
        except ConnectError as exc:
            _noted.pop((self.account, storage), None)
            _log.warning("other processes do not learn of the service's quota: %s", exc)

    def _is_news(self, storage: str, until: float) -> bool:
        """Whether the storage does not have the time yet; now it will. Times within a second count as one."""
        before = _noted.get((self.account, storage), 0)
        _noted[self.account, storage] = until
        return until - before >= 1

    async def _counted(self) -> RateLimitError | None:
        """Why the client-side limit or the shared storage allows no request; None with one counted."""
        if self.storage is not None:
            return await counters.ask_storage(self.storage, self._count_shared)
        return await counters.ask_memory(self._count)

    def _count_shared(self, limiter: "MovingWindowRateLimiter") -> RateLimitError | None:
        left = limiter.storage.get_expiry(self._mark) - time.time()
        return _used_up(left) if 0 < left <= pacing.MAX_QUOTA_SECONDS else self._count(limiter)

    def _mark_empty(self, limiter: "MovingWindowRateLimiter", seconds: float) -> None:
        """Keep a mark in the storage for as long as the quota is used up."""
        limiter.storage.clear(self._mark)
        limiter.storage.incr(self._mark, math.ceil(seconds))

    @property
    def _mark(self) -> str:
        return f"{self.account}/empty"

    def _count(self, limiter: "MovingWindowRateLimiter") -> RateLimitError | None:
        """Count a request; why not, and for how long, where the limit does not allow it."""
        if self.per_hour is None:
            return None
        from limits import RateLimitItemPerHour  # noqa: PLC0415  # of the extra `limits`

        item = RateLimitItemPerHour(self.per_hour)
        if limiter.hit(item, self.bucket):
            return None
        reset = limiter.get_window_stats(item, self.bucket).reset_time - time.time()
        left = min(max(reset, MIN_WAIT_SECONDS), pacing.MAX_QUOTA_SECONDS)
        limit = f"requests_per_hour={self.per_hour} is used up; the next request is allowed in {left:,.0f} s"
        return RateLimitError(f"{limit}; nothing was sent", retry_after=left)


def quota_for(
    origin: str, api_key: str | None, per_hour: int | None, storage: str | None, credentials: Iterable[object] = ()
) -> Quota:
    """What a client of this service, with this key, may send. Raises `ConfigError` when a library for it is missing.

    `credentials` are other values that may say who asks; of them and of the key only digests are kept.
    """
    if per_hour is not None or storage is not None:
        counters.require_packages(storage)
    bucket = f"dynaspark/{origin}/{_digest(api_key) if api_key else 'no-key'}"
    return Quota(bucket, f"{bucket}/{_digest(repr(tuple(credentials)))}", per_hour, storage)


def _digest(secret: str) -> str:
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()[:16]


def _used_up(left: float) -> RateLimitError:
    message = f"the service said that its quota is used up for another {left:,.0f} s; nothing was sent"
    return RateLimitError(message, retry_after=left)

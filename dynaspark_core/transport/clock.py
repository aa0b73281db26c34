"""The deadlines of all attempts on one loop, watched by one timer: one for each attempt costs 3 % of a raw post."""

import asyncio
import math
import time
from typing import Protocol


class Waiting(Protocol):
    """Whoever waits: `expire` ends the wait."""

    def expire(self) -> None: ...


class Clock:
    """Ends the waits of one loop whose time is over: `watch` each, and `forget` it when it has ended by itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._waits: dict[Waiting, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = math.inf

    def watch(self, wait: Waiting, until: float) -> None:
        """End the wait at this time of `time.monotonic`."""
        self._waits[wait] = until
        if until < self._next:
            self._set(until)

    def forget(self, wait: Waiting) -> None:
        """Let the wait be; the timer stays, as the next call's deadline is later still."""
        self._waits.pop(wait, None)

    def _set(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = until
        self._timer = self.loop.call_later(until - time.monotonic(), self._look)

    def _look(self) -> None:
        self._timer, self._next = None, math.inf
        now = time.monotonic()
        for wait in [wait for wait, until in self._waits.items() if until <= now]:
            self.forget(wait)
            wait.expire()
        if self._waits:
            self._set(min(self._waits.values()))

"""One timer ends all waits of a loop, each at its own time."""

import asyncio
import time

from dynaspark_core.transport.clock import Clock


class Wait:
    """Notes that it has expired."""

    def __init__(self, expired: list["Wait"], is_last: asyncio.Event | None = None) -> None:
        self.expired, self.is_last = expired, is_last

    def expire(self) -> None:
        self.expired.append(self)
        if self.is_last is not None:
            self.is_last.set()


async def test_each_wait_ends_at_its_own_time_and_a_forgotten_one_never() -> None:
    expired: list[Wait] = []
    is_over = asyncio.Event()
    clock, now = Clock(asyncio.get_running_loop()), time.monotonic()
    last, first, forgotten = Wait(expired, is_over), Wait(expired), Wait(expired)
    clock.watch(last, now + 0.03)
    clock.watch(forgotten, now + 0.01)
    clock.watch(first, now + 0.02)
    clock.forget(forgotten)
    async with asyncio.timeout(10):
        await is_over.wait()
    assert expired == [first, last]
    assert time.monotonic() >= now + 0.03

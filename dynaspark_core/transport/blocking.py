"""Sync over async: a coroutine's result, an async generator's items, from any thread, also inside a running loop.

There is one loop for the process, which keeps its connections. As long as its calls come one at a time, each runs it in
its own thread. From the first stream on, or the first call that meets another or comes inside a running loop, a daemon
thread runs it for good; so no call ever moves from thread to thread. It is made anew after a fork and ends at exit.
Context variables of the caller reach the coroutine.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from contextlib import aclosing, suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from dynaspark_core.transport.interrupts import Interrupting, can_run_a_loop

T = TypeVar("T")
_MAX_EXIT_SECONDS = 1.0
"""Seconds that the exit of the interpreter, or who interrupts twice, waits for requests to be cancelled."""


class InsideError(RuntimeError):
    """A sync call on the loop of the sync calls itself."""


class _Alone:
    """The loop of calls that come one at a time; whoever has the `turn` runs it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.turn = threading.Lock()
        atexit.register(self._end)  # so late that it runs before the pool's own, which takes idle loops for left ones

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result; the caller's turn ends with it."""
        task = self.loop.create_task(coroutine)
        try:
            with Interrupting(task):
                return self.loop.run_until_complete(task)
        finally:
            if not task.done():  # interrupted once more, or left by another task: the next call must not hear of it
                task.cancel()
                with suppress(BaseException):
                    self.loop.run_until_complete(asyncio.wait([task], timeout=_MAX_EXIT_SECONDS))
            if task.done() and not task.cancelled():
                task.exception()  # asyncio logs an error that nobody looked at
            self._leave()

    def _leave(self) -> None:
        with _lock:
            is_kept = _alone is self
            if is_kept:
                self.turn.release()
        if not is_kept:  # the daemon thread has another loop since
            _close(self.loop)

    def _end(self) -> None:
        """At exit: cancel what runs, and close the loop."""
        if _alone is not self:  # that of the process before a fork, or that of the daemon thread
            return
        _is_ending.set()
        if not self.turn.acquire(blocking=False):
            self.loop.call_soon_threadsafe(_cancel_all, self.loop)
            if not self.turn.acquire(timeout=_MAX_EXIT_SECONDS):
                return
            with suppress(asyncio.CancelledError):  # it may come late, and meet nobody but this
                self.loop.run_until_complete(asyncio.sleep(0))
        _close(self.loop)


class _Background:
    """The daemon thread and its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="dynaspark", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            while not self._ending.is_set():
                with suppress(SystemExit, KeyboardInterrupt):  # of a call: who made it gets it
                    self.loop.run_until_complete(self._ending.wait())
        finally:
            asyncio.set_event_loop(None)
            _close(self.loop)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_MAX_EXIT_SECONDS)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()


async def _others() -> None:
    """Wait until this loop has no other tasks, but not for long: one may not heed its end, or have lost its turn."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_MAX_EXIT_SECONDS):
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on the loop, which does not run, and close it.

    `asyncio.Runner` would shut the default executor down with a new thread. At exit none may begin, and Python 3.12.0
    to 3.12.2 raise there; `loop.close` lets the executor go without one.
    """
    try:
        _cancel_all(loop)
        loop.run_until_complete(_others())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


_alone: _Alone | None = None
_background: _Background | None = None
_inherited: list[object] = []
_lock = threading.Lock()
_is_ending = threading.Event()


def _my_turn() -> _Alone | None:
    """The loop, which this thread may run; None where the daemon thread does, or has to."""
    global _alone  # noqa: PLW0603  # one for the process
    if _background is not None or _is_ending.is_set() or not can_run_a_loop():
        return None
    with _lock:
        if _background is not None:
            return None
        _alone = _alone or _Alone()
        return _alone if _alone.turn.acquire(blocking=False) else None


def _loop() -> asyncio.AbstractEventLoop:
    """The loop that the daemon thread runs from now on: that of the calls so far, if none of them runs it.

    Raises `RuntimeError` at exit, where no thread may begin.
    """
    global _alone, _background  # noqa: PLW0603  # see above
    with _lock:
        if _background is None and _is_ending.is_set():
            raise RuntimeError("a sync call cannot begin while the interpreter ends")
        if _background is None:
            is_free = _alone is not None and _alone.turn.acquire(blocking=False)
            _background = _Background(_alone.loop if _alone is not None and is_free else asyncio.new_event_loop())
            _alone = None
    return _background.loop


def _check_place(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Raises `InsideError` on the loop of the sync calls itself, and closes the coroutine."""
    here = asyncio._get_running_loop()  # noqa: SLF001  # asyncio exports it
    if here is not None and here in [each.loop for each in (_alone, _background) if each is not None]:
        coroutine.close()
        raise InsideError("a sync call inside Dynaspark's own event loop would wait for itself: use the async method")
    _stay_at_exit()


def _submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """The coroutine in the daemon thread; one that cannot go there is closed."""
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, _loop())
    except RuntimeError:  # at exit, or in a child that was forked there, the loop is closed
        coroutine.close()
        _stay_at_exit()
        raise


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. An interrupt of this thread cancels it."""
    _check_place(coroutine)
    if mine := _my_turn():
        try:
            return mine.run(coroutine)
        except asyncio.CancelledError as exc:
            _stay_at_exit()
            raise CancelledError from exc
    future = _submit(coroutine)
    try:
        return _result(future)
    except BaseException:
        future.cancel()
        raise


def iterate(source: AsyncGenerator[T]) -> Generator[T]:
    """The source's items, as they come. Nothing starts before the first is asked for; leaving early cancels it."""
    items: SimpleQueue[tuple[T] | None] = SimpleQueue()
    pump = _pump(source, items.put)
    _check_place(pump)
    future = _submit(pump)
    try:
        while item := items.get():
            yield item[0]
        _result(future)
    finally:
        future.cancel()


def _result(future: Future[T]) -> T:
    """The result. At exit the calls that daemon threads are in are cancelled: such a thread stays."""
    try:
        return future.result()
    except CancelledError:
        _stay_at_exit()
        raise


def _stay_at_exit() -> None:
    """Keeps a daemon thread for good once the interpreter ends: an error would be the last that is seen of it."""
    if _is_ending.is_set() and threading.current_thread().daemon:
        threading.Event().wait()


async def _pump(source: AsyncGenerator[T], put: Callable[[tuple[T] | None], None]) -> None:
    try:
        async with aclosing(source):
            async for item in source:
                put((item,))
    finally:
        put(None)


def _stop() -> None:
    _is_ending.set()
    if _background is not None:
        _background.stop()


def _after_fork() -> None:
    """Forget the parent's loop without closing it: a child shares its selector. Its first sync call makes its own."""
    global _alone, _background, _lock
    _inherited.extend((_alone, _background))
    _alone, _background, _lock = None, None, threading.Lock()


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

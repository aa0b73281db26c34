"""Sync over async: a coroutine's result, an async generator's items, from any thread, also inside a running loop.

One daemon thread runs one loop for the whole process. It keeps its connections, starts anew after a fork and ends at
exit. Context variables of the caller reach the coroutine.
"""

import asyncio
import atexit
import os
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import CancelledError, Future
from contextlib import aclosing
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")
_MAX_EXIT_SECONDS = 1.0
"""Seconds that the exit of the interpreter waits for requests to be cancelled."""


class InsideError(RuntimeError):
    """A sync call on the background loop itself."""


class _Background:
    """The thread and its loop; made by the first sync call."""

    def __init__(self) -> None:
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dynaspark", daemon=True)
        self._thread.start()
        self._is_ready.wait()

    def _run(self) -> None:
        """Run the loop until it is told to stop.

        `asyncio.Runner` would shut the default executor down with a new thread. At exit none may begin, and Python
        3.12.0 to 3.12.2 raise there; `loop.close` lets the executor go without one.
        """
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        try:
            self._ending = asyncio.Event()
            self.loop.call_soon(self._is_ready.set)
            self.loop.run_until_complete(self._ending.wait())
            self.loop.run_until_complete(_cancel_all())
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    def is_here(self) -> bool:
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_MAX_EXIT_SECONDS)


async def _cancel_all() -> None:
    """Cancel the other tasks of this loop and wait for their end."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_background: _Background | None = None
_lock = threading.Lock()
_is_ending = threading.Event()


def _loop() -> asyncio.AbstractEventLoop:
    global _background  # noqa: PLW0603  # one for the process
    if _background is None:
        with _lock:
            _background = _background or _Background()
    return _background.loop


def _submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """The coroutine on the background loop; one that cannot go there is closed. Raises `InsideError` on that loop."""
    if _background is not None and _background.is_here():
        coroutine.close()
        raise InsideError("a sync call inside Dynaspark's own event loop would wait for itself: use the async method")
    _stay_at_exit()
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, _loop())
    except RuntimeError:  # at exit the loop is closed, and no thread may begin
        coroutine.close()
        _stay_at_exit()
        raise


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns. An interrupt of this thread cancels it."""
    future = _submit(coroutine)
    try:
        return _result(future)
    except BaseException:
        future.cancel()
        raise


def iterate(source: AsyncGenerator[T]) -> Generator[T]:
    """The source's items, as they come. Nothing starts before the first is asked for; leaving early cancels it."""
    items: SimpleQueue[tuple[T] | None] = SimpleQueue()
    future = _submit(_pump(source, items.put))
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
    """Forget the parent's thread, which a child does not have; its first sync call starts its own."""
    global _background, _lock
    _background, _lock = None, threading.Lock()


atexit.register(_stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

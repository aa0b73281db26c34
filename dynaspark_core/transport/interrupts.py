"""Signals while a loop runs in the main thread: none may break off a step of the loop; Ctrl-C cancels the call."""

import asyncio
import signal
import sys
import threading
from typing import Any

_signals: Any = sys.modules.get("_signal", signal)
"""What `signal` wraps: its functions look for the members of an enum, which costs 15 µs a call."""
_PLAIN = (signal.default_int_handler, signal.SIG_DFL, signal.SIG_IGN, None)
_NAMES = ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_WITH_HANDLERS = [int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name)]
"""Those for which programs set handlers that raise: to exit, or because a time is over."""


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def can_run_a_loop() -> bool:
    """Whether this thread runs no loop, and the program has no handler of signals that could raise in a step of one."""
    if asyncio._get_running_loop() is not None:  # noqa: SLF001  # asyncio exports it
        return False
    return not _is_main() or all(_signals.getsignal(number) in _PLAIN for number in _WITH_HANDLERS)


class Interrupting:
    """While it is entered in the main thread, Ctrl-C cancels the task, so that no step of the loop is broken off.

    `asyncio.Runner` does the same, and takes 40 µs for it.
    """

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._is_interrupted = False
        self._is_set = _is_main() and _signals.getsignal(signal.SIGINT) is signal.default_int_handler

    def __enter__(self) -> None:
        if self._is_set:
            _signals.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, *_: object) -> None:
        if self._is_interrupted:
            raise KeyboardInterrupt
        self._is_interrupted = True
        self._task.cancel()
        self._task.get_loop().call_soon_threadsafe(int)  # it may sleep

    def __exit__(self, *_: object) -> None:
        if self._is_set:
            _signals.signal(signal.SIGINT, signal.default_int_handler)
        if self._is_interrupted:
            raise KeyboardInterrupt

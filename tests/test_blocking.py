"""Sync calls run in the caller's thread while they come one at a time, then in another for good; none gets lost."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from dynaspark_core.transport import blocking

NAME = "dynaspark"
of_caller: ContextVar[str] = ContextVar("of_caller", default="")


async def thread() -> threading.Thread:
    await asyncio.sleep(0)
    return threading.current_thread()


async def threads() -> AsyncGenerator[threading.Thread]:
    yield await thread()


def own_handler(*_: object) -> None:
    """What a program might do at a signal."""


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_a_call_runs_in_the_callers_thread_and_a_stream_does_not() -> None:
    """In a process of its own, where no call of another test is about to end."""
    script = """
import asyncio, threading
from dynaspark_core.transport import blocking
async def is_here(caller): return threading.current_thread() is caller
async def streamed(caller): yield await is_here(caller)
print(blocking.run(is_here(threading.current_thread())), threading.active_count())
other = threading.Thread(target=lambda: print(blocking.run(is_here(threading.current_thread()))))
other.start()
other.join()
print(*blocking.iterate(streamed(threading.current_thread())), blocking.run(is_here(threading.current_thread())))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "1", "True", "False", "False"]


async def test_inside_a_running_loop_another_thread_runs_it() -> None:
    assert blocking.run(thread()).name == NAME
    assert [each.name for each in blocking.iterate(threads())] == [NAME]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGALRM", "SIGUSR1"])
def test_another_thread_runs_it_where_a_handler_of_signals_may_raise(name: str) -> None:
    number = getattr(signal, name, signal.SIGINT)  # Windows has two of them
    before = signal.signal(number, own_handler)
    try:
        assert blocking.run(thread()).name == NAME
        assert signal.getsignal(number) is own_handler
    finally:
        signal.signal(number, before)


def test_the_handler_of_ctrl_c_is_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    blocking.run(thread())
    assert signal.getsignal(signal.SIGINT) is before


def test_a_call_that_meets_another_runs_elsewhere_and_both_stay_in_their_threads() -> None:
    """In a process of its own, as the first such call is the only one."""
    script = """
import asyncio, threading
from dynaspark_core.transport import blocking
begun, go_on, said = threading.Event(), threading.Event(), []
async def first():
    begun.set()
    while not go_on.is_set(): await asyncio.sleep(0)
    return threading.current_thread()
async def second():
    go_on.set()
    for _ in range(100): await asyncio.sleep(0)
    return threading.current_thread()
def later():
    begun.wait()
    said.append(blocking.run(second()).name)
thread = threading.Thread(target=later)
thread.start()
said.append(str(blocking.run(first()) is threading.current_thread()))
thread.join()
print(*said, blocking.run(second()).name)
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert sorted(done.stdout.split()) == ["True", NAME, NAME]
    assert done.stderr == ""


def test_many_threads_that_call_again_and_again_all_get_their_answers(pool: ThreadPoolExecutor) -> None:
    async def echo(number: int) -> int:
        for _ in range(number % 5):
            await asyncio.sleep(0)
        return number

    def calls(start: int) -> list[int]:
        return [blocking.run(echo(number)) for number in range(start, start + 50)]

    assert list(pool.map(calls, range(8))) == [[*range(start, start + 50)] for start in range(8)]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_an_error_reaches_who_called_and_the_next_call_runs(kind: type[BaseException]) -> None:
    async def fail() -> None:
        raise kind

    with pytest.raises(kind):
        blocking.run(fail())
    assert blocking.run(thread())


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt"])
def test_what_another_task_of_a_call_raises_does_not_come_out_of_the_next_call(kind: str) -> None:
    script = f"""
import asyncio
from dynaspark_core.transport import blocking
async def leave(): raise {kind}
async def several(): await asyncio.gather(*[asyncio.create_task(leave()) for _ in range(2)])
async def value(): return await asyncio.sleep(0, "next")
try:
    blocking.run(several())
except {kind}:
    print("left")
print(blocking.run(value()), blocking.run(value()))
"""
    done = subprocess.run([sys.executable, "-X", "dev", "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["left", "next", "next"], "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_two_interrupts_end_a_call_that_does_not_let_itself_be_cancelled() -> None:
    script = """
import asyncio, itertools, os, signal
from dynaspark_core.transport import blocking
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
async def stubborn():
    for interrupts in itertools.count():
        if interrupts < 2:  # the second once the first has arrived: two at once are one
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
async def value(): return "next"
try:
    blocking.run(stubborn())
except KeyboardInterrupt:
    print("left")
print(blocking.run(value()), flush=True)
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["left", "next"]


async def test_an_exit_within_a_call_that_was_handed_over_ends_that_call_only() -> None:
    async def fail() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        blocking.run(fail())
    assert blocking.run(thread()).name == NAME


def test_context_variables_of_the_caller_reach_the_call() -> None:
    async def read() -> str:
        return of_caller.get()

    token = of_caller.set("mine")
    assert blocking.run(read()) == "mine"
    of_caller.reset(token)


def test_the_call_of_a_coroutine_that_is_cancelled_from_inside_is_no_cancellation_of_the_caller() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    with pytest.raises(CancelledError):
        blocking.run(cancelled())

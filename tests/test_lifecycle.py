"""One object works everywhere and leaves nothing behind: loops, threads, forks, notebooks, exit.

Each script runs in a process of its own under `-X dev -W error` and never closes anything; its stderr must stay empty.
"""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from textwrap import dedent

import pytest

from dynaspark_core.server import Asked, LocalService, Script

HEAD = """
import asyncio, atexit, logging, os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
last = []
atexit.register(lambda: [each() for each in last])  # runs after what the packages do at exit
from dynaspark_core import DynasparkClient
from dynaspark_core.transport import blocking
logging.getLogger("asyncio").setLevel(logging.ERROR)  # a busy machine's slow callbacks are no fault
client = DynasparkClient(base_url=sys.argv[1])
async def ask(): return (await client.complete("x")).text
"""

SCRIPTS = {
    "a daemon thread that is in a call": """
        threading.Thread(target=lambda: blocking.run(client.complete("never")), daemon=True).start()
        threading.Thread(target=lambda: list(blocking.iterate(client.stream("never"))), daemon=True).start()
        print(asyncio.run(ask()))
    """,
    "a daemon thread that is alone in a call": """
        threading.Thread(target=lambda: blocking.run(client.complete("never")), daemon=True).start()
        print(asyncio.run(ask()))
    """,
    "a call that outlives the loop it ran, as another met it": """
        met = threading.Event()
        async def first():
            met.set()
            return await ask()
        thread = threading.Thread(target=lambda: (met.wait(), print(blocking.run(ask()))))
        thread.start()
        print(blocking.run(first()))
        thread.join()
        print(blocking.run(ask()))
    """,
    "daemon threads that begin a call at exit": """
        is_over = threading.Event()
        def begin(call):
            is_over.wait()
            call()
        calls = (lambda: blocking.run(ask()), lambda: list(blocking.iterate(client.stream("x"))))
        threads = [threading.Thread(target=begin, args=(call,), daemon=True) for call in calls]
        for thread in threads: thread.start()
        print(blocking.run(ask()))
        last.append(is_over.set)
        last += [lambda thread=thread: thread.join(0.3) for thread in threads]
    """,
    "a sync call that begins only at exit": """
        print(asyncio.run(ask()))
        def begin():
            try: blocking.run(ask())
            except RuntimeError: pass
        blocking.run(asyncio.sleep(0))
        last.append(begin)
    """,
    "a sync call on the loop of the sync calls": """
        async def inside():
            for call in (lambda: blocking.run(ask()), lambda: list(blocking.iterate(client.stream("x")))):
                try: call()
                except RuntimeError: print(await ask())
        blocking.run(inside())
    """,
    "an exit at which no thread may begin, as in Python 3.12.0 to 3.12.2": """
        def refuse(*_): raise RuntimeError("can't create new thread at interpreter shutdown")
        atexit.register(lambda: setattr(threading.Thread, "start", refuse))  # runs before what the packages do
        blocking.run(asyncio.to_thread(int))
        print(blocking.run(ask()))
    """,
    "a script that never closes": """
        print(asyncio.run(ask()))
    """,
    "one client on several loops": """
        print("".join(asyncio.run(ask()) for _ in range(5)))
    """,
    "a loop that is closed without its generators": """
        for _ in range(3):
            loop = asyncio.new_event_loop()
            print(loop.run_until_complete(ask()), end="")
            loop.close()
    """,
    "a loop that nobody closes before the next": """
        loop = asyncio.new_event_loop()
        print(loop.run_until_complete(ask()), end="")
        print(asyncio.run(ask()), end="")
        print(loop.run_until_complete(ask()), end="")
        loop.close()
    """,
    "sync": """
        print(blocking.run(ask()), blocking.run(ask()))
    """,
    "sync inside a running loop": """
        async def notebook():
            return blocking.run(ask()) + await ask() + "".join(blocking.iterate(client.stream("x")))
        print(asyncio.run(notebook()))
    """,
    "threads with loops of their own, and sync ones": """
        said = []
        def own(): said.append(asyncio.run(ask()))
        def sync(): said.append(blocking.run(ask()))
        threads = [threading.Thread(target=target) for target in (own, sync) * 8]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("".join(said))
    """,
    "nest_asyncio, which closes no generators": """
        import nest_asyncio
        asyncio.set_event_loop(loop := asyncio.new_event_loop())
        last.append(loop.close)
        nest_asyncio.apply(loop)
        async def nested(): return await ask() + asyncio.run(ask()) + blocking.run(ask())
        print(asyncio.run(nested()))
    """,
    "a stream that is left": """
        stream = blocking.iterate(client.stream("x"))
        print(next(stream))
        stream.close()
    """,
    "an async stream that is left": """
        async def first():
            async for text in client.stream("x"):
                return text
        print(asyncio.run(first()))
    """,
    "exit in the middle of a stream": """
        stream = blocking.iterate(client.stream("forever"))
        print(next(stream))
    """,
    "exit in the middle of an async stream": """
        async def first():
            stream = client.stream("forever")
            return await anext(stream)
        print(asyncio.run(first()))
    """,
    "Ctrl-C in a sync call": """
        try:
            blocking.run(client.complete(f"interrupt {os.getpid()}"))
        except KeyboardInterrupt:
            print(blocking.run(ask()))
    """,
    "a second Ctrl-C in a sync call that goes on after the first": """
        async def stubborn():
            os.kill(os.getpid(), signal.SIGINT)
            try: await asyncio.sleep(60)
            finally: os.kill(os.getpid(), signal.SIGINT)
        try: blocking.run(stubborn())
        except KeyboardInterrupt: print(blocking.run(ask()))
    """,
    "Ctrl-C in a sync call, by a handler that raises another error": """
        def refuse(*_): raise TimeoutError
        signal.signal(signal.SIGINT, refuse)
        try: blocking.run(client.complete(f"interrupt {os.getpid()}"))
        except TimeoutError: print(blocking.run(ask()))
    """,
    "a handler of another signal that exits in a sync call": """
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        print(blocking.run(ask()), flush=True)
        blocking.run(client.complete(f"terminate {os.getpid()}"))
    """,
    "Ctrl-C in a sync stream": """
        stream = blocking.iterate(client.stream(f"interrupt {os.getpid()}"))
        try:
            print(next(stream))
            next(stream)
        except KeyboardInterrupt:
            print(blocking.run(ask()))
    """,
    "a fork after use": """
        print(blocking.run(ask()), flush=True)
        if pid := os.fork():
            assert os.waitpid(pid, 0)[1] == 0
            print(blocking.run(ask()))
        else:
            print(blocking.run(ask()), asyncio.run(ask()), flush=True)
            os._exit(0)
    """,
    "a fork while other threads are at work on pictures": """
        import warnings
        from dynaspark_core.transport.image_cache import CACHE
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later: there are threads
        png = bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
            "0000000c49444154789c63f8cfc000000301010018dd8db00000000049454e44ae426082"
        )
        busy, is_over = threading.Barrier(3), threading.Event()
        class File:
            at, is_slow = 0, False
            def seekable(self): return True
            def tell(self): return self.at
            def seek(self, at): self.at = at
            def read(self, size):
                if self.is_slow: self.wait()
                return png
            def wait(self):
                busy.wait()
                is_over.wait()
        class Key(File):
            def __hash__(self):
                self.wait()
                return 0
        class Slow(File):
            is_slow = True
        async def see(file): return (await client.complete("x", images=[file])).text
        threads = [
            threading.Thread(target=lambda: CACHE.get(Key())),
            threading.Thread(target=lambda: print(asyncio.run(see(Slow())))),
        ]
        for thread in threads: thread.start()
        busy.wait()
        if pid := os.fork():
            status = os.waitpid(pid, 0)[1]
            is_over.set()
            for thread in threads: thread.join()
            assert status == 0
        else:
            signal.alarm(10)
            CACHE.put("x", (png, ""))
            print(asyncio.run(see(File())), flush=True)
            os._exit(0)
    """,
    "a fork after use that exits as usual": """
        print(blocking.run(ask()), flush=True)
        if pid := os.fork():
            sys.exit(os.waitpid(pid, 0)[1])
        print(blocking.run(ask()))
    """,
}


SIGNALS = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM}


async def _answer(asked: Asked) -> str | AsyncIterator[str]:
    return "o" if asked.prompt == "x" else _forever(asked.prompt)


async def _forever(prompt: str) -> AsyncIterator[str]:
    yield "begun "
    word, _, process = prompt.partition(" ")
    if word in SIGNALS:
        os.kill(int(process), SIGNALS[word])
    await asyncio.Event().wait()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with LocalService(Script(_answer)) as service:
        yield service.url


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_closes_nothing_ends_in_silence(name: str, url: str) -> None:
    script = HEAD + dedent(SCRIPTS[name])
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script, url],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert set(done.stdout.replace("begun", "").split()) <= {"o", "oo", "ooo", "ooooo", "o" * 16}
    assert done.stdout


STAYS = """
async def stay():
    while True:
        try: await asyncio.Event().wait()
        except asyncio.CancelledError: print("stays", flush=True)
async def leave_one():
    asyncio.create_task(stay())
    return await ask()
print(blocking.run(leave_one()))
"""


@pytest.mark.parametrize("first", ["", "list(client.sync.stream('x'))"], ids=["alone", "daemon thread"])
def test_a_task_that_is_not_to_be_cancelled_keeps_no_process(first: str, url: str) -> None:
    """Of the caller's own function, or one whose step a second Ctrl-C broke off. asyncio says that it was pending."""
    script = f"{HEAD}{first}\n{STAYS}"
    done = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (0, "o\nstays\n")


CLOSED_BY_HAND = """
async def begun():
    stream = client.stream("never")
    assert await anext(stream)
    return stream

kept = []
for number in range(5):
    loop = make()
    print(loop.run_until_complete(ask()))
    if number % 2:
        kept.append(loop.run_until_complete(begun()))
    loop.close()
print(asyncio.run(ask()), blocking.run(ask()))
"""


@pytest.mark.parametrize("make", ["asyncio.new_event_loop", "uvloop.new_event_loop"])
def test_loops_that_are_closed_by_hand_leave_neither_a_warning_nor_a_hang(make: str, url: str) -> None:
    """Also with a stream that was left in the middle, whose loop is gone when it is collected."""
    package = make.partition(".")[0]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed, and is no dependency")
    script = f"{HEAD}import {package}\nmake = {make}\n{CLOSED_BY_HAND}"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script, url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["o"] * 7


NOT_FOR_TEXT = (
    *("dynaspark_core.reply.prose", "dynaspark_core.reply.buffer", "dynaspark_core.reply.reader"),
    *("dynaspark_core.reply.value", "dynaspark_core.reply.phrases", "dynaspark_core.schema"),
    *("dynaspark_core.images", "dynaspark_core.transport.loading", "dynaspark_core.server"),
)
"""What streams, tools, schemas and images need, and most of what an import would take."""
TEXT_CALLS = {
    "dynaspark_core": ("DynasparkClient", ".sync.complete('x').text", ("tenacity", "PIL")),
    "langchain_dynaspark": ("ChatDynaspark", ".invoke('x').text", ("langchain_dynaspark.structured", "PIL")),
    "llama_index_dynaspark": ("Dynaspark", ".complete('x').text", ("llama_index_dynaspark.structured",)),
}


@pytest.mark.parametrize("package", TEXT_CALLS)
def test_what_a_call_of_plain_text_does_not_need_is_not_imported(package: str, url: str) -> None:
    """Neither with the package nor by the call."""
    model, call, also = TEXT_CALLS[package]
    late = (*NOT_FOR_TEXT, *also)
    assert [name for name in late if importlib.util.find_spec(name) is None] == []
    head = f"import sys; from {package} import {model} as Model"
    loaded = f"[name for name in {late!r} if name in sys.modules]"
    script = f"{head}; print({loaded}, Model(base_url=sys.argv[1]){call}, {loaded})"
    done = subprocess.run([sys.executable, "-c", script, url], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[] o []\n"


FIRST_CALLS = """
import importlib._bootstrap as bootstrap, sys, threading, dynaspark_core
from importlib.machinery import PathFinder, SourceFileLoader
from dynaspark_core import Chat, Message, Tool
errors = []
def ask():
    tool = Tool("f", "", {"type": "object", "properties": {"a": {"type": "string"}}})
    try:
        dynaspark_core.render(Chat((Message("user", ("x",)),), tools=(tool,)))
    except BaseException as exc:
        errors.append(repr(exc))
asking = threading.Thread(target=ask)
def waits_for_us():
    locks = bootstrap._blocking_on.get(asking.ident, [])  # in Python 3.11 one lock
    return threading.get_ident() in [lock.owner for lock in (locks if isinstance(locks, list) else [locks])]
class Loader(SourceFileLoader):
    def create_module(self, spec):
        asking.start()
        while asking.is_alive() and not waits_for_us():
            pass
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "dynaspark_core.schema":
            spec = PathFinder.find_spec(name, path)
            spec.loader.__class__ = Loader
            return spec
sys.meta_path.insert(0, Finder())
dynaspark_core.read_object
asking.join()
print(errors)
"""
"""Who reads a value has begun with `schema`; now who has tools begins, and comes as far as it can."""


def test_the_first_calls_of_two_threads_meet_no_half_made_module() -> None:
    """One has tools, the other wants a value: both import `schema`, each from its own end."""
    done = subprocess.run([sys.executable, "-c", FIRST_CALLS], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")

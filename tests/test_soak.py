"""Minutes of load, loops, threads, forks and garbage, and what they leave behind: `make soak`, not in the short run."""

import asyncio
import copy
import gc
import json
import pickle
import random
import signal
import subprocess
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from faults.rows import answer, sized
from faults.server import FaultServer, Listener, Visit
from faults.surfaces import SURFACES
from serving import listening_app

from dynaspark_core import DynasparkClient
from dynaspark_core.transport import sessions
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

pytestmark = pytest.mark.soak
MAKES: dict[str, Callable[..., Any]] = {
    "client": DynasparkClient,
    "ChatDynaspark": ChatDynaspark,
    "Dynaspark": Dynaspark,
}
WAYS: dict[str, tuple[str, str]] = {
    "client": ("client.complete", "client.stream"),
    "ChatDynaspark": ("ChatDynaspark.ainvoke", "ChatDynaspark.astream"),
    "Dynaspark": ("Dynaspark.achat", "Dynaspark.astream_chat"),
}
SYNC: dict[str, tuple[str, str]] = {
    "ChatDynaspark": ("ChatDynaspark.invoke", "ChatDynaspark.stream"),
    "Dynaspark": ("Dynaspark.chat", "Dynaspark.stream_complete"),
}
each_face = pytest.mark.parametrize("face", MAKES)


async def echoes(visit: Visit) -> None:
    """Answers each request with its prompt, in two pieces; a prompt that says so never ends, or says who asked."""
    while True:
        prompt = _prompt(await visit.request())
        if prompt.startswith("forever"):
            await visit.send(answer(b"Content-Length: 9999", body=b'{"response": "begun '))
            await visit.gone()
            return
        half = len(prompt) // 2
        body = f'{{"response": "{prompt}"}}'.encode()
        await visit.send(sized(body)[: -half - 2])
        await asyncio.sleep(0)
        await visit.send(body[-half - 2 :])


def _prompt(request: bytes) -> str:
    return request.split(b'name="user_input"\r\n\r\n')[1].split(b"\r\n")[0].decode()


@pytest.fixture
def service() -> Iterator[Listener]:
    with FaultServer() as server:
        yield server.open(echoes)


async def said(way: str, model: Any, prompt: str) -> str:
    ask = SURFACES[way].aask
    assert ask is not None
    return "".join([piece async for piece in ask(model, prompt)])


def said_sync(way: str, model: Any, prompt: str) -> str:
    ask = SURFACES[way].ask
    assert ask is not None
    return "".join(ask(model, prompt))


async def settled(is_so: Callable[[], bool]) -> None:
    """Returns when it is so; what must come within ten seconds."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110  # the server on another thread sets no event
            await asyncio.sleep(0.01)


@each_face
async def test_a_thousand_at_a_time_of_which_half_are_cancelled(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url)
    chance = random.Random(7)
    for _ in range(3):
        tasks = [asyncio.create_task(said(WAYS[face][n % 2], model, f"prompt {n}")) for n in range(1000)]
        for victim in chance.sample(tasks, 500):
            asyncio.get_running_loop().call_later(chance.random(), victim.cancel)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [
            r for n, r in enumerate(results) if r != f"prompt {n}" and not isinstance(r, asyncio.CancelledError)
        ] == []
        assert sum(isinstance(result, str) for result in results) >= 500
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert await said(WAYS[face][0], model, "next") == "next"
    await settled(lambda: len(service.now) <= 100)
    await sessions.close()
    await settled(lambda: not service.now)


@each_face
async def test_a_cancelled_call_closes_its_connection_and_asks_no_more(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url)
    for expected, way in zip((50, 100), WAYS[face], strict=True):
        tasks = [asyncio.create_task(said(way, model, "forever")) for _ in range(50)]
        await settled(lambda: len(service.requests) == expected)  # noqa: B023  # it is awaited at once
        for task in tasks:
            task.cancel()
        assert all(isinstance(r, asyncio.CancelledError) for r in await asyncio.gather(*tasks, return_exceptions=True))
        await settled(lambda: not service.now)
    assert len(service.requests) == 100


@each_face
def test_fifty_loops_on_one_object(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url)
    for n in range(50):
        assert asyncio.run(said(WAYS[face][n % 2], model, f"loop {n}")) == f"loop {n}"
    asyncio.run(settled(lambda: not service.now))


def in_threads(work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(16) as threads:
        for done in [threads.submit(work, n) for n in range(16)]:
            done.result()


@each_face
def test_sixteen_threads_with_loops_of_their_own(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url)

    async def many(name: str) -> list[str]:
        return list(await asyncio.gather(*(said(WAYS[face][n % 2], model, f"{name} {n}") for n in range(50))))

    def work(n: int) -> None:
        for _ in range(3):
            assert asyncio.run(many(f"t{n}")) == [f"t{n} {i}" for i in range(50)]

    in_threads(work)
    asyncio.run(settled(lambda: not service.now))


@pytest.mark.parametrize("face", SYNC)
def test_sync_calls_and_streams_from_sixteen_threads(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url)

    def work(n: int) -> None:
        for i in range(60):
            assert said_sync(SYNC[face][i % 2], model, f"s{n} {i}") == f"s{n} {i}"

    before = threading.active_count()
    in_threads(work)
    assert threading.active_count() <= before + 1


@pytest.mark.parametrize("face", SYNC)
def test_sync_async_and_streams_mixed_in_threads(face: str, service: Listener) -> None:
    """Also sync calls inside a running loop, as in notebooks, and streams inside streams."""
    model = MAKES[face](base_url=service.url)

    async def own(name: str) -> None:
        assert said_sync(SYNC[face][0], model, name) == name
        assert await said(WAYS[face][1], model, name) == name

    def work(n: int) -> None:
        for i in range(20):
            asyncio.run(own(f"m{n} {i}"))
            assert said_sync(SYNC[face][1], model, f"m{n} {i}") == f"m{n} {i}"

    in_threads(work)


@each_face
async def test_streams_inside_streams(face: str, service: Listener) -> None:
    """A stream that is being read does not keep others from being asked, to the depth that the limit allows."""
    model = MAKES[face](base_url=service.url, max_concurrency=30)
    ask = SURFACES[WAYS[face][1]].aask
    assert ask is not None

    async def nested(depth: int) -> int:
        async for _ in ask(model, f"depth {depth}"):
            return 1 + await nested(depth - 1) if depth else 1
        return 0

    async with asyncio.timeout(30):
        assert await nested(25) == 26


FORKING = """
import asyncio, os, sys
from dynaspark_core import DynasparkClient
from dynaspark_core.transport.blocking import run
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark
make = {"client": DynasparkClient, "ChatDynaspark": ChatDynaspark, "Dynaspark": Dynaspark}[sys.argv[2]]
model = make(base_url=sys.argv[1])
async def asked(p):
    if sys.argv[2] == "client": return (await model.complete(p)).text
    if sys.argv[2] == "ChatDynaspark": return (await model.ainvoke(p)).text
    return (await model.acomplete(p)).text
def check(name):
    for n in range(30):
        for said in (run(asked(f"{name} {n}")), asyncio.run(asked(f"{name} {n}"))):
            assert said == f"{name} {n}", said
check("before")
children = []
for child in range(4):
    if not (pid := os.fork()):
        check(f"child {child}")
        sys.exit(0)
    children.append(pid)
check("parent")
assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
check("after")
print("done")
"""


@each_face
def test_after_forks_nobody_gets_anothers_answer(face: str, service: Listener) -> None:
    assert _ran(FORKING, service.url, face) == "done\n"


@each_face
def test_a_used_object_pickles_and_copies(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url, api_key="k")
    assert asyncio.run(said(WAYS[face][0], model, "used")) == "used"
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        for n in range(3):
            assert asyncio.run(said(WAYS[face][n % 2], other, f"copy {n}")) == f"copy {n}"
    assert b"api_key=k" in service.requests[-1]


@each_face
async def test_what_is_let_go_is_collected(face: str, service: Listener) -> None:
    """The object, a coroutine's result, a stream that was left."""
    model = MAKES[face](base_url=service.url)
    ask = SURFACES[WAYS[face][1]].aask
    assert ask is not None
    stream: Any = ask(model, "forever")
    assert await anext(stream)
    gone = [weakref.ref(stream), weakref.ref(model)]
    await stream.aclose()
    del stream
    if face == "client":
        del model
    gc.collect()
    assert gone[0]() is None
    assert face != "client" or gone[1]() is None
    await settled(lambda: not service.now)


@each_face
async def test_abandoned_streams_close_their_connections(face: str, service: Listener) -> None:
    """Closed, and simply forgotten: the garbage collector closes them on the loop."""
    model = MAKES[face](base_url=service.url)
    ask = SURFACES[WAYS[face][1]].aask
    assert ask is not None
    for n in range(20):
        stream: Any = ask(model, "forever")
        assert (await anext(stream)).strip() in {"begun", ""}
        if n % 2:
            await stream.aclose()
        del stream
        gc.collect()
    await settled(lambda: not service.now)
    assert await said(WAYS[face][0], model, "next") == "next"


@pytest.mark.parametrize("face", SYNC)
def test_abandoned_sync_streams_close_their_connections(face: str, service: Listener) -> None:
    model = MAKES[face](base_url=service.url)
    ask = SURFACES[SYNC[face][1]].ask
    assert ask is not None
    for n in range(20):
        stream = iter(ask(model, "forever"))
        next(stream)
        if n % 2:
            stream.close()  # type: ignore[attr-defined]  # they are generators
        del stream
        gc.collect()
    asyncio.run(settled(lambda: not service.now))
    assert said_sync(SYNC[face][0], model, "next") == "next"


SLOPE = """
import asyncio, gc, os, sys, threading, tracemalloc
from pathlib import Path
from dynaspark_core import DynasparkClient
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark
face, is_sync = sys.argv[2], sys.argv[3] == "sync"
model = {"client": DynasparkClient, "ChatDynaspark": ChatDynaspark, "Dynaspark": Dynaspark}[face](base_url=sys.argv[1])
def state():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    traced = tracemalloc.get_traced_memory()[0] / 2**20
    return megabytes, traced, threading.active_count(), len(os.listdir("/proc/self/fd"))
async def one(n):
    prompt = f"call {n}"
    if face == "client":
        text = (await model.complete(prompt)).text if n % 2 else "".join([t async for t in model.stream(prompt)])
    elif face == "ChatDynaspark":
        text = (await model.ainvoke(prompt)).text if n % 2 else "".join([c.text async for c in model.astream(prompt)])
    elif n % 2:
        text = (await model.achat(turns(prompt))).message.content
    else:
        text = "".join([r.delta async for r in await model.astream_chat(turns(prompt))])
    assert text == prompt, text
def turns(prompt):
    from llama_index.core.llms import ChatMessage
    return [ChatMessage(prompt)]
def one_sync(n):
    prompt = f"call {n}"
    if face == "ChatDynaspark":
        text = model.invoke(prompt).text if n % 2 else "".join(c.text for c in model.stream(prompt))
    else:
        text = model.complete(prompt).text if n % 2 else "".join(r.delta for r in model.stream_complete(prompt))
    assert text == prompt, text
async def thousand():
    for start in range(0, 1000, 20):
        await asyncio.gather(*(one(start + n) for n in range(20)))
def rounds(count):
    for _ in range(count):
        if is_sync:
            for n in range(1000): one_sync(n)
        else:
            yielded.run(thousand())
        states.append(state())
yielded, states = asyncio.Runner(), []
tracemalloc.start()
rounds(7)
yielded.close()
for line in states: print(*line)
"""


@pytest.mark.parametrize(
    ("face", "mode"),
    [("client", "async"), *((face, mode) for face in SYNC for mode in ("async", "sync"))],
)
def test_memory_threads_and_descriptors_stay(face: str, mode: str, service: Listener) -> None:
    """Over 5,000 calls after the first 2,000, at most 0.1 MB a thousand."""
    states = [[float(word) for word in line.split()] for line in _ran(SLOPE, service.url, face, mode).splitlines()]
    first, last = states[1], states[-1]
    sys.stdout.write(f"{face} {mode}: RSS {_slope(first[0], last[0])}, traced {_slope(first[1], last[1])} {states}\n")
    assert last[1] - first[1] <= 0.1 * 5
    assert last[0] - first[0] <= 0.1 * 5
    assert (last[2], last[3]) == (first[2], first[3])


def _slope(first: float, last: float) -> str:
    return f"{(last - first) / 5:+.3f} MB per 1,000"


SCRIPTS = {
    "async": "async def go(): return (await model.complete('x')).text\nprint(asyncio.run(go()))",
    "in a stream": """
        async def go():
            return await anext(model.stream("forever"))
        print(asyncio.run(go()))
        """,
    "of ChatDynaspark": "print(ChatDynaspark(base_url=sys.argv[1]).invoke('x').text)",
    "of ChatDynaspark in a stream": """
        stream = ChatDynaspark(base_url=sys.argv[1]).stream("forever")
        print(next(stream).text)
        """,
    "of Dynaspark": "print(Dynaspark(base_url=sys.argv[1]).complete('x'))",
    "of Dynaspark in a stream": """
        stream = Dynaspark(base_url=sys.argv[1]).stream_complete("forever")
        print(next(stream).delta)
        """,
    "with a thread in a call": """
        threading.Thread(target=lambda: Dynaspark(base_url=sys.argv[1]).complete("forever"), daemon=True).start()
        print(ChatDynaspark(base_url=sys.argv[1]).invoke("x").text)
        """,
}
SCRIPT_HEAD = """
import asyncio, sys, threading, time
from dynaspark_core import DynasparkClient
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark
model = DynasparkClient(base_url=sys.argv[1])
"""


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_never_closes_exits_in_silence(name: str, service: Listener) -> None:
    assert _ran(SCRIPT_HEAD + dedent(SCRIPTS[name]), service.url, options=("-X", "dev")).strip() in {"x", "begun"}


def _ran(script: str, *arguments: str, options: Sequence[str] = ()) -> str:
    """What a script in a process of its own prints; all its warnings are errors, and its stderr is empty."""
    warnings = ("-W", "error", "-W", "ignore::DeprecationWarning")
    done = subprocess.run(
        [sys.executable, *options, *warnings, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


# The local service under load


async def test_serve_ends_cleanly_under_two_hundred_clients_half_of_whom_leave() -> None:
    """SIGTERM comes in the middle: every answer that began is whole, every other request is a clear error."""
    command = [
        "-m",
        "dynaspark_core",
        "serve",
        "--engine",
        "openai",
        "--upstream-model",
        "m",
        "--port",
        "0",
        "--upstream",
    ]
    words = [f"word{number} " for number in range(50)]
    answered = asyncio.Event()

    async def upstream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, word in enumerate(words):
            choice = {"delta": {"content": word}, "finish_reason": "stop" if number == len(words) - 1 else None}
            await response.write(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n")
            await asyncio.sleep(0)
        return response

    async def one(url: str, number: int) -> str:
        leaves = number % 2 == 1
        try:
            async with aiohttp.ClientSession() as session:
                for _ in range(20):
                    async with session.post(f"{url}/generate_response", data={"user_input": "Hi"}) as response:
                        if leaves:
                            await response.content.readany()
                            response.close()
                            continue
                        text = json.loads(await response.read())["response"]
                        assert text == "".join(words)
                        answered.set()
        except aiohttp.ClientConnectionError as exc:  # refused, or closed before the answer had begun
            return type(exc).__name__
        return "whole"

    app = web.Application()
    app.router.add_post("/v1/chat/completions", upstream)
    async with listening_app(app) as behind:
        served = await asyncio.create_subprocess_exec(
            sys.executable, *command, f"{behind}/v1", stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert served.stdout is not None
        url = (await served.stdout.readline()).decode().split()[2]
        clients = [asyncio.create_task(one(url, number)) for number in range(200)]
        reading = asyncio.create_task(served.communicate())
        await answered.wait()
        served.send_signal(signal.SIGTERM)
        ends = await asyncio.gather(*clients)
        _, errors = await reading
    log = errors.decode()
    assert served.returncode == 0, log
    assert "Traceback" not in log
    assert "whole" in ends or "ServerDisconnectedError" in ends or "ClientConnectorError" in ends
    statuses = Counter(line.split(", ")[0].rpartition(" ")[2] for line in log.splitlines() if " INFO " in line)
    assert set(statuses) <= {"200", "499"}

"""The own limit on requests, and the service's quota once it is known to be used up; with a real Redis where shared."""

import asyncio
import copy
import logging
import pickle
import shutil
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.load import dumps

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import ConfigError, ConnectError, DynasparkError, RateLimitError
from dynaspark_core.server import Answer, Asked, LocalService, Script
from dynaspark_core.transport import blocking, counters
from dynaspark_core.wire.pacing import MAX_REQUESTED_WAIT_SECONDS
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

HOUR = 3600
SECRET = "pa$$ w/rd"
QUOTED = "pa%24%24%20w%2Frd"

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed (Debian's)"
)
_keys = iter(range(1, 1_000_000))


@pytest.fixture
def key() -> str:
    """A key of its own for each test: what is counted and known belongs to it."""
    return f"limits-{next(_keys)}"


@dataclass(frozen=True)
class Redis:
    """A server of the test's own on a socket in its directory."""

    socket: Path
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"redis+unix://:{QUOTED}@{self.socket}"

    def keys(self) -> list[str]:
        with redis.Redis(unix_socket_path=str(self.socket), password=SECRET, decode_responses=True) as own:
            return [str(key) for key in own.scan_iter()]


@contextmanager
def running(folder: Path) -> Iterator[Redis]:
    """A server that keeps its files and its socket in this folder."""
    path = folder / "redis"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--requirepass", SECRET]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert any("ready to accept" in line.lower() for line in process.stdout)
        yield Redis(path, process)
        process.kill()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    with running(tmp_path) as redis:
        yield redis


def headers(remaining: object, **others: object) -> dict[str, str]:
    return {"X-RateLimit-Remaining": str(remaining)} | {name.replace("_", "-"): str(it) for name, it in others.items()}


def used_up(seconds: float = HOUR) -> Answer:
    """The last answer of a quota that comes back after this time."""
    return Answer("last", headers=headers(0, X_RateLimit_Reset=round(time.time() + seconds)))


def outcomes(ask: Callable[[], object], times: int) -> list[object]:
    """What came of asking: "ok", or the seconds to wait."""
    return [outcome(ask) for _ in range(times)]


def outcome(ask: Callable[[], object]) -> object:
    try:
        ask()
    except RateLimitError as error:
        return error.retry_after if error.status == 0 else "sent"
    return "ok"


def refused(said: list[object], times: int) -> None:
    waits = [wait for wait in said if wait != "ok"]
    assert len(waits) == times
    assert all(isinstance(wait, float) and HOUR - 120 < wait <= HOUR + 1 for wait in waits)


async def test_the_own_limit_holds_and_nothing_more_is_sent(key: str) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, requests_per_hour=3)
        for _ in range(3):
            await client.complete("x")
        with pytest.raises(RateLimitError, match=r"requests_per_hour=3 is used up.*nothing was sent") as caught:
            await client.complete("x")
    assert caught.value.is_retryable
    assert HOUR - 60 < (caught.value.retry_after or 0) <= HOUR
    assert len(script.asked) == 3


async def test_a_repeated_request_takes_a_place_as_well(key: str) -> None:
    failure = Answer("no", status=500, headers={"Retry-After": "0"})
    with LocalService(script := Script(lambda _: failure)) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, requests_per_hour=2, max_retries=5)
        with pytest.raises(RateLimitError) as caught:
            await client.complete("x")
    assert caught.value.status == 0
    assert len(script.asked) == 2


def test_the_limit_is_that_of_the_process(key: str) -> None:
    """Threads with loops of their own, sync calls, copies and pickles of a used client count together."""
    with LocalService(script := Script(lambda _: "o")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, requests_per_hour=10)
        blocking.run(client.complete("x"))
        clients = [
            client,
            copy.deepcopy(client),
            pickle.loads(pickle.dumps(client)),
            DynasparkClient(base_url=service.url, api_key=key, requests_per_hour=10),
        ]

        def ask(number: int) -> list[object]:
            run: Callable[[Any], object] = (asyncio.run, blocking.run)[number % 2]
            return outcomes(lambda: run(clients[number % 4].complete("x")), 2)

        with ThreadPoolExecutor(16) as threads:
            said = [wait for each in threads.map(ask, range(16)) for wait in each]
    refused(said, 32 - 9)
    assert len(script.asked) == 10


async def test_another_key_and_another_host_count_for_themselves(key: str) -> None:
    with LocalService(one := Script(lambda _: "o")) as first, LocalService(two := Script(lambda _: "o")) as second:
        for url, own in ((first.url, key), (first.url, None), (first.url, f"{key}b"), (second.url, key)):
            client = DynasparkClient(base_url=url, api_key=own, requests_per_hour=1)
            await client.complete("x")
            with pytest.raises(RateLimitError):
                await client.complete("x")
    assert (len(one.asked), len(two.asked)) == (3, 1)


def test_the_frameworks_have_it_too(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        chat = ChatDynaspark(base_url=service.url, api_key=f"{key}c", requests_per_hour=1)  # type: ignore[arg-type]
        chat.invoke("x")
        with pytest.raises(ModelRateLimitError, match="nothing was sent"):
            chat.invoke("x")
        llm = Dynaspark(base_url=service.url, api_key=f"{key}l", requests_per_hour=1)
        llm.complete("x")
        with pytest.raises(RateLimitError, match="nothing was sent"):
            llm.complete("x")
        monkeypatch.setenv("DYNASPARK_REQUESTS_PER_HOUR", "2")
        environment = ChatDynaspark(base_url=service.url, api_key=f"{key}e")  # type: ignore[arg-type]
        refused(outcomes(lambda: environment.invoke("x"), 3), 1)
    assert len(script.asked) == 4


async def test_a_quota_that_is_used_up_is_not_asked_again(key: str) -> None:
    with LocalService(script := Script(used_up())) as service:
        client = DynasparkClient(base_url=service.url, api_key=key)
        assert (await client.complete("x")).text == "last"
        said = outcomes(lambda: blocking.run(client.complete("x")), 2)
        with pytest.raises(RateLimitError, match="its quota is used up"):
            _ = [text async for text in client.stream("x")]
    refused(said, 2)
    assert len(script.asked) == 1


async def test_an_error_tells_of_the_quota_too(key: str) -> None:
    refusal = Answer("no", status=429, headers=used_up().headers)
    with LocalService(script := Script(refusal)) as service:
        client = DynasparkClient(base_url=service.url, api_key=key)
        for status in (429, 0):
            with pytest.raises(RateLimitError) as caught:
                await client.complete("x")
            assert caught.value.status == status
    assert len(script.asked) == 1


async def test_a_quota_of_one_key_is_not_that_of_another(key: str) -> None:
    with LocalService(script := Script(used_up(), "o")) as service:
        await DynasparkClient(base_url=service.url, api_key=key).complete("x")
        assert (await DynasparkClient(base_url=service.url, api_key=f"{key}b").complete("x")).text == "o"
    assert len(script.asked) == 2


async def test_a_short_wait_is_waited_out(key: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "dynaspark_core")
    short = Answer("last", headers=headers(0, Retry_After_Ms=700))
    with LocalService(script := Script(short, "new")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, max_retries=0)
        assert [(await client.complete("x")).text for _ in range(2)] == ["last", "new"]
    assert [record.levelname for record in caplog.records if "waiting" in record.message] == ["INFO"]
    assert len(script.asked) == 2


class Told(logging.Handler):
    """An event for the first record that holds a word."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word, self.event = word, asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self.word in record.getMessage():
            self.event.set()


@pytest.fixture
def waiting() -> Iterator[Told]:
    log, told = logging.getLogger("dynaspark_core"), Told("waiting")
    level = log.level
    log.addHandler(told)
    log.setLevel(logging.INFO)
    yield told
    log.removeHandler(told)
    log.setLevel(level)


async def test_who_waits_holds_no_place_and_can_be_cancelled(key: str, waiting: Told) -> None:
    last = Answer("last", headers=headers(0, Retry_After=round(MAX_REQUESTED_WAIT_SECONDS - 1)))
    with LocalService(script := Script(last, "other")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, max_concurrency=1)
        await client.complete("x")
        task = asyncio.create_task(client.complete("x"))
        await waiting.event.wait()
        other = DynasparkClient(base_url=service.url, api_key=f"{key}b", max_concurrency=1)
        assert (await other.complete("x")).text == "other"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(script.asked) == 2


async def test_an_answer_to_an_earlier_request_does_not_end_what_is_known(key: str) -> None:
    is_asked, first_is_read = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Answer:
        if asked.prompt == "first":
            return used_up()
        if asked.prompt == "slow":
            is_asked.set()
            assert first_is_read.wait(30)
        return Answer("o", headers=headers(5))

    with LocalService(Script(answer)) as service:
        client = DynasparkClient(base_url=service.url, api_key=key)
        slow = asyncio.create_task(client.complete("slow"))
        await asyncio.to_thread(is_asked.wait, 30)
        await client.complete("first")
        first_is_read.set()
        assert (await slow).text == "o"
        with pytest.raises(RateLimitError, match="its quota is used up"):
            await client.complete("x")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"headers": {"Authorization": "Bearer A"}}, {"headers": {"Authorization": "Bearer B"}}),
        ({"base_url": "http://a:p@"}, {"base_url": "http://b:p@"}),
        ({}, {"headers": {"X-User": "B"}}),
    ],
)
async def test_a_quota_is_that_of_who_asks(key: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    """Whoever the service may take for another is asked; the own limit is of the host and the key."""
    with LocalService(script := Script(used_up(), used_up())) as service:
        for own in (one, other):
            base_url = own.get("base_url", "http://") + service.url.removeprefix("http://")
            client = DynasparkClient(**own | {"base_url": base_url}, api_key=key, requests_per_hour=2)
            assert (await client.complete("x")).text == "last"
            with pytest.raises(RateLimitError, match="its quota is used up"):
                await client.complete("x")
        third = DynasparkClient(base_url=service.url, api_key=key, headers={"X-User": "C"}, requests_per_hour=2)
        with pytest.raises(RateLimitError, match="requests_per_hour=2 is used up"):
            await third.complete("x")
    assert len(script.asked) == 2


async def test_who_has_waited_is_not_to_wait_again(key: str, waiting: Told, caplog: pytest.LogCaptureFixture) -> None:
    """While a call waits, an answer that was under way tells of a longer time: too long, with what was waited."""
    is_asked, is_waiting = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Answer:
        if asked.prompt == "slow":
            is_asked.set()
            assert is_waiting.wait(30)
            return Answer("o", headers=headers(0, Retry_After_Ms=61_200))
        return Answer("o", headers=headers(0, Retry_After_Ms=1500))

    with LocalService(script := Script(answer)) as service:
        client = DynasparkClient(base_url=service.url, api_key=key)
        slow = asyncio.create_task(client.complete("slow"))
        await asyncio.to_thread(is_asked.wait, 30)
        await client.complete("first")
        task = asyncio.create_task(client.complete("x"))
        await waiting.event.wait()
        is_waiting.set()
        await slow
        async with asyncio.timeout(30):
            with pytest.raises(RateLimitError) as caught:
                await task
    assert not caught.value.is_retryable
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert len(script.asked) == 2


@pytest.mark.parametrize("reset", ["nan", "inf", "-1", "1", "9" * 400, "٣", "1_0", "soon"])
async def test_an_absurd_reset_is_not_believed(key: str, reset: str) -> None:
    absurd = Answer("o", headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    with LocalService(script := Script(absurd, "o")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key)
        await client.complete("x")
        await client.complete("x")
    assert len(script.asked) == 2


HEAD = """
import asyncio, logging, os, sys
from dynaspark_core import DynasparkClient
from dynaspark_core.transport import blocking
from dynaspark_core.errors import RateLimitError
logging.getLogger("asyncio").setLevel(logging.ERROR)  # -X dev tells of slow steps, which a busy machine has
url, key, *storage = sys.argv[1:]
def client(**own): return DynasparkClient(base_url=url, api_key=key, limit_storage=(storage or [None])[0], **own)
def ask(client, times):
    said = []
    for _ in range(times):
        try: said.append(blocking.run(client.complete("x")).text)
        except RateLimitError as error: said.append(error.status or round(error.retry_after))
    return said
"""


def started(script: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process that closes nothing, under `-X dev -W error`."""
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", HEAD + script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out


@needs_redis
def test_two_processes_share_one_limit(key: str, server: Redis) -> None:
    """30 are tried and exactly 10 posted; the others say how long to wait."""
    with LocalService(script := Script(lambda _: "o")) as service:
        code = "print(*ask(client(requests_per_hour=10), 15))"
        processes = [started(code, service.url, key, server.url) for _ in range(2)]
        said = [word for process in processes for word in ended(process).split()]
    assert len(script.asked) == said.count("o") == 10
    assert all(HOUR - 120 < int(word) <= HOUR for word in said if word != "o")
    assert len(said) == 30


@needs_redis
def test_another_process_knows_that_the_quota_is_used_up(key: str, server: Redis) -> None:
    with LocalService(script := Script(used_up())) as service:
        assert ended(started("print(*ask(client(), 1))", service.url, key, server.url)) == "last\n"
        said = ended(started("print(*ask(client(), 2))", service.url, key, server.url)).split()
    assert all(HOUR - 120 < int(word) <= HOUR + 1 for word in said)
    assert len(script.asked) == 1


@needs_redis
@pytest.mark.parametrize("is_gone", [False, True], ids=["a client without it", "a storage that was gone"])
async def test_a_storage_is_told_what_it_was_not_told_before(
    key: str, server: Redis, tmp_path: Path, is_gone: bool
) -> None:
    """This process knows of the quota, its storage does not; an answer that is still under way tells it again."""
    is_asked, is_read = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Answer:
        if asked.prompt == "slow":
            is_asked.set()
            assert is_read.wait(30)
        elif is_gone:
            server.process.kill()
            server.process.wait()
        return used_up()

    with LocalService(script := Script(answer)) as service, ExitStack() as stack:
        client = DynasparkClient(base_url=service.url, api_key=key, limit_storage=server.url)
        slow = asyncio.create_task(client.complete("slow"))
        await asyncio.to_thread(is_asked.wait, 30)
        await DynasparkClient(
            base_url=service.url, api_key=key, limit_storage=server.url if is_gone else None
        ).complete("last")
        if is_gone:
            stack.enter_context(running(tmp_path))
        is_read.set()
        await slow
        (said,) = ended(started("print(*ask(client(), 1))", service.url, key, server.url)).split()
    assert HOUR - 120 < int(said) <= HOUR + 1
    assert len(script.asked) == 2


@pytest.mark.parametrize("password", ["p@ss/SECRET", "SECRET/p", "12/SECRET"])
@pytest.mark.parametrize("scheme", ["redis", "rediss", "redis+unix"])
def test_an_unquoted_password_is_refused_and_not_shown(scheme: str, password: str) -> None:
    with pytest.raises(ConfigError, match=r"limit_storage .*must be a Redis's URL") as caught:
        DynasparkClient(limit_storage=f"{scheme}://:{password}@127.0.0.1:1/0")
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))


SLOW_IMPORT = """
class Loop(asyncio.SelectorEventLoop):
    ahead = 0
    def time(self):
        return super().time() + Loop.ahead
class Finder:
    def find_spec(self, name, path=None, target=None):
        Loop.ahead += 10 * (name == "limits")
sys.meta_path.insert(0, Finder())
with asyncio.Runner(loop_factory=Loop) as runner:
    print(runner.run(client(requests_per_hour=5).complete("x")).text)
"""


@needs_redis
def test_the_storages_time_does_not_count_what_an_import_takes(key: str, server: Redis) -> None:
    """Ten seconds by the loop's clock, on which a busy machine or a cold disk may spend them."""
    with LocalService(Script(lambda _: "o")) as service:
        assert ended(started(SLOW_IMPORT, service.url, key, server.url)) == "o\n"


UNDER_ONE_LOCK = """
from dynaspark_core.transport import counters
class Finder:
    unlocked = set()
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("limits.", "redis.")) and not counters._making.locked():
            Finder.unlocked.add(name)
sys.meta_path.insert(0, Finder())
print(*ask(client(requests_per_hour=1), 2), *Finder.unlocked, *sorted({"limits", "redis"} & {*sys.modules}))
"""


@needs_redis
@pytest.mark.parametrize("is_shared", [False, True])
def test_no_two_threads_import_the_libraries_at_once(key: str, server: Redis, is_shared: bool) -> None:
    """One of two threads that import different parts of a package gets a part that is not whole: an `ImportError`."""
    with LocalService(Script(lambda _: "o")) as service:
        said = ended(started(UNDER_ONE_LOCK, service.url, key, *[server.url] * is_shared))
    assert said == f"o 3600 limits{' redis' * is_shared}\n"


@needs_redis
async def test_storages_that_hang_do_not_keep_another_from_being_made(server: Redis) -> None:
    done = threading.Event()
    stuck = [counters._threads.submit(done.wait) for _ in range(counters.MAX_STORAGE_THREADS)]
    try:
        asked = asyncio.create_task(counters.ask_storage(server.url, lambda limiter: limiter.storage.check()))
        async with asyncio.timeout(30):
            while server.url not in counters._limiters:  # noqa: ASYNC110  # a thread makes it, and tells nobody
                await asyncio.sleep(0)
    finally:
        done.set()
    assert await asked
    assert all(each.result() for each in stuck)


FORKED = """
own = client(requests_per_hour=2)
print(*ask(own, 1), flush=True)
if pid := os.fork():
    assert os.waitpid(pid, 0)[1] == 0
else:
    print(*ask(own, 3), flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(not hasattr(sys.modules["os"], "fork"), reason="this system has no fork")
def test_a_child_counts_for_itself_in_memory(key: str) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        said = ended(started(FORKED, service.url, key)).split()
    assert said[:3] == ["o"] * 3
    assert len(script.asked) == 3


@needs_redis
def test_a_child_counts_with_its_parent_in_redis(key: str, server: Redis) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        said = ended(started(FORKED, service.url, key, server.url)).split()
    assert said[:2] == ["o", "o"]
    assert len(script.asked) == 2


@needs_redis
async def test_nothing_is_sent_when_redis_is_gone(key: str, server: Redis) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        own: dict[str, Any] = {"base_url": service.url, "api_key": key, "limit_storage": server.url, "max_retries": 0}
        limited, unlimited = DynasparkClient(requests_per_hour=5, **own), DynasparkClient(**own)
        await limited.complete("x")
        server.process.kill()
        server.process.wait()
        for client in (limited, unlimited, pickle.loads(pickle.dumps(limited))):
            with pytest.raises(
                ConnectError, match=r"limit_storage .* cannot be reached: .*; nothing was sent"
            ) as caught:
                await client.complete("x")
            assert caught.value.is_retryable
            shows_no_password(caught.value)
    assert len(script.asked) == 1


@needs_redis
async def test_an_answer_is_not_lost_when_redis_goes_in_between(
    key: str, server: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(_: Asked) -> Answer:
        server.process.kill()
        server.process.wait()
        return used_up()

    with LocalService(Script(answer)) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, limit_storage=server.url)
        assert (await client.complete("x")).text == "last"
        with pytest.raises(RateLimitError):
            await client.complete("x")
    assert "other processes do not learn of the service's quota" in caplog.text
    assert SECRET not in caplog.text
    assert QUOTED not in caplog.text


@needs_redis
async def test_a_wrong_password_is_no_passing_failure_and_not_shown(key: str, server: Redis) -> None:
    wrong = f"redis+unix://:wrong-{QUOTED}@{server.socket}"
    with LocalService(script := Script("o")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, limit_storage=wrong, requests_per_hour=5)
        with pytest.raises(ConnectError, match="password") as caught:
            await client.complete("x")
    assert not caught.value.is_retryable
    shows_no_password(caught.value)
    assert script.asked == []


@needs_redis
async def test_redis_learns_no_key_and_nobody_the_password(key: str, server: Redis) -> None:
    with LocalService(Script(used_up(), used_up(), used_up())) as service:
        own: dict[str, Any] = {"limit_storage": server.url, "requests_per_hour": 5}
        client = DynasparkClient(base_url=service.url, api_key=key, **own)
        await client.complete("x")
        chat = ChatDynaspark(base_url=service.url, **own)
        llm = Dynaspark(base_url=service.url, **own)
    stored = server.keys()
    assert len(stored) == 2
    assert key not in " ".join(stored)
    shown = f"{client!r} {client.settings!r} {vars(client)!r} {chat!r} {dumps(chat)} {llm!r} {llm.to_dict()}"
    assert "pa$$" not in shown
    assert "pa%24" not in shown


def shows_no_password(error: DynasparkError) -> None:
    told = "".join(traceback.format_exception(error)) + repr(vars(error))
    assert SECRET not in told
    assert QUOTED not in told


async def _storage(talk: bytes) -> asyncio.Server:
    """A server that says this to everything."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while talk and await reader.read(4096):
            writer.write(talk)
        await reader.read()
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0)


@pytest.mark.parametrize(
    ("talk", "may_pass"),
    [
        (b"", True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"-ERR unknown command `AUTH`, with args beginning with: `pa$$ w/rd`, \r\n", False),
        (b"-LOADING Redis is loading the dataset in memory\r\n", True),
    ],
    ids=["silence", "not Redis", "the password repeated", "a Redis that starts"],
)
async def test_a_storage_that_misbehaves_is_one_error_of_ours(key: str, talk: bytes, may_pass: bool) -> None:
    async with await _storage(talk) as storage:
        url = f"redis://:{QUOTED}@127.0.0.1:{storage.sockets[0].getsockname()[1]}?socket_timeout=0.2"
        client = DynasparkClient(api_key=key, requests_per_hour=1, limit_storage=url, max_retries=0)
        with pytest.raises(ConnectError, match=r"limit_storage redis://127.0.0.1:.* nothing was sent") as caught:
            await client.complete("x")
    shows_no_password(caught.value)
    assert caught.value.is_retryable == may_pass


@pytest.mark.parametrize("query", ["nonsense=1", "max_connections=many", f"nonsense=1&password={QUOTED}"])
async def test_options_that_redis_does_not_know_are_a_wrong_setting(key: str, query: str) -> None:
    client = DynasparkClient(api_key=key, limit_storage=f"redis://:{QUOTED}@127.0.0.1:1?{query}")
    with pytest.raises(ConfigError, match="limit_storage cannot be used") as caught:
        await client.complete("x")
    shows_no_password(caught.value)


@pytest.mark.parametrize(
    ("absent", "setting", "extra"),
    [
        ("limits", {"requests_per_hour": 1}, "limits"),
        ("limits", {"limit_storage": "redis://h"}, "shared-limits"),
        ("redis", {"limit_storage": "redis://h"}, "shared-limits"),
    ],
)
def test_a_library_that_is_missing_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, absent: str, setting: dict[str, Any], extra: str
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    (name,) = setting
    told = rf'{absent} must be installed for {name}: pip install "dynaspark-llm\[{extra}\]"'
    with pytest.raises(ConfigError, match=told):
        DynasparkClient(**setting)
    assert DynasparkClient().settings.requests_per_hour is None


async def test_a_client_from_elsewhere_says_as_well_what_is_missing(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    client = DynasparkClient(limit_storage=f"redis://127.0.0.1:1/{key[7:]}")
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigError, match="redis must be installed"):
        await pickle.loads(pickle.dumps(client)).complete("x")


def test_the_libraries_are_left_alone_until_they_are_needed() -> None:
    code = "import sys, dynaspark_core; dynaspark_core.DynasparkClient(); print({'limits', 'redis'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@needs_redis
async def test_a_poisoned_storage_does_not_stop_calls_for_longer_than_an_hour(key: str, server: Redis) -> None:
    """Somebody has made every mark last for years; what is not believable is not believed."""
    with LocalService(script := Script(used_up(), "ok")) as service:
        client = DynasparkClient(base_url=service.url, api_key=key, limit_storage=server.url)
        await client.complete("x")
        with redis.Redis(unix_socket_path=str(server.socket), password=SECRET) as own:
            marks = [mark for mark in own.scan_iter() if b"empty" in mark]
            assert marks
            for mark in marks:
                own.expire(mark, 10**9)
        assert ended(started("print(*ask(client(), 1))", service.url, key, server.url)) == "ok\n"
    assert len(script.asked) == 2


async def test_a_slow_storage_does_not_fill_the_applications_executor(key: str) -> None:
    """A storage that takes connections and says nothing; what the application runs in threads goes on."""
    with socket.create_server(("127.0.0.1", 0)) as deaf, LocalService(Script("ok")) as service:
        url = f"redis://127.0.0.1:{deaf.getsockname()[1]}"
        client = DynasparkClient(base_url=service.url, api_key=key, limit_storage=url, max_retries=0)
        calls = [asyncio.create_task(client.complete("x")) for _ in range(60)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert await asyncio.to_thread(lambda: "at once") == "at once"
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

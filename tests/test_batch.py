"""Batches at the wire: each input is asked once, nothing that came is lost, and the next run goes on."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from langchain_core.prompts import ChatPromptTemplate
from pydantic import BaseModel

from dynaspark_core import DynasparkClient
from dynaspark_core.batch import Outcome, abatch, batch
from dynaspark_core.batch.run import MAX_TASKS
from dynaspark_core.errors import AccessError, ConfigError, RateLimitError
from dynaspark_core.server import Answer, Asked, LocalService, Script
from dynaspark_core.wire.pacing import MAX_QUOTA_SECONDS
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark


def echo(asked: Asked) -> str:
    return f"re: {asked.prompt}"


def prompts(count: int) -> list[str]:
    return [f"prompt {number}" for number in range(count)]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def content(path: Path) -> bytes:
    return path.read_bytes()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


class Holding:
    """An engine's answers: after `limit` of them it holds every request, until `is_open`."""

    def __init__(self, limit: int, places: int) -> None:
        self.left, self.places = limit, places
        self.is_open = False
        self.is_full = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.held: list[str] = []

    async def answer(self, asked: Asked) -> str:
        if not self.left and not self.is_open:
            self.held.append(asked.prompt)
            if len(self.held) == self.places:
                self._loop.call_soon_threadsafe(self.is_full.set)
            await asyncio.Event().wait()
        self.left -= bool(self.left)
        return echo(asked)


async def test_a_batch_that_is_stopped_goes_on_where_it_was(path: Path) -> None:
    """200 prompts, cancelled after 80: the next run asks for the rest, and again only for those under way."""
    holding = Holding(80, places=10)
    with LocalService(script := Script(holding.answer)) as service:
        client = DynasparkClient(base_url=service.url, max_concurrency=10)
        task = asyncio.create_task(abatch(client.complete, prompts(200), path=path, progress=False))
        await holding.is_full.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(lines(path)) == 80
        holding.is_open = True
        outcomes = await abatch(client.complete, prompts(200), path=path, progress=False)
    assert [outcome.value for outcome in outcomes] == [f"re: {prompt}" for prompt in prompts(200)]
    assert [outcome.input for outcome in outcomes] == prompts(200)
    times = Counter(asked.prompt for asked in script.asked)
    assert {prompt for prompt, count in times.items() if count == 2} == set(holding.held)
    assert (len(times), len(script.asked), len(lines(path))) == (200, 210, 200)


async def test_a_finished_batch_asks_nothing(path: Path) -> None:
    with LocalService(script := Script(echo)) as service:
        client = DynasparkClient(base_url=service.url)
        first = await abatch(client.complete, prompts(3), path=path, progress=False)
        assert await abatch(client.complete, prompts(3), path=path, progress=False) == first
    assert len(script.asked) == 3


async def test_new_and_changed_inputs_are_asked_and_the_order_is_theirs(path: Path) -> None:
    with LocalService(script := Script(echo)) as service:
        client = DynasparkClient(base_url=service.url)
        await abatch(client.complete, ["a", "b", "b"], path=path, progress=False)
        outcomes = await abatch(client.complete, ["c", "b", "a", "a", "b", "b!"], path=path, progress=False)
    assert [outcome.value for outcome in outcomes] == ["re: c", "re: b", "re: a", "re: a", "re: b", "re: b!"]
    assert Counter(asked.prompt for asked in script.asked) == {"a": 2, "b": 2, "b!": 1, "c": 1}


async def test_a_failure_is_kept_and_asked_again_by_the_next_run(path: Path) -> None:
    refusing = {"prompt 1"}

    def answer(asked: Asked) -> str | Answer:
        return Answer("no", status=401) if asked.prompt in refusing else echo(asked)

    with LocalService(script := Script(answer)) as service:
        client = DynasparkClient(base_url=service.url)
        first, failed, last = await abatch(client.complete, prompts(3), path=path, progress=False)
        assert (first.value, failed.value, last.value) == ("re: prompt 0", None, "re: prompt 2")
        assert isinstance(failed.error, AccessError)
        assert [line["error"][:11] for line in lines(path) if "error" in line] == ["AccessError"]
        refusing.clear()
        outcomes = await abatch(client.complete, prompts(3), path=path, progress=False)
    assert outcomes[1] == Outcome("prompt 1", "re: prompt 1")
    assert len(script.asked) == 4


async def test_whatever_the_function_raises_is_that_inputs_outcome() -> None:
    async def ask(number: int) -> float:
        return 1 / number

    outcomes = await abatch(ask, [1, 0, 2], progress=False)
    assert [outcome.value for outcome in outcomes] == [1, None, 0.5]
    assert isinstance(outcomes[1].error, ZeroDivisionError)


async def test_a_limit_is_waited_out(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = Answer("slow down", status=429, headers={"Retry-After-Ms": "20"})
    with LocalService(script := Script(slow, *[echo] * 5)) as service:
        client = DynasparkClient(base_url=service.url, max_retries=0, max_concurrency=1)
        outcomes = await abatch(client.complete, prompts(5), path=path)
    assert [outcome.value for outcome in outcomes] == [f"re: {prompt}" for prompt in prompts(5)]
    assert len(script.asked) == 6
    assert "waiting 1 s for the limit" in capsys.readouterr().err
    assert all("error" not in line for line in lines(path))


async def test_a_limit_that_goes_on_is_waited_for_longer(capsys: pytest.CaptureFixture[str]) -> None:
    slow = Answer("slow down", status=429, headers={"Retry-After": "0"})
    with LocalService(script := Script(slow, slow, echo)) as service:
        client = DynasparkClient(base_url=service.url, max_retries=0)
        (outcome,) = await abatch(client.complete, ["x"])
    told = capsys.readouterr().err
    assert [f"waiting {seconds} s" in told for seconds in (1, 2)] == [True, True]
    assert (outcome.value, len(script.asked)) == ("re: x", 3)


async def test_a_limit_that_never_ends_is_a_failure_and_felt_by_one_at_a_time() -> None:
    """All 20 are refused at once; then it would be longer than the longest quota in all."""
    together = asyncio.Barrier(20)
    asked, under_way, peak = 0, 0, 0

    async def ask(_: int) -> None:
        nonlocal asked, under_way, peak
        asked += 1
        if asked <= 20:
            await together.wait()
            raise RateLimitError("no", retry_after=0)
        under_way += 1
        peak = max(peak, under_way)
        for _ in range(50):
            await asyncio.sleep(0)
        under_way -= 1
        raise RateLimitError("no", retry_after=MAX_QUOTA_SECONDS)

    async with asyncio.timeout(30):
        outcomes = await abatch(ask, range(20), progress=False)
    assert [type(outcome.error) for outcome in outcomes] == [RateLimitError] * 20
    assert (asked, peak) == (40, 1)


async def test_all_go_on_together_after_a_limit() -> None:
    begun, together, again = 0, asyncio.Barrier(20), asyncio.Barrier(19)

    async def ask(number: int) -> int:
        nonlocal begun
        begun += 1
        if begun <= 20:
            await together.wait()
            raise RateLimitError("no", retry_after=0)
        if begun > 21:
            await again.wait()
        return number

    async with asyncio.timeout(30):
        outcomes = await abatch(ask, range(20), progress=False)
    assert [outcome.value for outcome in outcomes] == [*range(20)]


def run_abatch(*arguments: Any, **options: Any) -> list[Outcome[str]]:
    return asyncio.run(abatch(*arguments, **options))


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (batch, "sync"),
        (batch, "sync inside async"),
        (batch, "stream"),
        (batch, "keep"),
        (run_abatch, "sync"),
        (run_abatch, "stream"),
    ],
)
def test_a_function_that_is_not_async_is_one_error_with_the_way_out(
    path: Path, run: Callable[..., object], kind: str
) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        model, client = ChatDynaspark(base_url=service.url), DynasparkClient(base_url=service.url)

        async def ask(prompt: str) -> object:
            return model.invoke(prompt)

        asks: dict[str, Any] = {"sync": model.invoke, "sync inside async": ask, "stream": client.stream}
        own: dict[str, Any] = {"keep": lambda reply: model.invoke(reply.text).text} if kind == "keep" else {}
        with pytest.raises(ConfigError, match=r"ask has to be an async function, such as model.ainvoke instead of"):
            run(asks.get(kind, model.ainvoke), prompts(20), path=path, progress=False, **own)
    assert len(script.asked) <= (20 if kind == "keep" else 1)
    assert content(path) == b""


def test_a_model_in_place_of_its_function_is_one_error(path: Path) -> None:
    ask: Any = ChatDynaspark()
    with pytest.raises(ConfigError, match=r"ask is of type ChatDynaspark.* such as model.ainvoke"):
        batch(ask, prompts(20), path=path, progress=False)
    assert not path.exists()


def test_one_text_is_no_list_of_inputs() -> None:
    client = DynasparkClient()
    with pytest.raises(ConfigError, match="inputs is one text"):
        batch(client.complete, "What is 1 + 1?", progress=False)
    with pytest.raises(ConfigError, match="inputs is one text"):
        asyncio.run(abatch(client.complete, "What is 1 + 1?", progress=False))


def test_inputs_may_come_from_sync_calls() -> None:
    with LocalService(Script(echo)) as service:
        model = ChatDynaspark(base_url=service.url)
        outcomes = batch(model.ainvoke, (model.invoke(word).text for word in "ab"), progress=False)
    assert [outcome.value for outcome in outcomes] == ["re: re: a", "re: re: b"]


async def test_a_value_of_the_file_is_that_of_the_first_run(path: Path) -> None:
    async def ask(_: str) -> object:
        return {"b": 1, "a": {2: 3}, "pair": (1, 2)}

    first, second = [await abatch(ask, ["x"], path=path, progress=False) for _ in range(2)]
    assert repr(first) == repr(second)
    assert repr(first[0].value) == "{'b': 1, 'a': {'2': 3}, 'pair': [1, 2]}"


FULL = """
import asyncio, resource, sys
from dynaspark_core.batch import batch
async def ask(text): return text
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try: batch(ask, ["a", "b", "c"], path=sys.argv[1], progress=False)
except OSError as error: print("OSError")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files")
def test_a_full_disk_is_an_error_and_leaves_whole_lines(path: Path) -> None:
    async def ask(text: str) -> str:
        return text

    batch(ask, ["a", "b", "c"], path=path, progress=False)
    whole = content(path)
    path.unlink()
    command = [sys.executable, "-c", FULL, str(path), str(len(whole) - 5)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "OSError\n"
    assert content(path) == b"".join(whole.splitlines(keepends=True)[:2])


@pytest.mark.parametrize("headers", [{"X-RateLimit-Reset": "1"}, {"Retry-After": "86400"}])
async def test_a_limit_without_an_end_in_sight_is_a_failure(headers: dict[str, str]) -> None:
    with LocalService(Script(Answer("no", status=429, headers=headers))) as service:
        client = DynasparkClient(base_url=service.url, max_retries=0)
        (outcome,) = await abatch(client.complete, ["x"], progress=False)
    assert isinstance(outcome.error, RateLimitError)


async def test_only_so_many_are_begun_at_a_time() -> None:
    begun, peak, go = 0, 0, asyncio.Event()

    async def ask(_: int) -> None:
        nonlocal begun, peak
        begun += 1
        peak = max(peak, begun)
        if begun == MAX_TASKS:
            go.set()
        await go.wait()
        await asyncio.sleep(0)
        begun -= 1

    assert len(await abatch(ask, range(10 * MAX_TASKS), progress=False)) == 10 * MAX_TASKS
    assert peak == MAX_TASKS


@pytest.mark.parametrize("cut", [1, 5, 40, -1])
async def test_a_line_that_a_kill_cut_off_is_asked_again(path: Path, cut: int) -> None:
    """`cut` bytes are missing, or all but the first."""
    with LocalService(script := Script(echo)) as service:
        client = DynasparkClient(base_url=service.url, max_concurrency=1)
        first = await abatch(client.complete, prompts(3), path=path, progress=False)
        whole = content(path)
        last = whole.splitlines(keepends=True)[-1]
        write(path, whole[: -(cut if cut > 0 else len(last) - 1)])
        assert await abatch(client.complete, prompts(3), path=path, progress=False) == first
    assert content(path) == whole
    assert len(script.asked) == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "it is a folder, a pipe or a device"),
        ("pipe", "it is a folder, a pipe or a device"),
        ("a\0b", ".*null"),
        ("file/x", r"\[Errno"),
    ],
)
def test_a_path_of_no_file_is_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").touch()
    if name == "pipe":
        os.mkfifo(tmp_path / name)
    with pytest.raises(ConfigError, match=f"path is .*, which cannot be written: {said}"):
        batch(DynasparkClient().complete, ["x"], path=tmp_path / name, progress=False)
    assert {each.name for each in tmp_path.iterdir()} <= {"file", "pipe"}


async def test_a_link_to_a_file_is_that_file(path: Path) -> None:
    async def second(_: str) -> str:
        return "never"

    async def first(_: str) -> list[Outcome[str]]:
        return await abatch(second, ["x"], path=link, progress=False)

    link = path.with_name("link.jsonl")
    link.symlink_to(path)
    (outcome,) = await abatch(first, ["x"], path=path, progress=False)
    assert f"another batch has {link} open" in str(outcome.error)


async def async_keep(_: object) -> str:
    return "never"


async def two() -> AsyncIterator[str]:
    yield "a"
    yield "b"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"inputs": None}, "inputs is of type NoneType; it must be a list"),
        ({"inputs": two()}, "inputs is of type async_generator"),
        ({"keep": "text"}, "keep is of type str; it must be a plain function"),
        ({"keep": async_keep}, "keep is async; it must be a plain function"),
        ({"path": b"answers.jsonl"}, "path is of type bytes; it must be text or a Path"),
        ({"path": True}, "path is of type bool"),
    ],
)
def test_an_argument_of_another_type_is_named_before_anything_is_asked(wrong: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"inputs": ["x"], "progress": False} | wrong
    with LocalService(script := Script(echo)) as service, pytest.raises(ConfigError, match=said):
        batch(DynasparkClient(base_url=service.url).complete, **given)
    assert script.asked == []


@pytest.mark.parametrize(
    "foreign",
    [
        b"notes",
        b"notes\nof mine\n",
        b'{"key": "a\n',
        b'{"key": "a", "more": 1}',
        b'{"key": "',
        b"{",
        b'{"x": 1}\n',
        b'{"key": "a", "value": 1}\n{"x": 1}',
        b'{"key": "a", "input": 1, "value": 1}\n',
        b'{"key": "0123456789abcdef0123456789abcdef-1"}',
        b'{"key":"0123456789abcdef0123456789abcdef-1", "input": 1, "value": 2}\n',
        b"\n",
        b"\x00\x01binary",
        pytest.param(b'{"key": "0123456789abcdef0123456789abcdef-1", "input": ' + b"[" * 99_999 + b"\n", id="deep"),
    ],
)
async def test_a_file_of_something_else_is_left_as_it_is(path: Path, foreign: bytes) -> None:
    write(path, foreign)
    with pytest.raises(ConfigError, match=r"answers.jsonl line \d is not a line of results"):
        await abatch(DynasparkClient().complete, ["x"], path=path, progress=False)
    assert content(path) == foreign


async def test_one_run_at_a_time_has_a_file(path: Path) -> None:
    async def second(_: str) -> str:
        return "never"

    async def first(each: str) -> str:
        with pytest.raises(ConfigError, match=r"another batch has .*answers.jsonl open"):
            await abatch(second, ["x"], path=path, progress=False)
        return each

    for _ in range(2):  # the lock is free again
        outcomes = await abatch(first, ["a", "b"], path=path, progress=False)
        assert [outcome.value for outcome in outcomes] == ["a", "b"]


THREE = """
import asyncio, sys
from dynaspark_core import DynasparkClient
from dynaspark_core.batch import batch
from dynaspark_core.errors import ConfigError
client = DynasparkClient(base_url=sys.argv[1])
try:
    batch(client.complete, [f"prompt {number}" for number in range(5)], path=sys.argv[2], progress=False)
except ConfigError as error:
    print("refused:", error)
else:
    print("done")
"""


def test_three_processes_on_one_file_ask_each_question_once(path: Path) -> None:
    """The first is held by the service until the others have been refused."""
    held = threading.Event()

    def answer(asked: Asked) -> str:
        held.wait(60)
        return echo(asked)

    with LocalService(script := Script(answer)) as service:
        command = [sys.executable, "-c", THREE, service.url, str(path)]
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
        done: Queue[tuple[str, int]] = Queue()
        for run in runs:
            threading.Thread(target=lambda run=run: done.put((run.communicate()[0], run.returncode))).start()
        refused = [done.get(timeout=60) for _ in range(2)]
        held.set()
        refused.append(done.get(timeout=60))
    assert [text.split()[0] for text, _ in refused] == ["refused:", "refused:", "done"]
    assert sorted(asked.prompt for asked in script.asked) == prompts(5)


class Person(BaseModel):
    name: str


async def test_a_pydantic_object_goes_into_the_file_as_a_dictionary(path: Path) -> None:
    async def ask(name: str) -> Person:
        return Person(name=name)

    assert [outcome.value for outcome in await abatch(ask, ["Anna"], path=path, progress=False)] == [{"name": "Anna"}]
    assert lines(path)[0]["value"] == {"name": "Anna"}


async def test_what_json_cannot_hold_is_named(path: Path) -> None:
    async def ask(_: object) -> object:
        return object()

    with pytest.raises(ConfigError, match="an input of the type object cannot go into a file"):
        await abatch(ask, [object()], path=path, progress=False)
    with pytest.raises(ConfigError, match="an answer of the type object cannot go into a file"):
        await abatch(ask, ["x"], path=path, progress=False)
    (outcome,) = await abatch(ask, ["x"], path=path, keep=lambda _: "other", progress=False)
    assert outcome.value == "other"


async def test_the_others_are_left_when_the_batch_itself_fails(path: Path) -> None:
    async def ask(number: int) -> object:
        return object() if number == 3 else await asyncio.Event().wait()

    with pytest.raises(ConfigError, match="an answer of the type object"):
        await abatch(ask, range(10), path=path, progress=False)


def test_the_bar_begins_where_the_run_begins(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LocalService(Script(echo)) as service:
        client = DynasparkClient(base_url=service.url)
        batch(client.complete, prompts(2), path=path)
        assert "2/2" in capsys.readouterr().err
        assert [outcome.value for outcome in batch(client.complete, prompts(4), path=path)][3] == "re: prompt 3"
    told = capsys.readouterr().err
    assert "2/4" in told
    assert "0/4" not in told
    assert "4/4" in told


def test_without_tqdm_there_is_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with pytest.raises(ConfigError, match=r'pip install "dynaspark-llm\[batch\]", or progress=False'):
        batch(DynasparkClient().complete, ["x"])


def test_a_chain_and_an_llm_are_asked_as_well(path: Path) -> None:
    with LocalService(script := Script(lambda _: "o")) as service:
        chain = ChatPromptTemplate.from_template("Say {word}.") | ChatDynaspark(base_url=service.url)
        llm = Dynaspark(base_url=service.url)
        chained = batch(chain.ainvoke, [{"word": "a"}, {"word": "b"}], path=path, progress=False)
        completed = batch(llm.acomplete, ["c", "d"], path=path.with_name("other"), progress=False)
    assert [outcome.value for outcome in chained + completed] == ["o"] * 4
    assert sorted(asked.prompt for asked in script.asked) == ["Say a.", "Say b.", "c", "d"]
    assert [line["input"] for line in lines(path)] != []


def test_the_example_asks_once_and_then_reads_its_file(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent / "examples" / "batch.py"
    with LocalService(script := Script(lambda asked: asked.prompt.split("capital of ")[1][:4])) as service:
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, str(example)],
                cwd=tmp_path,
                env=os.environ | {"DYNASPARK_BASE_URL": service.url},
                capture_output=True,
                text=True,
                check=True,
            )
            assert "Chile: Chil\n" in done.stdout
            assert done.stdout.endswith("11 of 11 answered, see capitals.jsonl\n")
            assert "11/11" in done.stderr
    assert len(script.asked) == 11

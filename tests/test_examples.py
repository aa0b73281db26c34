"""Every example runs as its reader would run it, and does what its first line says: scripted here, and for real."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from dynaspark_core.server import Asked, LocalService, Pieces, Script, call
from dynaspark_core.server.local.engine import Local

FOLDER = Path(__file__).parent.parent / "examples"
RECEIPT = (FOLDER / "receipt.png").read_bytes()
TESTED_ELSEWHERE = {"demo.py", "batch.py", "ray_batch.py"}
SECONDS = 60


def echo(asked: Asked) -> str:
    """`this is a bakery` to a prompt whose last question is `What is a bakery?`."""
    return f"this is {re.findall(r'What is (.+?)[?]', asked.prompt)[-1]}"


@dataclass(frozen=True, slots=True)
class Case:
    """What the service answers, what the example then prints, and patterns of the prompts, by their number."""

    answers: tuple[Any, ...]
    said: tuple[str, ...]
    asked: dict[int, str] = field(default_factory=dict)
    sends_the_receipt: bool = False


HOURS = call("opening_hours", place="library")
RESULT = "library is open from nine to five, and closed on Sundays."
CALLED = f'(?s)"place": "library".+{RESULT}'
SEEN = '{"shop": "CORNER CAFE", "total": 14.7}'
CONVERSATIONS = ("I see.", "At nine.", "I do not know.")
REMEMBERED = {1: "The library opens at nine.", 2: r"\AWhen does the library open[?]\Z"}
DRAFTS = ("word " * 50, "word " * 31, "Short enough.", "Too late.")
CASES = {
    "langchain_chain.py": Case(
        (echo,),
        ("this is a lighthouse\n", "a bakery: this is a bakery\n", "an island: this is an island\n"),
        {0: "Answer in one short sentence."},
    ),
    "langchain_streaming.py": Case(
        (Pieces("The sea", " is wide."),), ("The sea is wide.\n",), {0: "one sentence about the sea"}
    ),
    "langchain_rag.py": Case(("Rest.",), ("Rest.\n   from Article 24 Everyone",), {0: "periodic holidays with\npay"}),
    "langchain_tools.py": Case((HOURS, "From nine."), (f"'place': 'library'}}): {RESULT}\nFrom nine.",), {1: CALLED}),
    "langchain_agent.py": Case(
        (call("in_dollars", euros=14.7), "It was 16.17."),
        ("tools: 16.17 dollars\n", "model: It was 16.17."),
        {1: "16.17 dollars"},
        sends_the_receipt=True,
    ),
    "langchain_structured.py": Case((SEEN,), ("shop='CORNER CAFE' total=14.7\n",), sends_the_receipt=True),
    "langchain_graph.py": Case(DRAFTS, ("50 words: ", "31 words: ", "2 words: Short enough.\n"), {1: "Shorten this"}),
    "langchain_memory.py": Case(CONVERSATIONS, ("one, after 4 messages: At nine.", "another, after 2"), REMEMBERED),
    "langchain_fallbacks.py": Case(("Yes.",), ("alone: no connection", "with a fallback: Yes.\n")),
    "llama_index_streaming.py": Case(
        (Pieces("It ", "scatters."),), ("It scatters.\n",), {0: "Answer in one sentence."}
    ),
    "llama_index_rag.py": Case(
        ("Rest.",), ("Rest.\n   from human_rights.md: ## Article 24",), {0: "periodic holidays"}
    ),
    "llama_index_tools.py": Case((HOURS, "From nine."), (f"'place': 'library'}}): {RESULT}\nFrom nine.",), {1: CALLED}),
    "llama_index_agent.py": Case((HOURS, "From nine."), (f"'place': 'library'}}): {RESULT}\nFrom nine.",), {1: CALLED}),
    "llama_index_image.py": Case((Pieces("14", ".70"),), ("14.70\n",), sends_the_receipt=True),
    "llama_index_structured.py": Case((SEEN,), ("Receipt(shop='CORNER CAFE', total=14.7)",), sends_the_receipt=True),
    "llama_index_memory.py": Case(CONVERSATIONS, ("one: At nine.\n", "another: I do not know.\n"), REMEMBERED),
    "client_chat.py": Case(
        (lambda asked: re.findall(r"capital of (\w+)", asked.prompt)[-1].upper(),),
        ("FRANCE (", "Norway: NORWAY\n", "ConnectError, may pass: True"),
        {0: "Answer in one word."},
    ),
    "client_image.py": Case((Pieces("CORNER", " CAFE"),), ("CORNER CAFE\n",), sends_the_receipt=True),
    "client_migration.py": Case(
        (Pieces("14", ".70"),), ("14.70\n",), {0: "What was the total?"}, sends_the_receipt=True
    ),
}
STREAMING = ["langchain_streaming.py", "llama_index_streaming.py", "llama_index_image.py", "client_image.py"]
REAL = {
    "langchain_chain.py": "a bakery: .+",
    "langchain_streaming.py": "sea",
    "langchain_rag.py": "(?s)holidays.+from Article 24",
    "langchain_tools.py": re.escape(f"opening_hours({{'place': 'library'}}): {RESULT}"),
    "langchain_agent.py": "model: .*14.70",  # it reads the total; the tool is beyond it
    "langchain_structured.py": "total=14.7",
    "langchain_graph.py": r"\A\d\d words: .+\n\d+ words:",
    "langchain_memory.py": "after 4 messages: .*at nine",
    "langchain_fallbacks.py": "with a fallback: .*[Ww]ater",
    "llama_index_streaming.py": "sky",
    "llama_index_rag.py": "(?s)holidays.+## Article 24",
    "llama_index_tools.py": re.escape(f"opening_hours({{'place': 'library'}}): {RESULT}"),
    "llama_index_agent.py": "library",  # the tool is beyond it
    "llama_index_image.py": "14.70",
    "llama_index_structured.py": "total=14.7",
    "llama_index_memory.py": "one: .+\none: .*at nine",
    "client_chat.py": "(?s)Paris.+Rome.+Oslo.+ConnectError",
    "client_image.py": "(?s)CORNER CAFE.+14.70",
    "client_migration.py": "14.70",
}


def environment(url: str) -> dict[str, str]:
    """The environment of a reader with this service; output is buffered, as it is by default."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("DYNASPARK_", "PYTHONUNBUFFERED"))
    }
    return kept | {"DYNASPARK_BASE_URL": url, "DYNASPARK_MAX_RETRIES": "0"}


def run(name: str, url: str) -> str:
    """What the example prints. It must end well and complain of nothing."""
    done = subprocess.run(
        [sys.executable, str(FOLDER / name)],
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def real() -> Iterator[str]:
    with LocalService(Local()) as service:
        yield service.url


@pytest.mark.parametrize("name", CASES)
def test_an_example_does_what_it_says(name: str) -> None:
    case = CASES[name]
    with LocalService(script := Script(*case.answers)) as service:
        printed = run(name, service.url)
    assert [said for said in case.said if said not in printed] == []
    assert [text for number, text in case.asked.items() if not re.search(text, script.asked[number].prompt)] == []
    assert [asked.file for asked in script.asked if asked.file] == [RECEIPT] * len(
        script.asked
    ) * case.sends_the_receipt


@pytest.mark.parametrize("name", STREAMING)
def test_a_streaming_example_prints_what_came_before_more_comes(name: str) -> None:
    is_printed = Event()

    def pieces(_asked: Asked) -> Iterator[str]:
        yield "First."
        assert is_printed.wait(SECONDS / 4)
        yield " Second."

    with LocalService(Script(pieces)) as service:
        started = subprocess.Popen(
            [sys.executable, str(FOLDER / name)], env=environment(service.url), stdout=subprocess.PIPE, bufsize=0
        )
        with started, started.stdout as printed:  # type: ignore[union-attr]  # it is a pipe
            assert printed.read(len("First.")) == b"First."
            is_printed.set()
            assert printed.read() == b" Second.\n"


def test_every_example_has_a_test_a_row_and_at_most_30_lines() -> None:
    files = {path.name for path in FOLDER.glob("*.py")}
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert files - TESTED_ELSEWHERE == CASES.keys() == REAL.keys()
    assert set(re.findall(r"^\| \[(\w+\.py)\]\(\1\)", table, re.MULTILINE)) == files
    assert [name for name in files if len((FOLDER / name).read_text(encoding="utf-8").splitlines()) > 30] == []


@pytest.mark.model
@pytest.mark.parametrize("name", REAL)
def test_an_example_really_runs(name: str, real: str) -> None:
    assert re.search(REAL[name], run(name, real))


@pytest.mark.model
def test_the_demo_really_runs() -> None:
    said = run("demo.py", "")
    assert "sea" in said
    assert "human_rights.md: ## Article 24" in said
    assert "14.70" in said

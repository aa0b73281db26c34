"""The fixtures for users' tests: their guide's tests run, in a pytest of their own without any plugin."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dynaspark_core import DynasparkClient
from dynaspark_core.errors import RejectedError
from dynaspark_core.messages import Tool, ToolCall
from dynaspark_core.reply.reader import read_reply
from dynaspark_core.server import LocalService, Script, call

GUIDE = (Path(__file__).parent.parent / "docs/testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
CONFTEST = BLOCKS[0]
FEWEST = ("-W", "error", "-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:hypothesispytest")


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """What pytest says of the folder's tests; they must have passed."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "pytest", "-q", *FEWEST, *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write(folder: Path, *tests: str) -> Path:
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    for number, text in enumerate(tests):
        (folder / f"test_{number}.py").write_text(text, encoding="utf-8")
    return folder


def test_every_test_of_the_guide_passes(tmp_path: Path) -> None:
    assert len(BLOCKS) >= 8
    assert f"{len(re.findall(r'^def test_', GUIDE, re.MULTILINE)) + 2} passed" in run(write(tmp_path, *BLOCKS[1:]))


ISOLATED = """
import asyncio
import os

import pytest
from dynaspark_core import DynasparkClient


def mine():
    return {name: value for name, value in os.environ.items() if name.startswith("DYNASPARK_")}


BEFORE = mine()


def ask():
    return asyncio.run(DynasparkClient().complete("Hi")).text


@pytest.mark.parametrize("answer", ["One", "Two"])
def test_a_client_without_arguments_asks_the_service(answer, dynaspark_server, dynaspark_script):
    dynaspark_script.answers.append(answer)
    assert ask() == answer
    assert [(asked.prompt, dict(asked.query)) for asked in dynaspark_script.asked] == [("Hi", {})]


def test_what_the_user_set_is_there_again():
    assert mine() == BEFORE
    assert BEFORE["DYNASPARK_BASE_URL"] == "http://127.0.0.1:9"


def test_a_script_alone_starts_no_service(dynaspark_script):
    assert mine() == BEFORE
    assert dynaspark_script.asked == []
"""


def test_the_users_own_settings_are_out_of_the_way_and_come_back(tmp_path: Path) -> None:
    said = run(
        write(tmp_path, ISOLATED),
        DYNASPARK_BASE_URL="http://127.0.0.1:9",
        DYNASPARK_PATH="/elsewhere",
        DYNASPARK_PROXY="http://127.0.0.1:9",
        DYNASPARK_API_KEY="secret",
        DYNASPARK_LIMIT_STORAGE="redis://127.0.0.1:9",
        DYNASPARK_REQUESTS_PER_HOUR="1",
        DYNASPARK_TRUST_ENV="1",
        HTTP_PROXY="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
        NO_PROXY="",
        no_proxy="",
    )
    assert "4 passed" in said


def test_the_fixtures_say_what_they_are(tmp_path: Path) -> None:
    said = run(write(tmp_path), "--fixtures", "-v")
    assert re.search(r"^dynaspark_script.*\n +The script of", said, re.MULTILINE)
    assert re.search(r"^dynaspark_server.*\n +A running service", said, re.MULTILINE)


# The script


async def test_answers_may_be_given_between_requests() -> None:
    with LocalService(script := Script("One")) as service:
        client = DynasparkClient(base_url=service.url)
        assert (await client.complete("a")).text == "One"
        script.answers += ["Two"]
        assert (await client.complete("b")).text == "Two"
        script.answers, script.asked = ["Other"], []
        assert (await client.complete("c")).text == "Other"


async def test_a_request_after_the_last_answer_fails_at_once() -> None:
    said = "the Script is at its end: it holds 0 answers, and this is request 1"
    with LocalService(script := Script()) as service, pytest.raises(RejectedError, match=said):
        await DynasparkClient(base_url=service.url).complete("Hi")
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"city": "Ålesund"},
        {"name": "Anna", "text": "</tool_call>\n<tool_call>", "many": [1, None, {"a": "<b>"}]},
    ],
)
def test_a_call_is_read_back_as_it_was_written(arguments: dict[str, object]) -> None:
    tool = Tool("save", parameters={"type": "object"})
    reply = read_reply(f"I do.\n{call('save', **arguments)}\n{call('save', again=True)}", (tool,))
    assert [(item.name, item.arguments) for item in reply.tool_calls if isinstance(item, ToolCall)] == [
        ("save", arguments),
        ("save", {"again": True}),
    ]
    assert (reply.text.strip(), reply.invalid_tool_calls) == ("I do.", ())

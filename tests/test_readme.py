"""Every code block and command of the README runs, against a local service."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dynaspark_core.server import Asked, LocalService, Pieces, Script, call

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.split("  #")[0].strip() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]  # fmt: skip  # noqa: E501


PERSON = '{"name": "Anna", "age": 31}'


def answer(asked: Asked) -> str | Pieces:
    """What the prompt asks for: a call, an object, else a greeting in pieces."""
    if "<tool_result id=" in asked.prompt:
        return "Hello. It snows."
    if '"name": "get_weather"' in asked.prompt:
        return call("get_weather", city="Oslo")
    if '"name": "Person"' in asked.prompt:
        return call("Person", **json.loads(PERSON))
    return PERSON if "# Form of the answer" in asked.prompt else Pieces("Hel", "lo.")


@pytest.fixture
def script() -> Script:
    return Script(answer)


@pytest.fixture
def environment(script: Script) -> Iterator[dict[str, str]]:
    with LocalService(script) as service:
        yield os.environ | {"DYNASPARK_BASE_URL": service.url, "PYTHONWARNINGS": ""}


def run(arguments: list[str], environment: dict[str, str], folder: Path) -> str:
    (folder / "examples").mkdir(exist_ok=True)
    (folder / "examples/receipt.png").write_bytes((ROOT / "examples/receipt.png").read_bytes())
    done = subprocess.run(
        arguments, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("block", PYTHON)
def test_a_program_of_the_readme_runs(block: str, environment: dict[str, str], script: Script, tmp_path: Path) -> None:
    said = run([sys.executable, "-c", block], environment, tmp_path)
    assert any(word in said for word in ("Hello.", "name='Anna' age=31")) or script.asked == []
    assert "LocalService" in block or script.asked


def test_a_program_whose_output_the_readme_shows_prints_just_that(environment: dict[str, str], tmp_path: Path) -> None:
    shown = re.findall(r"```python\n(.*?)```\n\nIt prints:\n\n```text\n(.*?)```", README, re.DOTALL)
    assert shown
    for block, output in shown:
        assert run([sys.executable, "-c", block.rpartition("```python\n")[2]], environment, tmp_path) == output


def test_the_readme_has_no_command_that_is_not_looked_at_here() -> None:
    assert [line.split()[:4] for line in COMMANDS] == [
        ["make", "demo"],
        ["make", "test"],
        ["python3", "-m", "venv", ".venv"],
        [".venv/bin/python", "-m", "pip", "install"],
        [".venv/bin/python", "examples/demo.py"],
        ["pip", "install", '".[langchain]"', "langchain"],
        ["python", "-m", "dynaspark_core", "serve"],
        ["export", "DYNASPARK_BASE_URL=http://127.0.0.1:8323"],
        ["python", "-m", "dynaspark_core", "ask"],
    ]


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_knows_the_targets(target: str) -> None:
    subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=True)


def test_the_address_of_the_readme_is_where_serve_listens() -> None:
    helped = subprocess.run(
        [sys.executable, "-m", "dynaspark_core", "serve", "--help"], capture_output=True, text=True, check=True
    )
    assert "8323" in helped.stdout


def test_ask_of_the_readme_runs(environment: dict[str, str], script: Script, tmp_path: Path) -> None:
    command = next(line for line in COMMANDS if " ask " in line)
    words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
    assert run([sys.executable, *words[1:]], environment, tmp_path) == "Hello.\n"
    assert script.asked[0].file == (ROOT / "examples/receipt.png").read_bytes()

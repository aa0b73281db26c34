"""Every program and command of the README runs, against a service with fixed answers, and prints what is below it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pages
import pytest

from dynaspark_core.server import LocalService, Script
from dynaspark_core.server.local.engine import Local

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = pages.programs(README)
COMMANDS = pages.commands(README)


@pytest.fixture
def script() -> Script:
    return pages.script()


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


@pytest.mark.parametrize(("block", "output"), PROGRAMS)
def test_a_program_of_the_readme_prints_what_is_below_it(
    block: str, output: str, environment: dict[str, str], script: Script, tmp_path: Path
) -> None:
    assert run([sys.executable, "-c", block], environment, tmp_path).rstrip("\n") == output.rstrip("\n")
    assert script.asked or "LocalService" in block


def test_no_program_of_the_readme_is_overlooked() -> None:
    assert len(PROGRAMS) == README.count("```python")


@pytest.mark.model
def test_the_programs_of_the_readme_run_on_the_local_model(tmp_path: Path) -> None:
    with LocalService(Local()) as service:
        environment = os.environ | {"DYNASPARK_BASE_URL": service.url, "PYTHONWARNINGS": ""}
        said = [run([sys.executable, "-c", block], environment, tmp_path) for block, _ in PROGRAMS]
    assert [bool(words) for words in said] == [bool(output) for _, output in PROGRAMS]
    assert "{'city': 'London'}\nname='Anna' age=31\n" in said


def test_the_readme_has_no_command_that_is_not_looked_at_here() -> None:
    assert [line.split()[:4] for line in COMMANDS] == [
        ["make", "demo"],
        ["make", "test"],
        ["python3", "-m", "venv", ".venv"],
        [".venv/bin/python", "-m", "pip", "install"],
        [".venv/bin/python", "examples/demo.py"],
        ["python3", "-m", "venv", ".venv"],
        [".", ".venv/bin/activate"],
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
    assert run([sys.executable, *words[1:]], environment, tmp_path) == "A receipt of the Corner Cafe.\n"
    assert script.asked[0].file == (ROOT / "examples/receipt.png").read_bytes()

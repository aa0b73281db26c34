"""Every benchmark still runs, at its smallest size. What it measures is not looked at: a test times nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import run
from harness import Row, Table
from summary import sentences

FOLDER = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("bench_*.py"))


@pytest.fixture(scope="module")
def said() -> str:
    """What all of them print, run in one interpreter: most of the time goes into importing LlamaIndex."""
    command = [sys.executable, str(FOLDER / "run.py"), "--smallest"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, "Unclosed" in done.stderr) == (0, False), done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_runs(script: str, said: str) -> None:
    tables = [part for part in said.split("bench_") if part.startswith(script.removeprefix("bench_"))]
    assert tables
    assert ["| goal |" in table for table in tables] == [True] * len(tables)


def test_the_page_says_what_the_stored_figures_say() -> None:
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    tables = [run.table_from(values) for values in results["tables"]]
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert run.with_parts(page, run.page_parts(tables, results["measured_on"])) == page


def test_the_sentences_are_made_of_what_was_measured() -> None:
    rows = [Row("transport", {"µs": 100}), Row("ainvoke", {"µs": 500}), Row("A", {"µs": 2000}), Row("B", {"µs": 1000})]
    said = sentences([Table("One call: ainvoke", rows), Table("Growth of a prompt", [Row("x", {"8n / n": 7.0})])])
    assert "costs your program 0.5 ms" in said
    assert "costs 1 to 2 ms" in said
    assert "at most 7 times as much (a long conversation)" in said
    assert "LlamaIndex" not in said
    assert "Agents" not in said
    agent = [Row("ainvoke", {"µs": 9000}), Row("A", {"µs": 20_000}), Row("B", {"µs": 12_000})]
    assert "costs 9 ms; with the others 12 to 20 ms" in sentences([Table("An agent of 40 turns: ainvoke", agent)])


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_readme_names_every_benchmark(script: str) -> None:
    assert f"[`{script}`]({script})" in (FOLDER / "README.md").read_text(encoding="utf-8")

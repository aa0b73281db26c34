"""Every benchmark still runs, at its smallest size. What it measures is not looked at: a test times nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"
SCRIPTS = sorted(path.name for path in FOLDER.glob("bench_*.py"))


@pytest.fixture(scope="module")
def said() -> str:
    """What all of them print, run in one interpreter: most of the time goes into importing LlamaIndex."""
    command = [sys.executable, str(FOLDER / "run.py"), "--smallest"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert (done.returncode, "Unclosed" in done.stderr) == (0, False), done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_benchmark_runs(script: str, said: str) -> None:
    tables = [part for part in said.split("bench_") if part.startswith(script.removeprefix("bench_"))]
    assert tables
    assert ["| goal |" in table for table in tables] == [True] * len(tables)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_readme_names_every_benchmark(script: str) -> None:
    assert f"[`{script}`]({script})" in (FOLDER / "README.md").read_text(encoding="utf-8")

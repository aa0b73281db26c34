"""`make` on a fresh machine: what is said, and that a failed or interrupted first run does not spoil the next."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UNREACHABLE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE"))}
    command = ["make", f"PYTHON={sys.executable}", *words]
    return subprocess.run(
        command, cwd=ROOT, env=environment | variables, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    """A Python that is too old, as a script: it fails the question for its version and answers `-V`."""
    script = tmp_path / "python3"
    script.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    script.chmod(0o755)
    return script


def test_a_python_that_is_too_old_is_one_line_and_leaves_nothing(tmp_path: Path, old_python: Path) -> None:
    done = make("demo", f"VENV={tmp_path / 'venv'}", f"PYTHON={old_python}")
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert done.returncode != 0
    assert said == [f"Python 3.11 or later is needed; {old_python} is Python 3.9.2. Name another one: make PYTHON=python3.12"]  # fmt: skip  # noqa: E501  # one line is what is tested
    assert not (tmp_path / "venv").exists()


def test_a_first_run_without_a_network_says_so_and_the_next_does_the_same_step(tmp_path: Path) -> None:
    venv = f"VENV={tmp_path / 'venv'}"
    for _ in range(2):
        done = make("demo", venv, **UNREACHABLE)
        assert done.returncode != 0
        assert "Cannot reach the package index. Check the network" in done.stderr
        assert "no matching distribution" not in done.stderr.lower()
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "venv/.demo").exists()


def test_half_an_environment_is_made_again(tmp_path: Path) -> None:
    binaries = tmp_path / "venv/bin"
    binaries.mkdir(parents=True)
    (binaries / "python").write_text("#!/bin/sh\nexit 1\n")
    (binaries / "python").chmod(0o755)
    done = make("demo", f"VENV={tmp_path / 'venv'}", **UNREACHABLE)
    assert "Making a virtual environment" in done.stdout
    subprocess.run([binaries / "python", "-m", "pip", "--version"], capture_output=True, check=True)


def test_an_installation_says_what_it_does_and_a_failure_is_one_line() -> None:
    command = [sys.executable, str(ROOT / ".ci/install.py"), "Installing nothing", "--no-index", "no-such-package-here"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "Installing nothing\n"
    assert done.stderr == "pip cannot install this: No matching distribution found for no-such-package-here\n"

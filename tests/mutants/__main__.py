"""Changes the pure half in 150 places, one at a time, and says which changes no test notices.

`PYTHONPATH=tests python -m mutants [number of changes] [part of a path]`. The sample is the same as long as the code
is. Each change is made in a copy of the tree, two at a time; the checkout stays as it is. Only the tests of the
module's room run (`rooms`), until the first that fails. Exits with 1 when fewer than 95 % are noticed.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import perf_counter

from mutants.changes import Change, changes
from mutants.rooms import pure_modules, tests_of

ROOT = Path(__file__).parent.parent.parent
SAMPLE, SEED = 150, 15
AT_A_TIME = 2
ENOUGH = 0.95
PATIENCE = 4
"""Tests that take so many times longer than without the change are stopped by it."""
PLUGINS = ("pytest_asyncio.plugin", "_hypothesis_pytestplugin")
TAKEN = (
    "dynaspark_core", "langchain_dynaspark", "llama_index_dynaspark", "examples", "tests", "pyproject.toml",
    "CONTRIBUTING.md",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a change: noticed, or not; and after how many seconds."""

    change: Change
    is_noticed: bool
    seconds: float


def sample(count: int, part: str) -> list[Change]:
    """Some of all changes of the modules whose path holds `part`, in the order of the files."""
    every = [
        change
        for path in pure_modules(ROOT)
        if part in path
        for change in changes(path, (ROOT / path).read_text(encoding="utf-8"))
    ]
    chosen = random.Random(SEED).sample(range(len(every)), min(count, len(every)))
    return [every[at] for at in sorted(chosen)]


def copied(folder: Path) -> Path:
    """A copy of what the tests need."""
    folder.mkdir()
    for name in TAKEN:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(source, folder / name)
    return folder


def fails(tree: Path, tests: Sequence[str], seconds: float | None = None) -> bool:
    """Whether a test of the tree fails, or does not end within some seconds."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    command += [part for plugin in PLUGINS for part in ("-p", plugin)]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    try:
        done = subprocess.run(
            [*command, *(f"tests/{name}" for name in tests)],
            cwd=tree, env=environment, timeout=seconds, capture_output=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def tried(change: Change, trees: "SimpleQueue[Path]", usual: Mapping[Sequence[str], float]) -> Found:
    """Makes the change in one of the trees that are free, and takes it back."""
    tree, tests = trees.get(), tests_of(change.path)
    begin = perf_counter()
    original = (tree / change.path).read_text(encoding="utf-8")
    (tree / change.path).write_text(change.source, encoding="utf-8")
    try:
        return Found(change, fails(tree, tests, PATIENCE * usual[tests]), perf_counter() - begin)
    finally:
        (tree / change.path).write_text(original, encoding="utf-8")
        trees.put(tree)


def unchanged(chosen: Sequence[Change], tree: Path) -> dict[Sequence[str], float]:
    """How long each set of tests takes without a change. What fails then would notice nothing."""
    usual = {}
    for tests in dict.fromkeys(tests_of(change.path) for change in chosen):
        begin = perf_counter()
        if fails(tree, tests):
            sys.exit(f"these fail without a change: {' '.join(tests)}")
        usual[tests] = perf_counter() - begin
    return usual


def main(count: int, part: str) -> int:
    chosen = sample(count, part)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(AT_A_TIME) as threads:
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(AT_A_TIME):
            trees.put(copied(Path(folder, str(number))))
        usual = unchanged(chosen, Path(folder, "0"))
        found = []
        for one in threads.map(lambda change: tried(change, trees, usual), chosen):
            found.append(one)
            word = "noticed" if one.is_noticed else "SURVIVES"
            sys.stdout.write(f"{word} after {one.seconds:.0f} s: {one.change}\n")
            sys.stdout.flush()
    noticed = sum(one.is_noticed for one in found)
    sys.stdout.write(f"{noticed} of {len(found)} changes are noticed ({noticed / len(found):.1%})\n")
    sys.stdout.writelines(f"survives: {one.change}\n" for one in found if not one.is_noticed)
    return 0 if noticed >= ENOUGH * len(found) else 1


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    parts = [word for word in sys.argv[1:] if not word.isdigit()]
    sys.exit(main(numbers[0] if numbers else SAMPLE, parts[0] if parts else ""))

"""Runs every benchmark, each in an interpreter of its own, and writes what came out into `README.md` and `plot.png`.

Without `--out FOLDER` the files beside this one are written; with it `results.md`, `results.json`, `plot.png` there.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from harness import HERE, Row, Sizes, Table

SCRIPTS = (
    "call",
    "concurrent",
    "stream",
    "history",
    "image",
    "start",
    "threads",
    "memory",
    "reading",
    "dialects",
    "worst",
)
LIBRARIES = (
    "aiohttp", "pydantic", "pybase64", "langchain-core", "llama-index-core", "langchain-openai", "langchain-anthropic",
    "langchain-ollama", "llama-index-llms-openai", "llama-index-llms-ollama",
)  # fmt: skip
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def measured(script: str, sizes: Sizes) -> list[Table]:
    """The tables of one script. Raises where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tables.json")
        options = ["--rounds", str(sizes.rounds), "--calls", str(sizes.calls), "--json", str(file)]
        subprocess.run([sys.executable, str(HERE / f"bench_{script}.py"), *options], check=True)
        return [_table(values) for values in json.loads(file.read_text(encoding="utf-8"))]


def once(script: str) -> None:
    """Runs a script in this interpreter at its smallest size. Its figures mean nothing."""
    for table in import_module(f"bench_{script}").questions(Sizes(rounds=1, calls=1)):
        print(f"bench_{script}.py", table.markdown())


def _table(values: dict[str, object]) -> Table:
    rows = [Row(row["what"], row["figures"], row["goals"]) for row in values["rows"]]  # type: ignore[attr-defined]
    return Table(str(values["title"]), rows, str(values["note"]))


def machine() -> str:
    """What it ran on, without names."""
    cores = os.cpu_count()
    words = f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    return f"{words} ({platform.machine()}), {cores} cores. {', '.join(filter(None, map(_installed, LIBRARIES)))}."


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return ""


def goals_met(tables: Sequence[Table]) -> str:
    """How many goals are met, and which are not."""
    judged = [(table, row, column) for table in tables for row in table.rows for column in row.goals]
    missed = [
        f"{table.title}, {row.what}: {column} {row.figures[column]:.3g} ({' '.join(map(str, row.goals[column]))})"
        for table, row, column in judged
        if row.is_met(column) is False
    ]
    lines = [f"{len(judged) - len(missed)} of {len(judged)} goals are met.", *(f"* not met: {line}" for line in missed)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=Sizes().rounds)
    parser.add_argument("--calls", type=int, default=Sizes().calls)
    parser.add_argument("--only", nargs="*", default=SCRIPTS, help="scripts, without bench_ and .py")
    parser.add_argument("--out", type=Path, help="a folder for the results, in place of README.md")
    parser.add_argument(
        "--smallest", action="store_true", help="each once and here, to see that it runs; writes nothing"
    )
    asked = parser.parse_args()
    if asked.smallest:
        for script in asked.only:
            once(script)
        return
    begin = perf_counter()
    sizes = Sizes(asked.rounds, asked.calls)
    tables = [table for script in asked.only for table in measured(script, sizes)]
    text = f"{machine()}\n{asked.rounds} rounds.\n\n{goals_met(tables)}\n" + "\n".join(map(Table.markdown, tables))
    write(tables, text, asked.out)
    print(f"{perf_counter() - begin:.0f} s", file=sys.stderr)


def write(tables: Sequence[Table], text: str, folder: Path | None) -> None:
    """The results into a folder, or into the README beside this file."""
    from plot import plot  # noqa: PLC0415  # needs matplotlib

    if folder is None:
        readme = HERE / "README.md"
        before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.md").write_text(text, encoding="utf-8")
    results = json.dumps([asdict(table) for table in tables], ensure_ascii=False, indent=1)
    ((folder or HERE) / "results.json").write_text(f"{results}\n", encoding="utf-8")
    plot(tables, (folder or HERE) / "plot.png")


if __name__ == "__main__":
    main()

"""Runs every benchmark, each in an interpreter of its own, and writes what came out into `results.json`.

The sentences and tables of `README.md`, and the picture `plot.png`, are made from that file; `--redraw` makes them
again without measuring. With `--out FOLDER` all of them are written there (the tables as `results.md`).
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter

from harness import HERE, Row, Sizes, Table
from summary import sentences

SCRIPTS = (
    "call",
    "concurrent",
    "stream",
    "history",
    "agent",
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
PARTS = ("summary", "results")
"""Each is between `<!-- name -->` and `<!-- end of name -->` in `README.md`."""


def measured(script: str, sizes: Sizes) -> list[Table]:
    """The tables of one script. Raises where it fails."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "tables.json")
        options = ["--rounds", str(sizes.rounds), "--calls", str(sizes.calls), "--json", str(file)]
        subprocess.run([sys.executable, str(HERE / f"bench_{script}.py"), *options], check=True)
        return [table_from(values) for values in json.loads(file.read_text(encoding="utf-8"))]


def once(script: str) -> None:
    """Runs a script in this interpreter at its smallest size. Its figures mean nothing."""
    for table in import_module(f"bench_{script}").questions(Sizes(rounds=1, calls=1)):
        print(f"bench_{script}.py", table.markdown())


def table_from(values: dict[str, object]) -> Table:
    """The table that these stored values are."""
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
        f"{table.title}, {row.what}: {column} {row.figures[column]:.3g} ({row.goals[column][0]} {limit:g})"
        for table, row, column in judged
        for limit in [row.goals[column][1]]
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
    parser.add_argument("--redraw", action="store_true", help="measure nothing; take the figures from results.json")
    asked = parser.parse_args()
    if asked.smallest:
        for script in asked.only:
            once(script)
        return
    begin = perf_counter()
    if not asked.redraw:
        sizes = Sizes(asked.rounds, asked.calls)
        tables = [table for script in asked.only for table in measured(script, sizes)]
        store(tables, f"{machine()}\n{asked.rounds} rounds.", asked.out or HERE)
    write(asked.out or HERE)
    print(f"{perf_counter() - begin:.0f} s", file=sys.stderr)


def store(tables: Sequence[Table], measured_on: str, folder: Path) -> None:
    """Write `results.json`: the only place where figures are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    results = {"measured_on": measured_on, "tables": [asdict(table) for table in tables]}
    text = json.dumps(results, ensure_ascii=False, indent=1)
    (folder / "results.json").write_text(f"{text}\n", encoding="utf-8")


def write(folder: Path) -> None:
    """Make the page and the picture from the folder's `results.json`."""
    from plot import plot  # noqa: PLC0415  # needs matplotlib

    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    tables = [table_from(values) for values in results["tables"]]
    parts = page_parts(tables, results["measured_on"])
    if folder == HERE:
        readme = HERE / "README.md"
        readme.write_text(with_parts(readme.read_text(encoding="utf-8"), parts), encoding="utf-8")
    else:
        (folder / "results.md").write_text("\n\n".join(parts.values()), encoding="utf-8")
    plot(tables, folder / "plot.png")


def page_parts(tables: Sequence[Table], measured_on: str) -> dict[str, str]:
    """What `README.md` says of these figures, by the name of the part: goals come last."""
    all_figures = "\n".join([f"{measured_on}\n", *map(Table.markdown, tables), "### Goals\n", goals_met(tables)])
    return dict(zip(PARTS, (sentences(tables), all_figures), strict=True))


def with_parts(page: str, parts: Mapping[str, str]) -> str:
    """The page with its parts replaced."""
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{text}\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    main()

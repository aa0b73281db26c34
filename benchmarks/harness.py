"""What every benchmark shares: the service's process, rounds that take turns, medians, tables.

A *sample* is a function that gives one figure: usually CPU seconds of this process for one call. The service runs in
another process and does not count; waiting does not count. `compare` lets samples take turns, so that whatever else
the machine does meets all of them alike, and gives the median of the ratios within one round.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import process_time

HERE = Path(__file__).parent
Sample = Callable[[], float]
Goal = tuple[str, float]
"""`("≤", 1.15)`: what a figure has to be."""
US = "µs"
TIMES = (1, 2, 4, 8)
"""The multiples of n at which growth is looked at."""
LINEAR: Goal = ("≤", 10.0)
"""What eight times as much may cost: 8 is linear, 64 quadratic; the rest is noise."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: `rounds` in which all samples take turns, and a scale for the `calls` of a sample.

    Many short samples are better than a few long ones: what disturbs one round is then no part of the median.
    """

    rounds: int = 15
    calls: int = 100

    def part(self, share: float) -> int:
        """This share of `calls`; at least one."""
        return max(1, round(self.calls * share))

    def fewer(self, rounds: int) -> int:
        """At most so many rounds, where a sample takes long."""
        return min(self.rounds, rounds)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what was measured, a number for each column, and the goals for some of them."""

    what: str
    figures: Mapping[str, float]
    goals: Mapping[str, Goal] = field(default_factory=dict)

    def is_met(self, column: str) -> bool | None:
        """Whether the goal for this column is met; None without a goal or a figure."""
        if column not in self.goals or column not in self.figures:
            return None
        sign, limit = self.goals[column]
        figure = self.figures[column]
        return figure <= limit if sign == "≤" else figure >= limit


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to one question; `note` says how to read it."""

    title: str
    rows: Sequence[Row]
    note: str = ""

    def columns(self) -> list[str]:
        """The names of all figures, in the order of the row that has most of them."""
        fullest_first = sorted(self.rows, key=lambda row: len(row.figures), reverse=True)
        return list(dict.fromkeys(column for row in fullest_first for column in row.figures))

    def markdown(self) -> str:
        columns = self.columns()
        lines = [f"### {self.title}", "", *([self.note, ""] if self.note else [])]
        lines += [f"| | {' | '.join(columns)} | goal |", "|---" + "|---:" * len(columns) + "|---|"]
        for row in self.rows:
            cells = [shown(row.figures[column]) if column in row.figures else "" for column in columns]
            lines.append(f"| {row.what} | {' | '.join(cells)} | {goals(row)} |")
        return "\n".join(lines) + "\n"


def shown(figure: float) -> str:
    """Three digits that count."""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def goals(row: Row) -> str:
    """The goals of a row, each with whether it is met."""
    words = {True: "met", False: "**not met**", None: "not measured"}
    return ", ".join(
        f"{column} {sign} {limit:g}: {words[row.is_met(column)]}" for column, (sign, limit) in row.goals.items()
    )


class Costs:
    """The figures of some samples, round by round."""

    def __init__(self, figures: Mapping[str, Sequence[float]]) -> None:
        self._figures = figures

    def __contains__(self, name: str) -> bool:
        return name in self._figures

    def cost(self, name: str) -> float:
        """The median figure."""
        return median(self._figures[name])

    def ratio(self, name: str, floor: str) -> float:
        """The median of the ratios within each round."""
        return median(one / other for one, other in zip(self._figures[name], self._figures[floor], strict=True))

    def row(self, name: str, floors: Iterable[str] = (), limits: Mapping[str, Goal] | None = None) -> Row:
        """The cost in µs and the ratios to those of the floors that were measured."""
        ratios = {f"÷ {floor}": self.ratio(name, floor) for floor in floors if floor in self and floor != name}
        return Row(name, {US: self.cost(name) * 1e6} | ratios, limits or {})

    def rows(self, ours: str, floors: Sequence[str], limits: Mapping[str, Goal] | None = None) -> list[Row]:
        """A row for each sample; that of `ours` also has its ratios to all that is no floor, and the goals."""
        rivals = [name for name in self._figures if name not in {*floors, ours}]
        return [
            self.row(name, (*floors, *rivals), limits) if name == ours else self.row(name, floors)
            for name in self._figures
        ]


def growing(times: int) -> str:
    """The name of a sample at a multiple of n."""
    return "n" if times == 1 else f"{times}n"


def grown(what: str, costs: "Costs") -> Row:
    """The costs at n, 2n, 4n and 8n in µs, and how often that of n goes into that of 8n."""
    figures = {f"{US} at {growing(times)}": costs.cost(growing(times)) * 1e6 for times in TIMES}
    return Row(what, figures | {"8n / n": costs.ratio("8n", "n")}, {"8n / n": LINEAR})


def compare(samples: Mapping[str, Sample], rounds: int) -> Costs:
    """The figures of samples that take turns, in another order each round; a first turn only warms them up."""
    names = list(samples)
    for name in names:
        samples[name]()
    gc.collect()
    gc.freeze()  # what the imports made is not looked through again
    figures: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            gc.collect()
            figures[name].append(samples[name]())
    return Costs(figures)


def sync_sample(call: Callable[[], object], calls: int) -> Sample:
    """CPU seconds for one call, of all threads of this process."""

    def sample() -> float:
        begin = process_time()
        for _ in range(calls):
            call()
        return (process_time() - begin) / calls

    return sample


def async_sample(runner: asyncio.Runner, call: Callable[[], Awaitable[object]], calls: int, at_once: int = 1) -> Sample:
    """CPU seconds for one call; `at_once` of them are under way together, as tasks, in each of `calls` turns."""

    async def one_by_one() -> float:
        begin = process_time()
        for _ in range(calls):
            await call()
        return (process_time() - begin) / calls

    async def one() -> None:
        await call()

    async def together() -> float:
        begin = process_time()
        for _ in range(calls):
            await asyncio.gather(*(one() for _ in range(at_once)))
        return (process_time() - begin) / calls / at_once

    return lambda: runner.run(one_by_one() if at_once == 1 else together())


@contextmanager
def service() -> Generator[str]:
    """The URL of the service of `service.py`, in a process of its own."""
    command = [sys.executable, str(HERE / "service.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None  # noqa: S101  # both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


def in_child(script: str, *arguments: str) -> dict[str, float]:
    """The figures that a benchmark prints as JSON when it is run in a new interpreter with these arguments."""
    command = [sys.executable, str(HERE / script), "--child", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{script} {arguments}: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main(questions: Callable[[Sizes], Iterable[Table]]) -> None:
    """Answers the questions and prints the tables; `--json FILE` also writes them there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=Sizes().rounds, help="in which all samples take turns")
    parser.add_argument("--calls", type=int, default=Sizes().calls, help="of a sample, where a call is an ordinary one")
    parser.add_argument("--json", type=Path, help="file for the tables")
    asked = parser.parse_args()
    tables = []
    for table in questions(Sizes(asked.rounds, asked.calls)):
        print(table.markdown(), flush=True)
        tables.append(asdict(table))
    if asked.json:
        asked.json.write_text(json.dumps(tables, ensure_ascii=False, indent=1), encoding="utf-8")

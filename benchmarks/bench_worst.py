"""What replies made to be expensive cost at n, 2n, 4n and 8n characters: steps (see `tests/steps.py`), seconds, memory.

Steps are the same in every run. Seconds are CPU time of one reading, the longest a megabyte; memory is the peak over
the text, as Python's own allocator counts it, which takes too long at a megabyte.
"""

import importlib
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from math import inf
from time import process_time
from typing import Any

from harness import HERE, LINEAR, TIMES, Goal, Row, Sizes, Table, growing, main

sys.path.append(str(HERE.parent / "tests"))

from cases.costly import MORE, ORDINARY, WORST, Costly
from steps import counted, steps_of

MOST_STEPS = 2_000_000
"""Where counting ends; nothing is said then of how the steps grow, but that it is too much."""
PER_MB: Goal = ("≤", 2.0)
BYTES: Goal = ("≤", 64.0)


def original(name: str) -> Any:
    """A module of the core."""
    return importlib.import_module(f"dynaspark_core.{name}")


def seconds(work: Callable[[], object]) -> float:
    begin = process_time()
    work()
    return process_time() - begin


def peak(work: Callable[[], object]) -> int:
    """Bytes at the most, over what there was."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def steps(case: Costly, n: int) -> Row:
    counts = {times: steps_of(case.read(counted, n * times), MOST_STEPS) for times in TIMES}
    figures = {growing(times): float(count) for times, count in counts.items()}
    ratio = counts[8] / counts[1] if counts[8] < MOST_STEPS else inf
    return Row(f"`{case}`", {**figures, "8n / n": ratio}, {"8n / n": LINEAR})


def times(case: Costly, n: int) -> Row:
    """Milliseconds at each size; seconds a MB at the largest."""
    case.read(original, n)()
    spent = {times: seconds(case.read(original, n * times)) for times in TIMES}
    figures = {f"ms at {growing(times)}": second * 1e3 for times, second in spent.items()}
    figures |= {"8n / n": spent[8] / max(spent[1], 1e-9), "seconds a MB": spent[8] / (8 * n) * 1e6}
    return Row(f"`{case}`", figures, {"8n / n": LINEAR, "seconds a MB": PER_MB})


def memory(case: Costly, n: int) -> Row:
    """Bytes a character."""
    return Row(f"`{case}`", {"bytes a character": peak(case.read(original, n)) / n}, {"bytes a character": BYTES})


def questions(sizes: Sizes) -> Iterator[Table]:
    """Expensive replies."""
    n, many = sizes.calls * 10, sizes.calls * 1_250
    for kind, cases in {"Ordinary replies": ORDINARY, "Replies made to be expensive": (*WORST, *MORE)}.items():
        note = f"Counting ends at {MOST_STEPS:,}."
        yield Table(f"{kind}, n = {n:,} characters: steps", [steps(case, n) for case in cases], note)
        yield Table(f"{kind}, n = {many:,} characters: time", [times(case, many) for case in cases])
        yield Table(f"{kind}, {8 * n:,} characters: memory", [memory(case, 8 * n) for case in cases])


if __name__ == "__main__":
    main(questions)

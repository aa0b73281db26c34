"""What replies made to be expensive cost at n, 2n, 4n and 8n characters: steps (see `tests/steps.py`), seconds, memory.

Growth is judged by the last doubling: where a limit is passed between n and 8n, the way changes, and more is measured.
Steps are the same in every run. Seconds are CPU time of one reading, at 8n; memory is the peak over the text, as
Python's own allocator counts it, which takes too long at a megabyte.
"""

import importlib
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from math import inf
from time import process_time
from typing import Any

from harness import HERE, TIMES, Goal, Row, Sizes, Table, growing, main

sys.path.append(str(HERE.parent / "tests"))

from cases.costly import MORE, ORDINARY, WORST, Costly
from steps import counted, steps_of

MOST_STEPS = 300
"""Steps a character at which counting ends: more of them are too many, however they grow."""
MOST_TIMES = 64
DOUBLING: Goal = ("≤", 2.5)
"""What twice as much may cost: 2 is linear, 4 quadratic; the rest is noise."""
PER_CHARACTER: Goal = ("≤", float(MOST_STEPS))
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


def growth(cost: Callable[[int], float]) -> dict[int, float]:
    """The costs at n, 2n, 4n and 8n, and on while the last doubling is too dear: one limit passed is no growth."""
    costs = {times: cost(times) for times in TIMES}
    while (last := max(costs)) < MOST_TIMES and costs[last] > DOUBLING[1] * costs[last // 2]:
        costs[2 * last] = cost(2 * last)
    return costs


def doubling(costs: dict[int, float]) -> float:
    """How many times more the largest cost is than that of half as much."""
    return costs[max(costs)] / max(costs[max(costs) // 2], 1e-9)


def steps(case: Costly, n: int) -> Row:
    def cost(times: int) -> float:
        most = MOST_STEPS * n * times
        count = steps_of(case.read(counted, n * times), most)
        return count if count < most else inf

    case.read(counted, n)()  # what is made once is no part of it
    costs = growth(cost)
    figures = {growing(times): count for times, count in costs.items()}
    figures |= {"last doubling": doubling(costs), "steps a character": costs[max(costs)] / (n * max(costs))}
    return Row(f"`{case}`", figures, {"last doubling": DOUBLING, "steps a character": PER_CHARACTER})


def times(case: Costly, n: int) -> Row:
    """Milliseconds at each size; seconds a MB at 8n."""
    case.read(original, n)()
    spent = growth(lambda times: seconds(case.read(original, n * times)))
    figures = {f"ms at {growing(times)}": second * 1e3 for times, second in spent.items()}
    figures |= {"last doubling": doubling(spent), "seconds a MB": spent[8] / (8 * n) * 1e6}
    return Row(f"`{case}`", figures, {"last doubling": DOUBLING, "seconds a MB": PER_MB})


def memory(case: Costly, n: int) -> Row:
    """Bytes a character."""
    return Row(f"`{case}`", {"bytes a character": peak(case.read(original, n)) / n}, {"bytes a character": BYTES})


def questions(sizes: Sizes) -> Iterator[Table]:
    """Expensive replies."""
    n, many = sizes.calls * 10, sizes.calls * 1_250
    for kind, cases in {"Ordinary replies": ORDINARY, "Replies made to be expensive": (*WORST, *MORE)}.items():
        note = f"Counting ends at {MOST_STEPS:,} steps a character."
        yield Table(f"{kind}, n = {n:,} characters: steps", [steps(case, n) for case in cases], note)
        yield Table(f"{kind}, n = {many:,} characters: time", [times(case, many) for case in cases])
        yield Table(f"{kind}, {8 * n:,} characters: memory", [memory(case, 8 * n) for case in cases])


if __name__ == "__main__":
    main(questions)

"""What becomes of calls in each dialect that models write, whole and cut short; ns a character.

A call is read right, refused with a report, lost without one, or wrong. Nothing may be wrong, and nothing lost.
"""

import random
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial

from harness import HERE, Goal, Row, Sizes, Table, compare, main, sync_sample

sys.path.append(str(HERE.parent / "tests"))

from cases.dialects import DIALECTS, TOOLS, Dialect, Verdict, verdict
from cases.values import PLAIN, TROUBLE, drawn_calls

from dynaspark_core.reply.reader import read_reply

BECAME: tuple[Verdict, ...] = ("right", "reported", "lost", "wrong")
GOALS: dict[str, Goal] = {"lost, %": ("≤", 0.0), "wrong, %": ("≤", 0.0)}
CUT_GOALS: dict[str, Goal] = {"wrong, %": ("≤", 0.0)}


def whole(dialect: Dialect, pieces: tuple[str, ...], count: int) -> Iterator[Verdict]:
    """What became of some whole replies."""
    draw = random.Random(dialect.name)  # noqa: S311  # the same values in every run
    for _ in range(count):
        calls = drawn_calls(draw, dialect, pieces)
        yield verdict(calls, read_reply(dialect.write(calls), TOOLS))


def cut(dialect: Dialect, count: int) -> Iterator[Verdict]:
    """What became of replies that end anywhere."""
    draw = random.Random(dialect.name)  # noqa: S311  # likewise
    for _ in range(count):
        calls = drawn_calls(draw, dialect, TROUBLE)
        written = dialect.write(calls)
        yield verdict(calls, read_reply(written[: draw.randrange(1, len(written))], TOOLS))


def shares(verdicts: Iterator[Verdict]) -> dict[str, float]:
    counted = Counter(verdicts)
    return {f"{name}, %": 100 * counted[name] / counted.total() for name in BECAME}


def speed(dialect: Dialect, sizes: Sizes) -> float:
    """Nanoseconds a character of a reply of plain values."""
    draw = random.Random(dialect.name)  # noqa: S311  # likewise
    texts = [dialect.write(drawn_calls(draw, dialect, PLAIN)) for _ in range(sizes.part(0.2))]
    costs = compare({"ns": sync_sample(partial(read_all, texts), 1)}, sizes.fewer(3))
    return costs.cost("ns") / sum(map(len, texts)) * 1e9


def read_all(texts: list[str]) -> None:
    for text in texts:
        read_reply(text, TOOLS)


def questions(sizes: Sizes) -> Iterator[Table]:
    """Calls in every dialect."""
    count = sizes.calls
    plain = [
        Row(one.name, {**shares(whole(one, PLAIN, count)), "ns a character": speed(one, sizes)}, GOALS)
        for one in DIALECTS
    ]
    yield Table(f"Plain calls in each dialect, {count} replies", plain)
    hard = [Row(one.name, shares(whole(one, TROUBLE, 2 * count)), GOALS) for one in DIALECTS]
    yield Table(f"Calls with markup, quotes and escapes in their values, {2 * count} replies", hard)
    short = [Row(one.name, shares(cut(one, 4 * count)), CUT_GOALS) for one in DIALECTS]
    note = (
        "What is whole when the reply ends may run; the rest is reported, or is text while it may still be an answer."
    )
    yield Table(f"The same, cut anywhere, {4 * count} replies", short, note)


if __name__ == "__main__":
    main(questions)

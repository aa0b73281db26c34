"""What came of the loops, as text: a line for each, a table by kind, and the faults."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from dynaspark_core.doctor.definition import Kind, Loop
from dynaspark_core.doctor.judge import Fault, Made, Verdict
from loops.session import Step

_FAULTS: tuple[Fault, ...] = get_args(Fault)
_HEADS = ("kind", "right", *_FAULTS, "repairs", "steps", "prompt tokens a step")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A loop that was run through a face; without a verdict it ended right."""

    face: str
    loop: Loop
    verdict: Verdict | None
    text: str
    made: Sequence[Made]
    steps: Sequence[Step]
    repairs: int


def line(outcome: Outcome) -> str:
    """The loop in one line."""
    verdict, steps = outcome.verdict, outcome.steps
    counts = ",".join(str(step.prompt_tokens) for step in steps)
    seconds = sum(step.seconds for step in steps)
    end = f"{verdict.fault}: {verdict.about[:200]}" if verdict else "right"
    return f"{outcome.face:11} {outcome.loop.kind:10} {outcome.loop.name:15} {seconds:4.0f} s [{counts}] {end}"


def table(title: str, outcomes: Sequence[Outcome]) -> str:
    """The outcomes by kind and in all, as a table of Markdown under its title."""
    groups = [(kind, [each for each in outcomes if each.loop.kind == kind]) for kind in get_args(Kind)]
    rows = [_row(kind, group) for kind, group in groups if group]
    ruler = f"|---|{'---:|' * (len(_HEADS) - 1)}"
    lines = (f"| {' | '.join(_HEADS)} |", ruler, *rows, _row("**all**", outcomes))
    return "\n".join((f"### {title}", "", *lines))


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    faults = [each.verdict.fault for each in outcomes if each.verdict]
    steps = [step for each in outcomes for step in each.steps]
    tokens = sum(step.prompt_tokens for step in steps) / max(1, len(steps))
    counts = [faults.count(fault) for fault in _FAULTS] + [sum(each.repairs for each in outcomes), len(steps)]
    cells = (name, f"{len(outcomes) - len(faults)} of {len(outcomes)}", *(str(count or "") for count in counts))
    return f"| {' | '.join((*cells, f'{tokens:.0f}'))} |"

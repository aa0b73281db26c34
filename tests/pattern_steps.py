"""Counts at how many characters a pattern looks: what `re` does in C is done over in Python, without its result.

The tree into which `re` parses a pattern becomes a plan, which is gone through in the order in which `re` tries it. A
run of one kind of character costs its length. Of the turns of a repeated group behind the first `MAX_TURNS`, only their
number is gone back over, not what was tried in one.
"""

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

PARSER: Any = importlib.import_module("re._parser")
COMPILER: Any = importlib.import_module("re._compiler")
ONE = {"LITERAL", "NOT_LITERAL", "ANY", "IN"}
REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
MAX_TURNS = 8


class Char(NamedTuple):
    """One character of a kind, or a place between two."""

    match: Callable[..., re.Match[str] | None]
    pattern: re.Pattern[str]


class Run(NamedTuple):
    """A repeated character."""

    kind: str
    least: int
    most: int
    match: Callable[..., re.Match[str] | None]


class Turns(NamedTuple):
    """A repeated group."""

    kind: str
    least: int
    most: int
    plan: "Plan"


class Branch(NamedTuple):
    plans: "list[Plan]"


class Atomic(NamedTuple):
    plan: "Plan"


class Around(NamedTuple):
    """What stands behind or before a place: `back` characters before it, or 0."""

    is_wanted: bool
    back: int
    plan: "Plan"


class Border(NamedTuple):
    """Where a group begins or ends."""

    group: int
    is_end: bool


class Again(NamedTuple):
    """What a group matched, once more."""

    group: int


Plan = Sequence[Char | Run | Turns | Branch | Atomic | Around | Border | Again]
Then = Callable[[int], bool]


def _compiled(item: Any, flags: int) -> re.Pattern[str]:
    """One item of a tree as a pattern of its own."""
    state = PARSER.State()
    state.flags = flags
    pattern: re.Pattern[str] = COMPILER.compile(PARSER.SubPattern(state, [item]), flags)
    return pattern


def _plan(items: Iterable[tuple[Any, Any]], flags: int) -> Plan:
    return [step for item in items for step in _planned(item, flags)]


def _planned(item: tuple[Any, Any], flags: int) -> Plan:
    """The plan of one item; a group's is that of what it holds."""
    kind, value = str(item[0]), item[1]
    if kind == "SUBPATTERN":
        inner = _plan(value[3], (flags | value[1]) & ~value[2])
        return [Border(value[0], is_end=False), *inner, Border(value[0], is_end=True)] if value[0] else inner
    if kind == "BRANCH":
        return [Branch([_plan(branch, flags) for branch in value[1]])]
    if kind == "ATOMIC_GROUP":
        return [Atomic(_plan(value, flags))]
    if kind in {"ASSERT", "ASSERT_NOT"}:
        way, inner = value
        return [Around(kind == "ASSERT", inner.getwidth()[0] if way < 0 else 0, _plan(inner, flags))]
    return [_alone(item, flags)]


def _alone(item: tuple[Any, Any], flags: int) -> Again | Run | Turns | Char:
    """The step that an item is which holds no other, or repeats one."""
    if str(item[0]) == "GROUPREF":
        return Again(item[1])
    if str(item[0]) in REPEATS:
        return _repeated(str(item[0]), item[1], flags)
    pattern = _compiled(item, flags)
    return Char(pattern.match, pattern)


def _repeated(kind: str, value: tuple[int, int, Any], flags: int) -> Run | Turns:
    least, most, inner = value
    if len(inner) == 1 and str(inner[0][0]) in ONE:
        run = _compiled((COMPILER.MAX_REPEAT, (0, COMPILER.MAXREPEAT, inner)), flags)
        return Run(kind, least, most, run.match)
    return Turns(kind, least, most, _plan(inner, flags))


@cache
def plan_of(pattern: re.Pattern[str]) -> Plan:
    """The plan by which a pattern is tried."""
    tree = PARSER.parse(pattern.pattern, pattern.flags)
    return _plan(tree, tree.state.flags)


def first(pattern: re.Pattern[str]) -> re.Pattern[str] | None:
    """The one character or place with which every match begins; None if that is not so simple."""
    step = next(step for step in plan_of(pattern) if not isinstance(step, Border))
    return step.pattern if isinstance(step, Char) else None


class Look:
    """Looks at `text[:end]` as patterns do; `spend` gets the number of characters."""

    def __init__(self, text: str, end: int, spend: Callable[[int], None]) -> None:
        self._text, self._end, self._spend = text, end, spend
        self._groups: dict[int, tuple[int, int]] = {}

    def match(self, plan: Plan, at: int, then: Then = lambda _: True, begin: int = 0) -> bool:
        """Whether the plan from its step `begin` on matches at a place, and what comes after it."""
        for number in range(begin, len(plan)):
            step = plan[number]
            if isinstance(step, Char):  # most steps are, so that this is worth a line
                self._spend(1)
                if (found := step.match(self._text, at, self._end)) is None:
                    return False
                at = found.end()
                continue
            if isinstance(step, Run | Turns | Branch):
                return self._choose(step, at, partial(self._go_on, plan, number + 1, then))
            end = self._end_of(step, at)
            if end is None:
                return False
            at = end
        return then(at)

    def _go_on(self, plan: Plan, begin: int, then: Then, at: int) -> bool:
        return self.match(plan, at, then, begin)

    def _choose(self, step: Run | Turns | Branch, at: int, then: Then) -> bool:
        """Tries the ways in which a step can match, until what comes after it does."""
        if isinstance(step, Branch):
            return any(self.match(plan, at, then) for plan in step.plans)
        if isinstance(step, Turns) and step.kind == "MAX_REPEAT":
            return self._turn(step, at, then)
        return self._repeat(step, at, then)

    def _repeat(self, step: Run | Turns, at: int, then: Then) -> bool:
        """Tries the numbers of repetitions."""
        ends = self._run(step, at) if isinstance(step, Run) else self._turns(step, at)
        if step.kind == "MIN_REPEAT":
            return any(then(end) for end in ends[step.least :])
        self._spend(len(ends))
        if step.kind == "POSSESSIVE_REPEAT":
            return len(ends) > step.least and then(ends[-1])
        return any(then(end) for end in reversed(ends[step.least :]))

    def _run(self, step: Run, at: int) -> Sequence[int]:
        """Where no, one, two, … characters of the run end."""
        run = step.match(self._text, at, min(self._end, at + step.most))
        return range(at, run.end() + 1 if run is not None else at + 1)

    def _turn(self, step: Turns, at: int, then: Then, count: int = 0) -> bool:
        """Tries a further turn in every way in which it can match, then none."""
        self._spend(1)
        if count == MAX_TURNS:
            rest = step._replace(least=max(0, step.least - count), most=step.most - count)
            return self._repeat(rest, at, then)
        if count < step.most and self.match(step.plan, at, partial(self._another, step, then, count + 1, at)):
            return True
        return count >= step.least and then(at)

    def _another(self, step: Turns, then: Then, count: int, begin: int, at: int) -> bool:
        return at > begin and self._turn(step, at, then, count)

    def _turns(self, step: Turns, at: int) -> Sequence[int]:
        """Where no turn, one, two, … of the group end."""
        ends = [at]
        while len(ends) <= step.most and (end := self._alone(step.plan, ends[-1])) is not None and end > ends[-1]:
            ends.append(end)
        return ends

    def _end_of(self, step: Atomic | Around | Border | Again, at: int) -> int | None:
        """Where a step ends that matches in one way or not at all."""
        if isinstance(step, Border):
            self._groups[step.group] = (self._groups[step.group][0], at) if step.is_end else (at, at)
            return at
        if isinstance(step, Again):
            begin, end = self._groups.get(step.group, (0, 0))
            self._spend(end - begin)
            return at + end - begin if self._text.startswith(self._text[begin:end], at, self._end) else None
        if isinstance(step, Atomic):
            return self._alone(step.plan, at)
        is_there = at >= step.back and self._alone(step.plan, at - step.back) is not None
        return at if is_there == step.is_wanted else None

    def _alone(self, plan: Plan, at: int) -> int | None:
        """Where the first way to match the plan ends."""
        ends: list[int] = []

        def note(end: int) -> bool:
            ends.append(end)
            return True

        return ends[0] if self.match(plan, at, note) else None

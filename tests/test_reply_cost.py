"""No reply is expensive: twice as much text costs about twice as many steps (see `steps`), and little memory."""

import importlib
import json
import tracemalloc
from math import inf
from typing import Any

import pytest
from cases.costly import MORE, ORDINARY, RECURSIVE, WAYS, WORST, Costly
from cases.mutations import MARKERS
from cases.signs import signs
from hypothesis import Phase, given, settings, target
from hypothesis import strategies as st
from steps import counted, steps_of

from dynaspark_core.messages import Chat, Tool

SIZE = 5_000
"""Characters: more than what is looked at or copied at once, which is at most some thousands."""
VALUE_SIZE = 1_500
"""Characters of a value whose check is counted: no part of it is copied, so that less shows as much."""
GROWTH = 2.8
"""What twice as much text may cost. 2 is linear, 4 quadratic."""
CHEAP, DEAR = 25, 300
"""Steps a character that are no matter, and those that are too many, whatever twice as much costs."""
BYTES = 64
"""Memory that a character may take while it is read."""


ROWS = [pytest.param(case, id=str(case)) for case in (*ORDINARY, *WORST)]
OPENERS = sorted({sign.example for _, sign in signs()})
MORE_ROWS = (*MORE, *(Costly(way, opener) for opener in OPENERS for way in ("whole", "in pieces")))
ROWS += [pytest.param(case, id=str(case), marks=pytest.mark.fuzz) for case in dict.fromkeys(MORE_ROWS)]


def growth(case: Costly, once: int, size: int = SIZE) -> float:
    """How many times more twice as much costs, at least; 1 where both are cheap. `once` is what `size` costs."""
    if once == DEAR * size:
        return inf
    cheap = CHEAP * 2 * size
    twice = steps_of(case.read(counted, 2 * size), max(cheap, int(GROWTH * once) + 1))
    return twice / once if twice > cheap else 1


def cost(case: Costly, size: int = SIZE) -> int:
    """What `size` costs, or the most that it may."""
    return steps_of(case.read(counted, size), DEAR * size)


@pytest.mark.parametrize("case", ROWS)
def test_steps_grow_with_the_text(case: Costly) -> None:
    assert growth(case, cost(case)) <= GROWTH


def test_calls_before_the_lone_end_of_a_thought_cost_little_each() -> None:
    size = 8 * SIZE
    case = Costly("whole", "<tool_call>get_time()</tool_call>", "x ", after="</think>")
    assert steps_of(case.read(counted, size), 50 * size) < 40 * size


@pytest.mark.parametrize(
    ("unit", "most"), [('</tool_call>{"a":"""', 40), ("<tool>{", 60), ("<tool_call>{", 20), ('<tool_call>{"', 20)]
)
def test_broken_calls_cost_little_each(unit: str, most: int) -> None:
    """Behind many of them no more are looked at. Each took more than a thousand steps."""
    size = 4 * SIZE
    assert steps_of(Costly("whole", unit).read(counted, size), 2 * most * size) <= most * size


NOTE = Tool(
    "note",
    "Notes",
    {"type": "object", "properties": {"mark": {"enum": [f"m{at}" for at in range(500)]}}, "minProperties": 1},
)


@pytest.mark.parametrize(
    ("call", "tool_choice"),
    [
        ("<tool_call><function=note><parameter=mark>m1</parameter></function></tool_call>", "auto"),
        ('<tool_call>{"mark": "m1"}</tool_call>', "note"),
    ],
)
def test_a_schema_is_looked_at_once_for_all_calls(call: str, tool_choice: str) -> None:
    """What is made of it, an index of each enum above all, is kept: each call took 10,000 steps."""

    def work(count: int) -> Any:
        return counted("reply.reader").read_reply(call * count, [NOTE], tool_choice)

    assert len(work(20).tool_calls) == 20
    assert steps_of(lambda: work(20)) - steps_of(lambda: work(10)) < 10 * 3_000


def test_late_calls_like_the_first_are_not_read_as_values() -> None:
    """Each took 9,000 steps."""
    chat = Chat((), tools=(NOTE,), parallel_tool_calls=False)

    def work(count: int) -> Any:
        text = '<tool_call>{"name": "note", "arguments": {"mark": "m1"}}</tool_call>' * count
        reply = counted("reply.reader").read_reply(text, chat.tools, parallel_tool_calls=False)
        return steps_of(lambda: counted("reply.required").is_in_doubt(reply, chat))

    assert work(20) - work(10) < 10 * 500


def test_a_value_in_wrappers_is_checked_once() -> None:
    """Each wrapper's look at it took as long as the first."""
    inner = "[" + "1, " * 300 + '"x"]'
    wrapped = '{"data":' * 6 + inner + "}" * 6

    def cost_of(text: str) -> int:
        return steps_of(lambda: counted("reply.wrapped").fit_value(json.loads(text), RECURSIVE))

    assert cost_of(wrapped) < 2 * cost_of(inner)


def original(name: str) -> Any:
    return importlib.import_module(f"dynaspark_core.{name}")


@pytest.mark.parametrize("case", ROWS)
def test_memory_grows_little(case: Costly) -> None:
    work = case.read(original, 4_000)
    work()
    tracemalloc.start()
    try:
        work()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= BYTES * 4_000 + 100_000


ATOMS = st.sampled_from(
    [*MARKERS, "{", "}", "[", "]", "(", ")", '"', "'", "\\", "`", "<", ">", "/", ":", ",", "=", "\n", " ", "x", "1",
     "*", '{"a":', '{"name": "add", ', '"arguments": {', "add(a=", "&quot;", "é", "\x00", "> ", "- ", "true", "</"]
)  # fmt: skip
UNIT = st.lists(ATOMS, min_size=1, max_size=3).map("".join)
PART = st.just("") | st.lists(ATOMS, max_size=2).map("".join)
INPUTS = st.builds(
    Costly, st.sampled_from([way for way in WAYS if way not in {"enum", "schema", "unique"}]), UNIT, PART, PART, PART
)

ITEMS = (
    "1,",
    '"5",',
    '"x",',
    '"OSLO",',
    "[1],",
    "[],",
    "{},",
    '{"a":1},',
    '{"b":"5"},',
    '{"a":{"b":[1]}},',
    "[[[2]]],",
)
VALUES = st.builds(
    lambda items, depth: Costly("schema", "".join(items), "[" * depth, after="0" + "]" * depth),
    st.lists(st.sampled_from(ITEMS), min_size=1, max_size=4),
    st.integers(1, 40),
)
"""Long lists, within others."""


SEARCH = settings(derandomize=True, database=None, deadline=None, phases=(Phase.generate, Phase.target))


def check(case: Costly, size: int = SIZE) -> None:
    once = cost(case, size)
    target(float(once))
    assert growth(case, once, size) <= GROWTH, (case, case.text(60))


@settings(SEARCH, max_examples=4)
@given(INPUTS)
def test_no_repetition_is_expensive(case: Costly) -> None:
    check(case)


@pytest.mark.fuzz
@settings(SEARCH, max_examples=120)
@given(INPUTS)
def test_no_repetition_of_many_is_expensive(case: Costly) -> None:
    check(case)


@settings(SEARCH, max_examples=4)
@given(VALUES)
def test_no_value_is_expensive_to_check(case: Costly) -> None:
    check(case, VALUE_SIZE)


@pytest.mark.fuzz
@settings(SEARCH, max_examples=100)
@given(VALUES)
def test_no_value_of_many_is_expensive_to_check(case: Costly) -> None:
    check(case, VALUE_SIZE)

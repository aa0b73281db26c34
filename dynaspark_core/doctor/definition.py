"""What a loop is: a question, tools, and what is expected. Only values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "single", "none", "language", "sequential", "parallel", "error", "arguments", "long", "rag", "image", "system"
]
Function = Callable[..., str]
"""A tool: its name, its docstring and its annotated arguments are what the model is told of it."""
Check = object
"""What an argument must be: a value, or a function that says whether it fits."""
CHANGING: set[str] = set()
"""Names of the tools that change something: calling one twice is never harmless."""


class ToolFailure(Exception):  # noqa: N818  # a tool's own answer, not an error of this program
    """A tool says why it did not do what was asked, and how to ask."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A call that must be made; arguments that are not named here may be anything."""

    name: str
    arguments: Mapping[str, Check]


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of an earlier turn, and what it gave."""

    function: Function
    arguments: Mapping[str, object]
    result: str


@dataclass(frozen=True, slots=True)
class Said:
    """A text of an earlier turn."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Loop:
    """One question and what is right.

    `calls` must all be made, in this order where `ordered`, and no other but those of `allowed` tools. `answer` is what
    the last text must hold, in any case: of a tuple one is enough. `failures` are what a tool's first call ends in, by
    its name. `image` makes the picture that comes with the question, as PNG.
    """

    kind: Kind
    name: str
    question: str
    tools: tuple[Function, ...]
    calls: tuple[Expected, ...] = ()
    answer: tuple[str | tuple[str, ...], ...] = ()
    ordered: bool = True
    allowed: tuple[Function, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)
    system: str = ""
    history: tuple[Said | PastCall, ...] = ()
    image: Callable[[], bytes] | None = None


def changing(function: Function) -> Function:
    """The tool, noted as one that changes something."""
    CHANGING.add(function.__name__)
    return function


def call(function: Function, **arguments: Check) -> Expected:
    """The call of that tool with these arguments."""
    return Expected(function.__name__, arguments)


def one_of(*values: object) -> Check:
    """A check: the argument is one of these."""
    return lambda found: any(fits(found, value) for value in values)


def holds(*words: str) -> Check:
    """A check: the argument's text holds one of these words."""
    return lambda found: any(word.casefold() in str(found).casefold() for word in words)


def fits(found: object, wanted: Check) -> bool:
    """Whether an argument is as wanted: numbers by value, texts without regard to case, blanks and a last dot."""
    if callable(wanted):
        return bool(wanted(found))
    if isinstance(wanted, str):
        return isinstance(found, str) and found.casefold().strip(" .!") == wanted.casefold()
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            name in found and fits(found[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(fits, found, wanted))
    return found == wanted and isinstance(found, bool) == isinstance(wanted, bool)

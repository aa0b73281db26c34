"""Whether a loop came to the right end: the calls that were made and the last text, against what is expected."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dynaspark_core.doctor.definition import CHANGING, Loop, fits

Fault = Literal["stuck", "needless call", "missing call", "wrong answer", "failed"]
_MARKERS = re.compile(r"</?(tool_call|tool_result|turn)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Made:
    """A call that a tool got."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was wrong, and with what."""

    fault: Fault
    about: str


def judge(loop: Loop, made: Sequence[Made], text: str) -> Verdict | None:
    """None for a right end."""
    return judge_calls(loop, made, text) or _judge_answer(loop, text)


def judge_calls(loop: Loop, made: Sequence[Made], text: str) -> Verdict | None:
    """None where the right calls were made; `text` is what was said, for the verdict.

    A first identical repeat of a call that changes nothing is forgiven, but not in a loop about an error, where it may
    be what is asked for.
    """
    left = [
        call
        for at, call in enumerate(made)
        if loop.kind == "error" or call.name in CHANGING or made[:at].count(call) != 1
    ]
    start = 0
    for wanted in loop.calls:
        fitting = (call.name == wanted.name and fits(call.arguments, wanted.arguments) for call in left[start:])
        at = next((at for at, is_right in enumerate(fitting, start) if is_right), None)
        if at is None:
            return Verdict("missing call", f"{wanted.name}; made: {_listed(made)}; said: {text[:100]!r}")
        del left[at]
        start = at if loop.ordered else 0
    allowed = {function.__name__ for function in loop.allowed}
    if needless := [call for call in left if call.name not in allowed]:
        return Verdict("needless call", _listed(needless))
    return None


def _judge_answer(loop: Loop, text: str) -> Verdict | None:
    said = re.sub(r"\s+", " ", text).casefold()
    if not said.strip():
        return Verdict("wrong answer", "it is empty")
    if _MARKERS.search(said):
        return Verdict("wrong answer", f"it holds markers: {text[:150]!r}")
    for wanted in loop.answer:
        options = (wanted,) if isinstance(wanted, str) else wanted
        if not any(_holds(said, option) for option in options):
            return Verdict("wrong answer", f"none of {', '.join(options)} in {text[:150]!r}")
    return None


def _holds(said: str, option: str) -> bool:
    """Whether the words are in the text; a number is not found inside a longer one."""
    words = re.escape(option.casefold())
    before = r"(?<!\d)(?<!\d[.,:])" if option[:1].isdigit() else ""
    after = r"(?!\d)(?![.,:]\d)" if option[-1:].isdigit() else ""
    return re.search(f"{before}{words}{after}", said) is not None


def _listed(calls: Sequence[Made]) -> str:
    texts = (f"{call.name}({', '.join(f'{key}={value!r}' for key, value in call.arguments.items())})" for call in calls)
    return ", ".join(texts) or "none"

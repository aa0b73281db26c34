"""Mutated replies: nothing raises, pieces change nothing, and no call runs that the reply does not hold.

2,000 of them here; `make fuzz` reads 100,000. A failure names the reply's number: `mutated(number)` makes it again.
"""

import html
import json
import re
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from cases.mutations import Mutated, mutated
from cases.replies import TOOLS
from jsonschema import Draft202012Validator

from dynaspark_core.messages import Done, InvalidToolCall, ReasoningDelta, Reply, TextDelta, ToolCall
from dynaspark_core.reply.reader import ReplyReader

SCHEMAS = {tool.name: Draft202012Validator(dict(tool.parameters)) for tool in TOOLS}
NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}|[\s\S])")
EXPECTED_AFTER_15: set[str] = set()
"""Kinds of problems that the reader still has."""


def outcome(pieces: Iterable[str], case: Mutated) -> tuple[Reply, tuple[Any, ...]]:
    """The reply, and what must not depend on the pieces. The events say the same as the reply."""
    reader = ReplyReader(TOOLS, **case.options)
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.close()
    done = events[-1]
    assert isinstance(done, Done)
    reply = done.reply
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == reply.text
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == reply.reasoning
    assert tuple(event for event in events if isinstance(event, ToolCall)) == reply.tool_calls
    assert tuple(event for event in events if isinstance(event, InvalidToolCall)) == reply.invalid_tool_calls
    calls = [(call.name, json.dumps(call.arguments)) for call in reply.tool_calls]
    refused = [(call.name, call.reason, call.error, call.raw) for call in reply.invalid_tool_calls]
    return reply, (reply.text, calls, refused, reply.finish_reason)


def forms(text: str) -> list[str]:
    """The text as it stands, and without one and two layers of escapes; blanks and backslashes do not count."""
    layers = [text, html.unescape(text)]
    for blanks in ("nrtbf", "nrtbfav0"):  # JSON's escapes, and those of Python
        once = _unescaped(text, blanks)
        layers += [once, _unescaped(once, blanks)]
    return [_squeezed(layer) for layer in layers]


def _unescaped(text: str, blanks: str) -> str:
    def meant(found: re.Match[str]) -> str:
        code = found[1]
        if len(code) > 1:
            return chr(min(int(code[1:], 16), 0x10FFFF))
        return " " if code in blanks else code

    return ESCAPE.sub(meant, text)


def _squeezed(text: str) -> str:
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub(r"[\s\\\x00-\x1f\ufffd]+", "", paired).casefold()


def leaves(value: Any) -> Iterator[Any]:
    """All keys and scalars of a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def is_in(leaf: Any, text: str, written: list[str]) -> bool:
    """Whether the model wrote this value."""
    if leaf is None:
        return re.search("null|none", text, re.IGNORECASE) is not None
    if isinstance(leaf, bool):
        return str(leaf).casefold() in text.casefold()
    if isinstance(leaf, str):
        return any(_squeezed(leaf) in form for form in written)
    return any(float(found) == float(leaf) for found in NUMBER.findall(text))


def problems(number: int) -> Iterator[tuple[str, str]]:
    """What is wrong with the reading of this reply: the kind, and an example."""
    case = mutated(number)
    try:
        reply, whole = outcome([case.text], case)
        _, streamed = outcome(case.pieces, case)
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        yield "it raises", traceback.format_exc(limit=-3)
        return
    if _without_errors(whole) == _without_errors(streamed) and whole != streamed:
        yield "pieces change an error's words", f"{whole}\n{streamed}\n{case.pieces}"
    elif whole != streamed:
        yield "pieces change it", f"{whole}\n{streamed}\n{case.pieces}"
    written = forms(case.text) if reply.tool_calls else []
    for call in reply.tool_calls:
        if call.name not in SCHEMAS or not SCHEMAS[call.name].is_valid(call.arguments):
            yield "a call does not fit", str(call)
        if strange := [leaf for leaf in leaves(call.arguments) if not is_in(leaf, case.text, written)]:
            yield "a value is not in the reply", f"{call}: {strange}"


def _without_errors(outcome: tuple[Any, ...]) -> tuple[Any, ...]:
    text, calls, refused, reason = outcome
    return text, calls, [(name, why, raw) for name, why, _, raw in refused], reason


def found_in(numbers: Iterable[int]) -> dict[str, list[str]]:
    """The problems of many replies, by kind."""
    found = defaultdict(list)
    for number in numbers:
        for kind, example in problems(number):
            found[kind].append(f"mutated({number}) {mutated(number).text!r}: {example}")
    return found


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{kind}: {len(examples)}\n" + "\n".join(examples[:5]) for kind, examples in found.items())


def test_some_mutated_replies_are_read() -> None:
    found = found_in(range(2_000))
    assert set(found) <= EXPECTED_AFTER_15, told(found)


@pytest.mark.fuzz
def test_many_mutated_replies_are_read() -> None:
    found = found_in(range(100_000))
    assert set(found) <= EXPECTED_AFTER_15, told(found)

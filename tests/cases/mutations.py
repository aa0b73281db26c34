"""Mutated replies: each is made by its number alone, so that one that fails can be read again by that number."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cases import replies
from cases.dialects import DIALECTS
from cases.writers import deepseek_token

CALLS: Sequence[tuple[str, dict[str, Any]]] = (
    replies.OSLO,
    replies.ADD,
    replies.TIME,
    ("write_file", {"path": "C:\\new\\a.py", "content": "def f():\n    return '</tool_call>'\n"}),
    ("search", {"query": 'say "hi" {1}', "limit": 3, "exact": True, "tags": ["a", "b"], "filter": {"x": [1.5, "y"]}}),
)
MARKERS = (
    "<tool_call>", "</tool_call>", "<tool_calls>", "<|tool_call|>", "<function_call>", "<tool>", "</tool>",
    "<function=add>", "<parameter=a>", "</parameter>", "</function>", '<invoke name="add">', "</invoke>", "<arg_key>",
    "<arg_value>", "</arg_value>", "<think>", "</think>", "<turn role=\"user\">", "</turn>", "<tool_result>",
    "</tool_result>", "<tool_response>", "<function_results>", "Observation:", "\nUser: ", "\n### User\n", "<|im_end|>",
    "<|eot_id|>", "<end_of_turn>", "[INST]", "[TOOL_RESULTS]", "[TOOL_CALLS]", "[ARGS]", "<|python_tag|>", "<|eom_id|>",
    "functools[", deepseek_token("tool calls begin"), deepseek_token("tool call end"), deepseek_token("tool sep"),
    "<|tool_calls_section_begin|>", "<|tool_call_argument_begin|>", "<|channel|>commentary to=functions.add",
    "<|message|>", "<|call|>", "<|START_ACTION|>", "<|END_ACTION|>", "<minimax:tool_call>", "<ns:invoke name=\"add\">",
    "Action: add\n", "Action Input: ", "tool_code\n", "print(default_api.", "```", "```json\n", "```tool_call\n",
    "```tool_code\n", "~~~\n", '{"tool_calls": [', '{"functionCall": ', '{"role": "tool"}', '"arguments": ', "/*", "*/",
    "//", "/>", " b=\"1\"", '"""', "<!-- ", " -->", "<code>", "\n> ", "\n- ",
)  # fmt: skip
CHARACTERS = "\"'`\\{}[]()<>/:;,.=*|_-+#\n\t \r\x00 aZ09é“”„«ſ＜＞｛｝\u200b\ud83d"  # noqa: RUF001 - look-alikes are meant
OPTIONS: Sequence[Mapping[str, Any]] = (
    {},
    {},
    {"tool_choice": "required"},
    {"tool_choice": "get_weather"},
    {"parallel_tool_calls": False},
    {"untrusted": replies.OBJECT},
)


def _written(number: int) -> str:
    """Some calls in one of the dialects."""
    dialect = DIALECTS[number % len(DIALECTS)]
    calls = [CALLS[(number + at) % len(CALLS)] for at in range(1 if dialect.is_single else 1 + number % 2)]
    return dialect.write(calls)


CORPUS = [case.reply for case in replies.CASES if len(case.reply) < 1000] + [
    _written(number) for number in range(len(DIALECTS) * len(CALLS))
]
"""What is mutated."""


def _span(draw: random.Random, text: str) -> tuple[int, int]:
    """A short part of the text, or one that reaches far."""
    begin = draw.randrange(len(text) + 1)
    length = draw.choice((1, 3, 10, len(text)))
    return begin, min(len(text), begin + draw.randrange(length + 1))


def _deleted(draw: random.Random, text: str) -> str:
    begin, end = _span(draw, text)
    return text[:begin] + text[end:]


def _cut(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text) + 1)
    return draw.choice((text[:at], text[at:]))


def _repeated(draw: random.Random, text: str) -> str:
    begin, end = _span(draw, text)
    return text[:end] + text[begin:end] * draw.choice((1, 1, 3)) + text[end:]


def _with_other_case(draw: random.Random, text: str) -> str:
    begin, end = _span(draw, text)
    return text[:begin] + text[begin:end].swapcase() + text[end:]


def _inserted(draw: random.Random, text: str) -> str:
    at = draw.randrange(len(text) + 1)
    return text[:at] + draw.choice((draw.choice(MARKERS), draw.choice(CHARACTERS))) + text[at:]


def _replaced(draw: random.Random, text: str) -> str:
    begin, end = _span(draw, text)
    return text[:begin] + draw.choice(CHARACTERS) + text[min(end, begin + 1) :]


def _spliced(draw: random.Random, text: str) -> str:
    other = draw.choice(CORPUS)
    at, begin = draw.randrange(len(text) + 1), draw.randrange(len(other) + 1)
    return draw.choice((text[:at] + other[begin:], text[:at] + other + text[at:], f"{text}\n{other}"))


def _moved(draw: random.Random, text: str) -> str:
    begin, end = _span(draw, text)
    rest = text[:begin] + text[end:]
    at = draw.randrange(len(rest) + 1)
    return rest[:at] + text[begin:end] + rest[at:]


def _quoted(draw: random.Random, text: str) -> str:
    opener, closer = draw.choice(
        (
            ("```\n", "\n```"),
            ("`", "`"),
            ("“", "”"),
            ("> ", ""),
            ("Write ", " to call."),
            ("<tool_call>", "</tool_call>"),
        )
    )
    return f"{opener}{text}{closer}"


CHANGES: Sequence[Callable[[random.Random, str], str]] = (
    _deleted, _cut, _repeated, _with_other_case, _inserted, _inserted, _replaced, _replaced, _spliced, _moved, _quoted,
)  # fmt: skip
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Mutated:
    """A reply, the pieces in which it comes, and the options of its reader."""

    text: str
    pieces: list[str]
    options: Mapping[str, Any]


def mutated(number: int) -> Mutated:
    """The reply of this number: one of the corpus with one to four changes."""
    draw = random.Random(number)
    text = draw.choice(CORPUS)
    for _ in range(draw.randint(1, 4)):
        text = draw.choice(CHANGES)(draw, text)[:LONGEST]
    cuts = [0, *sorted(draw.randint(0, len(text)) for _ in range(draw.randint(1, 6))), len(text)]
    pieces = [text[begin:end] for begin, end in pairwise(cuts)]
    return Mutated(text, list(text) if number % 10 == 0 else pieces, draw.choice(OPTIONS))

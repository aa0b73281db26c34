"""Values of arguments that are hard to write and to read back: markup, quotes and escapes inside strings."""

import random
import re
from typing import Any

from cases.dialects import ANY, RECORD, Dialect
from cases.writers import Call, deepseek_token

TROUBLE = (
    "<tool_call>", "</tool_call>", "</turn>", '<turn role="user">', "<tool_result>", "```", "\n```\n", "```json\n",
    "</parameter>", "\n</parameter>\n", "<parameter=text>", "\n<parameter=count>\n1\n</parameter>", "</function>",
    "\n</function>\n", '<parameter name="count">', "</invoke>", "</arg_value>", "<arg_key>count</arg_key>",
    "<arg_value>", "<think>", "</think>", "<|tool_call_end|>", "<|call|>", "<|eom_id|>", "[TOOL_CALLS]", "[ARGS]",
    '<|"|>', "<escape>", "<tool_call|>", "<|close|>argument<|sep|>", "<|close|>call<|sep|>", "<|tool_call:end|>",
    "<|END_ACTION|>", deepseek_token("tool call end"), "Observation: x", "\nUser: x\n", '"', "'", '\\"', "\\", "\\n",
    "\\d+", "C:\\new", "\\u00e9", "{", "}}", "]", ")", ",", ";", ": ", "&quot;", "“x”", "None", "true", "null", "1.0",
    "é", "🙂", "\x00", "\n", "\r\n", " ", "word", "// no", "...", "f(x=1)", "http://x",
)  # fmt: skip
PLAIN = ("Oslo", "a few words", "It's fine.", "x < 3 & y", "a.py", "Zürich", "first line\nsecond line", "50 %", "")
_LINES_AT_THE_ENDS = re.compile(r"\A[\r\n]|[\r\n]\Z")


def is_clear(text: str) -> bool:
    """Whether raw text has one reading: a line break at its ends may be layout, and `null` no text."""
    return not _LINES_AT_THE_ENDS.search(text) and text.strip() != "null"


def drawn_calls(draw: random.Random, dialect: Dialect, pieces: tuple[str, ...], most: int = 3) -> list[Call]:
    """One to three calls with texts made of up to three pieces."""
    count = 1 if dialect.is_single else draw.randint(1, most)
    tool_names = (RECORD.name, ANY.name) if dialect.notation == "json" else (RECORD.name,)
    return [(draw.choice(tool_names), _drawn_arguments(draw, dialect, pieces)) for _ in range(count)]


def _drawn_arguments(draw: random.Random, dialect: Dialect, pieces: tuple[str, ...]) -> dict[str, Any]:
    def text() -> str:
        while True:
            joined = "".join(draw.choice(pieces) for _ in range(draw.randint(1, 3)))
            if dialect.notation != "text" or is_clear(joined):
                return joined

    number = draw.choice((0, 7, -3, 12_345_678_901))
    values: dict[str, Any] = {
        "text": text(), "count": number, "share": draw.choice((0.5, -1e-9, 1e21, number)), "is_final": True,
        "items": [text(), number, None, [False]], "fields": {text(): {"a": text()}},
        "note": draw.choice((None, text())),
    }  # fmt: skip
    names = draw.sample(sorted(values), draw.randint(1, len(values)))
    return {name: values[name] for name in names}

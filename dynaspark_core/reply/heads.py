"""Whether an object or a list at the beginning of a block may be a call: its first key, and the name if that is first.

Answers begin with objects too; what cannot be a call is let go as soon as its first key is known.
"""

from collections.abc import Generator
from typing import Literal

from dynaspark_core.reply.atoms import Sign, chars, group, maybe, seq, word
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.written import CALL_KEYS, MESSAGE_KEYS, NAME_KEYS

Kind = Literal["", "json", "message", "python"]
"""What may begin here: nothing of ours, JSON, a whole message of calls, a list of Python calls."""

_QUOTE = chars("[\"'“”`]", 0, 1)
_OPEN = seq(maybe(seq(word("["), chars(r"\s", 0, 20))), word("{"), chars(r"\s", 0, 20))
KEY = Sign(
    seq(_OPEN, _QUOTE, group("key", chars(r"[\w$\-]", 1, 128)), _QUOTE, chars(r"\s", 0, 10), chars("[:：]", 1, 1)),  # noqa: RUF001
    '[{"name":', "{}", "[1]",
)  # fmt: skip
NAME = Sign(
    seq(chars(r"\s", 0, 10), chars("[\"'“”`]", 1, 1), group("name", chars("[^\"'“”`\n]", 1, 128)),
        chars("[\"'“”`]", 1, 1)),
    ' "f"', "5",
)  # fmt: skip
PYTHON = Sign(
    seq(word("["), chars(r"\s", 0, 20), group("name", seq(chars("[A-Za-z_]", 1, 1), chars(r"[\w.\-/]", 0, 127))),
        chars(r"\s", 0, 10), word("(")),
    "[f(", "[f]",
)  # fmt: skip


def kind_of_block(buffer: ReplyBuffer, at: int) -> Generator[None, None, Kind]:
    """What may begin at `at`, where a `{` or a `[` is."""
    judge = buffer.judge
    python = yield from buffer.match(PYTHON, at)
    if python is not None:
        return "python" if judge.names.find(python["name"]) is not None else ""
    found = yield from buffer.match(KEY, at)
    if found is None:
        return ""
    key = found["key"]
    if key in MESSAGE_KEYS:
        return "message"
    is_own = key in judge.own_arguments or key == judge.only
    if is_own or key not in NAME_KEYS:
        return "json" if is_own or key in CALL_KEYS else ""
    name = yield from buffer.match(NAME, found.end())
    return "json" if name is None or judge.names.find(name["name"]) is not None else ""

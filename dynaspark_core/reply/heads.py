"""Whether an object or a list at the beginning of a block may be a call: its first key, and the name if that is first.

Answers begin with objects too; what cannot be a call is let go as soon as its first key is known.
"""

import re
from collections.abc import Generator
from typing import Literal

from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.written import CALL_KEYS, LISTS, MESSAGE_KEYS, NAME_KEYS

Kind = Literal["", "json", "message", "python"]
"""What may begin here: nothing of ours, JSON, a whole message of calls, a list of Python calls."""

_QUOTE = "[\"'“”`]"
_OPEN = r"(?:\[\s{0,20}+)?\{\s{0,20}+"
_KEY = re.compile(rf"{_OPEN}{_QUOTE}?([\w$-]{{1,40}}){_QUOTE}?\s{{0,10}}+[:：]")  # noqa: RUF001
_KEY_UNDECIDED = re.compile(
    rf"(?:\[\s{{0,20}}+\Z|{_OPEN}\Z|{_OPEN}{_QUOTE}?[\w$-]{{0,40}}{_QUOTE}?\s{{0,10}}+\Z|[\[{{]\Z)"
)
_NAME = re.compile(rf"\s{{0,10}}+{_QUOTE}([^\"'“”`\n]{{1,128}}){_QUOTE}")
_NAME_UNDECIDED = re.compile(rf"\s{{0,10}}+(?:{_QUOTE}[^\"'“”`\n]{{0,128}})?\Z")
_PYTHON = re.compile(r"\[\s{0,20}+([A-Za-z_][\w.\-/]{0,127})\s{0,10}+\(")
_PYTHON_UNDECIDED = re.compile(r"\[\s{0,20}+(?:[A-Za-z_][\w.\-/]{0,127}\s{0,10}+)?\Z")


def kind_of_block(buffer: ReplyBuffer, at: int) -> Generator[None, None, Kind]:
    """What may begin at `at`, where a `{` or a `[` stands."""
    while (kind := _kind(buffer, at)) is None:
        if not (yield from buffer.more()):
            return ""
    return kind


def _kind(buffer: ReplyBuffer, at: int) -> Kind | None:
    """What may begin at `at`, or None while the text does not say it yet."""
    text = buffer.text
    python = _PYTHON.match(text, at)
    if python is not None:
        return "python" if buffer.judge.names.find(python[1]) is not None else ""
    key = _KEY.match(text, at)
    if key is None:
        return None if _KEY_UNDECIDED.match(text, at) or _PYTHON_UNDECIDED.match(text, at) else ""
    if key[1] in MESSAGE_KEYS or key[1] in {"role", *LISTS}:
        return "message" if key[1] in MESSAGE_KEYS else "json"
    if key[1] not in CALL_KEYS:
        return "json" if key[1] in buffer.judge.own_arguments or key[1] == buffer.judge.only else ""
    return _by_name(buffer, key.end()) if key[1] in NAME_KEYS and not buffer.judge.own_arguments else "json"


def _by_name(buffer: ReplyBuffer, after: int) -> Kind | None:
    name = _NAME.match(buffer.text, after)
    if name is not None:
        return "json" if buffer.judge.names.find(name[1]) is not None else ""
    return None if _NAME_UNDECIDED.match(buffer.text, after) else "json"

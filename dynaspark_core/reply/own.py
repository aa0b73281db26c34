"""A call exactly as the prompt asks for it, whole in the text that has come: read at once.

What `tags`, `envelope`, `sentences` and `written` would make of it is the same; they take three times as long. All
that asks before a call is accepted is asked here as well, and whatever is not plain is left to them.
"""

import re

from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.strict_json import strict_value
from dynaspark_core.reply.written import RawCall, open_parallel

OWN_TAG = "<tool_call>"
_OPENER = re.compile(rf'{OWN_TAG}\s*+(?=\{{\s*+"name")')
_CLOSER = re.compile(r"\s*+</tool_call>")
_KEYS = frozenset({"name", "arguments"})


def accept_own_call(buffer: ReplyBuffer, at: int) -> bool:
    """Accept the call at a place; False says nothing of what is there."""
    opener = _OPENER.match(buffer.text, at)
    found = strict_value(buffer.text, opener.end()) if opener is not None else None
    if opener is None or not isinstance(found, tuple):
        return False
    value, end = found
    closer = _CLOSER.match(buffer.text, end)
    if closer is None or value.keys() != _KEYS or not isinstance(value["name"], str):
        return False
    if buffer.is_quoted(at) or buffer.has_words_before(at) or buffer.is_announced(at, closely=True):
        return False
    call = RawCall(buffer.text[opener.end() : end], value["name"], value["arguments"], value)
    if next(open_parallel(call), None) is not call:
        return False
    buffer.accept([call], closer.end())
    return True

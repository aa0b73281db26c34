"""A JSON answer → its text, while the JSON is still arriving. No I/O; the other bodies are in `decoders`."""

import json
import re
from collections.abc import Callable
from typing import Any

from dynaspark_core.errors import DynasparkError, ReplyError, StreamBrokenError, WakingUpError
from dynaspark_core.messages import Usage
from dynaspark_core.wire.body import PAGE, STRICT, ErrorOf, Utf8, join_surrogates, model_and_usage, strict_object

MAX_REST_CHARACTERS = 1024 * 1024
"""Characters of a JSON answer outside its text: names, numbers, usage."""
MAX_DEPTH = 100
"""Objects and lists inside one another; the documented answers have two."""

MAX_AT_ONCE_BYTES = 64 * 1024
"""Bytes of an answer that may be read in one step."""

_BLANKS = " \t\n\r"
"""What may follow a JSON value."""
_MARK = re.compile(r"[{}\[\]:,]")
_STRING = re.compile(r'[^"\\\x00-\x1f]*+(?:\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])[^"\\\x00-\x1f]*+)*+')
_ESCAPED = re.compile(r"\\u00[567]")
"""Begins the escape of a letter, which may be one of another name, or of a bracket."""
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?\Z")
_HIGH_AT_END = re.compile("[\ud800-\udbff]\\Z")


class JsonDecoder:
    """A JSON object whose `response` is the text: the text is returned while the object is still arriving.

    A small answer that is plainly whole in its first piece is read by the standard library at once, any other by steps.
    """

    is_finished = False

    def __init__(self, error_of: ErrorOf) -> None:
        self.model: str | None = None
        self.usage: Usage | None = None
        self._error_of = error_of
        self._first = b""
        self._answer: dict[str, Any] | None = None
        self._steps: _Steps | None = None

    def feed(self, data: bytes) -> str:
        if not data:
            return ""
        if self._steps is not None:
            return self._steps.feed(data)
        if not self._first:
            self._first, self._answer = data, _plain_answer(data)
            if self._answer is not None:
                return join_surrogates(self._answer["response"])
        else:
            self._by_steps().feed(self._first)  # more comes after what was whole; its text is out
        return self._by_steps().feed(data)

    def close(self) -> str:
        if self._steps is None and self._answer is not None:
            self.model, self.usage = model_and_usage(self._answer)
            return ""
        steps = self._by_steps()
        text = steps.close()
        self.model, self.usage = steps.model, steps.usage
        return text

    def _by_steps(self) -> "_Steps":
        if self._steps is None:
            self._steps = _Steps(self._error_of)
        return self._steps


class _Steps:
    """Reads an object in any cut: the text as it arrives, the rest at the end.

    The rest of the object is kept, with an empty string in the text's place, and read by the standard library at the
    end; so the text is decoded once and everything else is checked strictly.
    """

    def __init__(self, error_of: ErrorOf) -> None:
        self.model: str | None = None
        self.usage: Usage | None = None
        self._error_of = error_of
        self._utf8 = Utf8()
        self._rest: list[str] = []
        self._rest_size = 0
        self._tail = ""
        self._state: Callable[[_Steps, str, int], int] = _Steps._structure  # no bound method: it would be a cycle
        self._depth = 0
        self._key = self._string = ""
        self._is_value = self._has_text = self._has_begun = False
        self._high = ""
        self._out: list[str] = []

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text that these bytes bring."""
        text, at = self._tail + self._utf8.feed(data, final=final), 0
        self._tail = ""
        try:
            while at < len(text):
                at = self._state(self, text, at)
        except DynasparkError as exc:
            exc.text = "".join(self._out)
            raise
        out, self._out = "".join(self._out), []
        return out

    def close(self) -> str:
        text = self.feed(b"", final=True)
        rest = "".join(self._rest)
        if self._depth > 0 or self._state is not _Steps._structure:
            raise StreamBrokenError("the answer ended in the middle of its JSON")
        answer = strict_object(rest)
        if error := answer.get("error"):
            raise self._error_of(error)
        if not self._has_text or answer.get("response") != "":
            raise ReplyError(f"the answer has no text in `response` (is base_url that of the service?): {rest[:200]}")
        self.model, self.usage = model_and_usage(answer)
        return text

    def _keep(self, text: str) -> None:
        self._rest.append(text)
        self._rest_size += len(text)
        if self._rest_size > MAX_REST_CHARACTERS:
            raise ReplyError(f"the answer holds more than {MAX_REST_CHARACTERS} characters outside its text")

    def _structure(self, text: str, at: int) -> int:
        """Between strings: counts the depth, and knows whether a string that begins is a key or a value."""
        quote = text.find('"', at)
        end = quote + 1 or len(text)
        between = text[at:end]
        if not self._has_begun and (start := between.lstrip()):
            self._has_begun = True
            if start.startswith("<"):
                raise WakingUpError(PAGE)
        for mark in _MARK.findall(between):
            self._depth += (mark in "{[") - (mark in "}]")
            if self._depth > MAX_DEPTH:
                raise ReplyError(f"the answer is nested deeper than {MAX_DEPTH}")
            if self._depth == 1:
                self._is_value = mark == ":" or (self._is_value and mark != ",")
        self._keep(between)
        return end if quote < 0 else self._begin_string(end)

    def _begin_string(self, at: int) -> int:
        self._string = ""
        self._state = _Steps._other
        if self._depth == 1 and self._is_value and self._key == "response":
            if self._has_text:
                raise ReplyError("the answer has two texts in `response`")
            self._has_text, self._state = True, _Steps._text
        return at

    def _other(self, text: str, at: int) -> int:
        """Inside any string but the text: kept as it is."""
        end = _end_of_piece(text, at)
        piece = text[at:end]
        self._keep(piece)
        if self._depth == 1 and not self._is_value:
            self._string += piece
            if text.startswith('"', end):
                self._key = _unescaped(self._string)
        return self._after_piece(text, end)

    def _text(self, text: str, at: int) -> int:
        """Inside the text, which is unescaped and returned."""
        end = _end_of_piece(text, at)
        piece = text[at:end]
        if self._high or "\\" in piece:
            piece = self._joined(_unescaped(piece), is_over=text.startswith('"', end))
        self._out.append(piece)
        return end if end == len(text) else self._after_piece(text, end)

    def _joined(self, piece: str, *, is_over: bool) -> str:
        """The piece; half a pair of surrogates, which only escapes can write, waits for its other half."""
        piece, self._high = self._high + piece, ""
        if not is_over and _HIGH_AT_END.search(piece):
            piece, self._high = piece[:-1], piece[-1]
        return join_surrogates(piece)

    def _after_piece(self, text: str, end: int) -> int:
        if end == len(text):
            return end
        if text[end] == '"':
            self._keep('"')
            self._state = _Steps._structure
            return end + 1
        if not _HALF_ESCAPE.match(text, end):
            raise ReplyError(f"the answer is not JSON: {text[end]!r} inside a string")
        self._tail = text[end:]
        return len(text)


def _plain_answer(data: bytes) -> dict[str, Any] | None:
    """The answer that these bytes are, if they are small, hold one text and no error; None leaves it to the steps."""
    if len(data) > MAX_AT_ONCE_BYTES or not data.rstrip().endswith(b"}"):
        return None
    try:
        text = data.decode()
        answer, end = STRICT.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    is_whole = end == len(text) or text[end:].strip(_BLANKS) == ""
    if not is_whole or type(answer) is not dict or type(answer.get("response")) is not str or answer.get("error"):
        return None
    return answer if _is_simple(text, answer["response"]) else None


def _is_simple(text: str, said: str) -> bool:
    """Whether an answer names its text once, in plain letters, and is not deep: each bracket outside of it counts."""
    if text.count('"response"') != 1 or ("\\u00" in text and _ESCAPED.search(text)):
        return False
    brackets = text.count("{") + text.count("[")
    return brackets <= MAX_DEPTH or brackets - said.count("{") - said.count("[") <= MAX_DEPTH


def _end_of_piece(text: str, at: int) -> int:
    """Where the string that goes on at `at` stops: its quote, half an escape, a wrong character, or the end."""
    return _STRING.match(text, at).end()  # type: ignore[union-attr]  # it matches everywhere


def _unescaped(raw: str) -> str:
    return raw if "\\" not in raw else str(json.loads(f'"{raw}"'))

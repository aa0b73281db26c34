"""Bytes of an answer → text of the model, as they arrive: JSON, server-sent events, plain text. No I/O.

A decoder is `feed(bytes) -> text` and `close() -> text`; what it gives is the same for every way the bytes are cut.
`close` raises on half an answer and on anything that is not a reply, and leaves `model` and `usage`, if they came.
"""

import codecs
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from dynaspark_core.errors import DynasparkError, ReplyError, StreamBrokenError, WakingUpError
from dynaspark_core.messages import Usage
from dynaspark_core.wire.body import PAGE, ErrorOf, Utf8, join_surrogates, model_and_usage
from dynaspark_core.wire.json_body import JsonDecoder

_BROKEN_EVENT = re.compile(r'\{\s*"(response|error)"')
_NAMES = frozenset({"response", "error", "model", "usage"})
"""What an event of the service may hold."""
_BLANKS = " \t\n\r"
"""Of JSON."""
_value: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # not in typeshed
"""The JSON value at a place of a text, and where it ends. Raises `StopIteration` where there is none."""


class Decoder(Protocol):
    """Reads one body. `is_finished` turns true when the body has said that nothing follows."""

    model: str | None
    usage: Usage | None
    is_finished: bool

    def feed(self, data: bytes) -> str: ...
    def close(self) -> str: ...


def decoder(content_type: str, error_of: ErrorOf) -> Decoder:
    """The decoder for a body of this type: events, plain text, and JSON for any other."""
    kind, parameters = _read_type(content_type)
    if kind == "text/event-stream":
        return EventDecoder(error_of)
    return PlainDecoder(parameters) if kind == "text/plain" else JsonDecoder(error_of)


@lru_cache(maxsize=16)
def _read_type(content_type: str) -> tuple[str, str]:
    kind, _, parameters = content_type.partition(";")
    return kind.strip().lower(), parameters


class PlainDecoder:
    """A `text/plain` body: it is the text."""

    is_finished = False

    def __init__(self, parameters: str = "") -> None:
        self.model: str | None = None
        self.usage: Usage | None = None
        self._utf8 = Utf8(_charset(parameters))
        self._start = ""
        self._has_begun = False

    def feed(self, data: bytes) -> str:
        return self._shown(join_surrogates(self._utf8.feed(data)))

    def close(self) -> str:
        return self._shown(join_surrogates(self._utf8.feed(b"", final=True)), is_over=True)

    def _shown(self, text: str, *, is_over: bool = False) -> str:
        """The text, once its beginning is no page's: the host of a service that wakes up sends pages as any type."""
        if self._has_begun:
            return text
        self._start += text
        beginning = self._start.lstrip()[:_PAGE_SIZE].lower()
        if beginning.startswith(_PAGES):
            raise WakingUpError(PAGE)
        if not is_over and any(page.startswith(beginning) for page in _PAGES):
            return ""
        self._has_begun = True
        return self._start


_PAGES = ("<!doctype html", "<html")
_PAGE_SIZE = max(map(len, _PAGES))
_CHARSETS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252"})
"""Of plain text that is read, by Python's names: those that only decode, and byte by byte."""


def _charset(parameters: str) -> str:
    """The codec that a content type names; UTF-8 without a name. Raises `ReplyError` for one that is not read."""
    named = re.search(r"charset\s*=\s*[\"']?([\w.:+-]+)", parameters, re.IGNORECASE)
    try:
        name = codecs.lookup(named[1]).name if named else "utf-8"
    except LookupError:
        name = ""
    if name not in _CHARSETS:
        raise ReplyError(f"the answer's charset is not supported: {parameters.strip()}")
    return name


class EventDecoder:
    """A body of server-sent events: `data:` holds text, or JSON with a piece of text in `response`; `[DONE]` ends.

    The format is the WHATWG standard's; a stream that stops without `[DONE]` was cut.
    """

    def __init__(self, error_of: ErrorOf) -> None:
        self.model: str | None = None
        self.usage: Usage | None = None
        self.is_finished = False
        self._error_of = error_of
        self._utf8 = Utf8()
        self._line: list[str] = []
        self._held = ""
        self._half = ""
        self._data: list[str] = []
        self._kind = ""

    def feed(self, data: bytes) -> str:
        text = self._utf8.feed(data)
        if self._held or "\r" in text:
            text = self._with_line_feeds(text)
        lines = text.split("\n")
        self._line.append(lines[0])
        return self._read_lines(lines) if len(lines) > 1 else ""

    def _with_line_feeds(self, text: str) -> str:
        """The text, each of its lines ended by a line feed; a carriage return at its end waits for what follows."""
        text = self._held + text
        self._held = "\r" if text.endswith("\r") else ""
        return text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")

    def _read_lines(self, lines: list[str]) -> str:
        """The text of the events that end in these lines; the first was begun before, the last is only begun."""
        lines[0] = "".join(self._line)
        self._line = [lines.pop()]
        out: list[str] = []
        try:
            for line in lines:
                if line.startswith("data:"):
                    self._data.append(line[5 + line.startswith(" ", 5) :])
                elif line:
                    self._read_line(line)
                elif self._data or self._kind:
                    out.append(self._end_event())
        except DynasparkError as exc:
            exc.text = "".join(out)
            raise
        return "".join(out)

    def close(self) -> str:
        if not self.is_finished:
            self._utf8.feed(b"", final=True)
        self._read_line("".join(self._line))
        text = self._end_event()
        if not self.is_finished:
            raise StreamBrokenError("the event stream ended without [DONE]", text=text)
        return text

    def _read_line(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
        elif name == "event":
            self._kind = value.strip()

    def _end_event(self) -> str:
        lines, kind = self._data, self._kind
        self._data, self._kind = [], ""
        if not lines or self.is_finished:
            return ""
        data = "\n".join(lines)
        event = _json_or_none(data)
        if kind == "error":
            raise self._error_of((event or {}).get("error") or event or data)
        return self._text_of(data) if event is None else self._text_in(event, data)

    def _text_of(self, data: str) -> str:
        """The text of an event that is no object: it is the text, but for the event that is the last."""
        if data.strip() == "[DONE]":
            self.is_finished = True
            return join_surrogates(self._half)
        if _BROKEN_EVENT.match(data):
            raise ReplyError(f"an event is not JSON: {data[:200]}")
        return self._joined(data)

    def _text_in(self, event: dict[str, Any], data: str) -> str:
        """The text of an event that is an object; all of it is text where it is none of the service's."""
        if _NAMES.isdisjoint(event):
            return self._joined(data)
        if error := event.get("error"):
            raise self._error_of(error)
        if "model" in event or "usage" in event:
            model, usage = model_and_usage(event)
            self.model, self.usage = model or self.model, usage or self.usage
        text = event.get("response")
        if text is not None and not isinstance(text, str):
            raise ReplyError(f"an event's `response` is not text: {data[:200]}")
        return text if text and text.isascii() and not self._half else self._joined(text or "")

    def _joined(self, text: str) -> str:
        """The text, after the half of a surrogate pair that an earlier event ended with; a half at its end is held."""
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return join_surrogates(text.removesuffix(self._half))


def _json_or_none(text: str) -> dict[str, Any] | None:
    """The object that the text is; None where it is anything else, which is then text of the model."""
    if not text.startswith("{"):
        return None
    try:
        value: dict[str, Any]
        value, end = _value(text, 0)
    except (ValueError, RecursionError, StopIteration):
        return None
    return value if end == len(text) or not text[end:].strip(_BLANKS) else None

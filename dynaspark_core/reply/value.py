"""The one JSON value of a schema in a reply: found among the prose, checked, never completed.

Candidates are the whole text, fences, and objects or arrays that stand free. The last one that fits wins, as earlier
ones may be examples or quotations.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dynaspark_core.errors import OutputError
from dynaspark_core.reply.lenient_json import LenientReader, Unreadable
from dynaspark_core.reply.strict_json import Open, strict_value
from dynaspark_core.reply.thoughts import THOUGHTS
from dynaspark_core.reply.written import is_schema_echo
from dynaspark_core.schema import Mismatch, conform

_BRACKET = re.compile(r"[\[{]")
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n`]*\n", re.MULTILINE)
_FENCE_END = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*$", re.MULTILINE)
_FENCE_CLOSES = re.compile(r"\s*+(?:`{3,}|~{3,}|\Z)")
_BLANKS = re.compile(r"\s*+")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A value in the text; `error` says why there is none, `is_cut` that the text ended within it."""

    start: int
    end: int
    value: Any = None
    is_strict: bool = False
    error: str = ""
    is_cut: bool = False


def read_object(text: str, schema: Mapping[str, Any]) -> Any:
    """The value of the schema in the text. Raises `OutputError`, which names what is wrong and carries the text."""
    answer = _without_thoughts(text)
    candidates = list(_candidates(answer))
    if not candidates:
        raise OutputError("the reply holds no JSON value", text=text)
    if candidates[-1].is_cut:
        raise OutputError(f"the reply ends within a JSON value: {candidates[-1].error}", text=text)
    strict = [(one, found) for one in candidates if one.is_strict and (found := _fitted(one.value, schema)) is not None]
    fits = [(one, found.value) for one, found in strict if isinstance(found, _Fit)]
    if fits:
        return _only(answer, fits, text)
    last = candidates[-1]
    if last.error:
        raise OutputError(f"the reply holds no JSON value that can be read: {last.error}", text=text)
    found = _fitted(last.value, schema)
    if isinstance(found, _Fit):
        return found.value
    raise OutputError(f"the JSON value in the reply does not fit: {found}", text=text)


@dataclass(frozen=True, slots=True)
class _Fit:
    value: Any


def _without_thoughts(text: str) -> str:
    """The text after leading reasoning; nothing if it never ends."""
    while True:
        found = ((opened, end) for opener, end in THOUGHTS if (opened := opener.whole.match(text)) is not None)
        opened, closer = next(found, (None, None))
        if opened is None or closer is None:
            return text
        closed = closer.whole.search(text, opened.end())
        text = text[closed.end() :] if closed is not None else ""


def _only(answer: str, fits: list[tuple[_Candidate, Any]], text: str) -> Any:
    """The last value; an error if another one stands right before it, with nothing that says which one counts."""
    (before, other), (last, value) = fits[-2] if len(fits) > 1 else fits[-1], fits[-1]
    if other != value and not answer[before.end : last.start].strip(" \t\r\n,;`~") and before is not last:
        raise OutputError("the reply holds two different values, one after the other", text=text)
    return value


def _fitted(value: Any, schema: Mapping[str, Any]) -> _Fit | Mismatch:
    """The value as the schema has it; what is wrapped in it if only that fits."""
    properties = schema.get("properties")
    is_echo = is_schema_echo(value, properties)
    found = Mismatch("", "this is the schema, not a value of it") if is_echo else conform(value, schema)
    if not isinstance(found, Mismatch):
        return _Fit(found)
    for inner in _wrapped(value, schema):
        fitted = conform(inner, schema)
        if not isinstance(fitted, Mismatch):
            return _Fit(fitted)
    return found


def _wrapped(value: Any, schema: Mapping[str, Any]) -> Iterator[Any]:
    if not isinstance(value, dict):
        return
    if "arguments" in value:
        yield value["arguments"]
    if "properties" in value:
        yield value["properties"]
    title = schema.get("title")
    if isinstance(title, str) and len(value) == 1:
        name, inner = next(iter(value.items()))
        if _plain(name) == _plain(title):
            yield inner


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char.isalnum())


def _candidates(text: str) -> Iterator[_Candidate]:
    """Every value in the text, in order: the whole text alone if it is one."""
    whole = _whole(text, 0, len(text))
    if whole is not None:
        yield whole
        return
    position = 0
    while (fence := _FENCE.search(text, position)) is not None:
        yield from _spans(text, position, fence.start())
        content = _fenced(text, fence.end())
        if content is not None:
            yield content
        closing = _FENCE_END.search(text, content.end if content is not None else fence.end())
        end, position = (closing.start(), closing.end()) if closing is not None else (len(text), len(text))
        if content is None:
            yield from _spans(text, fence.end(), end)
    yield from _spans(text, position, len(text))


def _fenced(text: str, start: int) -> _Candidate | None:
    """The strict value that fills a fence, whatever fences are in its strings."""
    begin = _BLANKS.match(text, start).end()  # type: ignore[union-attr]  # the pattern matches the empty text
    value = strict_value(text, begin)
    if isinstance(value, Open) or not _FENCE_CLOSES.match(text, value[1]):
        return None
    return _Candidate(begin, value[1], value[0], is_strict=True)


def _whole(text: str, start: int, end: int) -> _Candidate | None:
    """The strict value between `start` and `end`, if there is nothing else."""
    begin = start + len(text[start:end]) - len(text[start:end].lstrip())
    value = strict_value(text[begin:end], 0)
    if isinstance(value, Open) or text[begin + value[1] : end].strip():
        return None
    return _Candidate(begin, begin + value[1], value[0], is_strict=True)


def _spans(text: str, start: int, end: int) -> Iterator[_Candidate]:
    """The objects and arrays between `start` and `end`; nothing within one that is broken."""
    while (bracket := _BRACKET.search(text, start, end)) is not None:
        candidate = _span(text, bracket.start(), end)
        start = candidate.end
        if candidate.error == "" or candidate.is_cut or text[bracket.start()] == "{":
            yield candidate


def _span(text: str, at: int, end: int) -> _Candidate:
    strict = strict_value(text, at)
    if isinstance(strict, tuple) and strict[1] <= end:
        return _Candidate(at, strict[1], strict[0], is_strict=True)
    reader = LenientReader(text, at, end)
    try:
        value = reader.value()
    except Unreadable as error:
        after = end if error.is_cut else max(at + 1, error.position)
        is_cut = error.is_cut and end == len(text)
        return _Candidate(at, after, error=error.located(text, at), is_cut=is_cut)
    return _Candidate(at, reader.position, value)

"""Where a reply holds JSON: the whole text, fences, and objects or arrays among the prose.

Each part of the text is read once: what cannot be read is passed over as a whole, with all that is nested in it. Which
of the values counts is decided in `value`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dynaspark_core.reply.lenient_json import LenientReader
from dynaspark_core.reply.presented import Presentation, Standing
from dynaspark_core.reply.strict_json import Open, strict_value
from dynaspark_core.reply.unreadable import Unreadable

MAX_VALUES = 2_000
"""Most values that are read in one reply."""
MAX_UNREADABLE = 1_000
"""Most places that look like JSON and cannot be read."""
_MAX_ARRAY_CHARS = 1_000
"""How far the end of an unreadable array is looked for; `[0, 1)` has none."""

_GAP = r"[\s\u200b-\u200d\u2060\ufeff]*+"
_KEY = rf"(?:[^\W\d]|\$|\\_)(?:[\w$-]|\\_)*+{_GAP}[:：]"  # noqa: RUF001 - a wide colon
_OPENING = re.compile(
    rf"\{{(?={_GAP}(?:[}}\"'`“”‘’「«＂/#]|{_KEY}|\Z))"  # noqa: RUF001 - all quotes
    rf"|\[(?={_GAP}(?:[\]\[{{(\"'`“”‘’「«＂/#\d.+-]|(?:[tT]rue|[fF]alse|null|None)\b|\Z))"  # noqa: RUF001 - all quotes
)
"""What may begin JSON: `{"a`, `{a:`, `{}`, `[1`, `[{`. Not `{a}`, `{{`, `[link]`."""
_NESTING = re.compile(r"\"(?:[^\"\\\n]|\\.)*+\"|[\[\]{}]")
"""A bracket, or a string whose brackets do not count."""
_FENCE = re.compile(r"^[ \t]*+(?:`{3,}+|~{3,}+)[^\n`]*+\n", re.MULTILINE)
_FENCE_END = re.compile(r"^[ \t]*+(?:`{3,}+|~{3,}+)[ \t]*+$", re.MULTILINE)
_FENCE_CLOSES = re.compile(r"\s*+(?:`{3,}|~{3,}|\Z)")
_FIRSTS = frozenset('{["-0123456789tfn')
"""How a strict value begins."""
_BLANKS = re.compile(r"\s*+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value in the text; `error` says why there is none, `is_cut` that the text ended within it."""

    start: int
    end: int
    value: Any = None
    standing: Standing = Standing.BLOCK
    error: str = ""
    is_cut: bool = False


def candidates(text: str) -> Iterator[Candidate]:
    """Every value in the text, in order: the whole text alone if it is one."""
    begin = _skip_blanks(text, 0)
    whole = strict_value(text, begin)
    if isinstance(whole, tuple) and _skip_blanks(text, whole[1]) == len(text):
        yield Candidate(begin, whole[1], whole[0])
        return
    presentation, position = Presentation(text), 0
    while (fence := _FENCE.search(text, position)) is not None:
        yield from _spans(text, position, fence.start(), presentation)
        content = _fenced(text, fence.end(), presentation)
        if content is not None:
            yield content
        closing = _FENCE_END.search(text, content.end if content is not None else fence.end())
        end, position = (closing.start(), closing.end()) if closing is not None else (len(text), len(text))
        if content is None:
            yield from _spans(text, fence.end(), end, presentation)
    yield from _spans(text, position, len(text), presentation)


def _skip_blanks(text: str, start: int) -> int:
    return _BLANKS.match(text, start).end()  # type: ignore[union-attr]  # it matches ""


def _fenced(text: str, start: int, presentation: Presentation) -> Candidate | None:
    """The strict value that fills a fence, whatever fences are in its strings."""
    begin = _skip_blanks(text, start)
    value = strict_value(text, begin) if text[begin : begin + 1] in _FIRSTS else Open(is_hopeless=True)
    if isinstance(value, Open) or not _FENCE_CLOSES.match(text, value[1]):
        return None
    return Candidate(begin, value[1], value[0], presentation.of_block(begin, value[1], value[0]))


def _spans(text: str, start: int, end: int, presentation: Presentation) -> Iterator[Candidate]:
    """The objects and arrays between `start` and `end`; nothing within one that is broken."""
    while (opening := _OPENING.search(text, start, end)) is not None:
        candidate = _span(text, opening.start(), end, start, presentation)
        start = candidate.end
        yield candidate


def _span(text: str, at: int, end: int, after: int, presentation: Presentation) -> Candidate:
    strict = strict_value(text, at)
    if isinstance(strict, tuple) and strict[1] <= end:
        return Candidate(at, strict[1], strict[0], presentation.of(at, strict[1], strict[0], after))
    reader = LenientReader(text, at, end)
    try:
        value = reader.value()
    except Unreadable as error:
        is_cut = error.is_cut and end == len(text)
        nested = (
            end if error.is_cut else _end_of_nesting(text, at, end, is_array=text[at] == "[" and not error.is_excessive)
        )
        return Candidate(at, max(error.position, at + 1, nested), error=error.located(text, at), is_cut=is_cut)
    return Candidate(at, reader.position, value, presentation.of(at, reader.position, value, after))


def _end_of_nesting(text: str, at: int, end: int, *, is_array: bool) -> int:
    """Where the bracket at `at` is closed, by counting alone. If it is not: `at` for an array, otherwise the end."""
    depth, limit = 0, min(end, at + _MAX_ARRAY_CHARS) if is_array else end
    for found in _NESTING.finditer(text, at, limit):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth <= 0:
            return found.end()
    return at if is_array else end

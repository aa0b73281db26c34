"""What stands inside an envelope → the calls in it: objects, arrays, fenced or named objects, Python, XML.

Several calls may stand one after the other. How a single JSON value is read is `strict_json`'s.
"""

import html
import re

from dynaspark_core.reply.pythonic import read_python
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.written import MAX_CALLS, TOO_MANY_CALLS, RawCall, unwrap_calls
from dynaspark_core.reply.xml import is_xml, read_xml
from dynaspark_core.reply.xtml import is_xtml, read_xtml

_FENCE = r"(?:`{3,}|~~~)[ \t]*+[\w-]{0,20}+[ \t]*+\n\s*+"
_INTRO = re.compile(rf"(?:\s|\ufeff|\xa0)*+(?:{_FENCE})?(?:json\s*+(?=[\[{{]))?")
_ENTITIES = re.compile(r"[\[{]\s*&quot;")
MAX_CLOSING_FENCE_CHARACTERS = 64
"""How far before a body's end its closing fence is looked for, blanks included."""
_NAMED = re.compile(rf"""["'`]?([A-Za-z_][\w.\-/:]{{0,127}}?)["'`]?\s*+:?\s*+(?:(?<=\n){_FENCE})?(?=\{{)""")
_BARE_NAME = re.compile(r"""["'`]?([A-Za-z_][\w.\-/:]{0,127})["'`]?\s*""")
_CALLED = re.compile(r"(?:#[^\n]*+\n\s*+)*+\[?\s*+(?:[A-Za-z_]\w{0,63}\s*=\s*)?[A-Za-z_][\w.\-/]{0,127}\s*\(")
_SEPARATOR = re.compile(r"[\s,;\xa0\ufeff]*+")
_EXTRA_CLOSER = re.compile(r"\s*+[}\]]\s*+;?\s*+\Z")
OBJECT = re.compile(r"\{\s*+[\"'“]?[\w$\-]{1,64}+[\"'”]?\s*+:")
"""How an object begins that words are before."""
_NOT_PROSE = frozenset("\"'“:=+}])")


def read_body(text: str, start: int, end: int, *, is_closed: bool, name: str | None = None) -> list[RawCall]:
    """The calls between `start` and `end`. `name` is the tool's, if the opening tag said it. Raises `Unreadable`."""
    begin = _INTRO.match(text, start, end).end()  # type: ignore[union-attr]  # it matches the empty text
    if _ENTITIES.match(text, begin, end):
        body = html.unescape(text[begin:end])
        try:
            return _without_fence(body, 0, len(body), is_closed=is_closed, name=name)
        except Unreadable as error:
            error.source = body
            raise
    return _without_fence(text, begin, end, is_closed=is_closed, name=name)


def _without_fence(text: str, begin: int, end: int, *, is_closed: bool, name: str | None) -> list[RawCall]:
    """The calls before a closing fence at the end, if there is one."""
    has_fence = text[max(begin, end - MAX_CLOSING_FENCE_CHARACTERS) : end].rstrip().endswith(("```", "~~~"))
    stop = begin + len(text[begin:end].rstrip().rstrip("`~").rstrip()) if has_fence else end
    if has_fence and not is_closed and _BARE_NAME.fullmatch(text, begin, stop):
        raise Unreadable(stop, "the reply ends before the arguments", is_cut=True)
    if begin < stop:
        return _calls(text, begin, stop, is_closed=is_closed or has_fence, name=name)
    if name is not None and is_closed:
        return [RawCall("", name, {}, has_arguments=False)]
    raise Unreadable(begin, "the call is empty", is_cut=not is_closed)


def _calls(text: str, start: int, end: int, *, is_closed: bool, name: str | None) -> list[RawCall]:
    if is_xml(text, start, end):
        return read_xml(text, start, end, is_closed=is_closed)
    if _CALLED.match(text, start, end):
        return read_python(text, start, end, is_closed=is_closed)
    if name is not None and is_xtml(text, start, end):
        values = read_xtml(text, start, end, is_closed=is_closed)
        return [RawCall(text[start:end].strip(), name, values, values)]
    bare = _BARE_NAME.match(text, start, end)
    if bare is not None and name is None and is_closed and bare.end() == end:
        return [RawCall(bare[1], bare[1], {})]
    named = _NAMED.match(text, start, end)
    if named is not None:
        return objects(text, named.end(), end, is_closed=is_closed, name=named[1], raw_from=start)
    return objects(text, start, end, is_closed=is_closed, name=name)


def objects(
    text: str, start: int, end: int, *, is_closed: bool, name: str | None = None, raw_from: int | None = None
) -> list[RawCall]:
    """The calls in one or more JSON values one after the other. Raises `Unreadable`."""
    calls: list[RawCall] = []
    position = start
    while position < end:
        begin = raw_from if raw_from is not None and not calls else position
        value, after = lenient_value(text, position, end, is_closed=is_closed)
        calls += unwrap_calls(value, text[begin:after], name=name)
        if len(calls) > MAX_CALLS:
            raise Unreadable(position, TOO_MANY_CALLS, is_excessive=True)
        position = rest_after(text, after, end)
        if is_closed and position >= end and OBJECT.search(text, after, end):
            raise Unreadable(after, "there is another object behind the call")
    return calls


def rest_after(text: str, position: int, end: int) -> int:
    """Where the next object begins after one that ended at `position`; `end` if none does. Raises `Unreadable`.

    One closer too many is passed over. Anything that would go on with the object is an error: it closed too early.
    """
    if _EXTRA_CLOSER.match(text, position, end):
        return end
    begin = _SEPARATOR.match(text, position, end).end()  # type: ignore[union-attr]  # matches the empty text
    if begin >= end:
        return end
    if text[begin] in "{[":
        return begin
    if text[begin] in _NOT_PROSE or "," in text[position:begin]:
        raise Unreadable(begin, f"expected the end of the call, found {text[begin : min(begin + 12, end)]!r}")
    return end

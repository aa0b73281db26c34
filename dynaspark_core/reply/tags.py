"""Calls between tags, `<tool_call>…</tool_call>` and its kin, and between the lines of a call fence.

The end of a call is found by parsing: a strict JSON value may hold any tag. Only where that fails is the first closing
tag taken for the end, or a later one if the first stands in a member's string.
"""

import re
from collections.abc import Generator

from dynaspark_core.reply.body import intro_end
from dynaspark_core.reply.buffer import Reading, Steps, Waiting
from dynaspark_core.reply.envelope import Envelope, Found, closed_end, marked, values
from dynaspark_core.reply.signs import (
    CLOSER,
    EXPLICIT,
    FUNCTION_CLOSER,
    NAME_ATTRIBUTE,
    OTHER_MARKERS,
    OWN_MARKERS,
    REASONING,
    TAG,
    UNDECIDED,
    family,
)
from dynaspark_core.reply.written import Written

_INTRO_UNDECIDED = re.compile(
    r"[\s\ufeff\xa0]*+(?:`{1,2}|~{1,2}|(?:`{3,}|~~~)[ \t]*[\w-]{0,20}[ \t]*(?:\n\s*+)?)?(?:j(?:s(?:o(?:n\s*+)?)?)?)?\Z"
)
_NAME = r"""["'`]?[A-Za-z_][\w.\-/]{0,127}["'`]?"""
_HEAD = re.compile(rf"""{_NAME}(?:[ \t]{{0,8}}[({{:=]|[ \t]{{0,8}}\r?\n\s{{0,8}}[{{<]|<arg_key>)|[{{\[<"'“(]""")
_HEAD_UNDECIDED = re.compile(rf"""(?:{_NAME}[ \t]{{0,8}}(?:\r?\n\s{{0,8}})?(?:<[\s|]?\\?[a-z_]{{0,8}})?|["'`])\Z""")
_BARE_NAME = re.compile(rf"({_NAME})\s{{0,8}}<[\s|]?\\?/")
_PYTHON_LIST = re.compile(r"\[\s*[A-Za-z_][\w.\-/]{0,127}\s*\(")
_PYTHON_LIST_UNDECIDED = re.compile(r"\[\s*(?:[A-Za-z_][\w.\-/]{0,127}\s*)?\Z")
_END_OF_LINE = re.compile(r"\n|<")


def tag(reading: Reading, at: int) -> Steps:
    """What a `<` at this place begins: an envelope, a marker of another turn, or text."""
    found = TAG.match(reading.text, at)
    while found is None and UNDECIDED.match(reading.text, at) and (yield from reading.more()):
        found = TAG.match(reading.text, at)
    reading.scan = at + 1
    if found is None or reading.is_quoted(at):
        return
    name, is_closing = family(found), found["slash"] is not None
    if name in OWN_MARKERS or (name in OTHER_MARKERS and reading.has_calls):
        reading.cut()
    elif name in REASONING and is_closing:
        reading.forget_late(found.end())
    elif name in EXPLICIT and is_closing and reading.is_only_pending:
        reading.accept((), found.end())  # the opening tag was left out
    elif name not in OTHER_MARKERS and name not in REASONING and (not is_closing or name in EXPLICIT):
        yield from envelope(reading, _opened(found, name, is_closing=is_closing))


def _opened(found: re.Match[str], name: str, *, is_closing: bool) -> Envelope:
    attribute = NAME_ATTRIBUTE.search(found["rest"])
    is_function = name in {"function", "functions", "invoke"} and attribute is not None
    return Envelope(
        start=found.start(),
        body=found.start() if is_function else found.end(),
        closer=FUNCTION_CLOSER if is_function else CLOSER,
        name=attribute[1].strip() if attribute is not None and not is_function and "=" in found["rest"] else None,
        is_explicit=name in EXPLICIT and not is_closing,
        is_closer_inside=is_function,
    )


def envelope(reading: Reading, opened: Envelope) -> Steps:
    """Reads the calls of an envelope; where it holds none, the text goes on after its opening."""
    begin = yield from _begin(reading, opened)
    if begin >= len(reading.text):
        _empty(reading, opened, begin, is_closed=False)
        return
    if opened.is_closer_inside:
        yield from _settle(reading, opened, (yield from marked(reading, opened, begin)))
        return
    if reading.text[begin] == "<":
        yield from _tag_inside(reading, opened, begin)
        return
    if reading.text[begin] in "{[" and not (yield from _is_python(reading, begin)):
        yield from _settle(reading, opened, (yield from values(reading, opened, begin)))
    elif (yield from _is_call(reading, begin)) or (yield from _is_broken_call(reading, opened, begin)):
        yield from _settle(reading, opened, (yield from marked(reading, opened, begin)))
    else:
        reading.scan = opened.start + 1


def _begin(reading: Reading, opened: Envelope) -> Generator[None, None, int]:
    """Where the body really begins; the end of the text if it never does."""
    while _INTRO_UNDECIDED.match(reading.text, opened.body) and (yield from reading.more()):
        pass
    return intro_end(reading.text, opened.body, len(reading.text))


def _is_python(reading: Reading, begin: int) -> Waiting:
    while _PYTHON_LIST_UNDECIDED.match(reading.text, begin) and (yield from reading.more()):
        pass
    return _PYTHON_LIST.match(reading.text, begin) is not None


def _is_call(reading: Reading, begin: int) -> Waiting:
    """Whether the body begins as a call does, not as prose."""
    while _HEAD_UNDECIDED.match(reading.text, begin) and (yield from reading.more()):
        pass
    bare = _BARE_NAME.match(reading.text, begin)
    if bare is not None:
        return reading.judge.names.find(bare[1]) is not None
    return _HEAD.match(reading.text, begin) is not None


def _is_broken_call(reading: Reading, opened: Envelope, begin: int) -> Waiting:
    """Whether prose in an envelope is meant as a call: on lines of its own, or closed on the line that it begins."""
    if not opened.is_explicit or reading.is_line_begun(opened.start):
        return False
    if "\n" in reading.text[opened.start : begin]:
        return True
    while (found := _END_OF_LINE.search(reading.text, begin)) is None or UNDECIDED.match(reading.text, found.start()):
        if not (yield from reading.more()):
            return False
    return opened.closer.match(reading.text, found.start()) is not None


def _tag_inside(reading: Reading, opened: Envelope, begin: int) -> Steps:
    """A tag as the first thing in the body: a doubled or plural opening, a closing tag, or a call in XML."""
    while (found := TAG.match(reading.text, begin)) is None and UNDECIDED.match(reading.text, begin):
        if not (yield from reading.more()):
            break
    name = family(found) if found is not None else ""
    if found is not None and found["slash"] is None and name in EXPLICIT and opened.is_explicit:
        reading.skip(begin)
    elif opened.closer.match(reading.text, begin) is not None and found is not None:
        _empty(reading, opened, found.end(), is_closed=True)
    elif opened.is_explicit or name in {"function", "functions", "invoke"}:
        yield from _settle(reading, opened, (yield from marked(reading, opened, begin)))
    else:
        reading.scan = opened.start + 1


def _empty(reading: Reading, opened: Envelope, end: int, *, is_closed: bool) -> None:
    if opened.name is not None and opened.is_explicit:
        reading.accept([Written(reading.text[opened.start : end], opened.name, {})], end)
    elif opened.is_explicit and reading.has_calls:
        reading.skip(end)  # an opening tag in the place of a closing one
    elif opened.is_explicit and not reading.is_line_begun(opened.start):
        reading.reject("", "malformed" if is_closed else "truncated", "the call is empty", end)
    else:
        reading.scan = opened.start + 1


def _settle(reading: Reading, opened: Envelope, found: Found) -> Steps:
    """Accepts what was found, or leaves it as text if the envelope is not one of calls alone."""
    if not opened.is_explicit and (found.error or not reading.judge.would_accept(found.calls)):
        reading.scan = opened.start + 1
        return
    end = found.end
    if not found.error and not found.is_closed:
        end = yield from closed_end(reading, opened, end)
    if found.calls or not found.error:
        reading.accept(found.calls, end)
    if found.error:
        reading.reject(found.raw, found.reason, found.error, end, reading.judge.name_in(found.raw))

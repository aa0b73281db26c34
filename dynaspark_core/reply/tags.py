"""Calls between tags, `<tool_call>…</tool_call>` and its kin, and between the lines of a call fence.

The end of a call is found by parsing: a strict JSON value may hold any tag. Only where that fails is the first closing
tag taken for the end, or a later one if the first stands in a member's string.
"""

import re
from collections.abc import Generator

from dynaspark_core.reply.body import intro_end
from dynaspark_core.reply.buffer import ReplyBuffer, Steps, Waiting
from dynaspark_core.reply.envelope import Envelope, Found, end_of_envelope, read_up_to_closer, read_values
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
from dynaspark_core.reply.written import RawCall

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


def read_tag(buffer: ReplyBuffer, at: int) -> Steps:
    """Read what a `<` at this place begins: an envelope, a marker of another turn, or text."""
    found = TAG.match(buffer.text, at)
    while found is None and UNDECIDED.match(buffer.text, at) and (yield from buffer.more()):
        found = TAG.match(buffer.text, at)
    buffer.scan = at + 1
    if found is None or buffer.is_quoted(at):
        return
    name, is_closing = family(found), found["slash"] is not None
    if name in OWN_MARKERS or (name in OTHER_MARKERS and buffer.has_calls):
        buffer.cut()
    elif name in REASONING and is_closing:
        buffer.forget_late(found.end())
    elif name in EXPLICIT and is_closing and buffer.is_only_pending:
        buffer.accept((), found.end())  # the opening tag was left out
    elif name not in OTHER_MARKERS and name not in REASONING and (not is_closing or name in EXPLICIT):
        yield from read_envelope(buffer, _opened(found, name, is_closing=is_closing))


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


def read_envelope(buffer: ReplyBuffer, opened: Envelope) -> Steps:
    """Read the calls of an envelope; where it holds none, the text goes on after its opening."""
    begin = yield from _begin(buffer, opened)
    if begin >= len(buffer.text):
        _empty(buffer, opened, begin, is_closed=False)
        return
    if opened.is_closer_inside:
        yield from _settle(buffer, opened, (yield from read_up_to_closer(buffer, opened, begin)))
        return
    if buffer.text[begin] == "<":
        yield from _tag_inside(buffer, opened, begin)
        return
    if buffer.text[begin] in "{[" and not (yield from _is_python(buffer, begin)):
        yield from _settle(buffer, opened, (yield from read_values(buffer, opened, begin)))
    elif (yield from _is_call(buffer, begin)) or (yield from _is_broken_call(buffer, opened, begin)):
        yield from _settle(buffer, opened, (yield from read_up_to_closer(buffer, opened, begin)))
    else:
        buffer.scan = opened.start + 1


def _begin(buffer: ReplyBuffer, opened: Envelope) -> Generator[None, None, int]:
    """Where the body really begins; the end of the text if it never does."""
    while _INTRO_UNDECIDED.match(buffer.text, opened.body) and (yield from buffer.more()):
        pass
    return intro_end(buffer.text, opened.body, len(buffer.text))


def _is_python(buffer: ReplyBuffer, begin: int) -> Waiting:
    while _PYTHON_LIST_UNDECIDED.match(buffer.text, begin) and (yield from buffer.more()):
        pass
    return _PYTHON_LIST.match(buffer.text, begin) is not None


def _is_call(buffer: ReplyBuffer, begin: int) -> Waiting:
    """Whether the body begins as a call does, not as prose."""
    while _HEAD_UNDECIDED.match(buffer.text, begin) and (yield from buffer.more()):
        pass
    bare = _BARE_NAME.match(buffer.text, begin)
    if bare is not None:
        return buffer.judge.names.find(bare[1]) is not None
    return _HEAD.match(buffer.text, begin) is not None


def _is_broken_call(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Waiting:
    """Whether prose in an envelope is meant as a call: on lines of its own, or closed on the line that it begins."""
    if not opened.is_explicit or buffer.is_line_begun(opened.start):
        return False
    if "\n" in buffer.text[opened.start : begin]:
        return True
    while (found := _END_OF_LINE.search(buffer.text, begin)) is None or UNDECIDED.match(buffer.text, found.start()):
        if not (yield from buffer.more()):
            return False
    return opened.closer.match(buffer.text, found.start()) is not None


def _tag_inside(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Steps:
    """Read a body that begins with a tag: a doubled or plural opening, a closing tag, or a call in XML."""
    while (found := TAG.match(buffer.text, begin)) is None and UNDECIDED.match(buffer.text, begin):
        if not (yield from buffer.more()):
            break
    name = family(found) if found is not None else ""
    if found is not None and found["slash"] is None and name in EXPLICIT and opened.is_explicit:
        buffer.skip(begin)
    elif opened.closer.match(buffer.text, begin) is not None and found is not None:
        _empty(buffer, opened, found.end(), is_closed=True)
    elif opened.is_explicit or name in {"function", "functions", "invoke"}:
        yield from _settle(buffer, opened, (yield from read_up_to_closer(buffer, opened, begin)))
    else:
        buffer.scan = opened.start + 1


def _empty(buffer: ReplyBuffer, opened: Envelope, end: int, *, is_closed: bool) -> None:
    if opened.name is not None and opened.is_explicit:
        buffer.accept([RawCall(buffer.text[opened.start : end], opened.name, {})], end)
    elif opened.is_explicit and buffer.has_calls:
        buffer.skip(end)  # an opening tag in the place of a closing one
    elif opened.is_explicit and not buffer.is_line_begun(opened.start):
        buffer.reject("", "malformed" if is_closed else "truncated", "the call is empty", end)
    else:
        buffer.scan = opened.start + 1


def _settle(buffer: ReplyBuffer, opened: Envelope, found: Found) -> Steps:
    """Accept what was found, or leave it as text if the envelope is not one of calls alone."""
    if not opened.is_explicit and (found.error or not buffer.judge.would_accept(found.calls)):
        buffer.scan = opened.start + 1
        return
    end = found.end
    if not found.error and not found.is_closed:
        end = yield from end_of_envelope(buffer, opened, end)
    if found.calls or not found.error:
        buffer.accept(found.calls, end)
    if found.error:
        buffer.reject(found.raw, found.reason, found.error, end, buffer.judge.name_in(found.raw))

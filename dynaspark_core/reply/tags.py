"""Calls between tags: `<tool_call>…</tool_call>` and its kin.

The end of a call is found by parsing: a strict JSON value may hold any tag. Only where that fails is the first closing
tag taken for the end, or a later one if the first stands in a member's string.
"""

import re
from collections.abc import Generator
from dataclasses import replace

from dynaspark_core.reply.atoms import Sign, ahead, chars, either, group, maybe, seq, word, words
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.envelope import Envelope, first_of, opened_by, read_values
from dynaspark_core.reply.functions import FUNCTION_BODY, TOOL_NAME, is_meant_as_call
from dynaspark_core.reply.held import Steps, Waiting
from dynaspark_core.reply.prose import read_aside
from dynaspark_core.reply.sentences import leave_quoted, settle
from dynaspark_core.reply.signs import (
    EXPLICIT,
    FUNCTIONS,
    OWN_MARKERS,
    REASONING,
    RESULTS,
    TAG,
    family,
)  # fmt: skip
from dynaspark_core.reply.written import MAX_NESTED_WRAPPERS, RawCall
from dynaspark_core.reply.xml_calls import read_marked_calls

_BLANK = r"[\s\ufeff\xa0]"
_FENCE = seq(
    either(chars("`", 3, 40), chars("~", 3, 40)), chars("[ \t]", 0, 9), chars(r"[\w\-]", 0, 20), chars("[ \t]", 0, 9)
)
_JSON_WORD = seq(word("json"), chars(r"\s", 0, 40), ahead(chars(r"[\[{]", 1, 1)))
INTRO = Sign(
    either(seq(_FENCE, chars(r"[\r\n]", 1, 2), chars(r"\s", 0, 40), maybe(_JSON_WORD)), _JSON_WORD),
    "```json\n", "x", "``",
)  # fmt: skip
"""What may come before the body of a call: a fence's first line, the word json."""
_NAME = seq(chars("[\"'`]", 0, 1), group("name", seq(chars("[A-Za-z_]", 1, 1), chars(r"[\w.\-/:]", 0, 127))),
            chars("[\"'`]", 0, 1))  # fmt: skip
_IN_LINE = chars("[ \t]", 0, 8)
HEAD = Sign(
    either(
        seq(_NAME, _IN_LINE, either(chars("[({:=]", 1, 1), word("<arg_key>"), ahead(seq(chars(r"[\r\n]", 1, 2),
            chars(r"\s", 0, 8), either(chars("[{<]", 1, 1), words("```", "~~~")))))),
        chars("[{\\[<\"'“(#]", 1, 1),
    ),
    "f(", "the weather of", "hm",
)  # fmt: skip
"""How the body of a call begins, where prose does not."""
BARE_NAME = Sign(
    seq(_NAME, chars(r"\s", 0, 8), word("<"), chars(r"[\s|]", 0, 1), maybe(word("\\")), word("/")),
    "log_out</",
    "log out</",
)
PYTHON_LIST = Sign(
    seq(word("["), chars(r"\s", 0, 20), chars("[A-Za-z_]", 1, 1), chars(r"[\w.\-/]", 0, 127), chars(r"\s", 0, 9),
        word("(")),
    "[f(", '["f("]', "[]",
)  # fmt: skip
_MOST_NAME_CHARACTERS = 1_000
"""Most of a reply's end that is looked at as a name, blanks and quotes with it."""
OTHERS = RESULTS | REASONING | OWN_MARKERS
"""Tags that open no call."""
_CALLS = EXPLICIT | FUNCTIONS | OTHERS


def read_tag(buffer: ReplyBuffer, at: int) -> Steps:
    """Read what a `<` at this place begins: an envelope, a marker of another turn, or text."""
    found = yield from buffer.match(TAG, at)
    buffer.go_on(at + 1)
    if found is None:
        return
    name, is_closing = family(found), found["slash"] != ""
    is_doubtful = name not in _CALLS if not is_closing else name in EXPLICIT
    if (is_doubtful and not buffer.may_be_doubtful(at)) or buffer.is_quoted(at):
        return
    if name in OWN_MARKERS or (name in RESULTS and buffer.has_calls):
        buffer.cut()
    elif name in REASONING and is_closing:
        buffer.forget_late(found.end())
    elif name in REASONING:
        yield from read_aside(buffer, found)
    elif name in EXPLICIT and is_closing and buffer.is_only_pending:
        buffer.accept((), found.end())  # the opening tag was left out
    elif name not in OTHERS and is_closing and name.endswith("s") and buffer.has_calls:
        buffer.skip(found.end())  # the end of a list of calls
    elif name not in OTHERS and (not is_closing or name in EXPLICIT):
        yield from _read_opened(buffer, opened_by(found, name, is_closing=is_closing), found)
    elif is_closing and name not in OTHERS and buffer.has_calls:
        buffer.skip(found.end())


def _read_functions(buffer: ReplyBuffer, wrapper: Envelope, found: re.Match[str] | None) -> Steps:
    """Read the functions within a wrapper that is no envelope of its own, from the tag of the first one on."""
    start = wrapper.start
    while found is not None and family(found) in FUNCTIONS and found["slash"] == "":
        opened = opened_by(found, family(found), is_closing=False)
        opened = replace(opened, start=start, wrapper=wrapper.wrapper, depth=wrapper.depth + 1)
        yield from _read_opened(buffer, opened, found)
        if buffer.position < found.end():
            return
        start = yield from buffer.visible(buffer.position)
        found = yield from buffer.match(TAG, start)


def _read_opened(buffer: ReplyBuffer, opened: Envelope, found: re.Match[str]) -> Steps:
    """Read the envelope that a tag opens. A known function's is explicit, if its arguments follow, or it is closed."""
    if opened.is_self_closing:
        is_known = opened.name is not None and buffer.judge.names.find(opened.name) is not None
        opened = replace(opened, is_explicit=opened.is_explicit or is_known)
    elif opened.is_closer_inside:
        inner = yield from buffer.match(TOOL_NAME, found.end())
        body = yield from buffer.match(FUNCTION_BODY, found.end())
        name = opened.name or (inner["name"] if inner is not None else "")
        is_meant = yield from is_meant_as_call(buffer, name, found.end())
        if not is_meant and not buffer.may_be_doubtful(found.start()):
            return
        is_object = body is not None and body[0].endswith("{")
        opened = replace(opened, is_explicit=is_meant, is_closer_inside=not is_object)
        opened = replace(opened, body=found.end()) if is_object else opened
    elif opened.name is not None and not opened.is_explicit:
        opened = replace(opened, is_explicit=(yield from is_meant_as_call(buffer, opened.name, found.end())))
    yield from read_envelope(buffer, opened)


def read_envelope(buffer: ReplyBuffer, opened: Envelope) -> Steps:
    """Read the calls of an envelope; where it holds none, the text goes on after its opening."""
    if opened.is_self_closing:
        if opened.is_explicit:
            yield from decide_empty(buffer, opened, opened.body, is_closed=True)
        return  # what follows is not within it
    begin = yield from _begin(buffer, opened)
    if not {"`", "~"}.isdisjoint(buffer.text[opened.body : begin]):
        opened = replace(opened, has_fence=True)
    if opened.is_closer_inside:
        yield from settle(buffer, opened, (yield from read_marked_calls(buffer, opened, begin)))
    elif begin >= len(buffer.text):
        yield from decide_empty(buffer, opened, begin, is_closed=False)
    elif opened.is_token and (yield from _is_only_name(buffer, begin)):
        named = replace(opened, name=buffer.text[begin:].strip())
        yield from decide_empty(buffer, named, len(buffer.text), is_closed=False)
    elif buffer.text[begin] == "<":
        yield from _tag_inside(buffer, opened, begin)
    elif buffer.text[begin] == "{" or (
        buffer.text[begin] == "[" and (yield from buffer.match(PYTHON_LIST, begin)) is None
    ):
        yield from settle(buffer, opened, (yield from read_values(buffer, opened, begin)))
    elif (yield from _is_call(buffer, begin)) or (yield from _is_broken_call(buffer, opened, begin)):
        yield from settle(buffer, opened, (yield from read_marked_calls(buffer, opened, begin)))
    else:
        buffer.go_on(opened.start + 1)


def _begin(buffer: ReplyBuffer, opened: Envelope) -> Generator[None, None, int]:
    """Where the body really begins; the end of the text if it never does."""
    begin = yield from buffer.visible(opened.body, lambda char: char.isspace() or char == "\ufeff")
    if buffer.text[begin : begin + 1] in {"{", "[", "<"}:
        return begin
    intro = yield from buffer.match(INTRO, begin)
    return (yield from buffer.visible(intro.end() if intro is not None else begin))


def _is_only_name(buffer: ReplyBuffer, begin: int) -> Waiting:
    """Whether the reply ends with the name of a tool, where a call could go on."""
    head = yield from buffer.match(HEAD, begin)
    if head is not None or not buffer.is_final or len(buffer.text) - begin > _MOST_NAME_CHARACTERS:
        return False
    if HEAD.begun.match(buffer.text, begin) is None:  # nobody has waited for the end here
        return False
    return buffer.judge.names.find(buffer.text[begin:].strip()) is not None


def _is_call(buffer: ReplyBuffer, begin: int) -> Waiting:
    """Whether the body begins as a call does, not as prose."""
    head = yield from buffer.match(HEAD, begin)
    bare = yield from buffer.match(BARE_NAME, begin)
    if bare is not None:
        return buffer.judge.names.find(bare["name"]) is not None
    return head is not None


def _is_broken_call(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Waiting:
    """Whether prose in an envelope is meant as a call: on lines of its own, or closed on the line that it begins."""
    if not opened.is_explicit or buffer.is_line_begun(opened.start):
        return False
    if opened.is_token:
        return buffer.text[opened.start] == "<"
    if "\n" in buffer.text[opened.start : begin]:
        return True
    found = yield from buffer.seek(first_of(opened.closer, "\n"), begin)
    return found is not None and found[0] != "\n"


def _tag_inside(buffer: ReplyBuffer, opened: Envelope, begin: int) -> Steps:
    """Read a body that begins with a tag: a doubled or plural opening, a closing tag, or a call in XML."""
    found = yield from buffer.match(TAG, begin)
    name = family(found) if found is not None else ""
    if found is not None and found["slash"] == "" and name in EXPLICIT and opened.is_explicit:
        if opened.depth >= MAX_NESTED_WRAPPERS:
            buffer.skip(begin)
            return
        inner = opened_by(found, name, is_closing=False)
        yield from read_envelope(buffer, replace(inner, start=opened.start, depth=opened.depth + 1))
    elif opened.closer.match(buffer.text, begin) is not None and found is not None:
        yield from decide_empty(buffer, opened, found.end(), is_closed=True)
    elif name in FUNCTIONS and not opened.is_explicit:
        if opened.depth >= MAX_NESTED_WRAPPERS:
            buffer.go_on(begin)
            return
        yield from _read_functions(buffer, opened, found)
    elif opened.is_explicit:
        yield from settle(buffer, opened, (yield from read_marked_calls(buffer, opened, begin)))
    else:
        buffer.pass_over(opened.start)


def decide_empty(buffer: ReplyBuffer, opened: Envelope, end: int, *, is_closed: bool) -> Steps:
    """Decide about an envelope without a body: a call if it names a tool without parameters, else a broken one."""
    if (yield from leave_quoted(buffer, opened, end)):
        return
    if opened.name is not None and opened.is_explicit:
        raw = buffer.text[opened.start : end]
        call = RawCall(raw, opened.name, {}, has_arguments=False, beside=opened.attributes)
        if is_closed or (buffer.judge.takes_nothing(opened.name) and not opened.is_token):
            buffer.accept([call], end)
        else:
            buffer.reject(call.raw, "truncated", "the reply ends before the arguments", end, opened.name)
    elif opened.is_explicit and buffer.has_calls:
        buffer.skip(end)  # an opening tag in the place of a closing one
    elif opened.is_explicit and not buffer.has_words_before(opened.start):
        buffer.reject("", "malformed" if is_closed else "truncated", "the call is empty", end)
    else:
        buffer.go_on(opened.start + 1)

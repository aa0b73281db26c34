"""What a sign within a line begins: a call behind the control tokens of another vendor, a tag, somebody else's turn."""

import re

from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.envelope import Envelope, read_up_to_closer
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.own import OWN_TAG, accept_own_call
from dynaspark_core.reply.sentences import settle
from dynaspark_core.reply.tags import decide_empty, read_envelope, read_tag
from dynaspark_core.reply.vendors import MAY_BEGIN, ROWS, TOKEN

_OWN = len(OWN_TAG)


def read_sign(buffer: ReplyBuffer, at: int) -> Steps:
    """Read what a sign within a line begins: a call, a marker of another turn, or text."""
    if buffer.text[at : at + _OWN] == OWN_TAG and accept_own_call(buffer, at):
        return
    token = (yield from buffer.match(TOKEN, at)) if MAY_BEGIN.match(buffer.text, at) else None
    row = ROWS[token.lastindex - 1] if token is not None and token.lastindex else None
    found = row.opener.whole.match(buffer.text, at) if row is not None else None
    if row is None or found is None:
        yield from read_tag(buffer, at)
        return
    buffer.go_on(at + 1)
    if buffer.is_quoted(at) or (found[0][0] == "f" and buffer.is_within_word(at)):
        return
    if row.meaning == "turn":
        if buffer.has_calls:
            buffer.cut()
    elif row.meaning == "nothing":
        yield from _skip_token(buffer, found)
    elif row.meaning == "section":
        yield from _section(buffer, found, row.closer)
    else:
        names = found.groupdict()
        if names.get("called") and buffer.judge.names.find(names["called"]) is None:
            return  # words in a log, as no tool has this name
        yield from read_envelope(
            buffer, Envelope(at, found.end(), row.closer, names.get("name") or names.get("first"), is_token=True)
        )


def _skip_token(buffer: ReplyBuffer, found: re.Match[str]) -> Steps:
    """Pass over a token that ends something, if it follows a call, or another token or nothing comes next."""
    place = yield from buffer.visible(found.end())
    if buffer.has_calls or place >= len(buffer.text) or buffer.text[place] == "<":
        buffer.skip(found.end())


def _section(buffer: ReplyBuffer, found: re.Match[str], closer: re.Pattern[str]) -> Steps:
    """Read the first call of a section; those after it are found by their own openers."""
    begin = yield from buffer.visible(found.end())
    yield from buffer.match(TOKEN, begin)
    for row in ROWS:
        inner = row.opener.whole.match(buffer.text, begin)
        if inner is not None and row.meaning == "call" and "name" in inner.groupdict():
            opened = Envelope(found.start(), inner.end(), row.closer, inner["name"], is_token=True)
            yield from read_envelope(buffer, opened)
            return
    opened = Envelope(found.start(), found.end(), closer, is_token=True)
    if begin < len(buffer.text) and TOKEN.begun.match(buffer.text, begin):
        buffer.reject(buffer.text[found.start() :], "truncated", "the reply ends within a call", len(buffer.text))
    elif begin >= len(buffer.text):
        yield from decide_empty(buffer, opened, begin, is_closed=False)
    else:
        yield from settle(buffer, opened, (yield from read_up_to_closer(buffer, opened, begin)))

"""The reader of replies: text → text, calls, and calls that must not run. One machine for whole texts and streams.

Here are the public names and the main loop. `tags`, `blocks` and `react` know what a call looks like, `judge` what
may run. It raises nothing for what a model wrote.
"""

import sys
from collections.abc import Sequence

from dynaspark_core.messages import Done, Event, Reply, TextDelta, Tool, offered
from dynaspark_core.reply.blocks import read_bare_code, read_block
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.judge import Judge
from dynaspark_core.reply.signs import LINE_BEGINS, trigger
from dynaspark_core.reply.thoughts import HEADS, LEADING, THOUGHTS
from dynaspark_core.reply.tokens import read_sign
from dynaspark_core.reply.vendors import RECIPIENT
from dynaspark_core.reply.vendors import TRIGGER as VENDORS

TRIGGER = trigger(VENDORS, LINE_BEGINS)
TRIGGER_AFTER = trigger(VENDORS, "")
"""After a call, each line may also begin another's turn."""


class ReplyReader:
    """Reads one reply, piece by piece: `feed` each piece, then `close`. The result does not depend on the pieces.

    Without tools, or with `tool_choice` none, all is text. `untrusted` are texts from elsewhere that the model was
    shown, tool results above all: a call that stands in one of them word for word is refused.
    """

    def __init__(
        self,
        tools: Sequence[Tool] = (),
        tool_choice: str = "auto",
        *,
        parallel_tool_calls: bool = True,
        untrusted: str | Sequence[str] = (),
    ) -> None:
        self._texts: list[str] = []
        self._buffer: ReplyBuffer | None = None
        if offered(tools, tool_choice):
            judge = Judge(tools, tool_choice, parallel=parallel_tool_calls, untrusted=untrusted)
            self._buffer = ReplyBuffer(judge)
            self._steps = _steps(self._buffer)
            next(self._steps)

    @property
    def is_finished(self) -> bool:
        """Whether what follows cannot change the reply any more: the model plays another's turn. Reading may stop."""
        return self._buffer is not None and self._buffer.is_cut

    def feed(self, text: str) -> list[Event]:
        """The events that this piece brings: `TextDelta`, `ToolCall`, `InvalidToolCall`."""
        buffer = self._buffer
        if buffer is None:
            self._texts.append(text)
            return [TextDelta(text)] if text else []
        if text and not buffer.is_cut and buffer.add(text):
            next(self._steps, None)
        return buffer.taken_events()

    def close(self) -> list[Event]:
        """The events that were held, and `Done` with the whole reply."""
        buffer = self._buffer
        if buffer is None:
            return [Done(Reply("".join(self._texts)))]
        buffer.is_final = True
        for _ in self._steps:
            pass
        buffer.finish()
        return buffer.taken_events()


def read_reply(
    text: str,
    tools: Sequence[Tool] = (),
    tool_choice: str = "auto",
    *,
    parallel_tool_calls: bool = True,
    untrusted: str | Sequence[str] = (),
) -> Reply:
    """The whole reply, as `ReplyReader` reads it."""
    reader = ReplyReader(tools, tool_choice, parallel_tool_calls=parallel_tool_calls, untrusted=untrusted)
    reader.feed(text)
    done = reader.close()[-1]
    assert isinstance(done, Done)  # noqa: S101  # `close` ends with it
    return done.reply


def _steps(buffer: ReplyBuffer) -> Steps:
    """The main loop: from one place that may begin a call to the next."""
    yield from buffer.more()
    yield from _lead(buffer)
    yield from read_bare_code(buffer, buffer.position)
    if buffer.scan == buffer.position:
        yield from _bare_recipient(buffer)
    if buffer.scan == buffer.position:
        yield from read_block(buffer, buffer.position)
    while not buffer.is_cut:
        buffer.trim()
        if buffer.was_behind_call():
            yield from read_block(buffer, buffer.position)
            continue
        found = (TRIGGER_AFTER if buffer.has_calls else TRIGGER).search(buffer.text, buffer.scan)
        if found is None:
            buffer.go_on(len(buffer.text))
            buffer.show_before(buffer.scan)
            if not (yield from buffer.more_text(is_idle=True)):
                return
        elif found[0] == "\n":
            buffer.show_before(found.start())
            buffer.go_on(found.end())
            yield from read_block(buffer, found.end())
        else:
            buffer.show_before(found.start())
            yield from read_sign(buffer, found.start())


def _bare_recipient(buffer: ReplyBuffer) -> Steps:
    """Read a call of gpt-oss whose first token is missing."""
    at = yield from buffer.visible(buffer.position)
    if buffer.text.startswith("t", at) and (yield from buffer.match(RECIPIENT, at)) is not None:
        yield from read_sign(buffer, at)


def _lead(buffer: ReplyBuffer) -> Steps:
    """Pass over what leads a reply: reasoning, our own opening line, a vendor's line before the text; and blanks."""
    while True:
        yield from buffer.match(LEADING, buffer.position)
        for opener, closer in THOUGHTS:
            found = opener.whole.match(buffer.text, buffer.position)
            if found is not None:
                end = yield from buffer.seek(closer.whole, found.end())
                buffer.is_truncated = end is None
                buffer.skip(end.end() if end is not None else len(buffer.text))
                break
        else:
            head = next((head for sign in HEADS if (head := sign.whole.match(buffer.text, buffer.position))), None)
            if head is None:
                return
            buffer.skip(head.end())
            if "final" in head[0]:
                buffer.pass_objects(sys.maxsize)  # its object is an answer in JSON
        yield from _blanks(buffer)


def _blanks(buffer: ReplyBuffer) -> Steps:
    while True:
        rest = buffer.text[buffer.position :]
        buffer.skip(len(buffer.text) - len(rest.lstrip()))
        if buffer.position < len(buffer.text) or not (yield from buffer.more_text()):
            return

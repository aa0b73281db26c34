"""The reader of replies: text → text, calls, and calls that must not run. One machine for whole texts and streams.

Here are the public names and the main loop. `tags`, `blocks` and `react` know what a call looks like, `judge` what
may run. It raises nothing for what a model wrote.
"""

from collections.abc import Sequence

from dynaspark_core.messages import Done, Event, Reply, TextDelta, Tool, offered
from dynaspark_core.reply.blocks import is_other_turn, read_bare_tool_code, read_block
from dynaspark_core.reply.buffer import ReplyBuffer, Steps
from dynaspark_core.reply.judge import Judge
from dynaspark_core.reply.signs import THOUGHTS, THOUGHTS_END, THOUGHTS_UNDECIDED, TRIGGER, TRIGGER_AFTER
from dynaspark_core.reply.tags import read_tag


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
        return _taken(buffer)

    def close(self) -> list[Event]:
        """The events that were held, and `Done` with the whole reply."""
        buffer = self._buffer
        if buffer is None:
            return [Done(Reply("".join(self._texts)))]
        buffer.is_final = True
        for _ in self._steps:
            pass
        buffer.finish()
        return _taken(buffer)


def _taken(buffer: ReplyBuffer) -> list[Event]:
    events, buffer.events = buffer.events, []
    return events


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
    yield from _thoughts(buffer)
    yield from read_bare_tool_code(buffer, buffer.position)
    if buffer.scan == buffer.position:
        yield from read_block(buffer, buffer.position)
    while not buffer.is_cut:
        if buffer.is_behind_call:
            buffer.is_behind_call = False
            if (yield from is_other_turn(buffer, buffer.position)):
                buffer.cut()
                return
        pattern = TRIGGER_AFTER if buffer.has_calls else TRIGGER
        found = pattern.search(buffer.text, buffer.scan)
        if found is None:
            buffer.scan = len(buffer.text)
            buffer.show_before(buffer.scan)
            if not (yield from buffer.more_text(is_idle=True)):
                return
            continue
        buffer.show_before(found.start())
        if found[0] == "<":
            yield from read_tag(buffer, found.start())
        else:
            buffer.scan = found.end()
            yield from read_block(buffer, found.end())


def _thoughts(buffer: ReplyBuffer) -> Steps:
    """Pass over leading reasoning and the blanks after it; a reply that ends within it has no text."""
    while True:
        found = THOUGHTS.match(buffer.text, buffer.position)
        if found is not None:
            end = yield from buffer.seek(THOUGHTS_END, found.end())
            buffer.is_truncated = end is None
            buffer.skip(end.end() if end is not None else len(buffer.text))
            yield from _blanks(buffer)
        elif not THOUGHTS_UNDECIDED.match(buffer.text, buffer.position) or not (yield from buffer.more()):
            return


def _blanks(buffer: ReplyBuffer) -> Steps:
    while True:
        rest = buffer.text[buffer.position :]
        buffer.skip(len(buffer.text) - len(rest.lstrip()))
        if buffer.position < len(buffer.text) or not (yield from buffer.more_text()):
            return

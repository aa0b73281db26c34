"""The reader of replies: text → text, calls, and calls that must not run. One machine for whole texts and streams.

Here are the public names and the main loop; what a call looks like is said in `tags`, `blocks` and `react`, and what
may run in `judge`. It raises nothing for what a model wrote.
"""

import re
from collections.abc import Sequence

from dynaspark_core.messages import Done, Event, Reply, TextDelta, Tool, offered
from dynaspark_core.reply.blocks import block, is_other_turn, leak
from dynaspark_core.reply.buffer import Reading, Steps
from dynaspark_core.reply.judge import Judge
from dynaspark_core.reply.signs import THOUGHTS, THOUGHTS_END, THOUGHTS_UNDECIDED, TRIGGER, TRIGGER_AFTER
from dynaspark_core.reply.tags import tag


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
        self._reading: Reading | None = None
        if offered(tools, tool_choice):
            judge = Judge(tools, tool_choice, parallel=parallel_tool_calls, untrusted=untrusted)
            self._reading = Reading(judge)
            self._steps = _steps(self._reading)
            next(self._steps)

    @property
    def is_finished(self) -> bool:
        """Whether what follows cannot change the reply any more: the model plays another's turn. Reading may stop."""
        return self._reading is not None and self._reading.is_cut

    def feed(self, text: str) -> list[Event]:
        """The events that this piece brings: `TextDelta`, `ToolCall`, `InvalidToolCall`."""
        reading = self._reading
        if reading is None:
            self._texts.append(text)
            return [TextDelta(text)] if text else []
        if text and not reading.is_cut and reading.add(text):
            next(self._steps, None)
        return _taken(reading)

    def close(self) -> list[Event]:
        """The events that were held, and `Done` with the whole reply."""
        reading = self._reading
        if reading is None:
            return [Done(Reply("".join(self._texts)))]
        reading.is_final = True
        for _ in self._steps:
            pass
        reading.finish()
        return _taken(reading)


def _taken(reading: Reading) -> list[Event]:
    events, reading.events = reading.events, []
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


def _steps(reading: Reading) -> Steps:
    """The main loop: from one place that may begin a call to the next."""
    yield from reading.more()
    yield from _thoughts(reading)
    yield from leak(reading, reading.position)
    if reading.scan == reading.position:
        yield from block(reading, reading.position)
    while not reading.is_cut:
        if reading.is_behind_call:
            reading.is_behind_call = False
            if (yield from is_other_turn(reading, reading.position)):
                reading.cut()
                return
        pattern = TRIGGER_AFTER if reading.has_calls else TRIGGER
        found = pattern.search(reading.text, reading.scan)
        if found is None:
            reading.scan = len(reading.text)
            reading.approach(reading.scan)
            if not (yield from reading.more_text(is_idle=True)):
                return
        else:
            yield from _at(reading, found)


def _at(reading: Reading, found: re.Match[str]) -> Steps:
    reading.approach(found.start())
    if found[0] == "<":
        yield from tag(reading, found.start())
    else:
        reading.scan = found.end()
        yield from block(reading, found.end())


def _thoughts(reading: Reading) -> Steps:
    """Passes over leading reasoning and the blanks after it; a reply that ends within it has no text."""
    while True:
        found = THOUGHTS.match(reading.text, reading.position)
        if found is not None:
            yield from _thought(reading, found.end())
            yield from _blanks(reading)
        elif not THOUGHTS_UNDECIDED.match(reading.text, reading.position) or not (yield from reading.more()):
            return


def _blanks(reading: Reading) -> Steps:
    while True:
        rest = reading.text[reading.position :]
        reading.skip(len(reading.text) - len(rest.lstrip()))
        if reading.position < len(reading.text) or not (yield from reading.more_text()):
            return


def _thought(reading: Reading, begin: int) -> Steps:
    end = yield from reading.seek(THOUGHTS_END, begin)
    reading.is_truncated = end is None
    reading.skip(end.end() if end is not None else len(reading.text))

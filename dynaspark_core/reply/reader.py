"""The reader of replies: text → text, calls, and calls that must not run. One machine for whole texts and streams.

Here are the public names and the main loop. `tags`, `blocks` and `react` know what a call looks like, `judge` what
may run. It raises nothing for what a model wrote.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from dynaspark_core.messages import Done, Reply, Tool, offered
from dynaspark_core.reply.blocks import BLOCKS, read_bare_code, read_block
from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.held import Steps
from dynaspark_core.reply.judge import Judge
from dynaspark_core.reply.plain import TextReader
from dynaspark_core.reply.prose import pass_lead
from dynaspark_core.reply.signs import LINE_BEGINS, trigger
from dynaspark_core.reply.tokens import read_sign
from dynaspark_core.reply.vendors import RECIPIENT
from dynaspark_core.reply.vendors import TRIGGER as VENDORS

TRIGGER = trigger(VENDORS, LINE_BEGINS)
TRIGGER_AFTER = trigger(VENDORS, "")
"""After a call, each line may also begin another's turn."""
_LEADS = frozenset(("", *BLOCKS, *"tpd"))
"""What a reply begins with that may be a call without a sign: a block, Python, or a recipient; or nothing at all."""


class ReplyReader(TextReader):
    """Reads one reply, piece by piece: `feed` each piece, then `close`. The result does not depend on the pieces.

    Without tools, or with `tool_choice` none, all but reasoning is text; with `has_turns` (the prompt was
    written in turns) it ends where the model begins a turn of somebody else. `untrusted` are texts from elsewhere that
    the model was shown, tool results above all: a call that stands in one of them word for word is refused.
    """

    def __init__(
        self,
        tools: Sequence[Tool] = (),
        tool_choice: str = "auto",
        *,
        parallel_tool_calls: bool = True,
        untrusted: str | Iterable[str] = (),
        has_turns: bool = False,
    ) -> None:
        super().__init__(has_turns=has_turns)
        self._may_call = bool(offered(tools, tool_choice))
        self._judge = partial(Judge, tools, tool_choice, parallel=parallel_tool_calls, untrusted=untrusted)

    def _reading(self) -> tuple[ReplyBuffer, Steps]:
        if not self._may_call:
            return super()._reading()
        buffer = ReplyBuffer(self._judge())
        return buffer, _steps(buffer)

    def _is_plain(self, text: str) -> bool:
        if not self._may_call:
            return super()._is_plain(text)
        return text[:1] not in _LEADS and not text[0].isspace() and TRIGGER.search(text) is None


def read_reply(
    text: str,
    tools: Sequence[Tool] = (),
    tool_choice: str = "auto",
    *,
    parallel_tool_calls: bool = True,
    untrusted: str | Iterable[str] = (),
) -> Reply:
    """The whole reply, as `ReplyReader` reads it."""
    reader = ReplyReader(tools, tool_choice, parallel_tool_calls=parallel_tool_calls, untrusted=untrusted)
    done = reader.close(text)[-1]
    assert isinstance(done, Done)  # noqa: S101  # `close` ends with it
    return done.reply


def _steps(buffer: ReplyBuffer) -> Steps:
    """The main loop: from one place that may begin a call to the next."""
    yield from buffer.more()
    yield from pass_lead(buffer)
    yield from read_bare_code(buffer, buffer.position)
    if buffer.scan == buffer.position:
        yield from _bare_recipient(buffer)
    if buffer.scan == buffer.position:
        yield from read_block(buffer, buffer.position)
    while not buffer.is_cut:
        buffer.trim()
        has_calls = buffer.has_calls
        if has_calls and buffer.was_behind_call():
            yield from read_block(buffer, buffer.position)
            continue
        found = (TRIGGER_AFTER if has_calls else TRIGGER).search(buffer.text, buffer.scan)
        is_crowded = buffer.is_crowded(found.start() + 1 if found is not None else len(buffer.text))
        if found is None or buffer.is_rest_text or is_crowded:
            buffer.go_on(len(buffer.text))
            buffer.show_before(buffer.scan)
            if not (yield from buffer.more_text(buffer.show_before)):
                return
        elif found[0] == "\n":
            buffer.show_before(found.start())
            buffer.go_on(found.end())
            yield from read_block(buffer, found.end())
        else:
            buffer.show_before(found.start(), is_in_line=True)
            yield from read_sign(buffer, found.start())


def _bare_recipient(buffer: ReplyBuffer) -> Steps:
    """Read a call of gpt-oss whose first token is missing."""
    at = yield from buffer.visible(buffer.position)
    if buffer.text.startswith("t", at) and (yield from buffer.match(RECIPIENT, at)) is not None:
        yield from read_sign(buffer, at)

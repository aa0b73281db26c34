"""The reader of replies without calls. `reader` builds on it where there are tools.

A whole reply that is plainly text is given as it stands; any other is read by `prose`, which comes with the first.
"""

from typing import TYPE_CHECKING

from dynaspark_core.messages import Done, Event, TextDelta, Usage, new_reply

if TYPE_CHECKING:
    from dynaspark_core.reply.buffer import ReplyBuffer
    from dynaspark_core.reply.held import Steps


class TextReader:
    """Reads one reply to a prompt without tools: `feed` each piece, then `close`.

    `has_turns`: the prompt was written in turns, so that the answer ends where the model begins another's.
    """

    _begun: "tuple[ReplyBuffer, Steps] | None" = None

    def __init__(self, *, has_turns: bool) -> None:
        self._has_turns = has_turns

    def _begin(self) -> "tuple[ReplyBuffer, Steps]":
        self._begun = buffer, steps = self._reading()
        next(steps)
        return buffer, steps

    def _reading(self) -> "tuple[ReplyBuffer, Steps]":
        """A buffer, and the steps that read it."""
        from dynaspark_core.reply.prose import reading  # noqa: PLC0415  # with the patterns of what is no text

        return reading(has_turns=self._has_turns)

    def _is_plain(self, text: str) -> bool:
        """Whether a whole reply stands as it is: nothing leads it, and nothing in it can end it."""
        return "<" not in text and text[:1] not in {"", "["} and not text[0].isspace()

    @property
    def is_finished(self) -> bool:
        """Whether what follows cannot change the reply any more: the model plays another's turn. Reading may stop."""
        return self._begun is not None and self._begun[0].is_cut

    def feed(self, text: str) -> list[Event]:
        """The events that this piece brings: `TextDelta`, `ReasoningDelta`, `ToolCall`, `InvalidToolCall`."""
        buffer, steps = self._begun or self._begin()
        if text and not buffer.is_cut and buffer.add(text):
            next(steps, None)
        return buffer.taken_events()

    def close(self, text: str = "", model: str | None = None, usage: Usage | None = None) -> list[Event]:
        """The events that were held and those of the last piece, and `Done` with the whole reply.

        `model` and `usage` are what the service reported of it.
        """
        if self._begun is None and self._is_plain(text):
            return [TextDelta(text), Done(new_reply(text, (), (), "stop", model, usage))]
        buffer, steps = self._begun or self._begin()
        if text and not buffer.is_cut:
            buffer.add(text)
        buffer.is_final = True
        for _ in steps:
            pass
        buffer.finish(model, usage)
        return buffer.taken_events()

"""A reply while it is read: the text that is not decided yet, and what has come of the rest.

The contract of a step (a generator in `reader`, `tags`, `blocks`, `fences`, `react`, `envelope`, `offers`):

* It reads `text` from its own place on, `position` and `scan`, and asks `is_quoted`, `has_calls` and the like. Places
  are good until `more_text`, which forgets what was decided.
* It waits by `more`, `match`, `seek`, `visible`, and decides the same wherever the text was cut into pieces: it asks
  about what comes before a place only after the text behind that place has been matched.
* It ends in one of these: `accept`, `reject`, `hold`, `skip`, `think`, `show` (the text up to a place is used up),
  `cut`, or `go_on` (all this is text so far; the search continues at a place).
* It sets nothing else. What is shown is never taken back, so blanks wait for what follows them, and an object that
  may be a call waits for the end of its block.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dynaspark_core.messages import (
    Done,
    Event,
    FinishReason,
    InvalidReason,
    InvalidToolCall,
    ReasoningDelta,
    Reply,
    TextDelta,
    ToolCall,
    Usage,
)  # fmt: skip
from dynaspark_core.reply.held import Waiting
from dynaspark_core.reply.places import Places
from dynaspark_core.reply.thoughts import Reasoning
from dynaspark_core.reply.watch import Signs
from dynaspark_core.reply.written import RawCall, new_id

if TYPE_CHECKING:
    from dynaspark_core.reply.judge import Judge

MAX_HELD_CHARACTERS = 24
"""Most characters of plain prose that are held back."""
_IN_PROSE = Signs("<\n[✿f", re.compile(r"<|\n|\[|✿|f(?<!\wf)(?:u|\Z)"), are_counted=True)
"""The beginning of a sign or a line."""
USED = "\ue000"
"""What the line holds in the place of an envelope."""


class ReplyBuffer(Places):
    """The undecided text, and what has come of the rest: shown text, calls, calls that are held."""

    is_truncated = False
    _broken, _last = 0, ""

    def __init__(self, judge: "Judge | None" = None) -> None:
        super().__init__()
        self._judge = judge
        self.is_cut = self.is_rest_text = False
        self._is_behind_call = self._is_muted = self._holds_blanks = False
        self._events: list[Event] = []
        self._texts: list[str] = []
        self._reasoning = Reasoning()
        self._late: list[ToolCall | InvalidToolCall] = []
        self._calls: list[ToolCall | InvalidToolCall] = []
        self._idle: Callable[[int], None] | None = None
        self._looked_for = _IN_PROSE

    @property
    def judge(self) -> "Judge":
        """What may run. There is one where tools are offered; only there are calls read."""
        assert self._judge is not None  # noqa: S101  # see above
        return self._judge

    # ---- text in

    def add(self, piece: str) -> bool:
        """Take the next piece; returns whether it may decide something."""
        signs = self._looked_for
        if self._idle is None or (
            (piece in signs.characters if len(piece) == 1 else signs.pattern.search(piece))
            and not (piece == "f" and self.is_within_word(len(self.text)))
        ):
            return super().add(piece)
        self.text += piece
        if signs.are_counted:
            self._counted = len(self.text)  # what was held is counted, and this has none of what is
        if self._holds_blanks and piece[-1].isspace():
            self._idle(len(self.text))
            self._forget()
        else:
            self._give(self.text)
            self._drop(len(self.text))
        self.scan = 0
        return False

    def more_text(self, idle: Callable[[int], None] | None = None, signs: Signs = _IN_PROSE) -> Waiting:
        """Forget what was decided and wait for more text.

        `idle`: nothing is held but blanks, nothing is begun; it shows plain text up to a place, if that ends in blanks.
        Plain is what has none of the `signs`; `scan` is behind the text that was plain.
        """
        self._idle, self._looked_for = None if self._pending else idle, signs
        self._holds_blanks = idle != self.show
        self._forget()
        has_more = yield from self.more()
        self._idle = None
        return has_more

    def was_behind_call(self) -> bool:
        """Whether the position is right behind a call, where another's turn may begin. True once for each call."""
        was, self._is_behind_call = self._is_behind_call, False
        return was

    # ---- text out

    def taken_events(self) -> list[Event]:
        """The events since the last time."""
        events, self._events = self._events, []
        return events

    def show_before(self, place: int, *, is_in_line: bool = False) -> None:
        """Show the text before a place where a call may begin, except the blanks right before it.

        Of more blanks than may be held, the beginning of the line is held if the place is in it: an indent.
        """
        if self._pending and not self.gap(place).strip():
            return
        if place > self.position and not self.text[place - 1].isspace():
            self.show(place)
            return
        place = self.begin_of_line(place) if is_in_line else place
        held = self.text[max(self.position, place - MAX_HELD_CHARACTERS - 1) : place]
        count = len(held) - len(held.rstrip())
        last = self._last[-MAX_HELD_CHARACTERS - 1 :] if count == place - self.position else ""
        run = count + len(last) - len(last.rstrip())
        self.show(place - count if run <= MAX_HELD_CHARACTERS else place)

    def show(self, end: int) -> None:
        """Show the text up to `end`: it is no call."""
        if end > self.position:
            self._give(self.text[self.position : end])
            self.position = end

    def _give(self, piece: str) -> None:
        self._pending.clear()
        self.context.add(piece)
        self._last = (self._last + piece)[-MAX_HELD_CHARACTERS - 1 :] if piece.isspace() else piece  # has the last word
        if not self._is_muted:
            self._texts.append(piece)
            self._events.append(TextDelta(piece))

    @property
    def is_untouched(self) -> bool:
        """Whether nothing but blanks has come before the undecided text."""
        return not self._texts and not self._calls and not self._pending

    @property
    def is_only_pending(self) -> bool:
        """Whether nothing but calls has come, the last ones of them pending."""
        return bool(self._pending) and (bool(self._calls) or not self._texts)

    @property
    def has_calls(self) -> bool:
        """Whether a call has been read, accepted or pending."""
        return bool(self._calls or self._pending)

    # ---- calls

    def hold(self, calls: Sequence[RawCall], end: int) -> None:
        """Hold calls that count if no text follows them, and the text before them, until that is known."""
        self._pending.extend(calls)
        self._pending_end, self.scan = self._trimmed + end, end

    def accept(self, calls: Iterable[RawCall], end: int) -> None:
        """Judge the pending calls, then these. The text up to `end` is used up."""
        calls = [*self._pending, *calls]
        self._pending.clear()
        for call in calls:
            self._add(self.judge.judge(call), end)
        self._used(end)

    def reject(self, raw: str, reason: InvalidReason, error: str, end: int, name: str | None = None) -> None:
        """Record a call that cannot be read."""
        self.accept((), self.position)
        self._add(InvalidToolCall(raw, reason, new_id(), name, error), end)
        self.is_truncated = self.is_truncated or reason == "truncated"
        self._used(end)

    def _add(self, call: ToolCall | InvalidToolCall, end: int) -> None:
        if isinstance(call, InvalidToolCall) and call.reason in {"malformed", "truncated", "copied_from_untrusted"}:
            call = self._broken_call(call, end)
        self._calls.append(call)
        self._is_muted = self._is_muted or isinstance(call, ToolCall) or call.fate.text_after == "dropped"
        if self._texts:
            self._late.append(call)  # a lone </think> may still say that all this was reasoning
        else:
            self._events.append(call)

    def _broken_call(self, call: InvalidToolCall, end: int) -> InvalidToolCall:
        """The call, with a word where it is one too many: behind it all is text."""
        self._broken += 1
        if not self.is_rest_text and self.is_too_many(self._broken, end):
            self.is_rest_text = True
            call = replace(call, error=f"{call.error}; so many calls are broken that what follows is taken for text")
        return call

    def _used(self, end: int) -> None:
        self.use(end)
        self.pass_objects(end)
        self.context.begin(USED)
        self._last = ""
        self._is_behind_call = self.has_calls and not self.is_rest_text

    def skip(self, end: int) -> None:
        """Pass over the text up to `end`: it is neither shown nor a call. A thought ends there."""
        self.accept((), end)
        self._reasoning.end()

    def think(self, end: int) -> None:
        """Give the text up to `end` as reasoning; `skip` the sign that ends the thought."""
        shown = self._reasoning.add(self.text[self.position : end])
        self.use(end)
        if shown:
            self._events.append(ReasoningDelta(shown))

    def forget_late(self, end: int) -> None:
        """Drop the calls so far, as they were reasoning; the text goes on after `end`."""
        if self._late:
            del self._calls[-len(self._late) :]  # once there is text, each call is late
            self._late.clear()
            self.judge.restart(len(self._calls))
            self._is_muted = bool(self._calls)
        self._used(end)

    def cut(self) -> None:
        """End the reply: what follows belongs to another turn."""
        self.accept((), self.position)
        self.is_cut = True

    def finish(self, model: str | None = None, usage: Usage | None = None) -> None:
        """End the text: pending calls count, everything else is text."""
        if self._pending and not self.gap(len(self.text)).strip():
            self.accept((), len(self.text))
        if not self.is_cut:
            self.show(len(self.text))
        calls = tuple(call for call in self._calls if isinstance(call, ToolCall))
        invalid = tuple(call for call in self._calls if isinstance(call, InvalidToolCall))
        reason: FinishReason = "length" if self.is_truncated else "tool_calls" if calls else "stop"
        reply = Reply("".join(self._texts), calls, invalid, reason, model, usage, 0, str(self._reasoning))
        self._events += [*self._late, Done(reply)]

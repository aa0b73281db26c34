"""A reply while it is read: the text that is not decided yet, and what has come of the rest.

What is shown is never taken back, so blanks wait for what follows them, and an object that may be a call waits for the
end of its block. The grammar is elsewhere (`reader`, `tags`, `blocks`, `react`): generators that ask for more text
by `more` and decide the same wherever the text was cut into pieces.
"""

import re
from collections.abc import Generator, Iterable, Sequence

from dynaspark_core.messages import Done, Event, InvalidReason, InvalidToolCall, Reply, TextDelta, ToolCall
from dynaspark_core.reply.judge import Judge, new_id
from dynaspark_core.reply.signs import MAX_HELD_CHARACTERS, Line
from dynaspark_core.reply.watch import MAX_TAG_CHARACTERS, PatternWatch, Watch
from dynaspark_core.reply.written import RawCall

Waiting = Generator[None, None, bool]
Steps = Generator[None, None, None]
Seeking = Generator[None, None, re.Match[str] | None]

_SPECIAL = re.compile(r"[<\n]|\s\Z")
"""What no piece has that is plain text to its end: the beginning of a tag or a line, a blank that may stay held."""
_SCAN_FACTOR = 8
_SCAN_FLOOR = 65_536


class ReplyBuffer:
    """`text[position:]` is undecided; `scan` is where the search for calls goes on in it."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.line = Line()
        self.text = ""
        self.position = self.scan = self.objects_from = 0
        self.is_final = self.is_cut = self.is_truncated = False
        self.is_behind_call = False
        self.events: list[Event] = []
        self._pieces: list[str] = []
        self._watch: Watch | None = None
        self._texts: list[str] = []
        self._blanks = 0
        self._late: list[ToolCall | InvalidToolCall] = []
        self._calls: list[ToolCall | InvalidToolCall] = []
        self._is_muted = self._is_idle = False
        self._pending: list[RawCall] = []
        self._pending_end = 0
        self._found: dict[re.Pattern[str], tuple[int, re.Match[str] | None, int]] = {}
        self._scanned = 0
        self._trimmed = 0

    # ---- text in

    def add(self, piece: str) -> bool:
        """Take the next piece; returns whether it may decide something."""
        if self._is_idle and _SPECIAL.search(piece) is None:
            self.text += piece
            self.show(len(self.text))
            self.text = ""
            self._found.clear()
            self._trimmed += self.position
            self.position = self.scan = 0
            return False
        self._pieces.append(piece)
        return self._watch is None or self._watch(piece)

    def more(self, watch: Watch | None = None) -> Waiting:
        """Wait for more text, until the watch sees something in it. False if there is no more."""
        if self.is_final:
            return False
        self._watch = watch
        yield
        self._watch, self._is_idle = None, False
        self.text += "".join(self._pieces)
        self._pieces.clear()
        return True

    def more_text(self, *, is_idle: bool = False) -> Waiting:
        """Forget what was decided and wait for more text. Idle: nothing is held but blanks, nothing is begun."""
        self._is_idle = is_idle and not self._pending
        if self.position:
            self._found.clear()
        self.text = self.text[self.position :]
        self.scan -= self.position
        self.objects_from -= self.position
        self._pending_end -= self.position
        self._trimmed += self.position
        self.position = 0
        return (yield from self.more())

    def find(self, pattern: re.Pattern[str], start: int) -> re.Match[str] | None:
        """The first match from `start` on. What was looked through for the same pattern is not looked through again."""
        begin, found, seen = self._found.get(pattern, (len(self.text) + 1, None, 0))
        if begin > start or (found is not None and found.start() < start):
            begin, found, seen = start, None, start
        if found is None and seen < len(self.text):
            found = pattern.search(self.text, max(start, seen - MAX_TAG_CHARACTERS))
        self._found[pattern] = begin, found, len(self.text)
        return found

    def seek(self, pattern: re.Pattern[str], start: int) -> Seeking:
        """The first match from `start` on, waiting for it; None if the text ends without one."""
        while (found := self.find(pattern, start)) is None:
            tail = self.text[max(start, len(self.text) - MAX_TAG_CHARACTERS) :]
            if not (yield from self.more(PatternWatch(pattern, tail))):
                return None
        return found

    def within_budget(self, start: int, end: int) -> bool:
        """Whether one more tolerant look at `text[start:end]` keeps all such looks within a multiple of the text."""
        self._scanned += end - start
        return self._scanned <= _SCAN_FACTOR * (self._trimmed + end) + _SCAN_FLOOR

    # ---- text out

    def show_before(self, place: int) -> None:
        """Show the text before a place where a call may begin, except the blanks right before it."""
        if self._pending and not self.text[self._pending_end : place].strip():
            return
        held = self.text[max(self.position, place - MAX_HELD_CHARACTERS - 1) : place]
        count = len(held) - len(held.rstrip())
        run = count + (self._blanks if count == place - self.position else 0)
        self.show(place - count if run <= MAX_HELD_CHARACTERS else place)

    def show(self, end: int) -> None:
        """Show the text up to `end`: it is no call."""
        piece = self.text[self.position : end]
        if not piece:
            return
        self._pending.clear()
        self.position = end
        self.line.add(piece)
        tail = len(piece) - len(piece.rstrip())
        self._blanks = tail + (self._blanks if tail == len(piece) else 0)
        if not self._is_muted:
            self._texts.append(piece)
            self.events.append(TextDelta(piece))

    def is_quoted(self, place: int) -> bool:
        """Whether a place, before which only blanks are undecided, is a quotation."""
        return not self._is_new_line(place) and not self._pending and self.line.is_quoted()

    def is_line_begun(self, place: int) -> bool:
        """Whether anything but blanks stands before the place on its line."""
        return not self._is_new_line(place) and (bool(self._pending) or self.line.is_begun())

    def _is_new_line(self, place: int) -> bool:
        return "\n" in self.text[self._pending_end if self._pending else self.position : place]

    @property
    def is_untouched(self) -> bool:
        """Whether nothing but blanks has come before the undecided text."""
        return not self._texts and not self._calls and not self._pending

    @property
    def is_only_pending(self) -> bool:
        """Whether nothing but pending calls has come."""
        return bool(self._pending) and not self._texts and not self._calls

    @property
    def has_calls(self) -> bool:
        """Whether a call has been read, accepted or pending."""
        return bool(self._calls or self._pending)

    # ---- calls

    def hold(self, calls: Sequence[RawCall], end: int) -> None:
        """Hold calls that count if no text follows them, and the text before them, until that is known."""
        self._pending.extend(calls)
        self._pending_end = self.scan = end

    def accept(self, calls: Iterable[RawCall], end: int) -> None:
        """Accept the pending calls, then these. The text up to `end` is used up."""
        pending = list(self._pending)
        self._pending.clear()
        for call in (*pending, *calls):
            self._add(self.judge.judge(call))
        self._used(end)

    def reject(self, raw: str, reason: InvalidReason, error: str, end: int, name: str | None = None) -> None:
        """Record a call that cannot be read."""
        self.accept((), self.position)
        self._add(InvalidToolCall(raw, reason, new_id(), name, error))
        self.is_truncated = self.is_truncated or reason == "truncated"
        self._used(end)

    def _add(self, call: ToolCall | InvalidToolCall) -> None:
        self._calls.append(call)
        self._is_muted = self._is_muted or isinstance(call, ToolCall) or call.fate.text_after == "dropped"
        if self._texts:
            self._late.append(call)  # a lone </think> may still say that all this was reasoning
        else:
            self.events.append(call)

    def _used(self, end: int) -> None:
        self.position = self.scan = end
        self.objects_from = max(self.objects_from, end)
        self.line.begin("·")
        self._blanks = 0
        self.is_behind_call = self.has_calls

    def skip(self, end: int) -> None:
        """Pass over the text up to `end`: it is neither shown nor a call."""
        self.accept((), end)

    def forget_late(self, end: int) -> None:
        """Drop the calls so far, as they were reasoning; the text goes on after `end`."""
        if self._late:
            self._calls = [call for call in self._calls if call not in self._late]
            self._late.clear()
            self.judge.restart(len(self._calls))
            self._is_muted = bool(self._calls)
        self._used(end)

    def cut(self) -> None:
        """End the reply: what follows belongs to another turn."""
        self.accept((), self.position)
        self.is_cut = True

    def finish(self) -> None:
        """End the text: pending calls count, everything else is text."""
        if self._pending and not self.text[self._pending_end :].strip():
            self.accept((), len(self.text))
        if not self.is_cut:
            self.show(len(self.text))
        self.events.extend(self._late)
        self._late.clear()
        calls = tuple(call for call in self._calls if isinstance(call, ToolCall))
        invalid = tuple(call for call in self._calls if isinstance(call, InvalidToolCall))
        reason = "length" if self.is_truncated else "tool_calls" if calls else "stop"
        reply = Reply("".join(self._texts), calls, invalid, reason)  # type: ignore[arg-type]  # the three literals
        self.events.append(Done(reply))

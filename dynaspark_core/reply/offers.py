"""Calls that are only offered: they count if all of them could run, and if nothing but other calls follows."""

from collections.abc import Generator, Sequence

from dynaspark_core.reply.buffer import ReplyBuffer
from dynaspark_core.reply.heads import Kind
from dynaspark_core.reply.pythonic import read_python
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.watch import Balance, BalanceWatch
from dynaspark_core.reply.written import RawCall, is_definition, unwrap_calls


def offer_calls(buffer: ReplyBuffer, kind: Kind, begin: int, end: int, after: int | None = None) -> bool:
    """Hold the calls between `begin` and `end` if all of them could run; returns whether. The block ends at `after`."""
    after = end if after is None else after
    calls = read_calls(buffer, kind, begin, end)
    is_message = kind == "message" and buffer.is_untouched and bool(calls)
    if is_message or may_offer(buffer, calls):
        buffer.hold(calls, after)
        return True
    return False


def may_offer(buffer: ReplyBuffer, calls: Sequence[RawCall]) -> bool:
    """Whether these are calls outside an explicit envelope. A name alone is one only where a call is required."""
    is_whole = all(call.has_arguments for call in calls) or (buffer.judge.must_call and buffer.is_untouched)
    return is_whole and not any(map(is_definition, calls)) and buffer.judge.would_accept(calls)


def read_calls(buffer: ReplyBuffer, kind: Kind, begin: int, end: int) -> list[RawCall]:
    """The calls between `begin` and `end`, if there is nothing else."""
    if not buffer.within_budget(begin, end):
        return []
    try:
        if kind == "python":
            return read_python(buffer.text, begin, end, is_closed=True)
        value, after = lenient_value(buffer.text, begin, end)
    except Unreadable:
        return []
    return unwrap_calls(value, buffer.text[begin:after]) if after == end else []


def closing_bracket(buffer: ReplyBuffer, at: int, kind: Kind) -> Generator[None, None, int | None]:
    """Where the brackets that begin at `at` are closed; None if they never are."""
    balance = Balance("\"'" if kind == "python" else '"')
    end = balance.end(buffer.text, at)
    watch = BalanceWatch(balance, len(buffer.text))
    while end < 0:
        if not (yield from buffer.more(watch)):
            return None
        end = watch.end
    return end

"""Calls that are only offered: they count if all of them could run, and if nothing but other calls follows."""

from collections.abc import Generator

from dynaspark_core.reply.buffer import Reading
from dynaspark_core.reply.heads import Kind
from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.pythonic import PythonCalls
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.watch import Balance, BalanceWatch
from dynaspark_core.reply.written import Written, written


def offer(reading: Reading, kind: Kind, begin: int, end: int, after: int | None = None) -> bool:
    """Holds the calls between `begin` and `end`, if all of them could run; the block ends at `after`."""
    after = end if after is None else after
    calls = calls_in(reading, kind, begin, end)
    is_message = kind == "message" and reading.is_untouched and bool(calls)
    if is_message or reading.judge.would_accept(calls):
        reading.pend(calls, after)
        return True
    return False


def calls_in(reading: Reading, kind: Kind, begin: int, end: int) -> list[Written]:
    """The calls between `begin` and `end`, if there is nothing else."""
    if not reading.affords(begin, end):
        return []
    try:
        if kind == "python":
            return PythonCalls(reading.text, begin, end, is_closed=True).read()
        value, after = lenient_value(reading.text, begin, end)
    except Unreadable:
        return []
    return written(value, reading.text[begin:after]) if after == end else []


def balanced(reading: Reading, at: int, kind: Kind) -> Generator[None, None, int | None]:
    """Where the brackets that begin at `at` are closed; None if they never are."""
    balance = Balance("\"'" if kind == "python" else '"')
    end = balance.end(reading.text, at)
    watch = BalanceWatch(balance, len(reading.text))
    while end < 0:
        if not (yield from reading.more(watch)):
            return None
        end = watch.end
    return end

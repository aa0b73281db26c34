"""The engine for tests: scripted answers over real HTTP, and a record of everything that was asked."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import TypeVar, cast

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.engines import Answer, Asked, RefusedError, Text

T = TypeVar("T")
_END = object()
"""What comes behind the last piece."""
_ENDED = "the Script is at its end: its function raised StopIteration"
Written = Text | Answer
Writer = Callable[[Asked], Written | Awaitable[Written]]


class Script:
    """Gives its `answers` in order, one a request; `asked` is everything it was asked, in order.

    Both are lists that may be changed between requests: the next request gets `answers[len(asked)]`.
    An answer is a str; `Pieces`, sent in turn; an `Answer`, for another status, headers, a raw body; or a
    function of the `Asked` that returns any of these or an iterator of pieces, synchronous (then it runs in a thread
    and may block) or not. A lone function answers every request; otherwise a request after the last answer gets a 400
    that says so, which clients do not try again, and so does one whose function raises StopIteration. Any other
    exception that a function raises becomes a 500. Raises `ConfigError` for an answer of another type, such as a list;
    one that is added later gets a 400 with that message.
    """

    def __init__(self, *answers: Written | Writer) -> None:
        for answer in answers:
            if not callable(answer):
                _answer(answer)
        self.asked: list[Asked] = []
        self.answers: list[Written | Writer] = list(answers)

    async def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        written = await _written(self._next(len(self.asked)), asked)
        try:
            answer = _answer(written)
        except ConfigError as exc:
            raise RefusedError(400, str(exc)) from exc
        return replace(answer, text=_unblocking(answer.text), body=_unblocking(answer.body))

    async def close(self) -> None:
        """Do nothing: a script holds nothing."""

    def _next(self, number: int) -> Written | Writer:
        if len(self.answers) == 1 and callable(self.answers[0]):
            return self.answers[0]
        if number > len(self.answers):
            many = "1 answer" if len(self.answers) == 1 else f"{len(self.answers)} answers"
            raise RefusedError(400, f"the Script is at its end: it holds {many}, and this is request {number}")
        return self.answers[number - 1]


def call(name: str, /, **arguments: object) -> str:
    """The text by which a model calls the tool, for an answer: alone, after a sentence, or several in a row.

    That is the format which our prompts ask for; a client reads `call("get_weather", city="Oslo")` as that call.
    Raises `TypeError` for an argument that JSON does not know.
    """
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def _answer(written: Written) -> Answer:
    return written if isinstance(written, Answer) else Answer(written)


async def _written(answer: Written | Writer, asked: Asked) -> Written:
    """The answer itself; what a function returns, which runs in a thread unless it is asynchronous."""
    if not callable(answer):
        return answer
    is_asynchronous = inspect.iscoroutinefunction(answer) or inspect.isasyncgenfunction(answer)
    result = answer(asked) if is_asynchronous else await asyncio.to_thread(_called, answer, asked)
    try:
        return await result if inspect.isawaitable(result) else result
    except RuntimeError as exc:
        if isinstance(exc.__cause__, StopIteration):  # so Python gives it out of a coroutine
            raise RefusedError(400, _ENDED) from exc
        raise


def _called(write: Writer, asked: Asked) -> Written | Awaitable[Written]:
    """What the function returns. What cannot leave a thread, or would end the loop, is another error."""
    try:
        return write(asked)
    except StopIteration as exc:  # asyncio would wait for ever
        raise RefusedError(400, _ENDED) from exc
    except BaseException as exc:
        if isinstance(exc, Exception):
            raise
        raise RuntimeError(repr(exc)) from exc  # of pytest.fail or sys.exit


def _unblocking(pieces: T) -> T:
    """The pieces; a synchronous iterator, which may block, is advanced in a thread."""
    return cast("T", _from_thread(pieces)) if isinstance(pieces, Iterator) else pieces


async def _from_thread(pieces: Iterator[object]) -> AsyncIterator[object]:
    while (piece := await asyncio.to_thread(next, pieces, _END)) is not _END:
        yield piece

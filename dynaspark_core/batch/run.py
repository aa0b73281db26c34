"""Hundreds of inputs through one async function: within the limits, with a progress bar, resumed where it stopped.

    outcomes = await abatch(chain.ainvoke, questions, path="answers.jsonl")

The client's `max_concurrency` limits the open requests. A file belongs to one question: another prompt
or model needs another `path`, as only the inputs are compared.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from inspect import isawaitable, iscoroutinefunction
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from dynaspark_core.batch.results import Results, keys
from dynaspark_core.errors import ConfigError, RateLimitError
from dynaspark_core.transport import blocking
from dynaspark_core.wire import pacing

MAX_TASKS = 100
"""Inputs that wait for an answer at a time; the others are not begun."""
MIN_PAUSE_SECONDS = 1.0
"""Seconds, where the service asks for less; more each time that it still refuses."""

Input = TypeVar("Input")
_NOT_ASYNC = (
    "ask has to be an async function, such as model.ainvoke instead of model.invoke; nor may keep make such a sync call"
)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Input]):
    """What came of one input: its `value`, or the `error` that ended it."""

    input: Input
    value: Any = None
    error: Exception | None = None


def kept(result: object) -> Any:
    """What is kept of a result: its `text`, where it has one; a pydantic object as a dictionary; otherwise itself."""
    text = getattr(result, "text", None)
    if isinstance(text, str):
        return str(text)
    return result.model_dump(mode="json") if isinstance(result, BaseModel) else result


async def abatch(
    ask: Callable[[Input], Awaitable[object]],
    inputs: Iterable[Input],
    *,
    path: str | PathLike[str] | None = None,
    keep: Callable[[Any], Any] = kept,
    progress: bool = True,
) -> list[Outcome[Input]]:
    """An outcome for each input, in their order. An input that fails does not stop the others.

    Args:
        ask: An async function of one input: `client.complete`, `chain.ainvoke`, `llm.acomplete`.
        inputs: With a `path`, texts or other values that JSON holds.
        path: A file of JSON lines: each outcome is written to it at once. The next run with the same file asks only for
            inputs without a value in it: new, changed and failed ones, and those in progress when it was stopped.
            Needs the extra `batch`.
        keep: A result → the value of its outcome, with a `path` one that JSON holds, which then is as JSON gives it
            back. Default `kept`. It runs on the event loop between the requests, so it must not do slow work.
        progress: Whether a bar is shown on stderr; needs the extra `batch`.

    After a `RateLimitError` that names a wait, all inputs wait together, then one of them asks. It is the outcome of
    its input where the waits would exceed `pacing.MAX_QUOTA_SECONDS` in all.

    Raises `ConfigError` for arguments of another type, for a function that is not async, for a file of something else,
    for one that cannot be opened or that another run has open, and for values that JSON cannot hold; `OSError` where a
    disk is full.
    """
    given = _listed(inputs)
    _check(ask, path, keep)
    with ExitStack() as stack:
        file = None if path is None else stack.enter_context(closing(await asyncio.to_thread(Results, Path(path))))
        names = [str(number) for number in range(len(given))] if file is None else await asyncio.to_thread(keys, given)
        named = dict(zip(names, given, strict=True))
        done = {} if file is None else {name: file.values[name] for name in names if name in file.values}
        bar = stack.enter_context(_bar(len(given), len(done))) if progress else None
        run = _Run(ask, keep, file, bar)
        fresh = await run.all([(name, each) for name, each in named.items() if name not in done])
    return [Outcome(each, done[name]) if name in done else fresh[name] for name, each in named.items()]


def batch(
    ask: Callable[[Input], Awaitable[object]],
    inputs: Iterable[Input],
    *,
    path: str | PathLike[str] | None = None,
    keep: Callable[[Any], Any] = kept,
    progress: bool = True,
) -> list[Outcome[Input]]:
    """What `abatch` gives, without `await`; `ask` is an async function as well. An interrupt leaves the file whole.

    `inputs` are read in this thread; `ask` and `keep` run on the event loop that all sync calls share.
    """
    return blocking.run(abatch(ask, _listed(inputs), path=path, keep=keep, progress=progress))


def _listed(inputs: Iterable[Input]) -> list[Input]:
    if isinstance(inputs, str | bytes) or not isinstance(inputs, Iterable):
        what = "one text" if isinstance(inputs, str | bytes) else f"of type {type(inputs).__name__}"
        raise ConfigError(f"inputs is {what}; it must be a list, or another iterable, of inputs")
    return list(inputs)


def _check(ask: object, path: object, keep: object) -> None:
    """Raise `ConfigError` for what would fail after the first answer, or for every input."""
    if not callable(ask):
        raise ConfigError(f"ask is of type {type(ask).__name__}, which cannot be called. {_NOT_ASYNC}")
    if not callable(keep) or iscoroutinefunction(keep):
        what = "async" if callable(keep) else f"of type {type(keep).__name__}"
        raise ConfigError(f"keep is {what}; it must be a plain function of a result, such as lambda reply: reply.text")
    if not isinstance(path, str | PathLike | None):
        raise ConfigError(f"path is of type {type(path).__name__}; it must be text or a Path")


@dataclass(slots=True)
class _Run(Generic[Input]):
    """One run; `until` is the loop's time before which nothing is asked.

    `since` is that of the first refusal after which all were refused: until one is not, inputs ask one by one, with
    pauses of at least `least` seconds.
    """

    ask: Callable[[Input], Awaitable[object]]
    keep: Callable[[Any], Any]
    file: Results | None
    bar: Any
    until: float = 0.0
    since: float | None = None
    least: float = MIN_PAUSE_SECONDS
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def all(self, todo: list[tuple[str, Input]]) -> dict[str, Outcome[Input]]:
        left, outcomes = iter(todo), dict[str, Outcome[Input]]()
        tasks = [asyncio.create_task(self._work(left, outcomes)) for _ in range(min(MAX_TASKS, len(todo)))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return outcomes

    async def _work(self, left: Iterator[tuple[str, Input]], outcomes: dict[str, Outcome[Input]]) -> None:
        try:
            for name, each in left:
                while (outcome := await self._in_turn(each)) is None:
                    pass  # it is asked once more
                if self.file is not None:
                    value = self.file.write(name, each, outcome.value, outcome.error)
                    outcome = replace(outcome, value=value)
                outcomes[name] = outcome
                if self.bar is not None:
                    self.bar.update()
        except Exception:
            deque(left, maxlen=0)  # the others begin no more
            raise

    async def _in_turn(self, each: Input) -> Outcome[Input] | None:
        async with self.turn:
            await self._paused()
            if self.since is not None:
                return await self._asked(each)
        return await self._asked(each)

    async def _asked(self, each: Input) -> Outcome[Input] | None:
        """What came of it; None where it is to be asked once more, after `until`."""
        began = _now()
        try:
            asked = self.ask(each)
            outcome = Outcome(each, self.keep(await asked)) if isawaitable(asked) else None
        except blocking.InsideError as exc:
            raise ConfigError(_NOT_ASYNC) from exc
        except Exception as exc:  # noqa: BLE001  # whatever `ask` raises is the outcome of its input
            if isinstance(exc, RateLimitError) and exc.retry_after is not None:
                return None if self._waits(exc.retry_after, began) else Outcome(each, error=exc)
            outcome = Outcome(each, error=exc)
        if outcome is None:
            raise ConfigError(_NOT_ASYNC)
        self.since = None if began >= self.until else self.since
        return outcome

    def _waits(self, seconds: float, began: float) -> bool:
        """Whether a refusal of what was asked at `began` is waited out; one after a pause doubles the least."""
        now = _now()
        again = self.least * (2 if began >= self.until else 1)
        since, least = (now, MIN_PAUSE_SECONDS) if self.since is None else (self.since, again)
        until = now + max(seconds, least)
        if until - since > pacing.MAX_QUOTA_SECONDS:
            return False
        self.since, self.least, self.until = since, least, max(self.until, until)
        return True

    async def _paused(self) -> None:
        while (left := self.until - _now()) > 0:
            self._show(f"waiting {left:,.0f} s for the limit")
            await asyncio.sleep(left)
            self._show("")

    def _show(self, text: str) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(text)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _bar(total: int, initial: int) -> Any:
    if find_spec("tqdm") is None:
        raise ConfigError('tqdm must be installed for the bar: pip install "dynaspark-llm[batch]", or progress=False')
    from tqdm import tqdm  # noqa: PLC0415  # of the extra `batch`

    return tqdm(total=total, initial=initial, unit=" inputs")

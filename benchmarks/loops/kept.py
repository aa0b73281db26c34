"""An engine whose replies are kept by prompt, in an SQLite file: a second run of the same prompts asks no model."""

import asyncio
import hashlib
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from dynaspark_core.doctor.definition import Loop
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Usage
from dynaspark_core.prompt.render import estimate_tokens
from dynaspark_core.server import Answer, Asked, Engine, RefusedError
from loops.session import Session, Step

_TABLE = """create table if not exists replies
    (key text primary key, prompt text, reply text, prompt_tokens int, reply_tokens int, seconds real)"""


class Kept:
    """Answers for one loop after the other; `begin` starts one.

    `make` makes the engine that is asked for what is not kept, when that first happens. `name` tells apart the models
    whose replies are in one file.
    """

    def __init__(self, make: Callable[[], Engine], name: str, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._make, self._name = make, name
        self._engine: Engine | None = None
        self._base = sqlite3.connect(file, check_same_thread=False, timeout=60)
        self._base.execute(_TABLE)
        self._session: Session | None = None
        self.error: ConfigError | None = None
        """Why the engine could not be made."""

    def begin(self, loop: Loop) -> Session:
        """The session of the loop, to which all further requests belong."""
        self._session = Session(loop)
        return self._session

    async def answer(self, asked: Asked) -> Answer:
        session = self._session
        if session is None or session.is_stuck:
            raise RefusedError(400, "the loop is stuck: it makes no more requests")
        identity = json.dumps([self._name, asked.prompt]).encode() + (asked.file or b"")
        key = hashlib.sha256(identity).hexdigest()
        found = "select prompt, reply, prompt_tokens, reply_tokens, seconds from replies where key = ?"
        row = self._base.execute(found, (key,)).fetchone()
        step = Step(*row) if row else await self._ask(asked)
        if not row:
            values = (key, step.prompt, step.reply, step.prompt_tokens, step.reply_tokens, step.seconds)
            with self._base:
                self._base.execute("insert or replace into replies values (?, ?, ?, ?, ?, ?)", values)
        session.steps.append(step)
        return Answer(_reply(step), model=self._name)

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.close()
        self._base.close()

    async def _ask(self, asked: Asked) -> Step:
        if self._engine is None:
            self._engine = await self._made()
        start = time.perf_counter()
        answer = await self._engine.answer(asked)
        pieces = [piece async for piece in _pieces(answer)]
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        counted = next((piece for piece in pieces if isinstance(piece, Usage)), answer.usage)
        usage = counted or Usage(estimate_tokens(asked.prompt), estimate_tokens(text), 0, estimated=True)
        seconds = time.perf_counter() - start
        return Step(asked.prompt, text, usage.prompt_tokens, usage.completion_tokens, seconds)

    async def _made(self) -> Engine:
        try:
            return await asyncio.to_thread(self._make)
        except ConfigError as exc:
            self.error = exc
            raise RefusedError(400, str(exc)) from exc


async def _pieces(answer: Answer) -> AsyncIterator[str | Usage]:
    if isinstance(answer.text, str):
        yield answer.text
    elif isinstance(answer.text, AsyncIterator):
        async for piece in answer.text:
            yield piece
    else:
        raise TypeError(f"the engine gives {type(answer.text).__name__}")


async def _reply(step: Step) -> AsyncIterator[str | Usage]:
    yield step.reply
    yield Usage(step.prompt_tokens, step.reply_tokens, step.prompt_tokens + step.reply_tokens)

"""An engine that is still being made: the service listens meanwhile, and says so on `/health`."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from dynaspark_core.server.engines import Answer, Asked, Engine, ListsModels


class LoadingEngine:
    """Makes its engine, which the log calls `name`, in a thread; requests wait for it."""

    def __init__(self, name: str, make: Callable[[], Engine]) -> None:
        self.name, self._make = name, make
        self._engine: asyncio.Future[Engine] = asyncio.get_running_loop().create_future()

    @property
    def is_ready(self) -> bool:
        """Whether requests are answered at once."""
        return self._engine.done()

    async def load(self) -> Engine:
        """The engine, made in a thread that does not keep the process from its end. Raises what `make` raises."""
        loop = asyncio.get_running_loop()
        made: asyncio.Future[Engine] = loop.create_future()

        def make() -> None:
            try:
                tell = partial(made.set_result, self._make())
            except BaseException as exc:  # noqa: BLE001  # `load` raises it
                tell = partial(made.set_exception, exc)
            with suppress(RuntimeError):  # the service has ended meanwhile
                loop.call_soon_threadsafe(lambda: None if made.done() else tell())

        threading.Thread(target=make, name="dynaspark-loading", daemon=True).start()
        self._engine.set_result(engine := await made)
        return engine

    async def answer(self, asked: Asked) -> Answer:
        engine = await asyncio.shield(self._engine)
        return await engine.answer(asked)

    async def models(self) -> Sequence[str]:
        engine = await asyncio.shield(self._engine)
        return await engine.models() if isinstance(engine, ListsModels) else (self.name,)

    async def close(self) -> None:
        if self._engine.done():
            await self._engine.result().close()

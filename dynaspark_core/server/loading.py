"""An engine that is still being made: the service listens meanwhile, and says so on `/health`."""

import asyncio
from collections.abc import Callable, Sequence

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

    async def load(self) -> None:
        """Make the engine. Raises what `make` raises."""
        self._engine.set_result(await asyncio.to_thread(self._make))

    async def answer(self, asked: Asked) -> Answer:
        engine = await asyncio.shield(self._engine)
        return await engine.answer(asked)

    async def models(self) -> Sequence[str]:
        engine = await asyncio.shield(self._engine)
        return await engine.models() if isinstance(engine, ListsModels) else (self.name,)

    async def close(self) -> None:
        if self._engine.done():
            await self._engine.result().close()

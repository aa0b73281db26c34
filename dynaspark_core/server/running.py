"""The service at work: on a thread of its own for tests and notebooks, or in the foreground for the command line."""

import asyncio
import errno
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from aiohttp import web

from dynaspark_core.errors import ConfigError
from dynaspark_core.server.app import application
from dynaspark_core.server.engines import Engine
from dynaspark_core.server.middleware import ConnectionLog, RequestLog
from dynaspark_core.server.origins import is_loopback
from dynaspark_core.server.rules import Rules

LOG = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 0.1
"""Seconds that requests in progress are given when the service stops; then they are cancelled."""
ACCEPTING_TURNS = 5
"""Turns of the loop until a connection just accepted is known to the server, which closes the idle ones it knows."""
LINGERING_SECONDS = 1.0
"""What a client still sends after it was refused is read so long; then the connection is closed."""


@asynccontextmanager
async def listening(
    engine: Engine, rules: Rules, host: str, port: int, grace: float = GRACE_SECONDS
) -> AsyncIterator[str]:
    """The base URL of a service that runs inside this block. Raises `ConfigError` when it cannot listen there.

    At the end of the block no new request is taken; those in progress have `grace` seconds, then they are cancelled.
    """
    if not host:  # aiohttp would listen on all addresses, as for a variable that is not set
        raise ConfigError("host is empty; it must be an address to listen on: 127.0.0.1, or 0.0.0.0 for all")
    runner = web.AppRunner(
        application(engine, rules, is_local=is_loopback(host)),
        handler_cancellation=True,
        logger=ConnectionLog(LOG),
        access_log=LOG,
        access_log_class=RequestLog,
        shutdown_timeout=max(grace, 0.01),  # aiohttp takes 0 as "for ever"
        lingering_time=LINGERING_SECONDS,
    )
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except (OSError, OverflowError, ValueError) as exc:  # the last for a host that can be no name
            is_taken = isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE
            way_out = "; --port 0 takes any free one" if is_taken else ""
            raise ConfigError(f"cannot listen on {host} port {port}: {exc}{way_out}") from exc
        yield _url(*runner.addresses[0][:2])
    finally:
        for site in list(runner.sites):
            await site.stop()
        for _ in range(ACCEPTING_TURNS):
            await asyncio.sleep(0)
        await runner.cleanup()
        await engine.close()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class LocalService:
    """A service on its own loop and thread; a context manager, for synchronous and asynchronous code alike.

    `url` is its base URL while it runs. It listens on `port` of `host`, by default on a free port of this machine only.
    When the block ends, requests in progress are cancelled, the engine is closed, and no thread or socket is left. It
    may be started again with an engine that outlives its `close`, as a `Script` does.
    """

    def __init__(self, engine: Engine, *, host: str = LOOPBACK, port: int = 0, rules: Rules | None = None) -> None:
        self._engine, self._rules = engine, rules or Rules()
        self._host, self._port = host, port
        self._thread: threading.Thread | None = None
        self._started: Future[str] = Future()
        self._end: Future[None] = Future()

    @property
    def url(self) -> str:
        """`http://host:port`, without a slash at the end. Raises `ConfigError` when the service is not running."""
        if self._thread is None:
            raise ConfigError("the service is not running: use it as a context manager")
        return self._started.result()

    def start(self) -> None:
        """Start listening. Raises `ConfigError` when the service cannot, or is already running."""
        if self._thread is not None:
            raise ConfigError("the service is already running")
        self._started, self._end = Future(), Future()
        self._thread = threading.Thread(target=self._run, name="dynaspark-service", daemon=True)
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the service. Does nothing when it is not running."""
        if self._thread is not None:
            self._end.cancel()
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as exc:  # noqa: BLE001  # whoever waits in start() gets it
            if not self._started.done():
                self._started.set_exception(exc)

    async def _serve(self) -> None:
        async with listening(self._engine, self._rules, self._host, self._port) as url:
            self._started.set_result(url)
            await asyncio.wait([asyncio.wrap_future(self._end)])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

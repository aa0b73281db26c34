"""A client whose requests are counted, retries and repairs included, and end at a number of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from dynaspark_core.client import DynasparkClient
from dynaspark_core.errors import ConfigError, ConnectError, DynasparkError, RateLimitError, RequestTimeoutError
from dynaspark_core.transport.call import Caller
from dynaspark_core.transport.endpoint import Asked, Endpoint
from dynaspark_core.transport.settings import Settings


class SpentError(ConfigError):
    """No more requests are sent; this one was not."""


@dataclass(slots=True)
class Tally:
    """`most` requests may be sent, and `sent` were; `status` and `headers` are those of the last answer that is one."""

    most: int
    sent: int = 0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    timeouts: int = 0
    end: str = ""

    def take(self) -> None:
        """Count a request. Raises `SpentError` for one too many, and after `stop`."""
        if self.sent >= self.most:
            self.stop(f"the {self.most} requests are used up")
        if self.end:
            raise SpentError(self.end)
        self.sent += 1

    def stop(self, why: str) -> None:
        """Let no more requests go."""
        self.end = self.end or why

    def note(self, error: DynasparkError) -> None:
        """Let no more requests go after an error which says that they would end in the same; of timeouts the second."""
        self.timeouts += isinstance(error, RequestTimeoutError)
        if isinstance(error, ConnectError | RateLimitError) or self.timeouts > 1:
            self.stop(f"after {type(error).__name__}")


class CountedClient(DynasparkClient):
    """Counts in `tally`, which several clients may share."""

    def __init__(self, tally: Tally, **settings: Any) -> None:
        super().__init__(**settings)
        self.tally = tally
        self._calls = _Caller(self.settings, tally)


class _Caller(Caller):
    def __init__(self, settings: Settings, tally: Tally) -> None:
        super().__init__(settings)
        self._endpoint = _Endpoint(settings, tally)


class _Endpoint(Endpoint):
    def __init__(self, settings: Settings, tally: Tally) -> None:
        super().__init__(settings)
        self._tally = tally

    def asked(self, *args: Any, **kwargs: Any) -> Asked:
        self._tally.take()
        return self._noted(super().asked(*args, **kwargs))

    async def _noted(self, asked: Asked) -> aiohttp.ClientResponse:
        response = await asked
        if 200 <= response.status < 300:
            self._tally.status, self._tally.headers = response.status, response.headers
        return response

"""What the two faces share: the client that their fields mean, and the warning about what is not sent."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from warnings import warn
from weakref import ref

from pydantic import SecretStr

from dynaspark_core.client import DynasparkClient
from dynaspark_core.transport.setting_checks import PROXY_VARIABLES
from dynaspark_core.transport.settings import ROWS, VARIABLES

NOT_SENT = ("temperature", "max_tokens", "top_p", "top_k", "seed")
"""Parameters that users of the frameworks set and that the service has no field for."""


FIELDS = {name: "default_headers" if name == "headers" else name for name in ROWS}
"""Setting → the field of the frameworks' models that holds it."""


class ClientCache:
    """Keeps the client that a model's fields mean, and makes another when one of them has changed.

    The environment is read when a client is made. Deep copies and pickles of a model begin with a cache of their own;
    shallow copies share it, and each has its own client there. It does not count for the model's equality.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[ref[Any], tuple[object, ...], DynasparkClient], ...] = ()

    def client_for(self, model: Any) -> DynasparkClient:
        """The client for a model with `FIELDS`, the same client for the same values; a missing field is not given."""
        values = tuple(map(_frozen, map(vars(model).get, FIELDS.values())))
        for whose, kept, client in self._kept:
            if whose() is model and kept == values:
                return client
        client = _client_of(values)
        others = [kept for kept in self._kept if kept[0]() is not None and kept[0]() is not model]
        self._kept = (*others, (ref(model), values, client))
        return client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientCache)

    def __hash__(self) -> int:
        return hash(ClientCache)

    def __reduce__(self) -> tuple[type["ClientCache"], tuple[()]]:
        return ClientCache, ()


class _Items(tuple[tuple[str, str], ...]):
    """A mapping's items: unlike the mapping they can be hashed, and do not change."""

    __slots__ = ()


def _frozen(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return _Items(value.items()) if isinstance(value, Mapping) else value


def _client_of(values: tuple[object, ...]) -> DynasparkClient:
    proxies = [name for upper in PROXY_VARIABLES for name in (upper, upper.lower())]
    environment = tuple(map(os.environ.get, (*VARIABLES.values(), *proxies)))  # a model made later may find another
    try:
        return _client(environment, values)
    except TypeError:  # a value cannot be hashed, so it is no setting: the client says why
        return _client.__wrapped__(environment, values)


@lru_cache(maxsize=256)
def _client(_environment: tuple[str | None, ...], values: tuple[object, ...]) -> DynasparkClient:
    given: dict[str, Any] = {
        name: dict(value) if isinstance(value, _Items) else value for name, value in zip(ROWS, values, strict=True)
    }
    return DynasparkClient(**given | {"model": given["model"] or None})


def without_user(url: str) -> str:
    """The URL without user and password, for what is shown or stored of a model."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def warn_of_unsent(values: Mapping[str, object]) -> None:
    """Warn that the parameters which are not None are accepted and not sent; Python shows it once for each caller."""
    given = [name for name, value in values.items() if value is not None]
    if given:
        warn(f"Dynaspark has no field for {', '.join(given)}: accepted, not sent", UserWarning, stacklevel=3)

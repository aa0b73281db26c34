"""The client that the fields of a framework's model mean; another when one of them has changed."""

import os
import threading
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any
from weakref import ref

from pydantic import SecretStr

from dynaspark_core.client.async_client import DynasparkClient
from dynaspark_core.transport.setting_checks import PROXY_VARIABLES
from dynaspark_core.transport.settings import ROWS, VARIABLES
from dynaspark_core.wire.query import SAMPLING, sampling

FIELDS = {name: "default_headers" if name == "headers" else name for name in ROWS}
"""Setting → the field of the frameworks' models that holds it."""
_FIELDS_OF_A_CLIENT = (*FIELDS.values(), *SAMPLING)
_PROXIES = [name for upper in PROXY_VARIABLES for name in (upper, upper.lower())]
_Mappings = tuple[Mapping[str, str], ...]


class HasClient:
    """A base of the frameworks' models: `_client` is the client that the fields mean at this moment."""

    @cached_property
    def _clients(self) -> "ClientCache":
        return ClientCache()

    @property
    def _client(self) -> DynasparkClient:
        return self._clients.client_for(self)

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if name in _FIELDS_OF_A_CLIENT:
            self._clients.forget(self)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in _FIELDS_OF_A_CLIENT:
            self._clients.forget(self)


class ClientCache:
    """Keeps the client that a model's fields mean, until it has to `forget` it because one of them was set.

    What is written into a model's `__dict__` is not noticed. The environment is read when a client is made. Deep copies
    and pickles of a model begin with a cache of their own; shallow copies share it, and each has its own client there.
    It does not count for the model's equality.
    """

    def __init__(self) -> None:
        self._kept: tuple[tuple[ref[Any], _Mappings, _Mappings, DynasparkClient], ...] = ()
        self._state = object()
        self._lock = threading.Lock()
        self.warned: set[str] = set()
        """The parameters of which a warning has said that they are not sent."""

    def forget(self, model: object) -> None:
        """Make the model's client anew when it is asked for again: a field was set."""
        with self._lock:
            self._state = object()
            self._kept = tuple([kept for kept in self._kept if kept[0]() is not model])

    def client_for(self, model: Any) -> DynasparkClient:
        """The client for a model with these fields, the same for the same values; a field that is missing is None.

        A mapping that was changed in place is noticed here.
        """
        for whose, mappings, copied, client in self._kept:
            if whose() is model and mappings == copied:
                return client
        state = self._state
        values = tuple(map(vars(model).get, _FIELDS_OF_A_CLIENT))
        frozen = tuple(map(_frozen, values))
        client = _client_of(frozen)
        mappings = tuple([value for value, items in zip(values, frozen, strict=True) if type(items) is _Items])
        copied = tuple([dict(items) for items in frozen if type(items) is _Items])
        with self._lock:
            if self._state is state:  # else a field may have been set meanwhile
                others = [kept for kept in self._kept if kept[0]() is not None and kept[0]() is not model]
                self._kept = (*others, (ref(model), mappings, copied, client))
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
    if value is None:  # as most are
        return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return _Items(value.items()) if isinstance(value, Mapping) else value


def _client_of(values: tuple[object, ...]) -> DynasparkClient:
    environment = tuple(map(os.environ.get, VARIABLES.values()))  # a model made later may find another
    if values[list(ROWS).index("trust_env")] or os.environ.get(VARIABLES["trust_env"]):
        environment += tuple(map(os.environ.get, _PROXIES))
    try:
        return _client(environment, values)
    except TypeError:  # a value cannot be hashed, so it is no setting: the client says why
        return _client.__wrapped__(environment, values)


@lru_cache(maxsize=256)
def _client(_environment: tuple[str | None, ...], values: tuple[object, ...]) -> DynasparkClient:
    given: dict[str, Any] = {
        name: dict(value) if isinstance(value, _Items) else value
        for name, value in zip((*ROWS, *SAMPLING), values, strict=True)
    }
    parameters = {name: given.pop(name) for name in SAMPLING}
    client = DynasparkClient(**given | {name: given[name] or None for name in ("model", "context_window")})
    return client.with_options(query=sampling(parameters, client.settings.route))

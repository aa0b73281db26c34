"""What the two faces share: the client that their fields mean, and the word on what is not sent. No framework here."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from warnings import warn
from weakref import ref

from dynaspark_core.client import DynasparkClient

NOT_SENT = ("temperature", "max_tokens", "top_p", "top_k", "seed")
"""Parameters that users of the frameworks set and that the service has no field for."""


class ClientCache:
    """Keeps the client that an object's attributes mean, and makes another when one of them has changed.

    The environment is read when a client is made. Deep copies and pickles of an object begin with a cache of their
    own; shallow copies share it, and each has its own client there. It says nothing of the object's equality.
    """

    def __init__(self) -> None:
        self._kept: tuple[_Kept, ...] = ()

    def client_for(self, model: Any) -> DynasparkClient:
        """The client for an object whose attributes are named as the settings, the same client for the same values."""
        fields = model.__dict__
        values = (*map(fields.get, _FIELDS), *(_items(fields.get(name)) for name in _MAPPINGS))
        for whose, kept, client in self._kept:
            if whose() is model and kept == values:
                return client
        client = _client_of(model)
        others = [kept for kept in self._kept if kept[0]() is not None and kept[0]() is not model]
        self._kept = (*others, (ref(model), values, client))
        return client

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClientCache)

    def __hash__(self) -> int:
        return hash(ClientCache)

    def __reduce__(self) -> tuple[type["ClientCache"], tuple[()]]:
        return ClientCache, ()


_Kept = tuple[ref[Any], tuple[object, ...], DynasparkClient]


def _client_of(model: Any) -> DynasparkClient:
    key = getattr(model, "api_key", None)
    values = {name: getattr(model, name) for name in _PLAIN} | {"allow_files": getattr(model, "allow_files", None)}
    values |= {"model": model.model or None, "api_key": key.get_secret_value() if key else None}
    mappings = {"headers": _items(model.default_headers), "model_aliases": _items(model.model_aliases)}
    try:
        hash((*values.values(), *mappings.values()))
    except TypeError:  # no setting is a list: the client says which one must be what
        return _client.__wrapped__((), **mappings, **values)
    return _client(_environment(), **mappings, **values)


_PLAIN = (
    "model",
    "base_url",
    "path",
    "proxy",
    "timeout",
    "max_retries",
    "max_repairs",
    "max_concurrency",
    "requests_per_hour",
    "limit_storage",
    "image_policy",
    "allow_image_urls",
)
_FIELDS = (*_PLAIN, "allow_files", "api_key")
_MAPPINGS = ("default_headers", "model_aliases")
_VARIABLES = tuple(f"DYNASPARK_{name.upper()}" for name in _FIELDS)
_Items = tuple[tuple[str, str], ...] | None


def _items(mapping: Mapping[str, str] | None) -> _Items:
    return None if mapping is None else tuple(mapping.items())


def _environment() -> tuple[str | None, ...]:
    """What the environment says of the settings now: an object made later may find another."""
    return tuple(map(os.environ.get, _VARIABLES))


@lru_cache(maxsize=256)
def _client(_of: tuple[str | None, ...], headers: _Items, model_aliases: _Items, **values: Any) -> DynasparkClient:
    return DynasparkClient(
        headers=None if headers is None else dict(headers),
        model_aliases=None if model_aliases is None else dict(model_aliases),
        **values,
    )


def warn_of_unsent(values: Mapping[str, object]) -> None:
    """Warns that the parameters which are not None are accepted and not sent; Python shows it once a place."""
    given = [name for name, value in values.items() if value is not None]
    if given:
        warn(f"Dynaspark has no field for {', '.join(given)}: accepted, not sent", UserWarning, stacklevel=3)

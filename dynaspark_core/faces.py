"""What the two faces share: the client that their fields mean, and the word on what is not sent. No framework here."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from warnings import warn

from dynaspark_core.client import DynasparkClient

NOT_SENT = ("temperature", "max_tokens", "top_p", "top_k", "seed")
"""Parameters that users of the frameworks set and that the service has no field for."""


def client_of(holder: Any) -> DynasparkClient:
    """The client for an object whose attributes are named as the settings, the same client for the same values."""
    key = getattr(holder, "api_key", None)
    values = {name: getattr(holder, name) for name in _PLAIN} | {"allow_files": getattr(holder, "allow_files", None)}
    return _client(
        _environment(),
        **{name: value or None if name == "model" else value for name, value in values.items()},
        api_key=key.get_secret_value() if key else None,
        headers=_items(holder.default_headers),
        model_aliases=_items(holder.model_aliases),
    )


_PLAIN = (
    "model",
    "base_url",
    "path",
    "proxy",
    "timeout",
    "max_retries",
    "max_repairs",
    "max_concurrency",
    "image_policy",
    "allow_image_urls",
)
_VARIABLES = tuple(f"DYNASPARK_{name.upper()}" for name in (*_PLAIN, "allow_files", "api_key"))
_Items = tuple[tuple[str, str], ...] | None


def _items(mapping: Mapping[str, str] | None) -> _Items:
    return None if mapping is None else tuple(mapping.items())


def _environment() -> tuple[str | None, ...]:
    """What the environment says of the settings: it may change while the program runs."""
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

"""A value against a JSON Schema: the value, with the few conversions that cannot be wrong, or what is wrong with it.

A reader of the subset that frameworks emit: types, members, items, enums, unions, `$ref`, limits. Unknown keywords
and formats mean nothing, a reference that leads nowhere allows everything. It resolves nothing over the network and
raises for no schema.

It imports its modules when they are asked for, not itself: the first calls of several threads import the package and
its modules, and where each waits for what the other has begun, Python raises an `ImportError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynaspark_core.schema.check import Check, conform, fold_name, known_names
    from dynaspark_core.schema.flat import is_flat_fit
    from dynaspark_core.schema.results import Mismatch, UnknownKey
    from dynaspark_core.schema.scalars import equal_json

__all__ = ["Check", "Mismatch", "UnknownKey", "conform", "equal_json", "fold_name", "is_flat_fit", "known_names"]

_MODULES = {
    **dict.fromkeys(("Check", "conform", "fold_name", "known_names"), "check"),
    "is_flat_fit": "flat",
    **dict.fromkeys(("Mismatch", "UnknownKey"), "results"),
    "equal_json": "scalars",
}
"""Name → the module that has it."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

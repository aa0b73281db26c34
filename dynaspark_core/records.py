"""Frozen dataclasses that are made quickly, for values that every call or every message needs.

`dataclasses` sets each field of a frozen class by `object.__setattr__`, which looks the slot up by its name. Here the
slot's own setter does it, in a third of the time. All else is what `dataclasses` makes, and type checkers see no other.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, field, fields
from functools import wraps
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Callable[[type], type]:
        """As `dataclasses.dataclass`, for classes with slots and without `__post_init__`."""
        return lambda kind: _quickly_made(dataclasses.dataclass(frozen=frozen, slots=slots)(kind))


def _quickly_made(kind: Any) -> Any:
    """The class with an `__init__` that takes the same arguments."""
    scope: dict[str, Any] = {"MISSING": MISSING}
    given, body = ["self"], []
    for each in fields(kind):
        name, value = each.name, each.name
        scope |= {f"set_{name}": getattr(kind, name).__set__, f"usual_{name}": each.default}
        if each.default_factory is not MISSING:
            scope[f"new_{name}"] = each.default_factory
            value = f"new_{name}() if {name} is MISSING else {name}"
        is_needed = each.default is MISSING and each.default_factory is MISSING
        given.append(name if is_needed else f"{name}=usual_{name}")
        body.append(f"set_{name}(self, {value})")
    exec(f"def made({', '.join(given)}): {'; '.join(body)}", scope)  # noqa: S102  # names of fields, as `dataclasses` does
    kind.__init__ = wraps(kind.__init__)(scope["made"])
    return kind

"""Frozen dataclasses that are made quickly, for values that every call or every message needs."""

from dataclasses import MISSING, fields
from functools import wraps
from typing import Any


class QuicklyMade:
    """The base of a frozen dataclass with slots, whose `__init__` then takes a third of the time.

    `dataclasses` sets each field of a frozen class by `object.__setattr__`, which looks the slot up by its name. Here
    the slot's own setter does it. All else is what `dataclasses` makes. There may be no `__post_init__`.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if {"__slots__", "__dataclass_fields__"} <= vars(cls).keys():  # `dataclass` makes a class with slots anew
            cls.__init__ = _init(cls)  # type: ignore[method-assign]  # of the same arguments


def _init(kind: Any) -> Any:
    """An `__init__` for the class, with the arguments that `dataclasses` gave it."""
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
    return wraps(kind.__init__)(scope["made"])

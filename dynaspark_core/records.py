"""Frozen dataclasses that are made quickly, for values that every call or every message needs."""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class QuicklyMade:
    """The base of a frozen dataclass with slots, whose `__init__` then takes a third of the time.

    `dataclasses` sets each field of a frozen class by `object.__setattr__`, which looks the slot up by its name. Here
    the slot's own setter does it. All else is what `dataclasses` makes. There may be no `__post_init__`.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        if {"__slots__", "__dataclass_fields__"} <= vars(cls).keys():  # `dataclass` makes a class with slots anew
            cls.__init__ = _init(cls)  # type: ignore[method-assign]  # of the same arguments


def maker(kind: Callable[P, T]) -> Callable[P, T]:
    """What makes objects of a class that `QuicklyMade` is the base of, in half of the time: for thousands of them.

    The fields of an open object with the same slots are set, as those of any object; then it becomes one of the class.
    """
    slots: Any = vars(kind)["__slots__"]
    arguments, values, scope = _arguments(kind)
    scope |= {"Open": type("Open", (QuicklyMade,), {"__slots__": slots}), "kind": kind}
    body = ["made = Open()", *(f"made.{name} = {value}" for name, value in values.items())]
    made: Callable[P, T] = _function(arguments, [*body, "made.__class__ = kind", "return made"], scope)
    return made


def _init(kind: Any) -> Any:
    """An `__init__` for the class, with the arguments that `dataclasses` gave it."""
    arguments, values, scope = _arguments(kind)
    scope |= {f"set_{name}": getattr(kind, name).__set__ for name in values}
    body = [f"set_{name}(self, {value})" for name, value in values.items()]
    return wraps(kind.__init__)(_function(["self", *arguments], body, scope))


def _arguments(kind: Any) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """The arguments of the class's `__init__`, what each field is set to, and the objects that both speak of."""
    arguments, values, scope = list[str](), dict[str, str](), dict[str, Any](MISSING=MISSING)
    for each in fields(kind):
        name = each.name
        scope |= {f"usual_{name}": each.default, f"new_{name}": each.default_factory}
        values[name] = name if each.default_factory is MISSING else f"new_{name}() if {name} is MISSING else {name}"
        is_needed = each.default is MISSING and each.default_factory is MISSING
        arguments.append(name if is_needed else f"{name}=usual_{name}")
    return arguments, values, scope


def _function(arguments: Iterable[str], body: Iterable[str], scope: dict[str, Any]) -> Any:
    exec(f"def made({', '.join(arguments)}): {'; '.join(body)}", scope)  # noqa: S102  # names of fields, as `dataclasses` does
    return scope["made"]

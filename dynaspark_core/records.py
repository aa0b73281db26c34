"""Frozen dataclasses that are made quickly, for values that every call or every message needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class QuicklyMade:
    """The base of a frozen dataclass with slots, whose `__init__` then takes a third of the time.

    `dataclasses` sets each field of a frozen class by `object.__setattr__`, which looks the slot up by its name. Here
    the value is of an open class with the same slots while its fields are set, by plain assignments. All else is what
    `dataclasses` makes. There may be no `__post_init__`, and one or two fields do not repay it.
    """

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        is_made_anew = {"__slots__", "__dataclass_fields__"} <= vars(cls).keys()  # as `dataclass` does for slots
        if cls.__base__ is QuicklyMade and is_made_anew:
            cls.__init__ = _init(cls)  # type: ignore[method-assign]  # of the same arguments


def maker(kind: Callable[P, T]) -> Callable[P, T]:
    """What makes objects of a class that `QuicklyMade` is the base of, in half of the time: for thousands of them."""
    arguments, values, scope = _parts(kind)
    made: Callable[P, T] = _function(arguments, ["self = opened()", *_closed(values), "return self"], scope)
    return made


def _init(kind: Any) -> Any:
    """An `__init__` for the class, with the arguments that `dataclasses` gave it."""
    arguments, values, scope = _parts(kind)
    scope |= {"set_class": object.__dict__["__class__"].__set__, "usual": kind.__init__}
    of_subclass = f"if type(self) is not kind: return usual(self, {', '.join(values.values())})"
    body = [of_subclass, "set_class(self, opened)", *_closed(values)]
    return wraps(kind.__init__)(_function(["self", *arguments], body, scope))


def _parts(kind: Any) -> tuple[list[str], dict[str, str], dict[str, Any]]:
    """The arguments, what each field is set to, and what both speak of."""
    arguments, values = list[str](), dict[str, str]()
    opened = type(kind.__name__, (QuicklyMade,), {"__slots__": kind.__slots__})
    scope: dict[str, Any] = {"MISSING": MISSING, "kind": kind, "opened": opened}
    for each in fields(kind):
        name = each.name
        scope |= {f"usual_{name}": each.default, f"new_{name}": each.default_factory}
        values[name] = name if each.default_factory is MISSING else f"(new_{name}() if {name} is MISSING else {name})"
        is_needed = each.default is MISSING and each.default_factory is MISSING
        arguments.append(name if is_needed else f"{name}=usual_{name}")
    return arguments, values, scope


def _closed(values: Mapping[str, str]) -> list[str]:
    """What sets the fields of an open object and makes it one of the class."""
    return [*(f"self.{name} = {value}" for name, value in values.items()), "self.__class__ = kind"]


def _function(arguments: Iterable[str], body: Iterable[str], scope: dict[str, Any]) -> Any:
    lines = "\n ".join(body)
    exec(f"def made({', '.join(arguments)}):\n {lines}", scope)  # noqa: S102  # names of fields, as `dataclasses` does
    return scope["made"]

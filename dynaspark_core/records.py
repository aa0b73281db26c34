"""Values that are made quickly: frozen dataclasses that every call needs, pydantic models for a piece of a stream."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import wraps
from typing import Any, TypeVar

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


def maker_of(model: T, *names: str) -> Callable[..., T]:
    """A function that makes pydantic models like this one; it takes the values of the fields that are named.

    A model is made as `pickle` makes it: nothing is checked, which is most of what a constructor does. So the values
    have to be what the fields would hold. Containers that are empty in the model are made anew for each.
    """
    kind: Any = type(model)
    state = kind.__getstate__(model)
    scope = {"kind": kind, "new": kind.__new__}
    parts = {each: each if each in names else _code(each, value, scope) for each, value in state["__dict__"].items()}
    written = {
        **{slot: _code(f"value_{slot}", value, scope) for slot, value in state.items()},
        "__dict__": "{" + ", ".join(f"{each!r}: {part}" for each, part in parts.items()) + "}",
        "__pydantic_fields_set__": "{" + ", ".join(map(repr, sorted(state["__pydantic_fields_set__"]))) + "}",
    }
    scope |= {f"set_{slot}": _setter(kind, slot) for slot in written}
    body = "; ".join(f"set_{slot}(model, {value})" for slot, value in written.items())
    exec(f"def made({', '.join(names)}): model = new(kind); {body}; return model", scope)  # noqa: S102  # names of fields
    made: Callable[..., T] = scope["made"]
    return made


def _code(name: str, value: object, scope: dict[str, Any]) -> str:
    """What stands for a value in the code of a function: an empty container, or the name of the value itself."""
    if isinstance(value, dict | list | set) and not value:
        return repr(value)
    scope[f"usual_{name}"] = value
    return f"usual_{name}"


def _setter(kind: type, slot: str) -> Callable[[object, object], None]:
    setter: Callable[[object, object], None] = next(
        vars(each)[slot].__set__ for each in kind.__mro__ if slot in vars(each)
    )
    return setter

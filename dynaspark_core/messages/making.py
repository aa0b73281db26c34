"""Values that are made quickly: frozen dataclasses that every call needs, pydantic models for answers."""

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


def model_maker(model: T, *names: str) -> Callable[..., T]:
    """A function that makes pydantic models like this one; it takes the values of the fields that are named.

    A model is made as `pickle` makes it: nothing is checked, which is most of what a constructor does. So the values
    have to be what the fields would hold. Containers that are empty in the model are made anew for each.
    """
    kind: Any = type(model)
    state = kind.__getstate__(model)
    scope = {"kind": kind, "new": kind.__new__}
    parts = {each: each if each in names else _code(each, value, scope) for each, value in state["__dict__"].items()}
    given = sorted({*state["__pydantic_fields_set__"], *names})
    written = {
        **{slot: _code(f"value_{slot}", value, scope) for slot, value in state.items()},
        "__dict__": "{" + ", ".join(f"{each!r}: {part}" for each, part in parts.items()) + "}",
        "__pydantic_fields_set__": "{" + ", ".join(map(repr, given)) + "}",
    }
    scope |= {f"set_{slot}": _setter(kind, slot) for slot in written}
    body = ["model = new(kind)", *(f"set_{slot}(model, {value})" for slot, value in written.items()), "return model"]
    made: Callable[..., T] = _function(names, body, scope)
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

"""Frozen dataclasses that are made quickly, for values that every call or every message needs."""

from dataclasses import MISSING, fields
from functools import wraps
from typing import Any


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


def _init(kind: Any) -> Any:
    """An `__init__` for the class, with the arguments that `dataclasses` gave it."""
    names = [each.name for each in fields(kind)]
    scope: dict[str, Any] = {"MISSING": MISSING, "kind": kind, "usual": kind.__init__}
    scope["opened"] = type(kind.__name__, (QuicklyMade,), {"__slots__": kind.__slots__})
    scope["set_class"] = object.__dict__["__class__"].__set__
    given, body = ["self"], []
    for each in fields(kind):
        scope |= {f"usual_{each.name}": each.default, f"new_{each.name}": each.default_factory}
        is_needed = each.default is MISSING and each.default_factory is MISSING
        given.append(each.name if is_needed else f"{each.name}=usual_{each.name}")
        if each.default_factory is not MISSING:
            body.append(f"if {each.name} is MISSING: {each.name} = new_{each.name}()")
    body.append(f"if type(self) is not kind: return usual(self, {', '.join(names)})")  # its slots may be others
    body.append("; ".join(["set_class(self, opened)", *(f"self.{name} = {name}" for name in names)]))
    body.append("self.__class__ = kind")
    lines = "\n ".join(body)
    exec(f"def made({', '.join(given)}):\n {lines}", scope)  # noqa: S102  # names of fields, as `dataclasses` does
    return wraps(kind.__init__)(scope["made"])

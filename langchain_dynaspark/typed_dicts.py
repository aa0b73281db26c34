"""A TypedDict → a pydantic class with the same members, for its schema alone.

LangChain's conversion refuses `NotRequired`, requires all members, knows no null and no recursion, and describes what
has no docstring by that of `dict`. Its `Annotated[type, default, description]` means the same here.
"""

from collections.abc import Iterable
from enum import Enum
from types import EllipsisType, NoneType, UnionType
from typing import Annotated, Any, ForwardRef, Literal, NotRequired, Required, Union, get_args, get_origin

from langchain_core.utils.function_calling import convert_to_openai_function
from pydantic import BaseModel, Field, create_model
from typing_extensions import ReadOnly, TypedDict, get_type_hints, is_typeddict

Names = dict[Any, str]
"""TypedDict → what it is called until all classes are made, as they may refer to each other."""
_REQUIREDNESS = {Required: True, NotRequired: False}
_DEFAULTS = (NoneType, EllipsisType, int, float, str, list, tuple, dict, Enum)
"""What LangChain's `Annotated` may begin with; `...` is no default."""


def model_of(kind: Any) -> type[BaseModel]:
    """The pydantic class of a TypedDict. Raises `ValueError` for a description that is no text."""
    names: Names = {kind: "T0"}
    models: dict[Any, type[BaseModel]] = {}
    while waiting := names.keys() - models.keys():
        models |= {each: _model(each, names) for each in waiting}
    namespace = {name: models[each] for each, name in names.items()}
    for model in models.values():
        model.model_rebuild(force=True, _types_namespace=namespace)
    return models[kind]


def _model(kind: Any, names: Names) -> type[BaseModel]:
    """The class of this TypedDict alone; those in it are added to `names`."""
    hints = get_type_hints(kind, include_extras=True)
    about, told = _documented(kind, hints)
    fields: dict[str, Any] = {}
    for key, hint in hints.items():
        member, extras, is_required = _unwrapped(hint, is_required=key in kind.__required_keys__)
        facts = {**_facts(key, extras), "alias": key, **({"description": told[key]} if key in told else {})}
        if not is_required and "default" not in facts:
            facts["default_factory"] = dict  # which a schema does not tell
        fields[f"f{len(fields)}"] = _named(member, names), Field(**facts)  # any key is a name for an alias
    return create_model(kind.__name__, __doc__=about, **fields)


def _unwrapped(hint: Any, *, is_required: bool) -> tuple[Any, tuple[Any, ...], bool]:
    """The type of a member, what `Annotated` says beside it, and whether the member is required."""
    extras: tuple[Any, ...] = ()
    while (origin := get_origin(hint)) in (Annotated, Required, NotRequired, ReadOnly):
        if origin is Annotated:
            extras += hint.__metadata__
        is_required = _REQUIREDNESS.get(origin, is_required)
        hint = get_args(hint)[0]
    if extras and not isinstance(extras[0], _DEFAULTS):  # they are pydantic's
        return Annotated[(hint, *extras)], (), is_required
    has_default = bool(extras) and extras[0] is not ...
    return hint, extras, is_required and not has_default


def _facts(key: str, extras: tuple[Any, ...]) -> dict[str, Any]:
    """The default and the description that LangChain's `Annotated` says; None and `...` are no default to tell."""
    facts = dict(zip(("default", "description"), extras, strict=False))
    if not isinstance(facts.get("description") or "", str):
        raise ValueError(f"the description of {key!r} is of type {type(facts['description']).__name__}")  # noqa: TRY004  # as LangChain
    return {name: value for name, value in facts.items() if value is not ... and value is not None}


def _named(kind: Any, names: Names) -> Any:
    """The type, with the name of each TypedDict in its place."""
    origin, parts = get_origin(kind), get_args(kind)
    if is_typeddict(origin or kind):
        return ForwardRef(names.setdefault(origin or kind, f"T{len(names)}"))
    if not parts or origin is Literal:
        return kind
    if origin is Annotated:
        return Annotated[(_named(parts[0], names), *kind.__metadata__)]
    inner = tuple(_named(part, names) for part in parts)
    return Union[inner] if origin in (Union, UnionType) else origin[inner]  # noqa: UP007  # of a tuple


def _documented(kind: Any, keys: Iterable[str]) -> tuple[str, dict[str, str]]:
    """What the docstring says of the whole and of each key, as LangChain reads it."""
    if not kind.__doc__:
        return "", {}
    names = [key for key in keys if not key.startswith("_")]
    plain: Any = TypedDict(kind.__name__, dict.fromkeys(names, str))  # type: ignore[misc]  # made at run time
    plain.__doc__ = kind.__doc__
    try:
        function = convert_to_openai_function(plain)
    except (NameError, ValueError):  # a key that can be no name of a field
        return kind.__doc__, {}
    members = function["parameters"]["properties"]
    return function["description"], {key: about for key, each in members.items() if (about := each.get("description"))}

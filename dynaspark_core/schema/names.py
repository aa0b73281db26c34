"""Which keys a schema lists for an object. It checks no values: `check` does."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_ALTERNATIVES = ("anyOf", "oneOf")
_WITHIN = ("allOf", *_ALTERNATIVES, "$ref", "then", "else", "dependentSchemas")


def listed_names(schema: Any, target: Callable[[object], Any], seen: set[int] | None = None) -> dict[str, Any] | None:
    """The keys under `properties` and their schemas, also those of the schemas it is made of. None: others are welcome.

    Empty: it lists none. `target` resolves references. A schema that refers to itself is visited once.
    """
    names: dict[str, Any] = {}
    seen = set() if seen is None else seen
    waiting, alternatives = [schema], list[Any]()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, Mapping) or id(node) in seen:
            continue
        seen.add(id(node))
        if _is_open(node) or target(node.get("$ref", "#")) is True:
            return None
        names.update({name: part for name, part in _mapping(node.get("properties")).items() if isinstance(name, str)})
        alternatives += [part for keyword in _ALTERNATIVES for part in _list(node.get(keyword))]
        waiting += _applied(node, target)
    return _with_alternatives(names, alternatives, target, seen)


def _with_alternatives(
    names: dict[str, Any], parts: list[Any], target: Callable[[object], Any], seen: set[int]
) -> dict[str, Any] | None:
    is_listed = bool(names)
    for part in parts:
        found = listed_names(part, target, seen)
        if found is None or not (found or is_listed or _takes_no_object(part)):
            return None
        names.update(found)
    return names


def _applied(node: Mapping[str, Any], target: Callable[[object], Any]) -> Iterator[Any]:
    """The schemas that hold for the same object, apart from alternatives."""
    if isinstance(node.get("$ref"), str):
        yield target(node["$ref"])
    yield from _list(node.get("allOf"))
    yield from (node.get("if"), node.get("then"), node.get("else"))
    for keyword in ("dependentSchemas", "dependencies"):
        yield from _mapping(node.get(keyword)).values()


def _is_open(node: Mapping[str, Any]) -> bool:
    is_closed = node.get("additionalProperties", False) is False and node.get("unevaluatedProperties", False) is False
    return not is_closed or bool(node.get("patternProperties")) or "$dynamicRef" in node


def _takes_no_object(part: Any) -> bool:
    """Whether the alternative is for other values than objects, or its keys are found elsewhere."""
    if not isinstance(part, Mapping):
        return part is False
    types = part.get("type", "object")
    return "object" not in (types if isinstance(types, list | tuple) else [types]) or any(
        keyword in part for keyword in (*_WITHIN, "properties", "enum", "const")
    )


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

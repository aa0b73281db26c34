"""What the top of a schema leads to and takes, and whether a schema refers to itself. It checks no values."""

from collections.abc import Iterator, Mapping
from typing import Any

from dynaspark_core.schema.references import References

VALUE_TYPES = ("string", "integer", "number", "boolean", "null", "array")
"""Types of values that are no objects; one that nobody knows, as Google's `OBJECT`, may be any."""
_ABOUT = ("title", "description")


def without_about(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without title and description."""
    return {key: value for key, value in schema.items() if key not in _ABOUT}


def with_own_top(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, with what its top leads to in place where that is a reference: calls are read by `properties`.

    Its own keys win; a title and a description of what it leads to are left out.
    """
    if not (target := top_target(schema)):
        return schema
    return {**without_about(target), **{key: value for key, value in schema.items() if key != "$ref"}}


def top_target(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that the top refers to; empty if it refers to none."""
    target = References(schema).target(schema["$ref"]) if "$ref" in schema else None
    return target if isinstance(target, Mapping) else {}


def takes_objects(schema: Mapping[str, Any]) -> bool:
    """Whether an object can fit, as a tool's arguments are one."""
    top = with_own_top(schema)
    choices = top.get("anyOf", top.get("oneOf"))
    return _may_be_object(top) and (not isinstance(choices, list) or any(map(_may_be_object, choices)))


def _may_be_object(schema: Any) -> bool:
    if not isinstance(schema, Mapping):
        return schema is not False
    kinds = schema.get("type", "object")
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    is_object = any(kind not in VALUE_TYPES for kind in (kinds if isinstance(kinds, list | tuple) else [kinds]))
    return is_object and (not isinstance(values, list) or any(isinstance(value, Mapping) for value in values))


def is_recursive(schema: Mapping[str, Any]) -> bool:
    """Whether a reference leads to itself, also through others."""
    target = References(schema).target
    waiting = {reference: {*_references(target(reference))} for reference in _references(schema)}
    while leaves := [reference for reference, found in waiting.items() if not found & waiting.keys()]:
        for reference in leaves:
            del waiting[reference]
    return bool(waiting)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
        yield node["$ref"]
    if isinstance(node, Mapping | list):
        for part in node.values() if isinstance(node, Mapping) else node:
            yield from _references(part)

"""The arguments of the example that shows how to write a call: as small as may be, and of the right types.

A model copies the form of the example, so a text in the place of a list or an object would be copied, too.
"""

from collections.abc import Callable, Mapping
from typing import Any

MAX_LEVELS = 3
"""Objects and lists within each other that the example shows; deeper ones are empty."""
Target = Callable[[str], Any]
"""A reference → what it names in the schema."""
_SAMPLES: Mapping[str, Any] = {
    "string": "…", "integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}, "null": None,
}  # fmt: skip


def sample_arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each argument that a call needs, or for the first one if it needs none."""
    from dynaspark_core.schema.references import References  # noqa: PLC0415  # only tools need it

    return _object(schema, References(schema).target, 0)


def _object(schema: Mapping[str, Any], target: Target, level: int) -> dict[str, Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    required = schema.get("required")
    names = [name for name in required if name in properties] if isinstance(required, list | tuple) else []
    return {name: _sample(properties[name], target, level + 1) for name in names or list(properties)[:1]}


def _sample(schema: object, target: Target, level: int) -> Any:
    """A value that shows the type: one of the schema's own where it names some."""
    schema = _meant(schema, target)
    for key in ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
    if kind == "object" and level < MAX_LEVELS:
        return _object(schema, target, level)
    if kind == "array" and level < MAX_LEVELS and "items" in schema:
        return [_sample(schema["items"], target, level + 1)]
    return _SAMPLES.get(str(kind), "…")


def _meant(schema: object, target: Target) -> Mapping[str, Any]:
    """The schema behind references, and the first part of a union that is more than null."""
    for _ in range(MAX_LEVELS):
        node: Mapping[str, Any] = schema if isinstance(schema, Mapping) else {}
        parts = [
            part for key in ("anyOf", "oneOf", "allOf") for part in _list(node.get(key)) if part != {"type": "null"}
        ]
        if isinstance(node.get("$ref"), str):
            schema = target(node["$ref"])
        elif parts and "type" not in node:
            schema = parts[0]
        else:
            return node
    return {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

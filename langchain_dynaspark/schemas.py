"""What LangChain's conversion of tools loses of their schemas: tops without properties, recursion, strict maps."""

import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import BaseModel
from pydantic.v1 import BaseModel as BaseModelV1

if TYPE_CHECKING:
    from dynaspark_core.schema.references import References

PARAMETERS = ("input_schema", "parameters", "inputSchema", "schema")
"""What the schema is called beside a name: by Anthropic, OpenAI, MCP, and OpenAI's `json_schema`."""
VALUE_TYPES = ("string", "integer", "number", "boolean", "null", "array")
"""Types of a JSON Schema whose values are no arguments of a tool."""
_SCALARS = VALUE_TYPES[:-1]
_ABOUT = ("title", "description")


def is_nameless(kind: Any) -> bool:
    """Whether it is a class without named fields: an enum, or one of Python's own."""
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return False
    is_of_python = kind.__module__.partition(".")[0] in sys.stdlib_module_names  # so says a class made at run time, too
    there = getattr(sys.modules.get(kind.__module__), kind.__name__, None)
    return issubclass(kind, Enum) or (is_of_python and there is kind)


def as_function(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary with name and `parameters`, where it is a titled JSON Schema or has its schema beside a name."""
    if "name" in tool:
        found = next((tool[key] for key in PARAMETERS if tool.get(key) is not None), None)
        return {**tool, "parameters": found} if found is not None else dict(tool)
    title = None if "toolSpec" in tool else tool.get("title", _target(tool).get("title"))
    if title is None:
        return dict(tool)
    about = {"description": tool["description"]} if "description" in tool else {}
    return {"name": title, **about, "parameters": without_about(tool)}


def without_about(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without title and description."""
    return {key: value for key, value in schema.items() if key not in _ABOUT}


def with_own_top(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema, with what its top leads to in place where that is a reference: calls are read by `properties`.

    Its own keys win; a title and a description of what it leads to are left out.
    """
    if not (target := _target(schema)):
        return schema
    return {**without_about(target), **{key: value for key, value in schema.items() if key != "$ref"}}


def _target(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that the top refers to; empty if it refers to none."""
    target = _references_of(schema).target(schema["$ref"]) if "$ref" in schema else None
    return target if isinstance(target, Mapping) else {}


def _references_of(schema: Mapping[str, Any]) -> "References":
    from dynaspark_core.schema.references import References  # noqa: PLC0415  # only schemas need it

    return References(schema)


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
    is_object = "object" in kinds if isinstance(kinds, list | tuple) else kinds == "object"
    return is_object and (not isinstance(values, list) or any(isinstance(value, Mapping) for value in values))


def recursive_parameters(tool: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tool's `parameters`; those with definitions where they refer to themselves, which the conversion cuts."""
    properties = parameters.get("properties")
    if isinstance(properties, Mapping) and all(map(_is_scalar, properties.values())):
        return parameters
    schema = _schema_of(tool)
    return without_about(schema) if _is_recursive(schema) else parameters


def _is_scalar(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") in _SCALARS


def _schema_of(tool: Any) -> Mapping[str, Any]:
    """The JSON Schema of a class's fields, or of the arguments of a tool or a function, its references kept."""
    from langchain_core.tools import BaseTool, create_schema_from_function  # noqa: PLC0415  # as LangChain's conversion

    if isinstance(tool, BaseTool):
        tool = tool.tool_call_schema
    elif callable(tool) and not (isinstance(tool, type) and issubclass(tool, dict | BaseModel | BaseModelV1)):
        tool = create_schema_from_function(
            tool.__name__, tool, filter_args=(), parse_docstring=True, include_injected=False
        )
    if isinstance(tool, type) and issubclass(tool, BaseModel):
        return tool.model_json_schema()
    if isinstance(tool, type) and issubclass(tool, BaseModelV1):
        return tool.schema()
    return tool if isinstance(tool, dict) else {}


def _is_recursive(schema: Mapping[str, Any]) -> bool:
    """Whether a reference leads to itself, also through others."""
    target = _references_of(schema).target
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


def closed(schema: Any) -> Any:
    """The schema as OpenAI tightens it: an object has the members listed, all of them, no others; a map stays."""
    if isinstance(schema, list | tuple):
        return [closed(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    tight = {key: _closed_part(key, value) for key, value in schema.items()}
    names = tight.get("properties")
    if not isinstance(names, Mapping) or (not names and tight.get("additionalProperties")):
        return tight
    return {**tight, **({"required": list(names)} if names else {}), "additionalProperties": False}


def _closed_part(key: str, value: Any) -> Any:
    if key in {"properties", "$defs", "definitions"} and isinstance(value, Mapping):
        return {name: closed(part) for name, part in value.items()}
    is_alone = key == "allOf" and isinstance(value, list) and len(value) == 1  # of two closed objects none is both
    return closed(value) if is_alone or key in {"anyOf", "items", "additionalProperties"} else value

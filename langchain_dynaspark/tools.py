"""Tools and schemas in every form that LangChain takes → OpenAI's dictionary of a tool, or a JSON Schema.

LangChain's conversion loses tops without properties, recursion and strict maps; what it loses is told here.
"""

import json
import sys
from collections.abc import Mapping
from enum import Enum
from inspect import get_annotations
from typing import Any, get_origin

from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel
from pydantic.errors import PydanticUserError
from pydantic.v1 import BaseModel as BaseModelV1
from typing_extensions import is_typeddict

from dynaspark_core.errors import ConfigError
from dynaspark_core.schema.strict import closed
from dynaspark_core.schema.tops import VALUE_TYPES, is_recursive, top_target, without_about
from langchain_dynaspark.typed_dicts import model_of

OWN_TOOL_TYPES = (None, "function", "object", "custom")
"""Types of tool dictionaries that describe a tool of the caller's; the others are tools that a provider runs itself."""
PARAMETERS = ("input_schema", "parameters", "inputSchema", "schema")
"""What the schema is called beside a name: by Anthropic, OpenAI, MCP, and OpenAI's `json_schema`."""
_SCALARS = VALUE_TYPES[:-1]
CAN_BE_GIVEN = "a function, a tool, a pydantic class, a dataclass, a TypedDict or a dictionary that describes a tool"
NAMELESS = "which has no named fields: make it a field of a class"
OF_VALUES = "a JSON Schema with a title, 'json_schema' with a schema or, as a response_format, 'json_object' and 'text'"
FREE_TEXT = "__arg1"
ANY_OBJECT = {"type": "object"}
NO_ARGUMENTS = {"type": "object", "properties": {}}


def openai_tool(tool: Any, place: str, *, strict: bool | None = None) -> dict[str, Any]:
    """The tool in OpenAI's form: `{"type": "function", "function": {"name", "description", "parameters"}}`.

    `place` names it in errors. Raises `ConfigError` for what describes no tool, and for tools that a provider runs.
    """
    if strict is None and is_in_form(tool):
        return dict(tool)
    try:
        function = _function(tool, place)
        if not isinstance(function.get("parameters") or {}, Mapping):
            raise ConfigError(f"{place} has parameters that are no JSON Schema: {function['parameters']!r}")
        if strict:
            function = {**function, "parameters": closed(function.get("parameters") or NO_ARGUMENTS)}
    except RecursionError as exc:
        raise ConfigError(f"{place} has a schema that is nested too deep, or in itself") from exc
    if not isinstance(function.get("name"), str) or not function["name"]:
        raise ConfigError(f"{place} describes no tool that has a name")
    said = function.get("strict")
    if strict is not None and said is not None and said != strict:
        raise ConfigError(f"{place} says strict={said}, and the call says strict={strict}")
    return {"type": "function", "function": function if strict is None else {**function, "strict": strict}}


def is_in_form(tool: Any) -> bool:
    """Whether it is what `bind_tools` makes, which every call brings again."""
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    return isinstance(function, dict) and bool(function.get("name")) and isinstance(function.get("parameters"), dict)


def json_schema(value: Any, place: str, *, strict: bool | None = None) -> dict[str, Any]:
    """The JSON Schema that a class, a tool or a titled schema means. Raises `ConfigError` that names the place."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    is_value = isinstance(kind, list | tuple) or kind in VALUE_TYPES
    if is_value and "title" in value:  # such a value cannot be a tool's arguments, but can be an answer
        return dict(closed(value) if strict else value)
    if is_value:
        raise ConfigError(f"{place} is a JSON Schema of type {kind!r} without a title: add one, it names the value")
    if kind not in OWN_TOOL_TYPES:
        raise ConfigError(f"{place} is of type {kind!r}; give {OF_VALUES}")
    function = openai_tool(value, place, strict=strict)["function"]
    described = {"description": function["description"]} if function.get("description") else {}
    return {"title": function["name"], **described, **(function.get("parameters") or ANY_OBJECT)}


def _function(tool: Any, place: str) -> dict[str, Any]:
    """Name, description and parameters of a tool in any form."""
    if isinstance(tool, Mapping):
        return _of_dictionary(tool, place)
    if objection := _objection(tool):
        raise ConfigError(f"{place} is {tool}, {objection}")
    try:
        tool = model_of(tool) if is_typeddict(tool) else tool
        written = convert_to_openai_tool(tool)
        function = dict(written["function"]) if "function" in written else _of_dictionary(written, place)
        if function.get("parameters"):
            function["parameters"] = _recursive_parameters(tool, function["parameters"])
        is_bare = _is_annotated_only(tool, function.get("parameters") or {})
    except (ValueError, TypeError, KeyError, AttributeError, NameError, PydanticUserError) as exc:
        if get_origin(tool) is not None:
            raise ConfigError(f"{place} is {tool}, {NAMELESS}") from exc
        reason = f"{type(exc).__name__}: {exc}"
        raise ConfigError(f"{place} describes no tool; give {CAN_BE_GIVEN} ({tool!r}: {reason})") from exc
    if is_bare:
        raise ConfigError(
            f"{place} is {tool}, whose members are only annotated: make it a pydantic class or a dataclass"
        )
    return function


def _of_dictionary(tool: Mapping[str, Any], place: str) -> dict[str, Any]:
    kind = tool.get("type")
    if isinstance(kind, list | tuple) or kind in VALUE_TYPES:
        raise ConfigError(f"{place} is a JSON Schema of type {kind!r}; a tool takes an object, with it as a property")
    if kind not in OWN_TOOL_TYPES:
        raise ConfigError(f"{place} is of type {kind!r}: the service runs no tools, so give tools of your own")
    if kind == "custom":
        tool = _with_free_text(tool.get("custom") or tool)
    if kind == "function":
        tool = tool.get("function") or {key: value for key, value in tool.items() if key != "type"}
    try:
        return dict(convert_to_openai_tool(_as_function(tool))["function"])
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ConfigError(f"{place} describes no tool: {exc}") from exc


def _as_function(tool: Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary with name and `parameters`, where it is a titled JSON Schema or has its schema beside a name."""
    if "name" in tool:
        found = next((tool[key] for key in PARAMETERS if tool.get(key) is not None), None)
        return {**tool, "parameters": found} if found is not None else dict(tool)
    title = None if "toolSpec" in tool else tool.get("title", top_target(tool).get("title"))
    if title is None:
        return dict(tool)
    about = {"description": tool["description"]} if "description" in tool else {}
    return {"name": title, **about, "parameters": without_about(tool)}


def _objection(kind: Any) -> str:
    """What is wrong with a class that has no named fields, an enum or one of Python's own, or a class of tools."""
    if not isinstance(kind, type) or get_origin(kind) is not None:
        return ""
    if issubclass(kind, BaseTool):
        return "a class of tools: give one of them, made by calling it"
    is_of_python = kind.__module__.partition(".")[0] in sys.stdlib_module_names  # so says a class made at run time, too
    there = getattr(sys.modules.get(kind.__module__), kind.__name__, None)
    return NAMELESS if issubclass(kind, Enum) or (is_of_python and there is kind) else ""


def _is_annotated_only(kind: Any, parameters: Mapping[str, Any]) -> bool:
    """Whether it is a plain class with annotated members of which the conversion has found none."""
    if not isinstance(kind, type) or issubclass(kind, BaseModel | BaseModelV1):
        return False
    annotations = {name: each for base in kind.__mro__ for name, each in get_annotations(base).items()}
    members = {name for name, each in annotations.items() if "ClassVar" not in str(each)}
    return bool(members) and members.isdisjoint(parameters.get("properties") or {})


def _with_free_text(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenAI's tool of a free text, with the argument that LangChain has for such tools; Anthropic's as it is."""
    if any(tool.get(key) for key in PARAMETERS):
        return tool
    form = tool.get("format") or {"type": "text"}
    about = {} if form == {"type": "text"} else {"description": f"in this format: {json.dumps(form)}"}
    properties = {FREE_TEXT: {"type": "string", **about}}
    return {**tool, "parameters": {"type": "object", "properties": properties, "required": [FREE_TEXT]}}


def _recursive_parameters(tool: Any, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tool's `parameters`; those with definitions where they refer to themselves, which the conversion cuts."""
    properties = parameters.get("properties")
    if isinstance(properties, Mapping) and all(map(_is_scalar, properties.values())):
        return parameters
    schema = _schema_of(tool)
    return without_about(schema) if is_recursive(schema) else parameters


def _is_scalar(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") in _SCALARS


def _schema_of(tool: Any) -> Mapping[str, Any]:
    """The JSON Schema of a class's fields, or of the arguments of a tool or a function, its references kept."""
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

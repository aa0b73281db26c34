"""The keyword arguments of one call, in LangChain's and OpenAI's many forms, as fields of our `Chat`.

`bind_tools` writes them with `call_arguments`, every call reads them with `chat_fields`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic.errors import PydanticUserError

from dynaspark_core import Tool, frameworks
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import new_tool
from dynaspark_core.prompt.kept import kept
from langchain_dynaspark.schemas import (
    VALUE_TYPES,
    as_function,
    closed,
    is_nameless,
    recursive_parameters,
    takes_objects,
    with_own_top,
)

WORDS = {"auto": "auto", "none": "none", "any": "required", "required": "required"}
"""What a `tool_choice` that names no tool may say, and what it is in a `Chat`."""
OWN_TOOL_TYPES = (None, "function", "object", "custom")
"""Types of tool dictionaries that describe a tool of the caller's; the others are tools that a provider runs itself."""
CAN_BE_GIVEN = "a function, a tool, a pydantic class, a dataclass, a TypedDict or a dictionary that describes a tool"
NAMELESS = "which has no named fields: make it a field of a class"
OF_VALUES = "a JSON Schema with a title, 'json_schema' with a schema or, as a response_format, 'json_object' and 'text'"
ANY_OBJECT = {"type": "object"}
NO_ARGUMENTS = {"type": "object", "properties": {}}


def call_arguments(
    tools: Sequence[Any],
    *,
    tool_choice: object = None,
    strict: bool | None = None,
    parallel_tool_calls: bool | None = None,
    response_format: object = None,
) -> dict[str, Any]:
    """The arguments of a call with these tools: `tools` in OpenAI's form, and what else was given.

    Raises `ConfigError` that names the tool or the choice which cannot be used.
    """
    listed = [openai_tool(tool, f"tools[{index}]", strict=strict) for index, tool in enumerate(tools)]
    functions = [tool["function"] for tool in listed]
    if wrong := [each["name"] for each in functions if not takes_objects(each.get("parameters") or {})]:
        raise ConfigError(f"{wrong[0]} takes no object, and a tool's arguments are one: make its value a property")
    chosen = choice_from(tool_choice, [each["name"] for each in functions])
    response_schema(response_format)
    given = {
        "tools": listed or None,
        "tool_choice": None if tool_choice is None else chosen,
        "parallel_tool_calls": parallel_tool_calls,
        "response_format": response_format,
    }
    return {name: value for name, value in given.items() if value is not None}


def chat_fields(
    *,
    tools: Sequence[Any] | None = None,
    tool_choice: object = None,
    parallel_tool_calls: bool | None = None,
    response_format: object = None,
) -> dict[str, Any]:
    """The fields of a `Chat` for these arguments. Raises `ConfigError` for one that is of no use."""
    known = _known(tools) if tools else ()
    return {
        "tools": known,
        "tool_choice": "auto" if tool_choice is None else choice_from(tool_choice, [tool.name for tool in known]),
        "parallel_tool_calls": parallel_tool_calls is not False,
        "response_schema": response_schema(response_format),
    }


@kept
def _known(tools: Sequence[Any]) -> tuple[Tool, ...]:
    """The tools of any form as ours, in their order."""
    functions = [
        (tool if _is_in_form(tool) else openai_tool(tool, f"tools[{index}]"))["function"]
        for index, tool in enumerate(tools)
    ]
    return tuple(
        new_tool(each["name"], each.get("description") or "", with_own_top(each.get("parameters") or {}))
        for each in functions
    )


def openai_tool(tool: Any, place: str, *, strict: bool | None = None) -> dict[str, Any]:
    """The tool in OpenAI's form: `{"type": "function", "function": {"name", "description", "parameters"}}`.

    `place` names it in errors. Raises `ConfigError` for what describes no tool, and for tools that a provider runs.
    """
    if strict is None and _is_in_form(tool):
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
    if strict is not None and (said := function.get("strict")) not in {None, strict}:
        raise ConfigError(f"{place} says strict={said}, and the call says strict={strict}")
    return {"type": "function", "function": function if strict is None else {**function, "strict": strict}}


def _function(tool: Any, place: str) -> dict[str, Any]:
    """Name, description and parameters of a tool in any form."""
    if isinstance(tool, Mapping):
        return _of_dictionary(tool, place)
    if is_nameless(tool):
        raise ConfigError(f"{place} is {tool}, {NAMELESS}")
    try:
        function = dict(convert_to_openai_tool(tool).get("function", {}))
        if function.get("parameters"):
            function["parameters"] = recursive_parameters(tool, function["parameters"])
    except (ValueError, TypeError, KeyError, AttributeError, PydanticUserError) as exc:
        if get_origin(tool) is not None:
            raise ConfigError(f"{place} is {tool}, {NAMELESS}") from exc
        reason = f"{type(exc).__name__}: {exc}"
        raise ConfigError(f"{place} describes no tool; give {CAN_BE_GIVEN} ({tool!r}: {reason})") from exc
    return function


def _of_dictionary(tool: Mapping[str, Any], place: str) -> dict[str, Any]:
    kind = tool.get("type")
    if isinstance(kind, list | tuple) or kind in VALUE_TYPES:
        raise ConfigError(f"{place} is a JSON Schema of type {kind!r}; a tool takes an object, with it as a property")
    if kind not in OWN_TOOL_TYPES:
        raise ConfigError(f"{place} is of type {kind!r}: the service runs no tools, so give tools of your own")
    if kind == "function":
        tool = tool.get("function") or {key: value for key, value in tool.items() if key != "type"}
    try:
        return dict(convert_to_openai_tool(as_function(tool))["function"])
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ConfigError(f"{place} describes no tool: {exc}") from exc


def _is_in_form(tool: Any) -> bool:
    """Whether it is what `bind_tools` makes, which every call brings again."""
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    return isinstance(function, dict) and bool(function.get("name")) and isinstance(function.get("parameters"), dict)


def choice_from(value: object, names: Sequence[str]) -> str:
    """`auto`, `none`, `required` or one of the names. Raises `ConfigError` for an unknown name or nothing to call.

    Also taken are True (`required`), None and False (`auto`), `any`, and the dictionaries of OpenAI and Anthropic.
    """
    if isinstance(value, Mapping):
        function = value.get("function")
        named = function.get("name") if isinstance(function, Mapping) else value.get("name")
        return _named(named, names) if named is not None else choice_from(value.get("type"), names)
    if value is None or isinstance(value, bool):
        value = "required" if value else "auto"
    word = WORDS.get(value) if isinstance(value, str) else None
    if word == "required" and not names:
        raise ConfigError(f"tool_choice is {value!r}, but there are no tools to call")
    return word or _named(value, names)


def _named(value: object, names: Sequence[str]) -> str:
    if isinstance(value, str) and value in names and value not in WORDS:
        return value
    raise ConfigError(f"tool_choice is {value!r}; it may be {', '.join((*WORDS, *names))}")


def response_schema(value: object) -> Mapping[str, Any] | None:
    """The schema of the JSON value that a `response_format` asks for; None when any text will do.

    It may be OpenAI's dictionary (`text`, `json_object`, `json_schema`), a JSON Schema with a title, or a class.
    """
    return frameworks.response_schema(value, lambda other: json_schema(other, "response_format"))


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

"""The keyword arguments of one call, in LangChain's and OpenAI's many forms, as fields of our `Chat`.

`bind_tools` writes them with `call_arguments`, every call reads them with `chat_fields`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from langchain_core.utils.function_calling import convert_to_openai_tool

from dynaspark_core import Tool, frameworks
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import new_tool
from dynaspark_core.prompt.kept import kept

WORDS = {"auto": "auto", "none": "none", "any": "required", "required": "required"}
"""What a `tool_choice` that names no tool may say, and what it is in a `Chat`."""
OWN_TOOL_TYPES = (None, "function", "object", "custom")
"""Types of tool dictionaries that describe a tool of the caller's; the others are tools that a provider runs itself."""
PLAIN_TYPES = (bool, int, float, str, list, dict)
ANY_OBJECT = {"type": "object"}


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
    chosen = choice_from(tool_choice, [tool["function"]["name"] for tool in listed])
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
        new_tool(each["name"], each.get("description") or "", each.get("parameters") or {}) for each in functions
    )


def openai_tool(tool: Any, place: str, *, strict: bool | None = None) -> dict[str, Any]:
    """The tool in OpenAI's form: `{"type": "function", "function": {"name", "description", "parameters"}}`.

    `place` names it in errors. Raises `ConfigError` for what describes no tool, and for tools that a provider runs.
    """
    if strict is None and _is_in_form(tool):
        return dict(tool)
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if kind not in OWN_TOOL_TYPES:
        raise ConfigError(f"{place} is of type {kind!r}: the service runs no tools, so give tools of your own")
    if isinstance(tool, Mapping) and kind == "function":
        tool = tool.get("function") or {key: value for key, value in tool.items() if key != "type"}
    try:
        converted = convert_to_openai_tool(tool, strict=strict)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        if tool in PLAIN_TYPES or get_origin(tool) is not None:
            raise ConfigError(f"{place} is {tool}, which has no named fields: make it a field of a class") from exc
        raise ConfigError(f"{place} describes no tool: {exc}") from exc
    except RecursionError as exc:
        raise ConfigError(f"{place} has a schema that is nested too deep, or in itself") from exc
    if not converted.get("function", {}).get("name"):
        raise ConfigError(f"{place} describes no tool that has a name")
    return converted


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
    if isinstance(value, Mapping) and "title" in value and value.get("type") not in OWN_TOOL_TYPES:
        return dict(value)  # a value that is no object cannot be a tool's arguments, but can be an answer
    function = openai_tool(value, place, strict=strict)["function"]
    described = {"description": function["description"]} if function.get("description") else {}
    return {"title": function["name"], **described, **(function.get("parameters") or ANY_OBJECT)}

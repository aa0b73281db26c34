"""The keyword arguments of one call, in LangChain's and OpenAI's many forms, as fields of our `Chat`.

`bind_tools` writes them with `call_arguments`, every call reads them with `chat_fields`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dynaspark_core import Tool, frameworks
from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import new_tool
from dynaspark_core.prompt.kept import kept

WORDS = {"auto": "auto", "none": "none", "any": "required", "required": "required"}
"""What a `tool_choice` that names no tool may say, and what it is in a `Chat`."""


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
    from dynaspark_core.schema.tops import takes_objects  # noqa: PLC0415  # only tools need it
    from langchain_dynaspark.tools import openai_tool  # noqa: PLC0415  # as above

    listed = [
        openai_tool(tool, f"tools[{index}]", strict=strict) for index, tool in enumerate(frameworks.listed(tools))
    ]
    functions = [tool["function"] for tool in listed]
    if wrong := [each["name"] for each in functions if not takes_objects(each.get("parameters") or {})]:
        raise ConfigError(f"{wrong[0]} takes no object, and a tool's arguments are one: make its value a property")
    chosen = choice_from(tool_choice, [each["name"] for each in functions])
    response_schema(response_format)
    given = {
        "tools": listed or None,
        "tool_choice": None if tool_choice is None else chosen,
        "parallel_tool_calls": False if _is_for_one(tool_choice) else parallel_tool_calls,
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
        "parallel_tool_calls": parallel_tool_calls is not False and not _is_for_one(tool_choice),
        "response_schema": response_schema(response_format),
    }


@kept
def _known(tools: Sequence[Any]) -> tuple[Tool, ...]:
    """The tools of any form as ours, in their order."""
    from dynaspark_core.schema.tops import with_own_top  # noqa: PLC0415  # only tools need it
    from langchain_dynaspark.tools import is_in_form, openai_tool  # noqa: PLC0415  # as above

    functions = [
        (tool if is_in_form(tool) else openai_tool(tool, f"tools[{index}]"))["function"]
        for index, tool in enumerate(frameworks.listed(tools))
    ]
    return tuple(
        new_tool(each["name"], each.get("description") or "", with_own_top(each.get("parameters") or {}))
        for each in functions
    )


def choice_from(value: object, names: Sequence[str]) -> str:
    """`auto`, `none`, `required` or one of the names. Raises `ConfigError` for an unknown name or nothing to call.

    Also taken are True (`required`), None and False (`auto`), `any`, and other providers' dictionaries.
    """
    if isinstance(value, Mapping):
        said = frameworks.choice_in(value)
        return _named(said, names) if said in names else choice_from(said, names)
    if value is None or isinstance(value, bool):
        value = "required" if value else "auto"
    word = WORDS.get(value) if isinstance(value, str) else None
    if word == "required" and not names:
        raise ConfigError(f"tool_choice is {value!r}, but there are no tools to call")
    return word or _named(value, names)


def _is_for_one(choice: object) -> bool:
    """Whether the choice is Anthropic's for one call at most."""
    return isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use") is True


def _named(value: object, names: Sequence[str]) -> str:
    if isinstance(value, str) and value in names and value not in WORDS:
        return value
    raise ConfigError(f"tool_choice is {value!r}; it may be {', '.join((*WORDS, *names))}")


def response_schema(value: object) -> Mapping[str, Any] | None:
    """The schema of the JSON value that a `response_format` asks for; None when any text will do.

    It may be OpenAI's dictionary (`text`, `json_object`, `json_schema`), a JSON Schema with a title, or a class.
    """
    return frameworks.response_schema(value, _schema_of_format)


def _schema_of_format(value: object) -> Mapping[str, Any]:
    from langchain_dynaspark.tools import json_schema  # noqa: PLC0415  # only schemas need it

    return json_schema(value, "response_format")

"""LlamaIndex's tools and choices of tools → plain dictionaries, and those → ours; a message's calls → selections."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools.types import BaseTool, ToolMetadata
from pydantic.errors import PydanticUserError

from dynaspark_core import Tool, frameworks
from dynaspark_core.errors import ConfigError, ToolCallError
from dynaspark_core.messages import new_tool
from llama_index_dynaspark import convert

Options = dict[str, Any] | None
CHOICES: dict[str | None, str] = {
    None: "auto",
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}
"""What LlamaIndex and OpenAI write for a choice that names no tool → ours."""


def tool_dictionary(tool: BaseTool | Mapping[str, Any]) -> dict[str, Any]:
    """The tool in OpenAI's shape, as plain values, for events are written out as JSON.

    The name is the tool's own, also where OpenAI would not take it (`G[int]`), for calls are looked up by it.
    """
    if isinstance(tool, Mapping):
        return dict(tool)
    if not isinstance(tool, BaseTool):
        raise ConfigError(
            f"a tool is of type {type(tool).__name__}; FunctionTool.from_defaults makes one of a function"
        )
    about = tool.metadata
    function = {
        "name": about.name,
        "description": about.description,
        "parameters": _parameters(about),
    }
    return {"type": "function", "function": function}


def _parameters(about: ToolMetadata) -> dict[str, Any]:
    """The schema of the tool's arguments, whole: LlamaIndex drops a top that is a reference, a union or a map."""
    from dynaspark_core.schema.tops import without_about  # noqa: PLC0415  # only tools need it

    is_their_own = type(about).get_parameters_dict is ToolMetadata.get_parameters_dict
    if about.fn_schema is None or not is_their_own:
        with _schema_errors(str(about.name)):
            return about.get_parameters_dict()
    return without_about(schema_of_class(about.fn_schema))


def tools_from(tools: Iterable[BaseTool | Mapping[str, Any]]) -> tuple[Tool, ...]:
    """The tools as ours. Raises `ConfigError` for one without a name, and for one that takes no object."""
    found = []
    for tool in map(tool_dictionary, frameworks.listed(tools)):
        function = tool.get("function") or tool
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(name, str) or not name:
            raise ConfigError(f"a tool has no name: {str(tool)[:200]}")
        parameters = _of_objects(function.get("parameters") or {}, name)
        found.append(new_tool(name, function.get("description") or "", parameters))
    return tuple(found)


def _of_objects(parameters: Any, name: str) -> Mapping[str, Any]:
    """The schema, its top in place. Raises `ConfigError` for one that takes no object."""
    from dynaspark_core.schema.tops import takes_objects, with_own_top  # noqa: PLC0415  # only tools need it

    if not isinstance(parameters, Mapping) or not takes_objects(parameters):
        raise ConfigError(f"{name} takes no object, and a tool's arguments are one: make its value a property")
    return with_own_top(parameters)


def schema_of_format(value: Any) -> Mapping[str, Any] | None:
    """The schema that a `response_format` asks for: OpenAI's dictionary, a JSON Schema or a pydantic class."""
    return frameworks.response_schema(value, _schema_of)


def schema_of_class(output_cls: type[BaseModel]) -> dict[str, Any]:
    """The class's JSON Schema. Raises `ConfigError` for what has none, and for one that is nested too deep."""
    try:
        with _schema_errors(getattr(output_cls, "__name__", "")):
            return output_cls.model_json_schema()
    except AttributeError as exc:
        raise ConfigError(f"{output_cls!r} is no pydantic class: give one, with a field for what you want") from exc


@contextmanager
def _schema_errors(name: str) -> Iterator[None]:
    """Turns pydantic's errors of a class that has no JSON Schema, such as one with a function in it, into ours."""
    try:
        yield
    except RecursionError as exc:
        raise ConfigError(f"the schema of {name} is nested too deep") from exc
    except PydanticUserError as exc:
        raise ConfigError(f"{name} has no JSON Schema: {exc.message}") from exc


def _schema_of(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping) and value:
        return value
    if isinstance(value, type) and issubclass(value, BaseModel):
        return schema_of_class(value)
    given = "empty" if value == {} else f"of the type {type(value).__name__}"
    raise ConfigError(f"response_format is {given}; give OpenAI's dictionary, a JSON Schema or a pydantic class")


def choice_from(choice: object, *, is_required: bool = False) -> str:
    """`auto`, `none`, `required`, or the name of a tool; without a choice, `required` where a call `is_required`."""
    if choice is None:
        return "required" if is_required else "auto"
    choice = frameworks.choice_in(choice) if isinstance(choice, Mapping) else choice
    if not isinstance(choice, str):
        raise ConfigError(f"tool_choice is {choice!r}; it must be {', '.join(filter(None, CHOICES))} or a tool's name")
    return CHOICES.get(choice, choice) or "auto"


def known_choice(choice: str, tools: Sequence[Tool]) -> str:
    """The choice, if the tools allow it. Raises `ConfigError` that names the tools there are."""
    if choice in {"auto", "none"} or (choice == "required" and tools):
        return choice
    names = [tool.name for tool in tools]
    if choice in names:
        return choice
    raise ConfigError(f"tool_choice is {choice!r}; the tools are: {', '.join(names) or 'none at all'}")


def selections(message: ChatMessage, *, must_call: bool = False) -> list[ToolSelection]:
    """The message's calls. One whose arguments are no JSON object is no selection: it must not run without them.

    Raises `ToolCallError` if there is none and one `must_call`.
    """
    calls = [
        ToolSelection(tool_id=call.id, tool_name=call.name, tool_kwargs=call.arguments)
        for call in convert.calls(message)[0]
    ]
    if not calls and must_call:
        text = message.content or ""
        raise ToolCallError(f"the model called no tool; it wrote: {text[:200] or 'nothing'}", text=text)
    return calls


def require_known(message: ChatMessage, tools: Sequence[BaseTool]) -> None:
    """Raises `ToolCallError` if the message calls a tool that is not there."""
    names = [tool.metadata.get_name() for tool in tools]
    for call in selections(message):
        if call.tool_name not in names:
            raise ToolCallError(
                f"the model called {call.tool_name!r}; the tools are: {', '.join(names)}",
                text=str(message.content or ""),
            )


def require_readable(response: ChatResponse) -> None:
    """Raises `ToolCallError` if the model called tools, and none of its calls can run."""
    raw = response.raw if isinstance(response.raw, dict) else {}
    if raw.get("finish_reason") == "malformed_tool_call" and raw.get("invalid_tool_calls"):
        text = str(response.message.content or "")
        raise ToolCallError(f"none of the model's calls can run: {text[:200]}", text=text)

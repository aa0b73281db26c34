"""A tool as one line: its name, what it does, and its arguments as a signature, or as JSON Schema where one is needed.

A signature says types, choices, defaults and descriptions, for a third fewer tokens than the schema. References,
patterns and bounds are beyond it: such a tool keeps its schema. Whatever callers wrote is folded to one line and
escaped, so that no text can forge the line of another tool.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dynaspark_core.messages import Tool
from dynaspark_core.prompt.compact import compact
from dynaspark_core.prompt.markers import escape
from dynaspark_core.prompt.turns import encode, json_line

MAX_LEVELS = 4
"""Objects and lists within each other that a signature shows; deeper ones are clearer as a schema."""
_SAID = frozenset(
    {"type", "enum", "const", "items", "properties", "required", "additionalProperties", "anyOf", "description",
     "default", "format", "$schema"}
)  # fmt: skip
"""The keywords that a signature can say."""
_OF_VALUES = {"anyOf", "enum", "const"}
"""Those that say what a value is; beside the members of an object they are conditions."""
_TYPES = {"string", "integer", "number", "boolean", "null", "array", "object"}


class _Beyond(Exception):  # noqa: N818  # it is a way out, no error
    """A signature cannot say this schema."""


def one_line(text: str) -> str:
    """The text with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())


def json_tool_line(tool: Tool) -> str:
    """The tool as one line of JSON: name, description, compact schema."""
    return json_tool_lines((tool,))[0]


def json_tool_lines(tools: Iterable[Tool]) -> Sequence[str]:
    """Each tool as one line of JSON: name, description, compact schema."""
    return [_json_line(*each) for each in _plain(tools)]


def signature_lines(tools: Iterable[Tool]) -> Sequence[str]:
    """Each tool as `- name: description. Arguments: {…}`; as `- ` and its JSON line where no signature can say it."""
    return [_signature_line(*each) for each in _plain(tools)]


def _plain(tools: Iterable[Tool]) -> Sequence[tuple[str, str, Mapping[str, Any]]]:
    """What is known of each tool, in JSON's types alone."""
    known = [(tool.name, tool.description, tool.parameters) for tool in tools]
    try:
        return [(name, description, schema) for name, description, schema in json.loads(encode(known))]
    except (RecursionError, ValueError):  # nested too deep, or in itself
        return known


def _json_line(name: str, description: str, parameters: Mapping[str, Any]) -> str:
    return json_line(
        {"name": name, "description": description.strip(), "parameters": compact(parameters, f"tool {name!r}")}
    )


def _signature_line(name: str, description: str, parameters: Mapping[str, Any]) -> str:
    schema = compact(parameters, f"tool {name!r}")
    if schema.get("description") == description:
        del schema["description"]
    try:
        arguments = f"{_object(schema, 0)}{_notes(schema, is_required=True)}"
    except _Beyond:
        return f"- {_json_line(name, description, parameters)}"
    about = escape(one_line(description))
    head = f"{escape(one_line(name))}: {about}" if about else escape(one_line(name))
    return f"- {head}{'' if head.endswith(('.', '!', '?', '…')) else '.'} Arguments: {arguments}"


def _object(schema: Mapping[str, Any], level: int) -> str:
    """`{"city": string, "days": integer (optional)}`."""
    _check(schema, level)
    if schema.get("type", "object") != "object" or schema.get("additionalProperties") not in (None, True, False):
        raise _Beyond
    properties, required = schema.get("properties", {}), schema.get("required", ())
    if not isinstance(properties, Mapping) or not isinstance(required, Sequence) or schema.keys() & _OF_VALUES:
        raise _Beyond
    if not all(name in properties for name in required):
        raise _Beyond
    members = (
        f"{json_line(name)}: {_said(part, level + 1, is_required=name in required)}"
        for name, part in properties.items()
    )
    return f"{{{', '.join(members)}}}"


def _check(schema: object, level: int) -> None:
    if not isinstance(schema, Mapping) or level > MAX_LEVELS or not schema.keys() <= _SAID:
        raise _Beyond


def _said(schema: Any, level: int, *, is_required: bool = True) -> str:
    """The type, with what is noted of it."""
    return f"{_type(schema, level)}{_notes(schema, is_required=is_required)}"


def _type(schema: Any, level: int) -> str:
    _check(schema, level)
    if "const" in schema:
        return json_line(schema["const"])
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return " | ".join(map(json_line, schema["enum"]))
    if isinstance(schema.get("anyOf"), list) and not schema.keys() & {"items", "properties"}:
        return " | ".join(_said(part, level + 1) for part in schema["anyOf"])
    if "anyOf" in schema:
        raise _Beyond
    kinds = schema.get("type", "any")
    return " | ".join(_kind(kind, schema, level) for kind in (kinds if isinstance(kinds, list) else [kinds]))


def _kind(kind: object, schema: Mapping[str, Any], level: int) -> str:
    if kind == "array" and "items" in schema:
        return f"[{_said(schema['items'], level + 1)}, …]"
    if kind == "object" and schema.get("properties"):
        return _object({**schema, "type": "object"}, level)
    if kind == "any" and not schema.keys() & {"items", "properties"}:
        return "any"
    if kind not in _TYPES or schema.get("additionalProperties") not in (None, True, False):
        raise _Beyond
    return str(kind)


def _notes(schema: Mapping[str, Any], *, is_required: bool) -> str:
    """` (optional, default 5: what it is for)`; nothing where there is nothing to say."""
    facts = ", ".join(_facts(schema, is_required=is_required))
    about = schema.get("description")
    text = escape(one_line(about)) if isinstance(about, str) else ""
    note = ": ".join(filter(None, (facts, text)))
    return f" ({note})" if note else ""


def _facts(schema: Mapping[str, Any], *, is_required: bool) -> Iterator[str]:
    if isinstance(schema.get("format"), str):
        yield escape(one_line(schema["format"]))
    if not is_required:
        yield "optional"
    if schema.get("default") is not None:
        yield f"default {json_line(schema['default'])}"

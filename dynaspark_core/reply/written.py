"""From what a model wrote to calls by name and arguments: the shapes of objects in which calls come.

Shapes only: whether the tool exists and takes these arguments is decided in `judge`. Keys are matched exactly, from the
lists below; nothing is guessed from a key that is not there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynaspark_core.messages import InvalidReason

NAME_KEYS = ("name", "tool_name", "function_name", "tool", "function", "action", "recipient_name", "toolName")
ARGUMENT_KEYS = (
    "arguments", "args", "parameters", "input", "tool_input", "action_input", "tool_args", "function_args", "kwargs",
    "params", "toolInput", "tool_arguments", "function_arguments", "tool_parameters", "payload",
)  # fmt: skip
WRAPPERS = ("functionCall", "function_call", "tool_call", "toolCall", "function", "tool_use", "toolUse", "tool", "call")
LISTS = ("tool_calls", "toolCalls", "tool_uses", "function_calls", "functionCalls", "calls")
CALL_KEYS = frozenset({*NAME_KEYS, *ARGUMENT_KEYS, *WRAPPERS, *LISTS, "id", "type", "role", "content", "index"})
"""First keys of an object that may be a call or a message with calls."""
MESSAGE_KEYS = ("tool_calls", "functionCall", "function_call")
"""Keys that only a message of calls has: a whole reply with one of them is a call, even if it is broken."""
MAX_NESTED_WRAPPERS = 6
"""Wrappers within wrappers that are opened: a message holds a list of calls that hold a function."""


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call as it was written. With a `reason` it could not be read; `source` is the object it was read from."""

    raw: str
    name: str | None = None
    arguments: Any = None
    source: Any = None
    reason: InvalidReason | None = None
    error: str = ""


def unwrap_calls(value: Any, raw: str, *, name: str | None = None, depth: int = 0) -> list[RawCall]:
    """The calls in a JSON value. `name` is the tool's, if the envelope said it: then the value may be its arguments."""
    if isinstance(value, list) and depth < MAX_NESTED_WRAPPERS:
        return [call for item in value for call in unwrap_calls(item, raw, name=name, depth=depth + 1)]
    if not isinstance(value, dict):
        return [RawCall(raw, name, source=value, reason="malformed", error="a call is a JSON object")]
    inner = None if name is not None else _inner(value)
    if inner is not None and depth < MAX_NESTED_WRAPPERS:
        return unwrap_calls(inner, raw, depth=depth + 1)
    return [_single(value, raw, name)]


def _inner(value: Mapping[str, Any]) -> Any:
    """What a wrapper holds: a list of calls, or the object with name and arguments."""
    for key in LISTS:
        if isinstance(value.get(key), list):
            return value[key]
    if _name(value) is not None:
        return None
    return next((value[key] for key in WRAPPERS if isinstance(value.get(key), dict)), None)


def _name(value: Mapping[str, Any]) -> str | None:
    return next((value[key] for key in NAME_KEYS if isinstance(value.get(key), str)), None)


def _single(value: dict[str, Any], raw: str, name: str | None) -> RawCall:
    own_name = _name(value)
    key = next((key for key in ARGUMENT_KEYS if key in value), None)
    if name is not None:
        is_whole = own_name is not None and key is not None and own_name.strip() == name
        arguments = value[key] if is_whole and key is not None else value
        if own_name is None and key == "arguments" and len(value) == 1 and isinstance(value[key], dict):
            arguments = value[key]
        return RawCall(raw, name, arguments, source=value)
    if own_name is None:
        # kept with all it has: the one tool that was asked for by name needs no name
        arguments = value[key] if key is not None and len(value) == 1 else value
        return RawCall(raw, None, arguments, source=value, reason="missing_name", error='a call needs a "name"')
    if key is None and not value.keys() <= {*NAME_KEYS, "id", "type", "index"}:
        error = 'the arguments do not stand under "arguments"'
        return RawCall(raw, own_name, source=value, reason="malformed", error=error)
    return RawCall(raw, own_name, value[key] if key is not None else {}, source=value)


def is_schema_echo(arguments: Any, properties: Any) -> bool:
    """Whether the arguments are the tool's schema instead of values for it."""
    if not isinstance(arguments, dict) or not isinstance(arguments.get("properties"), dict):
        return False
    own = properties if isinstance(properties, Mapping) else {}
    return arguments.get("type") == "object" and not {"type", "properties"} & own.keys()


def compact_json(value: Any) -> str:
    """The value as JSON without blanks, or nothing if it is nested too deep."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, TypeError, ValueError):
        return ""

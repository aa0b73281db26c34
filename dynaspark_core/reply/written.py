"""From what a model wrote to calls by name and arguments: the shapes of objects in which calls come.

Shapes only: whether the tool exists and takes these arguments is decided in `judge`. Keys are matched exactly, from the
lists below; nothing is guessed from a key that is not there.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from secrets import token_bytes
from typing import Any

from dynaspark_core.messages import InvalidReason
from dynaspark_core.messages.making import QuicklyMade

NAME_KEYS = ("name", "tool_name", "function_name", "tool", "function", "action", "recipient_name", "toolName")
ARGUMENT_KEYS = (
    "arguments", "args", "parameters", "input", "tool_input", "action_input", "tool_args", "function_args", "kwargs",
    "params", "toolInput", "tool_arguments", "function_arguments", "tool_parameters", "payload",
)  # fmt: skip
WRAPPERS = ("functionCall", "function_call", "tool_call", "toolCall", "function", "tool_use", "toolUse", "tool", "call")
LISTS = ("tool_calls", "toolCalls", "tool_uses", "function_calls", "functionCalls", "calls")
THOUGHT_KEYS = ("thought", "thoughts", "reasoning", "reason", "explanation", "rationale")
REMARKS = frozenset({
    *THOUGHT_KEYS, "id", "type", "index", "call_id", "tool_call_id", "toolCallId", "toolUseId", "role", "content",
    "status", "description", "comment", "note", "signature", "thoughtSignature", "thought_signature", "finish_reason",
    "strict", "version",
})  # fmt: skip
"""Keys beside name and arguments that say something about a call and nothing to the tool."""
_OF_CALLS = frozenset({*THOUGHT_KEYS, "id", "type", "index", "call_id", "tool_call_id", "toolCallId", "toolUseId"})
"""Those that may be repeated beside arguments which hold such a key of their own."""
_SAMPLES: tuple[Any, ...] = ("…", ["…"])
"""What the prompt's example of a call has in the place of a text."""
_KINDS = ("function", "function_call", "tool_call", "tool_use")
"""What the `type` of a call is."""
_TYPES = ("string", "integer", "number", "boolean", "array", "object")
CALL_KEYS = frozenset(
    {*NAME_KEYS, *ARGUMENT_KEYS, *WRAPPERS, *LISTS, *THOUGHT_KEYS, "id", "type", "role", "content", "index"}
)
"""First keys of an object that may be a call or a message with calls."""
MESSAGE_KEYS = ("tool_calls", "functionCall", "function_call")
"""Keys that only a message of calls has: a whole reply with one of them is a call, even if it is broken."""
MAX_NESTED_WRAPPERS = 6
"""Wrappers within wrappers that are opened: a message holds a list of calls that hold a function."""

MAX_CALLS = 1_000
"""Most calls in one value, in the values of one envelope, or in one text of Python."""
TOO_MANY_CALLS = f"there are more than {MAX_CALLS:,} calls in one text"


_EMPTY: tuple[Any, ...] = (None, "", {}, [])
_AROUND = frozenset({*WRAPPERS, *LISTS})


@dataclass(frozen=True, slots=True)
class RawCall(QuicklyMade):
    """A call as it was written. With a `reason` it could not be read; `source` is the object it was read from.

    `beside` are keys next to the arguments that are remarks, unless the tool has a parameter of that name.
    """

    raw: str
    name: str | None = None
    arguments: Any = None
    source: Any = None
    reason: InvalidReason | None = None
    error: str = ""
    has_arguments: bool = True
    beside: frozenset[str] = frozenset()


def unwrap_calls(value: Any, raw: str, *, name: str | None = None) -> list[RawCall]:
    """The calls in a JSON value. `name` is the tool's, if the envelope gave it: the value is its arguments then.

    All that the value holds is used, or the call is malformed; so is a list of more than `MAX_CALLS`.
    """
    calls = _within(value, raw) if name is None else open_parallel(RawCall(raw, name, value, source=value))
    found = list(islice(calls, MAX_CALLS + 1))
    return found if len(found) <= MAX_CALLS else [RawCall(raw, reason="malformed", error=TOO_MANY_CALLS)]


def _within(value: Any, raw: str, depth: int = 0) -> Iterator[RawCall]:
    if isinstance(value, list) and depth < MAX_NESTED_WRAPPERS:
        for item in value:
            yield from _within(item, raw, depth + 1)
    elif not isinstance(value, dict):
        yield RawCall(raw, source=value, reason="malformed", error="a call is a JSON object")
    elif (key := _wrapper(value)) is None or depth >= MAX_NESTED_WRAPPERS:
        yield from open_parallel(_single(value, raw))
    elif (inner := _with_arguments_beside(value, key)) is None:
        yield _stray(value, raw, None, value.keys() - {key})
    else:
        yield from _within(inner, raw, depth + 1)


def open_parallel(call: RawCall) -> Iterator[RawCall]:
    """The calls within a call of OpenAI's `multi_tool_use.parallel`; any other call alone."""
    is_parallel = call.name is not None and call.name.strip().endswith("multi_tool_use.parallel")
    arguments = call.arguments if is_parallel and call.reason is None else None
    uses = arguments.get("tool_uses") if isinstance(arguments, dict) and len(arguments) == 1 else None
    if not isinstance(uses, list):
        yield call
        return
    for use in uses:
        yield from _within(use, call.raw)


def _wrapper(value: Mapping[str, Any]) -> str | None:
    """The key under which the call is, or a list of calls."""
    if _AROUND.isdisjoint(value):
        return None
    key = next((key for key in LISTS if isinstance(value.get(key), list)), None)
    if key is not None or _name_key(value) is not None:
        return key
    return next((key for key in WRAPPERS if isinstance(value.get(key), dict)), None)


def _with_arguments_beside(value: Mapping[str, Any], key: str) -> Any:
    """What the wrapper holds, with the arguments that were written beside it. None where something is left over."""
    inner = value[key]
    beside = {name: value[name] for name in ARGUMENT_KEYS if name in value and value[name] not in _EMPTY}
    if value.keys() - {key, *ARGUMENT_KEYS, *REMARKS}:
        return None
    if not beside:
        return inner
    if not isinstance(inner, dict) or beside.keys() & {name for name in inner if inner[name] not in _EMPTY}:
        return None
    return {**inner, **beside}


def _name_key(value: Mapping[str, Any]) -> str | None:
    return next((key for key in NAME_KEYS if isinstance(value.get(key), str)), None)


def _single(value: dict[str, Any], raw: str) -> RawCall:
    name_key = _name_key(value)
    written = [key for key in ARGUMENT_KEYS if key in value]
    filled = [key for key in written if value[key] not in _EMPTY]
    if name_key is None:  # kept with all it has: the one tool that was asked for by name needs no name
        inner = value[written[0]] if written and len(value) == 1 else value
        return RawCall(raw, None, inner, value, reason="missing_name", error='a call needs a "name"')
    rest = value.keys() - {name_key, *written}
    if any(value[key] != value[filled[0]] for key in filled[1:]):
        return _stray(value, raw, value[name_key], filled[1:])
    if not rest <= REMARKS:
        return _stray(value, raw, value[name_key], rest - REMARKS)
    key = next(iter([*filled, *written]), None)
    arguments = value[key] if key is not None else {}
    return RawCall(raw, value[name_key], arguments, value, has_arguments=key is not None, beside=frozenset(rest))


def _stray(value: Any, raw: str, name: str | None, keys: Iterable[str]) -> RawCall:
    error = f'only "name" and "arguments" belong in a call, found also {", ".join(sorted(map(repr, keys)))}'
    return RawCall(raw, name, source=value, reason="malformed", error=error)


def beside_arguments(call: RawCall, values: Any, properties: Mapping[str, Any]) -> set[str]:
    """The remarks beside the arguments that may be arguments of the tool: it has such parameters.

    What the arguments hold themselves is none, nor is the `type` that every call has.
    """
    doubtful = {key for key in call.beside & properties.keys() if key not in _OF_CALLS or key not in values}
    kind = call.source.get("type") if "type" in doubtful and isinstance(call.source, dict) else None
    if kind in _KINDS and kind not in (_listed(properties["type"], "enum") or ()):
        doubtful.remove("type")
    return doubtful


def _listed(schema: Any, key: str) -> Any:
    return schema.get(key) if isinstance(schema, Mapping) else None


def is_definition(call: RawCall) -> bool:
    """Whether it describes a tool, as a list of the tools in JSON does, rather than calls it."""
    if not isinstance(call.source, dict) or "description" not in call.source:
        return False
    values = call.arguments.values() if isinstance(call.arguments, dict) else ()
    return "parameters" in call.source or (bool(values) and all(value in _TYPES for value in values))


def new_id() -> str:
    """A random id: `call_` and 24 hexadecimal digits."""
    return f"call_{token_bytes(12).hex()}"


def is_schema_echo(arguments: Any, properties: Any) -> bool:
    """Whether the arguments are the tool's schema instead of values for it."""
    if not isinstance(arguments, dict) or not isinstance(arguments.get("properties"), dict):
        return False
    own = properties if isinstance(properties, Mapping) else {}
    return arguments.get("type") == "object" and not {"type", "properties"} & own.keys()


def echo_in(arguments: Mapping[str, Any], properties: Any) -> str:
    """What the arguments repeat of the prompt, instead of being values for it: the schema, or its example's dots."""
    if is_schema_echo(arguments, properties):
        return "the arguments are the schema, not values for it"
    sample = next((key for key, value in arguments.items() if value in _SAMPLES), None)
    return f"{sample}: the dots stand for a value in the example; write the value" if sample is not None else ""


def compact_json(value: Any) -> str:
    """The value as JSON without blanks, or nothing if it is nested too deep."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (RecursionError, TypeError, ValueError):
        return ""

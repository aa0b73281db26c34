"""What was written under a tool's name → an object of arguments: JSON text, raw text of tags, the call once more.

Only the shape of a call is opened here: its name and arguments, or the tool's name as the only key. Whatever else is
around a value, and whether it fits, is found in `wrapped` by the schema alone.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from dynaspark_core.messages import InvalidReason, Tool
from dynaspark_core.reply.names import Names
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.wrapped import Unwrapping
from dynaspark_core.reply.written import ARGUMENT_KEYS, MAX_NESTED_WRAPPERS, NAME_KEYS
from dynaspark_core.schema import Check, Mismatch


class Refused(Exception):  # noqa: N818 - a signal to the judge, never an error of the caller
    """What was written under `arguments` are none; `reason` and `error` say why."""

    def __init__(self, reason: InvalidReason, error: str) -> None:
        super().__init__(error)
        self.reason, self.error = reason, error


def as_object(given: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as an object; they may be JSON text. Nothing is {} where nothing is required. Raises `Refused`."""
    if isinstance(given, str) and given.strip():
        given = _parsed(given.strip())
    if isinstance(given, dict):
        return given
    is_nothing = given is None or given == [] or (isinstance(given, str) and not given.strip())
    if is_nothing and not schema.get("required"):
        return {}
    raise Refused("malformed", '"arguments" must be a JSON object')


def _parsed(text: str) -> Any:
    try:
        value, end = lenient_value(text, 0, len(text))
    except Unreadable as error:
        raise Refused("truncated" if error.is_cut else "malformed", f"arguments: {error.located(text)}") from None
    if text[end:].strip():
        raise Refused("malformed", "arguments: there is text after the object")
    return value


class Parameters:
    """What a tool takes. It keeps what is found out about the schema, as a reply may hold thousands of calls."""

    def __init__(self, tool: Tool, names: Names) -> None:
        self._name, self._schema, self._names = tool.name, tool.parameters, names
        self._parts: dict[str, Check] = {}

    @cached_property
    def _check(self) -> Check:
        return Check(self._schema)

    @cached_property
    def _unwrapping(self) -> Unwrapping:
        return Unwrapping(self._schema, self._name)

    def take(self, values: Any) -> bool:
        """Whether the schema takes the values, converted where it has to be."""
        return not isinstance(self._check.conform(values), Mismatch)

    def fit(self, values: Any) -> Any | Mismatch:
        """The values as the schema has them, or those that are wrapped in them; otherwise what is wrong."""
        return self._unwrapping.fit(values)

    def unwrapped(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The arguments without wrappers, unless the schema takes them so. Raises `Refused` for another's call."""
        for _ in range(MAX_NESTED_WRAPPERS):
            if not self._has_unknown_keys(arguments) and not (
                _is_named_call(arguments, self._name, self._names) and not self.take(arguments)
            ):
                break
            inner = _inside(arguments, self._name, self._names)
            if inner is None:
                break
            arguments = as_object(inner, self._schema)
        return arguments

    def _has_unknown_keys(self, arguments: Mapping[str, Any]) -> bool:
        """Whether a key is no parameter of the tool, where the schema lists them."""
        properties = self._schema.get("properties")
        return isinstance(properties, Mapping) and not arguments.keys() <= properties.keys()

    def from_texts(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Arguments written as raw text, each as its schema has it: text for a string, else the JSON it says."""
        properties = self._schema.get("properties")
        known = properties if isinstance(properties, Mapping) else {}
        return {
            name: _from_text(text, self._part(name, known[name])) if isinstance(known.get(name), Mapping) else text
            for name, text in texts.items()
        }

    def _part(self, name: str, part: Mapping[str, Any]) -> Check:
        """What checks the argument of this name."""
        if name not in self._parts:
            whole = {key: self._schema[key] for key in ("$defs", "definitions") if key in self._schema}
            self._parts[name] = Check(whole | dict(part))
        return self._parts[name]


def _is_named_call(arguments: Mapping[str, Any], name: str, names: Names) -> bool:
    """Whether this is a whole call of the tool: its name and arguments, nothing else."""
    key, value = _split(arguments)
    return key is not None and value is not None and names.find(arguments[key]) == name


def _split(arguments: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The keys of the name and of the arguments, where there are these two alone."""
    if len(arguments) != 2:
        return None, None
    name = next((key for key in NAME_KEYS if isinstance(arguments.get(key), str)), None)
    return name, next((key for key in ARGUMENT_KEYS if key in arguments), None)


def _inside(arguments: Mapping[str, Any], name: str, names: Names) -> Any:
    """What a wrapper around the arguments of the tool holds, or None."""
    key, value = _split(arguments)
    if key is not None and value is not None:
        found = names.find(arguments[key])
        if found is not None and found != name:
            raise Refused("malformed", f"the arguments of {name} hold a call of {found}")
        return arguments[value] if found is not None else None
    if len(arguments) != 1:
        return None
    key, inner = next(iter(arguments.items()))
    is_wrapper = key in ARGUMENT_KEYS or names.find(key) == name
    return inner if is_wrapper and isinstance(inner, dict) else None


def _from_text(text: str, check: Check) -> Any:
    stripped = text.strip()
    if stripped == "null" and check.conform(None) is None:
        return None
    if check.conform(text) == text:
        return text
    try:
        value, end = lenient_value(stripped, 0, len(stripped))
    except Unreadable:
        return stripped
    return value if end == len(stripped) else stripped

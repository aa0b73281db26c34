"""A JSON Schema made short for a prompt, with the same meaning for a reader.

Titles go, definitions that are used once stand where they are used; descriptions, enums and required keys stay.
Recursive definitions stay definitions. This is no validation and no resolving of remote references.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dynaspark_core.errors import ConfigError

_DEFINITIONS = ("$defs", "definitions")
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", *_DEFINITIONS})
"""Keywords whose members are named by the user: `title` below them is a name, no keyword."""
_DATA = frozenset({"const", "default", "enum", "examples", "example", "required"})
"""Keywords that hold data, not schemas."""
_PLAIN = (str, int, float, type(None))
MAX_SCHEMA_LEVELS = 200
"""Most objects and lists within each other, definitions put in place: some 400 frames of the interpreter's 1,000."""


class _TooDeep(Exception):  # noqa: N818 - a way out, no error
    """The schema is nested too deep, or within itself."""


def compact(schema: Mapping[str, Any], whose: str) -> dict[str, Any]:
    """The schema without titles, with definitions that are used once put in place, those of no use left out.

    Raises `ConfigError`, in the name of the tool or value that it is `whose`, for a schema that is nested too deep.
    """
    try:
        return _compact(schema)
    except _TooDeep:
        limit = f"more than {MAX_SCHEMA_LEVELS} levels deep, with its references"
        raise ConfigError(f"the schema of {whose} is nested {limit}, or in itself; use $ref for recursion") from None


def _compact(schema: Mapping[str, Any]) -> dict[str, Any]:
    definitions = {
        f"#/{group}/{name}": part
        for group in _DEFINITIONS
        if isinstance(named := schema.get(group), Mapping)
        for name, part in named.items()
        if isinstance(part, Mapping)
    }
    body = {key: value for key, value in schema.items() if key not in _DEFINITIONS}
    if not definitions:
        return dict(_shorten(body, {}))
    uses = _uses(body, definitions)
    once = {ref: part for ref, part in definitions.items() if uses[ref] == 1 and not _reaches_itself(ref, definitions)}
    result: dict[str, Any] = _shorten(body, once)
    for ref, part in definitions.items():
        if uses[ref] and ref not in once:
            _, group, name = ref.split("/", 2)
            result.setdefault(group, {})[name] = _shorten(part, once)
    return result


def _references(node: object) -> Iterator[str]:
    """Every `$ref` below the node, each as often as it stands there."""
    stack = [(node, 0)]
    while stack:
        top, depth = stack.pop()
        if depth > MAX_SCHEMA_LEVELS:
            raise _TooDeep
        if isinstance(top, Mapping):
            if isinstance(top.get("$ref"), str):
                yield top["$ref"]
            stack += [(value, depth + 1) for key, value in top.items() if key not in _DATA]
        elif isinstance(top, list | tuple):
            stack += [(item, depth + 1) for item in top]


def _uses(body: object, definitions: Mapping[str, Any]) -> Counter[str]:
    """How often each definition is referred to from the body and from definitions that are in use."""
    uses: Counter[str] = Counter(_references(body))
    waiting = list(uses)
    seen = set(waiting)
    while waiting:
        found = Counter(_references(definitions.get(waiting.pop())))
        uses += found
        waiting += found.keys() - seen
        seen |= found.keys()
    return uses


def _reaches_itself(ref: str, definitions: Mapping[str, Any]) -> bool:
    waiting, seen = [ref], set[str]()
    while waiting:
        for target in _references(definitions.get(waiting.pop())):
            if target == ref:
                return True
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return False


def _shorten(node: Any, once: Mapping[str, Any], *, is_named: bool = False, depth: int = 0) -> Any:
    if isinstance(node, _PLAIN):
        return node
    if depth > MAX_SCHEMA_LEVELS:
        raise _TooDeep
    if isinstance(node, list | tuple):
        return [_shorten(item, once, depth=depth + 1) for item in node]
    if not isinstance(node, Mapping):
        return node
    while not is_named and isinstance(ref := node.get("$ref"), str) and ref in once:  # the node's own keys win
        node = {**once[ref], **{key: value for key, value in node.items() if key != "$ref"}}
    shortened: dict[str, Any] = {}
    for key, value in node.items():
        if is_named:
            shortened[key] = _shorten(value, once, depth=depth + 1)
        elif key in _DATA:
            shortened[key] = value
        elif key != "title" or not isinstance(value, str):
            shortened[key] = _shorten(value, once, is_named=key in _NAMED, depth=depth + 1)
    return shortened

"""What a prompt asks for: free text, a call that must come, or one JSON value. Pure text."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

Schema = Mapping[str, object]

_TOOLS = re.compile(r"^<tools>\n(.*?)\n</tools>$", re.DOTALL | re.MULTILINE)
_ANY = "You must call at least one tool now."
_NAMED = re.compile(r"Call (.+) now\.")
_FORM = re.compile(r"^Reply with one JSON value that follows this JSON Schema.*\n(\{.*\})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as the prompt lists it."""

    name: str
    description: str = ""
    parameters: Schema = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any text; `has_tools` when it may also be a call."""

    has_tools: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call of one of these tools; never empty."""

    tools: tuple[Offered, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """One JSON value of this schema."""

    schema: Schema


Wanted = FreeText | Call | Value


def read_kind(opening: str, closing: str) -> Wanted:
    """What is asked for before and after the turns; free text where nothing that can be read is asked for."""
    section = _TOOLS.search(opening)
    tools = tuple(filter(None, map(_offered, section[1].splitlines()))) if section else ()
    if demanded := _demanded(tools, closing.rpartition("\n")[2]):
        return Call(demanded)
    form = _FORM.search(closing)
    schema = _object(form[1]) if form and not opening else None
    return FreeText(has_tools=bool(opening)) if schema is None else Value(schema)


def _demanded(tools: tuple[Offered, ...], reminder: str) -> tuple[Offered, ...]:
    """The tools of which one must be called, as the last line says; none if it leaves the choice."""
    if reminder == _ANY:
        return tools
    named = _NAMED.fullmatch(reminder)
    return tuple(tool for tool in tools if named and named[1] in {tool.name, json.dumps(tool.name, ensure_ascii=False)})


def _offered(line: str) -> Offered | None:
    entry = _object(line)
    if entry is None or not isinstance(entry.get("name"), str):
        return None
    parameters = entry.get("parameters")
    return Offered(
        cast("str", entry["name"]),
        str(entry.get("description", "")),
        cast("Schema", parameters) if isinstance(parameters, dict) else {},
    )


def _object(text: str) -> Schema | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("Schema", value) if isinstance(value, dict) else None

"""One line of a file: what is read, and what comes of it. `read_anew` reads it and gives the line as it should be.

A line is JSON. What stands first is given; append a line with that alone, and the writer (`__main__`) adds the rest:

* `replies.jsonl`: a `reply`, and the options of its reader, if any; `tools` are names.
* `objects.jsonl`: a `text` and the `schema` of the value in it.
* `checks.jsonl`: a `value` and its `schema`.

A text may be a list of parts: a string, or a string and how often it is repeated.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cases.dialects import ANY, RECORD
from cases.replies import TOOLS
from cases.uninvited import MORE

from dynaspark_core.errors import OutputError
from dynaspark_core.messages import Done, Reply, Tool
from dynaspark_core.reply.reader import ReplyReader
from dynaspark_core.reply.value import read_object
from dynaspark_core.schema import Mismatch, conform, known_names

HERE = Path(__file__).parent
NAMED: Mapping[str, Tool] = {tool.name: tool for tool in (*MORE, RECORD, ANY)}
PIECES = (1, 7)
"""In pieces of these sizes a reply is read, after it was read whole."""
Row = dict[str, Any]


def text_of(parts: str | Sequence[Any]) -> str:
    """The text that a line holds."""
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


def _reader(options: Mapping[str, Any]) -> ReplyReader:
    tools = tuple(NAMED.get(name) or Tool(name) for name in options["tools"]) if "tools" in options else TOOLS
    choice = options.get("tool_choice", "auto")
    return ReplyReader(tools, choice, **{key: options[key] for key in options.keys() - {"tools", "tool_choice"}})


def _told(reply: Reply) -> Row:
    """What matters of a reply; ids are random."""
    reported = [
        [call.reason, call.name, call.raw, call.error, call.arguments, call.is_wrong_value]
        for call in reply.invalid_tool_calls
    ]
    every = {
        "shown": reply.text,
        "reasoning": reply.reasoning,
        "calls": [[call.name, call.arguments] for call in reply.tool_calls],
        "reported": reported,
    }
    return {**{key: value for key, value in every.items() if value}, "finish": reply.finish_reason}


def _replies(row: Row) -> Iterator[Row]:
    given: Row = {key: row[key] for key in ("reply", "options") if key in row}
    text = text_of(row["reply"])
    for size in (len(text) or 1, *PIECES):
        reader = _reader(row.get("options", {}))
        for at in range(0, len(text), size):
            reader.feed(text[at : at + size])
        done = reader.close()[-1]
        assert isinstance(done, Done)
        yield {**given, **_told(done.reply)}


def _objects(row: Row) -> Iterator[Row]:
    given: Row = {key: row[key] for key in ("text", "schema")}
    try:
        yield {**given, "holds": read_object(text_of(row["text"]), row["schema"])}
    except OutputError as error:
        yield {**given, "error": str(error)}


def _checks(row: Row) -> Iterator[Row]:
    """As it is checked without and with the keys that are known, and which those are."""
    value, schema = row["value"], row["schema"]
    came = conform(value, schema), conform(value, schema, needs_known_keys=True)
    told = [{type(one).__name__: str(one)} if isinstance(one, Mismatch) else {"fits": one} for one in came]
    second = {"known_keys": told[1]} if json.dumps(told[0]) != json.dumps(told[1]) else {}
    names = known_names(schema)
    yield {"value": value, "schema": schema, **told[0], **second, **({"names": dict(names)} if names else {})}


FILES: Mapping[str, Callable[[Row], Iterator[Row]]] = {
    "replies.jsonl": _replies,
    "objects.jsonl": _objects,
    "checks.jsonl": _checks,
}


def lines_of(name: str) -> list[str]:
    """The lines of a file."""
    return (HERE / name).read_text(encoding="utf-8").splitlines()


def read_anew(name: str, line: str) -> Iterator[str]:
    """The line as it is read now: whole, and in pieces."""
    return map(json.dumps, FILES[name](json.loads(line)))

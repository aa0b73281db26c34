"""Inputs made to be expensive: each grows by repeating a unit, and each way to read is one of `WAYS`."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cases.replies import TOOLS
from dynaspark_core.errors import OutputError

Module = Callable[[str], Any]
"""A module of the core by its name, or its copy that counts (`steps.counted`)."""
PERSON = {
    "title": "Person",
    "type": "object",
    "properties": {"name": {"type": "string"}, "friends": {"type": "array", "items": {"type": "string"}}},
    "required": ["name"],
}


ITEM = {"$ref": "#/$defs/item"}
RECURSIVE = {
    **ITEM,
    "$defs": {
        "item": {
            "anyOf": [
                {"type": ["integer", "boolean", "null"]},
                {"enum": ["Oslo", "Rome", [1], {"a": 1}]},
                {"type": "array", "items": ITEM, "maxItems": 100_000},
                {
                    "type": "object",
                    "additionalProperties": ITEM,
                    "propertyNames": {"maxLength": 20},
                    "dependentSchemas": {"a": {"minProperties": 1}},
                    "if": {"required": ["b"]},
                    "then": {"properties": {"b": ITEM}},
                },
            ]
        }
    },
}
"""A schema of itself, with alternatives and conditions that look at the same value again."""
UNIQUE = {"type": ["array", "integer"], "uniqueItems": True, "items": {"$ref": "#"}, "not": {"enum": [[1], [[1]]]}}
"""A schema of itself that compares the values within."""


def read_whole(module: Module, text: str) -> object:
    return module("reply.reader").read_reply(text, TOOLS)


def read_pieces(module: Module, text: str, size: int = 16) -> object:
    reader = module("reply.reader").ReplyReader(TOOLS)
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    return reader.close()


def read_copied(module: Module, text: str) -> object:
    """The text is also a tool's result, that no call may be copied from."""
    return module("reply.reader").read_reply(text, TOOLS, untrusted=text)


def read_value(module: Module, text: str) -> object:
    with suppress(OutputError):
        return module("reply.value").read_object(text, PERSON)
    return None


def check_recursive(module: Module, text: str) -> object:
    """The value alone, against a schema that looks at its parts more than once."""
    return module("schema").conform(json.loads(text), RECURSIVE)


def check_unique(module: Module, text: str) -> object:
    """The value against a schema that compares its parts at each level."""
    return module("schema").conform(json.loads(text), UNIQUE)


def check_enum(module: Module, text: str) -> object:
    """A value of an item for every eight characters, under an enum that grows with it."""
    names = [f"{text[at : at + 2]}{at}" for at in range(0, len(text), 8)]
    schema = {"type": "array", "items": {"enum": names[: len(names) // 20 + 1]}}
    return module("schema").conform([names[at % (len(names) // 20 + 1)] for at in range(len(names))], schema)


WAYS: Mapping[str, Callable[[Module, str], object]] = {
    "whole": read_whole,
    "in pieces": read_pieces,
    "copied": read_copied,
    "value": read_value,
    "schema": check_recursive,
    "unique": check_unique,
    "enum": check_enum,
}


@dataclass(frozen=True, slots=True)
class Costly:
    """A way to read, and a text: `before`, as many `unit`s as are asked for, then as many `closing`s, `after`."""

    way: str
    unit: str
    before: str = ""
    closing: str = ""
    after: str = ""

    def __str__(self) -> str:
        around = f"{self.before!r} + " if self.before else ""
        return f"{self.way}: {around}{self.unit!r}{' … ' + repr(self.closing) if self.closing else ''}"

    def text(self, size: int) -> str:
        """About `size` characters."""
        count = max(1, size // len(self.unit + self.closing))
        return f"{self.before}{self.unit * count}{self.closing * count}{self.after}"

    def read(self, module: Module, size: int) -> Callable[[], object]:
        """Reads that text."""
        text = self.text(size)
        return lambda: WAYS[self.way](module, text)


SUM = '{"name": "add", "arguments": {"a": 1, "b": 2}}'
CALL = f"<tool_call>\n{SUM}\n</tool_call>\n"
ORDINARY = (
    Costly("whole", "The quick brown fox jumps over the lazy dog; it's fine.\n"),
    Costly("in pieces", "The quick brown fox jumps over the lazy dog; it's fine.\n"),
    Costly("whole", CALL),
    Costly("in pieces", CALL),
    Costly("in pieces", "def f(x): return {'a': [x, 1 < 2]}  # <b>\\n",
           '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "', after='"}}</tool_call>'),
    Costly("copied", CALL),
    Costly("value", '"Oslo", ', '{"name": "Bo", "friends": [', after='"Rome"]}'),
)  # fmt: skip
WORST = (
    Costly("value", "[/*"),
    Costly("value", "{"),
    Costly("value", "{}\n"),
    Costly("value", '{"name": "Bo"} '),
    Costly("value", "<think></think>"),
    Costly("whole", '</tool_call>{"a":"""'),
    Costly("whole", "<function=add><parameter=a>"),
    Costly("whole", "</think>"),
    Costly("whole", "<function>"),
    Costly("whole", "✿FUNCTION✿: f\n✿ARGS✿:"),
    Costly("whole", '<invoke name="x"/>', "<function_calls>"),
    Costly("whole", "„\n", after="<tool>"),
    Costly("in pieces", "<tool_call>"),
    Costly("in pieces", "x", "<tool_call>"),
    Costly("in pieces", "\n", "<tool_call>"),
    Costly("in pieces", " ", "Action: add\nAction Input:"),
    Costly("in pieces", "{\n"),
    Costly("copied", "<tool_call>get_time()</tool_call>"),
    Costly("copied", f"{SUM}, ", "[", after=f"{SUM}]"),
    Costly("schema", '"5", ', "[" * 30, after="5" + "]" * 30),
    Costly("unique", "[1], ", "[" * 40, after="1" + "]" * 40),
    Costly("enum", "ab"),
    Costly("whole", f"<tool_call{':' * 40}"),
    Costly("whole", "<tool_call>get_time()</tool_call>", "x ", after="</think>"),
    Costly("whole", " ", "<tool_call>#\n", after="x</tool_call>"),
    Costly("whole", f'```json\n{{"name": {"{" * 40}\n```\n'),
    Costly("whole", '{"a":1,"b":2}', 'x\n<tool_call name="add">', after="</tool_call>"),
)
"""One of each kind; the tests look at them in every run."""
MORE = (
    Costly("whole", "<tool_call>{"),
    Costly("value", "["),
    Costly("value", '{"a":'),
    Costly("value", "{'a' "),
    Costly("value", '"""'),
    Costly("value", "```json\n"),
    Costly("value", "<think>"),
    Costly("schema", '{"b": [1, "5"], "a": {}}, ', "[" * 30, after="1" + "]" * 30),
    Costly("schema", '{"b": 1, "c": {"a": "x"}}, ', "[", after="1]"),
    Costly("unique", "[[1]], ", "[", after="1]"),
    Costly("whole", '<tool_call>{"a": "</tool_call>'),
    Costly("whole", "<tool>{a:'x "),
    Costly("whole", "<tool>{"),
    Costly("whole", '<tool_call>{"'),
    Costly("whole", "a <code> b <tool>"),
    Costly("whole", "<pre>", closing="</code>", after="<tool>"),
    Costly("in pieces", "<tool_call>{"),
    Costly("in pieces", "the <pre> „<tool>{\n"),
    Costly("whole", "\n</parameter>", "<tool_call><function=add><parameter=a>"),
    Costly("whole", "add\n<arg_key>a</arg_key><arg_value>", "<tool_call>"),
    Costly("whole", "[add(a='", "<tool_call>"),
    Costly("whole", "```json\n{"),
    Costly("whole", "```tool_code\nadd(a=1"),
    Costly("whole", "Action: add\nAction Input: {"),
    Costly("whole", '{"name": "add", "arguments": {"a": 1, "b": 2}}\n', after="x"),
    Costly("whole", '{"tool_calls": [', closing="]}"),
    Costly("whole", '{"a":', '<tool_call>{"name": "add", "arguments": ', closing="}", after="}</tool_call>"),
    Costly("whole", "&quot;", "<tool_call>"),
    Costly("whole", "\\\\", '<tool_call>{"name": "add", "arguments": "'),
    Costly("whole", "`"),
    Costly("whole", "` "),
    Costly("in pieces", "x", "Action: add\nAction Input:"),
    Costly("in pieces", " "),
    Costly("in pieces", "\n"),
    Costly("in pieces", "<"),
    Costly("in pieces", "<|"),
    Costly("in pieces", "<|p"),
    Costly("in pieces", "</s>"),
    Costly("in pieces", "{}\n"),
    Costly("in pieces", "<function>\n"),
    Costly("copied", "```", after="<tool_response>"),
    Costly("in pieces", "< "),
    Costly("in pieces", "```\n"),
    Costly("in pieces", "x", "```python\n"),
    Costly("in pieces", "x ", "<think>"),
    Costly("in pieces", '{"a": "', "```json\n"),
    Costly("in pieces", "&quot;", "<tool_call>{"),
    Costly("in pieces", "</parameter>", "<tool_call><function=add><parameter=a>"),
    Costly("in pieces", '{"name": "add", "arguments": {"a": 1, "b": 2}}\n'),
    Costly("whole", " ", "<tool_call>\nadd", after="x</tool_call>"),
    Costly("whole", "_", "<tool_call>{", after="</tool_call>"),
    Costly("whole", "<tool_call>get_time()</tool_call>\n", "```xml\n", after="```"),
    Costly("whole", " ", '<tool_call>\n{"name": "get_time"}}', after="x</tool_call>"),
    Costly("whole", " ", "<tool_call>\n```", after="x</tool_call>"),
    Costly("whole", f"{'例' * 30}{':' * 60}x\n```\n"),
    Costly("whole", f"{'would be ' * 10}{':' * 60}x\n<tool_call>get_time()</tool_call>\n"),
    Costly("whole", '<|open|>call tool="add"<|sep|><|open|>argument key="a"<|sep|>x'),
    Costly("whole", '<|open|>argument key="a"<|sep|>', '<|open|>call tool="add"<|sep|>'),
    Costly("whole", "<|close|>argument<|sep|>x", '<|open|>call tool="add"<|sep|><|open|>argument key="a"<|sep|>'),
    Costly("whole", "<|close|>call<|sep|>", '<|open|>call tool="add"<|sep|><|open|>argument key="a"<|sep|>'),
    Costly("whole", '<|tool_call>call:add{a:<|"|>x'),
    Costly("whole", '<|"|>', "<|tool_call>call:add{a:"),
    Costly("whole", "{a:<escape>", "<start_function_call>call:add", after="<end_function_call>"),
    Costly("whole", "<tool_call>add\n```json\n"),
    Costly("whole", '<invoke name="add"><a>1</a>'),
    Costly("whole", '<tool name="add"><a>'),
    Costly("whole", f"<tool_call>\n<function=x><parameter=a{' ' * 120}<</tool_call>\n"),
    Costly("whole", f"<tool_call>\n<function{' ' * 20}={' ' * 20}x{' ' * 60}/>\n\n\n\n</tool_call>\n"),
)
"""Others, for `make fuzz` and the benchmark."""

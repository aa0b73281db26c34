"""Values of classes as callers write them: unions, aliases, lists, enums, nested and optional fields, in wrappers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from dynaspark_core.errors import OutputError
from dynaspark_core.reply.value import read_object


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    breed: str | None = None


class Pet(BaseModel):
    pet: Cat | Dog


class Address(BaseModel):
    street: str
    zip: str | None = None


class User(BaseModel):
    name: str
    address: Address
    tags: list[str] = []


class Prefs(BaseModel):
    theme: str | None = None
    size: int | None = None


class Holder(BaseModel):
    """Its own key is one that wrappers have."""

    result: Prefs


class Numbers(BaseModel):
    data: list[int]
    status: str | None = None


class Aliased(BaseModel):
    first: str = Field(alias="firstName")
    n: int = Field(0, alias="count")


class Bill(BaseModel):
    due: date
    total: Decimal
    at: datetime | None = None


class Answer(BaseModel):
    answer: str
    confidence: float | None = None


class Node(BaseModel):
    value: int
    children: list["Node"] = []


class Machine(BaseModel):
    tool: str
    parameters: dict[str, Any] = {}


class Speech(BaseModel):
    role: str
    content: str


class Quote(BaseModel):
    text: str
    source: str | None = None


class Nullable(BaseModel):
    value: int | None


COLOR = {"title": "Color", "enum": ["red", "green", "blue"]}
NUMBER = {"title": "Number", "type": "number"}
NAMES = {"title": "Names", "type": "array", "items": {"type": "string"}}
STREETS = {"title": "Users", "type": "array", "items": Address.model_json_schema()}
MAYBE = {"title": "Maybe", "anyOf": [Address.model_json_schema(), {"type": "null"}]}
EITHER = {
    "title": "Pet",
    "anyOf": [
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
    ],
}


def schema_of(kind: Any) -> dict[str, Any]:
    return kind if isinstance(kind, dict) else TypeAdapter(kind).json_schema()


@pytest.mark.parametrize(
    ("reply", "kind", "value"),
    [
        ('"red"', COLOR, "red"),
        ('```json\n"green"\n```', COLOR, "green"),
        ('{"color": "green"}', COLOR, "green"),
        ('{"Color": "green"}', COLOR, "green"),
        ('{"value": "GREEN"}', COLOR, "green"),
        ("42", NUMBER, 42),
        ("```\n42\n```", NUMBER, 42),
        ('{"number": 42}', NUMBER, 42),
        ('{"answer": 42, "unit": "m"}', NUMBER, 42),
        ("null", MAYBE, None),
        ("```json\nnull\n```", MAYBE, None),
        ('{"maybe": null}', MAYBE, None),
        ('{"Maybe": {"street": "A"}}', MAYBE, {"street": "A"}),
        ('{"a": 1}', EITHER, {"a": 1}),
        ('{"pet": {"b": "x"}}', EITHER, {"b": "x"}),
        ('{"a": 1, "b": "x"}', EITHER, {"a": 1, "b": "x"}),
        ('{"pet": {"kind": "cat", "lives": "9"}}', Pet, {"pet": {"kind": "cat", "lives": 9}}),
        ('{"Pet": {"pet": {"kind": "Dog"}}}', Pet, {"pet": {"kind": "dog"}}),
        ('{"user": {"name": "A", "address": {"street": "x"}}}', User, {"name": "A", "address": {"street": "x"}}),
        ('{"name": "A", "address": "{\\"street\\": \\"x\\"}"}', User, {"name": "A", "address": {"street": "x"}}),
        ('{"result": {"theme": "dark"}}', Prefs, {"theme": "dark"}),
        ('{"result": {"theme": "dark"}}', Holder, {"result": {"theme": "dark"}}),
        ('{"result": {"result": {"theme": "dark"}}}', Holder, {"result": {"theme": "dark"}}),
        ('{"Holder": {"result": {}}}', Holder, {"result": {}}),
        ('{"theme": null, "size": null}', Prefs, {"theme": None, "size": None}),
        ('{"data": [1, 2], "status": "ok"}', Numbers, {"data": [1, 2], "status": "ok"}),
        ('{"data": {"data": [1, 2]}}', Numbers, {"data": [1, 2]}),
        ('{"status": "ok", "data": {"data": [1], "status": "fine"}}', Numbers, {"data": [1], "status": "fine"}),
        ('{"firstName": "A", "count": 2}', Aliased, {"firstName": "A", "count": 2}),
        ('{"due": "2024-05-01", "total": "12.50"}', Bill, {"due": "2024-05-01", "total": "12.50"}),
        ('{"due": "2024-05-01", "total": 12.5}', Bill, {"due": "2024-05-01", "total": 12.5}),
        (
            '{"Bill": {"due": "2024-05-01", "total": 12, "at": null}}',
            Bill,
            {"due": "2024-05-01", "total": 12, "at": None},
        ),
        ('{"answer": "yes", "confidence": 0.9}', Answer, {"answer": "yes", "confidence": 0.9}),
        ('{"answer": {"answer": "yes"}}', Answer, {"answer": "yes"}),
        ('{"response": {"answer": "yes"}, "confidence": 0.9}', Answer, {"answer": "yes"}),
        ('{"value": 1, "children": [{"value": 2}]}', Node, {"value": 1, "children": [{"value": 2}]}),
        ('{"value": {"value": 1}}', Node, {"value": 1}),
        ('{"node": {"value": 1, "children": []}}', Node, {"value": 1, "children": []}),
        ('{"tool": "x", "parameters": {"tool": "y"}}', Machine, {"tool": "x", "parameters": {"tool": "y"}}),
        ('{"name": "Machine", "arguments": {"tool": "x", "parameters": {}}}', Machine, {"tool": "x", "parameters": {}}),
        (
            '{"role": "assistant", "content": "{\\"role\\": \\"user\\", \\"content\\": \\"hi\\"}"}',
            Speech,
            {"role": "assistant", "content": '{"role": "user", "content": "hi"}'},
        ),
        ('{"role": "user", "content": "hi"}', Speech, {"role": "user", "content": "hi"}),
        ('{"text": "He said: {\\"text\\": 1}"}', Quote, {"text": 'He said: {"text": 1}'}),
        ('Example output: {"text": "x"}\nReal output: {"text": "a"}', Quote, {"text": "a"}),
        ('Real output: {"text": "a"}\nExample output: {"text": "x"}', Quote, {"text": "a"}),
        ('Format: {"text": "string"}\nAnswer: {"text": "a"}', Quote, {"text": "a"}),
        ('Beispiel: {"text": "x"}\nAntwort: {"text": "a"}', Quote, {"text": "a"}),
        ('An example: {"text": "a"}', Quote, {"text": "a"}),
        ('First version: {"text": "a"}. Updated: {"text": "b"}.', Quote, {"text": "b"}),
        ('Draft:\n{"text": "a"}\nRevised version:\n{"text": "b"}', Quote, {"text": "b"}),
        ('{"text": "a"}\n\nNote: I am not sure whether {"text": "b"} would be better.', Quote, {"text": "a"}),
        ('{"text": "a"}{"text": "a"}', Quote, {"text": "a"}),
        ('- {"text": "a"}', Quote, {"text": "a"}),
        ('| value |\n|---|\n| {"text": "a"} |', Quote, {"text": "a"}),
        ('> Input: {"text": "x"}\n\n{"text": "a"}', Quote, {"text": "a"}),
        ('{"value": null}', Nullable, {"value": None}),
        ('{"value": None}', Nullable, {"value": None}),
        ('["a", "b"]', NAMES, ["a", "b"]),
        ('{"names": ["a", "b"]}', NAMES, ["a", "b"]),
        ('{"names": ["a"], "count": 1}', NAMES, ["a"]),
        ("[]", NAMES, []),
        ('{"names": []}', NAMES, []),
        ('[{"street": "a"}, {"street": "b"}]', STREETS, [{"street": "a"}, {"street": "b"}]),
        ('{"users": [{"street": "a"}]}', STREETS, [{"street": "a"}]),
    ],
)
def test_the_value_of_a_class_is_right(reply: str, kind: Any, value: object) -> None:
    assert read_object(reply, schema_of(kind)) == value


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ('The color is "red".', COLOR),
        ("red", COLOR),
        ("`green`", COLOR),
        ('{"enum": ["red", "green", "blue"]}', COLOR),
        ('["red"]', COLOR),
        ("The number is 42.", NUMBER),
        ("There is none: null", MAYBE),
        ('[{"a": 1}, {"b": "x"}]', EITHER),
        ('{"kind": "cat", "lives": 9}', Pet),
        ('{"pet": {"cat": {"kind": "cat", "lives": 9}}}', Pet),
        ('{"pet": {"kind": "fish"}}', Pet),
        ('{"name": "A", "address": {"Street": "x"}}', User),
        ('{"name": "A", "address": "x"}', User),
        ('{"name": "A", "address": {"address": {"street": "x"}}}', User),
        ('{"Theme": "dark"}', Prefs),
        ('{"preferences": {"theme": "dark"}, "note": "x"}', Prefs),
        ("{}\n\nI do not have that information.", Prefs),
        ('I have no information, e.g. {"theme": "dark"}', Prefs),
        ('{"first": "A", "n": 2}', Aliased),
        ('{"firstname": "A"}', Aliased),
        ('{"first_name": "A"}', Aliased),
        ('{"due": "2024-05-01", "total": 1,250.00}', Bill),
        ('{"due": "2024-05-01", "total": 12.50 EUR}', Bill),
        ('{"answer": "{\\"answer\\": \\"yes\\"}"}', Answer),
        ('{"answer": ["yes"]}', Answer),
        ('{"children": [{"value": 2}]}', Node),
        ('{"tool": "Machine", "parameters": {"tool": "x"}}', Machine),
        ('{"role": "assistant", "content": {"role": "user", "content": "hi"}}', Speech),
        ('The quote: {"text": "a"} — source: {"text": "b"}', Quote),
        ('Either {"text": "a"} or {"text": "b"}.', Quote),
        ('1. {"text": "a"}\n2. {"text": "b"}', Quote),
        ('You gave me {"text": "x"}. My answer: {"text": "a"}', Quote),
        ('You asked about {"text": "x"}. I cannot help with that.', Quote),
        ('The schema {"text": "string"} is clear. I cannot find a quote.', Quote),
        ('Example output: {"text": "x"}\nAnother example: {"text": "a"}', Quote),
        ('Is it {"text": "a"} or {"text": "b"}? I would say {"text": "a"}.', Quote),
        ('Example: {"text": "x"}. It is also {"text": "a"}.', Quote),
        ('```json\n{"text": "a"}\n```\n```json\n{"text": "a", "source": null}\n```', Quote),
        ('{"value": "null"}', Nullable),
        ('{"value": ""}', Nullable),
        ('{"value": NaN}', Nullable),
        ('{"Nullable": null}', Nullable),
        ("a, b", NAMES),
        ("- a\n- b", NAMES),
        ('{"0": "a", "1": "b"}', NAMES),
        ('"a, b"', NAMES),
        ('[["a"], ["b"]]', NAMES),
        ("I found no names: []", NAMES),
        ('{"street": "a"}\n{"street": "b"}', STREETS),
        ('{"street": "a"}', STREETS),
        ('{"users": {"street": "a"}}', STREETS),
        ('[{"Street": "a"}]', STREETS),
        ('[{"address": {"street": "a"}}]', STREETS),
        ('{"type": "array", "items": [{"street": "a"}]}', STREETS),
    ],
)
def test_what_may_be_another_value_is_an_error(reply: str, kind: Any) -> None:
    with pytest.raises(OutputError):
        read_object(reply, schema_of(kind))

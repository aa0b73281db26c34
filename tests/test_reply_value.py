"""One JSON value of a schema, out of whatever stands around it."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynaspark_core.errors import OutputError
from dynaspark_core.reply.value import read_object

PERSON: dict[str, Any] = {
    "title": "Person",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
BO = {"name": "Bo", "age": 3}
TEXT = json.dumps(BO)
OTHER = '{"name": "Al", "age": 4}'


@pytest.mark.parametrize(
    "reply",
    [
        TEXT,
        f"\n {TEXT} \n",
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```",
        f"Here it is:\n\n```json\n{TEXT}\n```\nDone.",
        f"~~~json\n{TEXT}\n~~~",
        f"The answer is {TEXT}.",
        f"For example {OTHER}. Now really: {TEXT}",
        f'For example {{"a": 1}}: {TEXT} and {{}}',
        f"{TEXT}\n{TEXT}",
        f"```json\n{OTHER}\n```\nNo, better:\n```json\n{TEXT}\n```",
        f"<think>{OTHER}</think>{TEXT}",
        f"use {{ to open: {TEXT}",
        f"[link](http://x) {TEXT} [1]",
        "{'name': 'Bo', 'age': 3,}",
        "```json\n{name: 'Bo', // who\n age: 3}\n```",
        '{"name": "Bo", "age": "3"}',
        '{"Person": {"name": "Bo", "age": 3}}',
        '{"person": {"name": "Bo", "age": 3}}',
        '{"name": "Person", "arguments": {"name": "Bo", "age": 3}}',
        '{"type": "object", "properties": {"name": "Bo", "age": 3}}',
        f"<tool_call>\n{TEXT}\n</tool_call>",
    ],
)
def test_the_value_is_found(reply: str) -> None:
    assert read_object(reply, PERSON) == BO


def test_fences_in_a_string_are_text() -> None:
    value = {"name": "```json\n{}\n```", "age": 1}
    reply = "Here:\n```json\n" + json.dumps(value).replace("\\n", "\n") + "\n```"
    assert read_object(reply, PERSON) == value


def test_a_lone_object_may_quote_reasoning_tags() -> None:
    value = {"name": "<think>x</think>", "age": 1}
    assert read_object(json.dumps(value), PERSON) == value


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("", "no JSON value"),
        ("I cannot say.", "no JSON value"),
        ('{"name": "Bo"}', "age: is required but missing"),
        ('{"name": "Bo", "age": "three"}', 'age: expected an integer, got a string ("three")'),
        ('{"name": "Bo", "age": 3', "ends within"),
        ('{"name": "Bo", "age": 3, "friends": [{"name": "Al", "age": 4}', "ends within"),
        (f"For example {OTHER}. Now: " + TEXT[:-1], "ends within"),
        (f"{OTHER}\n{TEXT}", "two different values"),
        (f"[{TEXT}, {OTHER}]", "expected an object, got an array"),
        ('{"name": "Bo", "age": 5*11}', "followed by '*'"),
        ('{"name": "Bo", "age": ...}', "expected"),
        ('{"a": {"name": "Bo", "age": 3}, oops}', "expected ':'"),
        (f"<think>{TEXT}", "no JSON value"),
        (json.dumps(PERSON), "the schema"),
    ],
)
def test_what_is_wrong_is_said(reply: str, message: str) -> None:
    with pytest.raises(OutputError) as caught:
        read_object(reply, PERSON)
    assert message in str(caught.value)
    assert caught.value.text == reply


@pytest.mark.parametrize(
    ("reply", "schema", "value"),
    [
        ("[1, 2]", {"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ("It is [1, 2].", {"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ("3", {"type": "integer"}, 3),
        ('"x"', {"type": "string"}, "x"),
        ("true", {"type": "boolean"}, True),
        ("null", {"anyOf": [{"type": "null"}, {"type": "string"}]}, None),
    ],
)
def test_values_of_every_type(reply: str, schema: dict[str, Any], value: object) -> None:
    assert read_object(reply, schema) == value


NESTED: dict[str, Any] = {
    "type": "object",
    "properties": {"kind": {"enum": ["a", "b"]}, "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
    "required": ["kind"],
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]}},
}


def test_references_enums_and_unions() -> None:
    assert read_object('x {"kind": "A", "next": null} y', NESTED) == {"kind": "a", "next": None}
    with pytest.raises(OutputError, match=r"next\.next\.next: is required but missing"):
        read_object('{"kind": "a", "next": {"next": {}}}', NESTED)


VALUES = st.fixed_dictionaries({"name": st.text(), "age": st.integers()})


@settings(deadline=None)
@given(VALUES, st.integers(0, 40))
def test_half_an_object_is_never_a_value(value: dict[str, Any], cut: int) -> None:
    text = json.dumps(value)
    with pytest.raises(OutputError):
        read_object(text[: max(0, len(text) - 1 - cut)], PERSON)


@settings(deadline=None)
@given(VALUES, st.text(alphabet="abc .\n", max_size=20), st.text(alphabet="abc .\n", max_size=20))
def test_any_object_is_found_in_prose(value: dict[str, Any], before: str, after: str) -> None:
    assert read_object(before + json.dumps(value, ensure_ascii=False) + after, PERSON) == value


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from('{}[]",:a1 \n`\\<think>/')))
def test_nothing_but_an_output_error_is_raised(text: str) -> None:
    with suppress(OutputError):
        read_object(text, {})

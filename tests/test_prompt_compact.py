"""Schemas made short for a prompt: what goes, what stays."""

from typing import Any

import pytest

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Chat, Message, Tool
from dynaspark_core.prompt.compact import compact
from dynaspark_core.prompt.render import render

A: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"title": "T", "type": "object"}, {"type": "object"}),
        (
            {"properties": {"title": {"title": "Title", "type": "string"}}},
            {"properties": {"title": {"type": "string"}}},
        ),
        ({"enum": [{"title": "x"}], "default": {"title": "y"}}, {"enum": [{"title": "x"}], "default": {"title": "y"}}),
        ({"items": {"$ref": "#/$defs/A"}, "$defs": {"A": {**A, "title": "A"}}}, {"items": A}),
        ({"items": {"$ref": "#/definitions/A"}, "definitions": {"A": A}}, {"items": A}),
        ({"items": {"$ref": "#/$defs/A", "description": "d"}, "$defs": {"A": A}}, {"items": {**A, "description": "d"}}),
        ({"type": "object", "$defs": {"Unused": A}}, {"type": "object"}),
        (
            {
                "anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
                "$defs": {"A": A, "B": {"items": {"$ref": "#/$defs/A"}}},
            },
            {"anyOf": [{"$ref": "#/$defs/A"}, {"items": {"$ref": "#/$defs/A"}}], "$defs": {"A": A}},
        ),
        (
            {"$ref": "#/$defs/N", "$defs": {"N": {"properties": {"n": {"$ref": "#/$defs/N"}}}}},
            {"$ref": "#/$defs/N", "$defs": {"N": {"properties": {"n": {"$ref": "#/$defs/N"}}}}},
        ),
        ({"properties": {"$ref": {"type": "string"}}}, {"properties": {"$ref": {"type": "string"}}}),
        (
            {"properties": {"$ref": "#/$defs/A", "a": {"type": "string"}}, "$defs": {"A": A}},
            {"properties": {"$ref": "#/$defs/A", "a": {"type": "string"}}},
        ),
        ({"$ref": "#/elsewhere"}, {"$ref": "#/elsewhere"}),
        (
            {"dependentRequired": {"$ref": ["x"]}, "items": {"$ref": "#/$defs/A"}, "$defs": {"A": A}},
            {"dependentRequired": {"$ref": ["x"]}, "items": A},
        ),
        ({}, {}),
    ],
)
def test_compact(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert compact(schema, "a tool") == expected


def test_definitions_that_refer_to_each_other_stay() -> None:
    schema = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"items": {"$ref": "#/$defs/A"}}},
    }
    assert compact(schema, "a tool") == schema


def chain(length: int) -> dict[str, Any]:
    """Definitions that lead from one to the next."""
    parts = {f"D{n}": {"properties": {"next": {"$ref": f"#/$defs/D{n + 1}"}}} for n in range(length)}
    return {"properties": {"first": {"$ref": "#/$defs/D0"}}, "$defs": {**parts, f"D{length}": {"type": "string"}}}


def nested(length: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(length):
        schema = {"items": schema}
    return schema


def in_itself(*keys: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {}, **{key: {"A": {}} for key in keys}}
    schema["properties"] |= {"one": schema, "two": schema}
    return schema


@pytest.mark.parametrize("schema", [chain(20), nested(150)], ids=["chain", "nested"])
def test_deep_schemas_are_shown_whole(schema: dict[str, Any]) -> None:
    assert "$ref" not in str(compact(schema, "a tool"))


@pytest.mark.parametrize(
    "schema",
    [chain(800), nested(500), nested(5_000), in_itself(), in_itself("$defs")],
    ids=["chain", "nested", "very nested", "in itself", "in itself, with definitions"],
)
def test_schemas_too_deep_to_be_shown_are_an_error(schema: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="the schema of tool 'f' is nested more than 200 levels deep"):
        compact(schema, "tool 'f'")
    for chat in (
        Chat((Message("user", ("Hi",)),), tools=(Tool("f", "", schema),)),
        Chat((Message("user", ("Hi",)),), response_schema=schema),
    ):
        with pytest.raises(ConfigError, match=r"the schema of (tool 'f'|the answer) is nested"):
            render(chat)

"""Schemas made short for a prompt: what goes, what stays."""

from typing import Any

import pytest

from dynaspark_core.prompt.compact import compact

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
        ({"$ref": "#/elsewhere"}, {"$ref": "#/elsewhere"}),
        ({}, {}),
    ],
)
def test_compact(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert compact(schema) == expected


def test_definitions_that_refer_to_each_other_stay() -> None:
    schema = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"items": {"$ref": "#/$defs/A"}}},
    }
    assert compact(schema)["$defs"].keys() >= {"A"}


def test_deep_schemas_are_left() -> None:
    schema: dict[str, Any] = {}
    for _ in range(500):
        schema = {"items": schema}
    assert compact(schema)["items"] is not None

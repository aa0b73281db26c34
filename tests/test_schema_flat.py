"""A flat object that fits in one look is what the long way makes of it."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynaspark_core.reply.wrapped import fit_value
from dynaspark_core.schema import conform, is_flat_fit

TEXT = {"type": "string"}
CITY = {"type": "object", "properties": {"city": TEXT, "days": {"type": "integer"}}, "required": ["city"]}
MAYBE = {"anyOf": [TEXT, {"type": "null"}], "default": None, "title": "Unit"}
UNIT = {"type": "object", "properties": {"unit": MAYBE}, "title": "Units", "additionalProperties": False}
SIZE = {"type": "object", "properties": {"size": {"enum": ["S", "L"], "type": "string"}}, "required": []}


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({"city": "Oslo"}, CITY),
        ({"city": "", "days": 2}, CITY),
        ({"unit": None}, UNIT),
        ({"unit": "C"}, UNIT),
        ({"size": "L"}, SIZE),
        ({}, SIZE),
    ],
)
def test_plain_objects_are_seen(value: Any, schema: dict[str, Any]) -> None:
    assert is_flat_fit(value, schema)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({"city": 5}, CITY),
        ({"city": "Oslo", "days": "2"}, CITY),
        ({"city": "Oslo", "days": True}, CITY),
        ({"city": "Oslo", "days": 2.0}, CITY),
        ({"city": "Oslo", "country": "N"}, CITY),
        ({"days": 2}, CITY),
        ({"city": ' {"city": "Oslo"}'}, CITY),
        ({"city": "Oslo"}, CITY | {"minProperties": 2}),
        ({"city": "Oslo"}, CITY | {"type": ["object", "null"]}),
        ({"unit": 5}, UNIT),
        ({"unit": "long"}, UNIT | {"properties": {"unit": {"anyOf": [TEXT | {"maxLength": 2}, {"type": "null"}]}}}),
        ({"size": "l"}, SIZE),
        ({"x": 5}, {"type": "object", "properties": {"x": {}}}),
        ({"x": 5}, {"type": "object", "properties": {"x": {"anyOf": None}}}),
        ({"x": "a"}, {"type": "object", "properties": {"x": {"anyOf": [TEXT, {"const": "b"}]}}}),
        ("Oslo", CITY),
    ],
)
def test_all_else_goes_the_long_way(value: Any, schema: dict[str, Any]) -> None:
    assert not is_flat_fit(value, schema)


NAMES = st.sampled_from(["city", "days", "name", "arguments", "properties", "type", "title", "input", "data", "calls"])
SCALARS = st.sampled_from([None, True, False, 0, 5, 5.0, 2.5, "", "5", "S", "s", "null", "{", ' {"city": "S"}', "[]"])
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array", "date", 5, ["string"]])
TYPED = st.fixed_dictionaries({"type": TYPES}, optional={"default": SCALARS, "minLength": st.just(1)})
PARTS = (
    TYPED
    | st.fixed_dictionaries({"enum": st.lists(SCALARS, max_size=3)}, optional={"type": TYPES})
    | st.fixed_dictionaries({"anyOf": st.lists(TYPED, max_size=3)}, optional={"title": st.just("T")})
    | st.sampled_from([True, False, {}, {"const": 5}, {"$ref": "#"}, {"type": "string", "pattern": "S"}])
)
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"properties": st.dictionaries(NAMES, PARTS, max_size=4)},
    optional={
        "type": st.sampled_from(["object", "string", ["object"]]),
        "required": st.lists(NAMES, max_size=2) | st.sampled_from(["city", None, [5]]),
        "additionalProperties": st.booleans(),
        "title": NAMES,
        "maxProperties": st.just(1),
        "enum": st.just([{}]),
    },
)
VALUES = st.dictionaries(NAMES, SCALARS | st.dictionaries(NAMES, SCALARS, max_size=2), max_size=4)


@given(SCHEMAS, VALUES, NAMES)
@example({"type": "object", "properties": {"name": TEXT}}, {"name": "city"}, "city")
@example({"type": "object", "properties": {"data": TEXT}}, {"data": '{"data": "x"}'}, "city")
def test_it_is_what_the_long_way_says(schema: dict[str, Any], value: dict[str, Any], name: str) -> None:
    """A keyword that means nothing makes the schema one for the long way."""
    long = schema | {"x-of-nobody": 1}
    assert not is_flat_fit(value, long)
    if is_flat_fit(value, schema):
        assert conform(value, long, needs_known_keys=True) is value
    assert repr(fit_value(value, schema, name=name)) == repr(fit_value(value, long, name=name))

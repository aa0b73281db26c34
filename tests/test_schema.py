"""Values against schemas: what is converted, what is refused and why, and agreement with `jsonschema`."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynaspark_core.schema import Check, Mismatch, UnknownKey, conform, known_names

STRING = {"type": "string"}
INTEGER = {"type": "integer"}


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("5", INTEGER, 5),
        ("-5", INTEGER, -5),
        ("5", {"type": "number"}, 5),
        ("5.5", {"type": "number"}, 5.5),
        ("true", {"type": "boolean"}, True),
        ("false", {"type": "boolean"}, False),
        ("[1, 2]", {"type": "array"}, [1, 2]),
        ('["1"]', {"type": "array", "items": INTEGER}, [1]),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        (5, STRING, "5"),
        ("RED", {"enum": ["red", "green"]}, "red"),
        ("RED", {"const": "red"}, "red"),
        ("5", {"type": ["integer", "null"]}, 5),
        ("5", {"anyOf": [INTEGER, {"type": "null"}]}, 5),
        (None, {"type": "string", "nullable": True}, None),
        ({"a": "1"}, {"properties": {"a": INTEGER}}, {"a": 1}),
        ({"a": "1"}, {"additionalProperties": INTEGER}, {"a": 1}),
        ({"x1": "1"}, {"patternProperties": {"^x": INTEGER}}, {"x1": 1}),
        (["1", "x", "2"], {"prefixItems": [INTEGER, STRING], "items": INTEGER}, [1, "x", 2]),
        ({"a": "1"}, {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {"a": INTEGER}}}}, {"a": 1}),
        ("1", {"allOf": [INTEGER, {"minimum": 1}]}, 1),
    ],
)
def test_conversions(value: Any, schema: dict[str, Any], expected: Any) -> None:
    before = json.dumps(value)
    found = conform(value, schema)
    assert (found, type(found)) == (expected, type(expected))
    assert json.dumps(value) == before


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ('{"a": 1}', STRING),
        ("5", STRING),
        ("5", {"type": ["string", "integer"]}),
        ("5", {"anyOf": [STRING, INTEGER]}),
        ("5", {"anyOf": [INTEGER, STRING]}),
        ("red", {"enum": ["red", "RED"]}),
        (5.0, INTEGER),
        ({"a": 1, "b": 2}, {"properties": {"a": INTEGER}}),
        ("anything", {"format": "date"}),
        ("x", {"$ref": "#/nowhere"}),
        ("x", {"$ref": "http://example.com/x"}),
        ("x", {"$ref": "#"}),
    ],
)
def test_what_fits_is_left_as_it_is(value: Any, schema: dict[str, Any]) -> None:
    assert conform(value, schema) is value


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        ("05", INTEGER, 'expected an integer, got a string ("05")'),
        ("5.0", INTEGER, 'expected an integer, got a string ("5.0")'),
        (" 5", INTEGER, 'expected an integer, got a string (" 5")'),
        ("1e3", {"type": "number"}, 'expected a number, got a string ("1e3")'),
        ("nan", {"type": "number"}, 'expected a number, got a string ("nan")'),
        ("True", {"type": "boolean"}, 'expected a boolean, got a string ("True")'),
        (1, {"type": "boolean"}, "expected a boolean, got an integer (1)"),
        (True, INTEGER, "expected an integer, got a boolean (true)"),
        (True, STRING, "expected a string, got a boolean (true)"),
        (1.5, STRING, "expected a string, got a number (1.5)"),
        (1.5, INTEGER, "expected an integer, got a number (1.5)"),
        ("[1", {"type": "array"}, 'expected an array, got a string ("[1")'),
        ("a,b", {"type": "array"}, 'expected an array, got a string ("a,b")'),
        ("null", {"type": ["integer", "null"]}, 'expected an integer or null, got a string ("null")'),
        ("blue", {"enum": ["red", "green"]}, 'must be one of "red", "green"'),
        ("Red", {"enum": ["red", "RED"]}, 'must be one of "red", "RED"'),
        (1, {"enum": [True]}, "must be true"),
        ({}, {"required": ["a"]}, "a: is required but missing"),
        ({"b": {}}, {"properties": {"b": {"required": ["c d"]}}}, 'b["c d"]: is required but missing'),
        ({"a": [1, "x"]}, {"properties": {"a": {"items": INTEGER}}}, 'a[1]: expected an integer, got a string ("x")'),
        ({"z": 1}, {"properties": {"a": {}}, "additionalProperties": False}, "z: is not allowed here; allowed: a"),
        (3, {"minimum": 5}, "must be at least 5"),
        (3, {"exclusiveMaximum": 3}, "must be less than 3"),
        (5, {"multipleOf": 2}, "must be a multiple of 2"),
        ("abc", {"maxLength": 2}, "must have at most 2 characters"),
        ("abc", {"pattern": "^x"}, "must match the pattern ^x"),
        ([1], {"minItems": 2}, "must have at least 2 items"),
        ([1, 1], {"uniqueItems": True}, "must not hold the same item twice"),
        (1, {"oneOf": [INTEGER, {"type": "number"}]}, "fits 2 of the alternatives, may fit only one"),
        (1, {"not": INTEGER}, "must not be an integer (1)"),
        (1, {"anyOf": [{"type": "null"}, {"enum": [2]}]}, "expected null, got an integer (1); or must be 2"),
        (1, {"anyOf": [False]}, "nothing is allowed here"),
    ],
)
def test_refusals_say_where_and_why(value: Any, schema: dict[str, Any], message: str) -> None:
    found = conform(value, schema)
    assert isinstance(found, Mismatch)
    assert str(found) == message


def test_a_union_names_what_is_wrong_with_the_nearest() -> None:
    cat = {"properties": {"kind": {"const": "cat"}, "lives": INTEGER}, "required": ["kind", "lives"]}
    dog = {"properties": {"kind": {"const": "dog"}}, "required": ["kind"]}
    assert conform({"kind": "cat", "lives": "nine"}, {"oneOf": [cat, dog]}) == Mismatch(
        "lives", 'expected an integer, got a string ("nine")'
    )


def test_recursion_is_bounded() -> None:
    schema = {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}, {"type": "null"}]}}}
    value: dict[str, Any] = {}
    for _ in range(40):
        value = {"next": value}
    assert conform(value, schema) == value
    for _ in range(2000):
        value = {"next": value}
    assert isinstance(conform(value, schema), Mismatch)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 5},
        {"type": []},
        {"type": "spaceship"},
        {"properties": 5},
        {"required": "a"},
        {"enum": 5},
        {"items": 5},
        {"anyOf": 5},
        {"anyOf": []},
        {"$ref": 5},
        {"pattern": "("},
        {"minimum": "x"},
        {"multipleOf": 0},
        {"allOf": [5]},
        {"properties": {"a": 5}},
        {"properties": {2: {}, True: {}, "b": {}}},
        {"patternProperties": {1: {}}, "required": [1], "dependentRequired": {1: [1]}},
        {"prefixItems": {}},
        {"not": 5},
        {"uniqueItems": 1},
        {"patternProperties": {"(": {}}},
        {"propertyNames": 5},
        {"contains": 5},
        {"contains": {}, "minContains": "a", "maxContains": None},
        {"dependentRequired": 5},
        {"dependentRequired": {"a": 5}},
        {"dependentSchemas": ["a"]},
        {"dependentSchemas": {"a": 5}},
        {"if": 5, "then": 5, "else": 5},
        {"$ref": "#a", "$defs": {"a": {"$anchor": 5}}},
    ],
)
@pytest.mark.parametrize(
    "value", [None, 1, 1.5, "a", [1], {"a": 1}, [10**5000]], ids=lambda value: type(value).__name__
)
def test_no_schema_raises(schema: dict[str, Any], value: Any) -> None:
    conform(value, schema)
    conform(value, schema, needs_known_keys=True)


CONDITION = {"if": {"properties": {"a": {"const": 1}}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}
KEYWORDS: list[tuple[dict[str, Any], list[Any], dict[str, str]]] = [
    (
        {"propertyNames": {"pattern": "^x", "maxLength": 2}},
        [{}, {"x": 1}, {"xy": 1}, 5, []],
        {'{"y": 1}': "y: is no key that is allowed here: must match the pattern ^x", '{"xyz": 1}': "xyz: is no key"},
    ),
    ({"propertyNames": False}, [{}, "a"], {'{"a": 1}': "a: is no key that is allowed here: nothing is allowed here"}),
    ({"propertyNames": {"enum": ["a"]}}, [{"a": 1}], {'{"A": 1}': "A: is no key that is allowed here: is written in"}),
    (
        {"contains": {"type": "integer"}},
        [[1], ["a", 2], {}, "x"],
        {"[]": "must have at least 1 items of the kind in contains, has 0", '["1"]': "must have at least 1"},
    ),
    ({"contains": INTEGER, "minContains": 2}, [[1, 2], [1, "a", 2]], {"[1]": "must have at least 2 items"}),
    (
        {"contains": INTEGER, "maxContains": 1},
        [[1], [1, "a"]],
        {"[1, 2]": "must have at most 1 items", "[]": "at least 1"},
    ),
    ({"contains": INTEGER, "minContains": 0}, [[], ["a"], [1]], {}),
    ({"contains": True}, [[1]], {"[]": "at least 1"}),
    ({"minContains": 2, "maxContains": 0}, [[], [1]], {}),
    ({"contains": {"required": ["a"]}}, [[{"a": 1}, {}]], {"[{}]": "at least 1"}),
    (
        {"dependentRequired": {"a": ["b", "c"], "d": []}},
        [{}, {"b": 1}, {"a": 1, "b": 2, "c": 3}, {"d": 1}, "a"],
        {'{"a": 1, "b": 2}': "c: is required with a, but missing"},
    ),
    (
        {"dependentSchemas": {"a": {"required": ["b"]}, "c": False}},
        [{}, {"a": 1, "b": 2}, ["a"]],
        {'{"a": 1}': "b: is required but missing", '{"c": 1}': "nothing is allowed here"},
    ),
    (
        CONDITION,
        [{"a": 1, "b": 2}, {"a": 2, "c": 3}],
        {'{"a": 1, "c": 1}': "b: is required but missing", '{"a": 2}': "c: is required but missing"},
    ),
    ({"if": INTEGER, "then": {"minimum": 3}}, [3, "a"], {"2": "must be at least 3"}),
    ({"if": INTEGER, "else": {"minLength": 2}}, [1, "ab"], {'"a"': "must have at least 2 characters"}),
    ({"if": False, "then": False}, [1], {}),
    ({"then": False, "else": False}, [1], {}),
    (
        {"allOf": [{"properties": {"a": {}}}], "properties": {"b": {}}, "unevaluatedProperties": False},
        [{}, {"a": 1, "b": 2}, 5],
        {'{"c": 1}': "c: is not allowed here; allowed: a, b"},
    ),
    ({"if": {"properties": {"a": {}}}, "unevaluatedProperties": False}, [{"a": 1}], {'{"b": 1}': "b: is not allowed"}),
    ({"patternProperties": {"^a": {}}, "unevaluatedProperties": False}, [{"ab": 1}], {}),
    ({"$ref": "#n", "$defs": {"x": {"$anchor": "n", **INTEGER}}}, [1], {'"a"': "expected an integer"}),
    ({"items": {"$ref": "#n"}, "allOf": [{"$anchor": "n", "minLength": 1}]}, [["a"], [1]], {'[""]': "[0]: must have"}),
    ({"$ref": "#n", "enum": ["a"], "properties": {"$anchor": {"$anchor": "n", **STRING}}}, ["a"], {}),
]
"""A schema, values that fit, and values that do not, with what is said of them."""


@pytest.mark.parametrize(("schema", "right", "wrong"), KEYWORDS, ids=[json.dumps(case[0])[:60] for case in KEYWORDS])
def test_keywords_as_jsonschema_has_them(schema: dict[str, Any], right: list[Any], wrong: dict[str, str]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(schema)
    for value in right:
        assert validator.is_valid(value)
        assert conform(value, schema) is value
    for text, message in wrong.items():
        assert not validator.is_valid(json.loads(text))
        assert message in str(conform(json.loads(text), schema))


def test_dependencies_of_draft_7() -> None:
    draft7 = pytest.importorskip("jsonschema").Draft7Validator
    schema = {"dependencies": {"a": ["b"], "c": {"required": ["d"]}, "e": False, "f": []}}
    wrong = {'{"a": 1}': "b: is required with a", '{"c": 1}': "d: is required but", '{"e": 1}': "nothing is allowed"}
    for value in [{}, {"a": 1, "b": 2}, {"c": 1, "d": 2}, {"f": 1}, ["a"], "a"]:
        assert draft7(schema).is_valid(value)
        assert conform(value, schema) is value
    for text, message in wrong.items():
        assert not draft7(schema).is_valid(json.loads(text))
        assert message in str(conform(json.loads(text), schema))
    listing = {"properties": {"a": {}}, "dependencies": {"a": {"properties": {"b": {}}}, "b": ["a"]}}
    assert known_names(listing).keys() == {"a", "b"}


def test_an_anchor_of_another_document_is_none_of_ours() -> None:
    schema = {"$ref": "#n", "$defs": {"x": {"$id": "http://example.com/x", "$anchor": "n", **INTEGER}}}
    assert conform("a", schema) == "a"


def test_a_condition_sees_what_was_converted() -> None:
    schema = {"properties": {"a": INTEGER}, **CONDITION}
    assert conform({"a": "1", "b": 2}, schema) == {"a": 1, "b": 2}
    assert conform({"a": "1", "c": 2}, schema) == Mismatch("b", "is required but missing")


@pytest.mark.parametrize("keyword", ["not", "if"])
def test_what_could_not_be_checked_does_not_fit(keyword: str) -> None:
    value: list[Any] = []
    for _ in range(300):
        value = [value]
    assert isinstance(conform(value, {keyword: {"items": {"$ref": f"#/{keyword}"}, "maxItems": 1}}), Mismatch)


ADDRESS = {"type": "object", "properties": {"street": STRING, "zip_code": STRING}}
OPEN = {**ADDRESS, "additionalProperties": STRING}


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        ({"x": "a"}, ADDRESS, "has none of the keys of the schema: street, zip_code"),
        ({"Address": {"street": "a"}}, ADDRESS, "has none of the keys of the schema: street, zip_code"),
        ({"Street": "a", "zip_code": "1"}, ADDRESS, "Street: must be written street"),
        ({"street": "a", "zipCode": "1"}, ADDRESS, "zipCode: must be written zip_code"),
        ({"street": "a", "Zip Code": "1"}, ADDRESS, '["Zip Code"]: must be written zip_code'),
        ({"to": {"x": 1}}, {"properties": {"to": ADDRESS}}, "to: has none of the keys of the schema: street, zip_code"),
        ([{"x": 1}], {"items": ADDRESS}, "[0]: has none of the keys of the schema: street, zip_code"),
        ('{"x": 1}', ADDRESS, "has none of the keys of the schema: street, zip_code"),
        (
            {"x": 1},
            {"$ref": "#/$defs/A", "$defs": {"A": ADDRESS}},
            "has none of the keys of the schema: street, zip_code",
        ),
        ({"x": 1}, {"anyOf": [ADDRESS, {"type": "null"}]}, "has none of the keys of the schema: street, zip_code"),
        (
            {"x": 1},
            {"allOf": [ADDRESS, {"properties": {"a": {}}}]},
            "has none of the keys of the schema: a, street, zip_code",
        ),
        ({"x": 1}, {**ADDRESS, "anyOf": [{"required": ["x"]}]}, "has none of the keys of the schema: street, zip_code"),
        ({"x": 1}, {**ADDRESS, "additionalProperties": False}, "has none of the keys of the schema: street, zip_code"),
    ],
)
def test_known_keys_can_be_asked_for(value: Any, schema: dict[str, Any], message: str) -> None:
    """What any JSON Schema lets pass is refused, and only where it is asked for."""
    found = conform(value, schema, needs_known_keys=True)
    assert (type(found), str(found)) == (UnknownKey, message)
    assert not isinstance(conform(value, schema), UnknownKey)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ({}, ADDRESS),
        ({"street": "a", "x": 1}, ADDRESS),
        ({"street": "a", "Street": "b"}, ADDRESS),
        ({"x": "a"}, OPEN),
        ({"x": "a"}, {**ADDRESS, "additionalProperties": True}),
        ({"x": "a"}, {**ADDRESS, "unevaluatedProperties": True}),
        ({"x": "a"}, {**ADDRESS, "patternProperties": {"^y": {}}}),
        ({"x": "a"}, {"type": "object"}),
        ({"x": "a"}, {"type": "object", "properties": {}}),
        ({"x": "a"}, {"anyOf": [ADDRESS, {"type": "object"}]}),
        ({"x": "a"}, {"anyOf": [ADDRESS, {}]}),
        ({"x": "a"}, {"anyOf": [ADDRESS, True]}),
        ({"x": "a"}, {"anyOf": [ADDRESS, OPEN]}),
        ({"a": 1}, {"allOf": [ADDRESS, {"properties": {"a": {}}}]}),
        ({"a": 1}, {"oneOf": [{**ADDRESS, "required": ["street"]}, {"properties": {"a": {}}}]}),
        ({"a": 1}, {**ADDRESS, "if": {}, "then": {"properties": {"a": {}}}}),
        ({"a": {"a": {}}}, {"properties": {"a": {"$ref": "#"}}}),
        ("text", {"anyOf": [ADDRESS, STRING]}),
    ],
)
def test_known_keys_are_not_missed(value: Any, schema: dict[str, Any]) -> None:
    assert conform(value, schema, needs_known_keys=True) is value


LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.0, "a", "b", "ab", ""])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
PLAIN = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])}
    ),
    st.fixed_dictionaries({"enum": st.lists(LEAVES, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": LEAVES}),
    st.fixed_dictionaries({"minimum": st.integers(-2, 2)}),
    st.fixed_dictionaries({"minLength": st.integers(0, 2)}),
    st.fixed_dictionaries({"maxItems": st.integers(0, 2)}),
    st.just({"uniqueItems": True}),
)
KEYS = st.sampled_from("abc")


def anchored(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return inner.map(lambda schema: {"D": {**schema, "$anchor": "d"}})


SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"items": inner}),
        st.fixed_dictionaries({"prefixItems": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2)}),
        st.fixed_dictionaries({"additionalProperties": inner, "properties": st.just({"a": {}})}),
        st.fixed_dictionaries({"required": st.lists(st.sampled_from("abc"), max_size=2, unique=True)}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"oneOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
        st.fixed_dictionaries({"if": inner, "then": inner, "else": inner}),
        st.fixed_dictionaries({"if": inner, "else": inner, "properties": st.just({"a": {"type": "integer"}})}),
        st.fixed_dictionaries({"contains": inner}),
        st.fixed_dictionaries({"contains": inner, "minContains": st.integers(0, 2), "maxContains": st.integers(0, 2)}),
        st.fixed_dictionaries({"propertyNames": inner}),
        st.fixed_dictionaries({"dependentRequired": st.dictionaries(KEYS, st.lists(KEYS, max_size=2), max_size=2)}),
        st.fixed_dictionaries({"dependentSchemas": st.dictionaries(KEYS, inner, max_size=2)}),
        st.fixed_dictionaries({"$ref": st.just("#d"), "$defs": anchored(inner)}),
        st.fixed_dictionaries({"$ref": st.just("#/$defs/D"), "$defs": st.fixed_dictionaries({"D": inner})}),
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=500)
@given(VALUES, SCHEMAS)
def test_agrees_with_jsonschema(value: Any, schema: dict[str, Any]) -> None:
    """What is valid is left as it is; what is invalid is refused, or converted into something that is valid."""
    jsonschema = pytest.importorskip("jsonschema")
    if json.dumps(schema).count("$ref") > ("$ref" in schema):
        return  # references are resolved from the root
    validator = jsonschema.Draft202012Validator(schema)
    found = conform(value, schema)
    if validator.is_valid(value):
        assert found is value
    else:
        assert isinstance(found, Mismatch) or validator.is_valid(found)


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def chain(length: int) -> dict[str, Any]:
    """References that lead to one another, the last of them to `null`."""
    links = {f"a{at}": {"$ref": f"#/$defs/a{at + 1}"} for at in range(length)}
    return {"$ref": "#/$defs/a0", "$defs": {**links, f"a{length}": {"type": "null"}}}


LIMITS: list[tuple[dict[str, Any], Any, Any]] = [
    ({"items": {"$ref": "#"}}, nested(75), nested(76)),
    ({"items": {"minimum": 0}}, [1] * 31_999, [1] * 32_000),
    (INTEGER, "9" * 300, "9" * 301),
    ({"type": "number"}, "0." + "1" * 15, "1." + "1" * 299),
    (STRING, 2**898, 2**899),
    (chain(1_000), 1, None),
    ({"multipleOf": 0.5}, 1.5, 1.25),
    ({"multipleOf": 3}, 9, 10),
    ({"multipleOf": 1}, 2.0, 2.5),
    ({"minimum": 2}, 2, 1),
    ({"maximum": 2}, 2, 3),
    ({"exclusiveMinimum": 2}, 3, 2),
    ({"exclusiveMaximum": 2}, 1, 2),
    ({"minLength": 2}, "ab", "a"),
    ({"maxLength": 2}, "ab", "abc"),
    ({"minItems": 2}, [1, 1], [1]),
    ({"maxItems": 2}, [1, 1], [1, 1, 1]),
    ({"minProperties": 1}, {"a": 1}, {}),
    ({"maxProperties": 1}, {"a": 1}, {"a": 1, "b": 2}),
    ({"contains": INTEGER, "minContains": 2}, [1, 1], [1]),
    ({"contains": INTEGER, "maxContains": 2}, [1, 1], [1, 1, 1]),
    ({"uniqueItems": True}, [1, True, "1", [1], [True], {"a": 1}, {"a": True}], [1, 1.0]),
    ({"uniqueItems": True}, [[1, 2], [2, 1]], [[[1], 2], [[1], 2]]),
    ({"uniqueItems": True}, [{"a": [1]}, {"b": [1]}], [{"a": [1], "b": 2}, {"b": 2, "a": [1.0]}]),
    ({"uniqueItems": True}, [[[]], [{}], [], {}], [[[]], [[]]]),
    ({"uniqueItems": False}, [1, 1], None),
    ({"uniqueItems": "yes"}, [1, 1], None),
    ({"enum": [[1, [2]], {"a": [True]}]}, {"a": [True]}, {"a": [1]}),
    ({"enum": [[1, [2]], {"a": [True]}]}, [1.0, [2.0]], [1, [3]]),
    ({"const": {"a": 1, "b": [2]}}, {"b": [2], "a": 1}, {"a": 1, "b": [3]}),
    ({"const": [[]]}, [[]], [{}]),
    ({"prefixItems": [INTEGER], "items": False}, [1], [1, 2]),
    ({"items": [INTEGER], "additionalItems": False}, [1], [1, 2]),
    ({"items": [INTEGER, STRING]}, [1, "a", None], [1, None]),
    ({"oneOf": [INTEGER, {"minimum": 5}]}, 1, 6),
    ({"not": {"type": "null"}}, 1, None),
    ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
    ({"nullable": True, "type": "string"}, None, ["a"]),
    ({"$ref": "#/anyOf/1", "anyOf": [True, {"type": "null"}]}, None, [1]),
    ({"$ref": "#/$defs/a~1b~0c%25", "$defs": {"a/b~c%": {"type": "null"}}}, None, [1]),
    ({"$ref": "#/%24defs/a", "$defs": {"a": {"type": "null"}}}, None, [1]),
]
"""A schema, a value that just fits, and one that just does not (None: there is none)."""


@pytest.mark.parametrize(("schema", "right", "wrong"), LIMITS, ids=[json.dumps(case[0])[:60] for case in LIMITS])
def test_limits(schema: dict[str, Any], right: Any, wrong: Any) -> None:
    assert not isinstance(conform(right, schema), Mismatch)
    assert wrong is None or isinstance(conform(wrong, schema), Mismatch)
    assert schema != chain(1_000) or isinstance(conform(1, chain(999)), Mismatch)


@pytest.mark.parametrize(
    ("value", "schema", "message"),
    [
        ("x" * 58, {"type": "null"}, f'expected null, got a string ("{"x" * 58}")'),
        ("x" * 59, {"type": "null"}, f'expected null, got a string ("{"x" * 59}…)'),
        (2**1200, {"type": "null"}, "expected null, got an integer (a number of many digits)"),
        ("é", {"type": "null"}, 'expected null, got a string ("é")'),
        ("x", {"enum": list(range(21))}, f"must be one of {', '.join(map(str, range(20)))}"),
        ({"x": 1}, {"properties": {str(at): {} for at in range(10, 31)}, "additionalProperties": False},
         f"x: is not allowed here; allowed: {', '.join(map(str, range(10, 30)))}"),
        ({"x": 1}, {"additionalProperties": False}, "x: is not allowed here; allowed: nothing"),
        (0, {"anyOf": [{"minimum": at} for at in range(1, 23)]},
         "; or ".join(f"must be at least {at}" for at in range(1, 21))),
        ({"a": 1}, {"anyOf": [{"required": ["b"]}, {"properties": {"a": STRING, "c": False}, "required": ["c"]}]},
         "b: is required but missing"),
        ({"x" * 64: 1}, {"additionalProperties": {"type": "null"}}, f"{'x' * 64}: expected null, got an integer (1)"),
        ({"x" * 65: 1}, {"additionalProperties": {"type": "null"}},
         f'["{"x" * 59}…]: expected null, got an integer (1)'),
        ({"x" * 21: 1}, {"unevaluatedProperties": False, "properties": {"a": {}}},
         f"{'x' * 21}: is not allowed here; allowed: a"),
        ("7", {"anyOf": [INTEGER, {"type": "boolean"}, {"const": "seven"}]}, None),
        ("A", {"anyOf": [{"enum": ["a"]}, {"enum": ["a", "b"]}]}, None),
        ("A", {"anyOf": [{"enum": ["a"]}, {"enum": ["á", "a"]}, {"const": "Å"}]}, None),
        ("[1]", {"anyOf": [{"type": "array"}, {"type": "array", "items": STRING}]},
         'a string ("[1]") can be read in more than one way'),
    ],
)  # fmt: skip
def test_messages_are_bounded(value: Any, schema: dict[str, Any], message: str | None) -> None:
    found = conform(value, schema)
    assert str(found) == message if message else not isinstance(found, Mismatch)


def test_a_list_of_many_names_is_cut_for_unknown_keys() -> None:
    schema = {"properties": {str(at): INTEGER for at in range(10, 31)}}
    found = conform({"x": 1}, schema, needs_known_keys=True)
    assert str(found) == f"has none of the keys of the schema: {', '.join(map(str, range(10, 30)))}"


def test_one_check_can_be_used_for_many_values() -> None:
    check = Check({"items": {"anyOf": [{"enum": [[1]]}, {"type": "object"}]}, "uniqueItems": True})
    for _ in range(3):
        assert check.conform([[1], {"a": [1]}]) == [[1], {"a": [1]}]
        assert isinstance(check.conform([[2]]), Mismatch)
        assert isinstance(check.conform([[1], [1.0]]), Mismatch)
    deep = nested(200)
    assert isinstance(Check({"items": {"$ref": "#"}}).conform(deep), Mismatch)


def test_a_value_is_converted_once_on_every_way() -> None:
    """Alternatives that share a part: what was found for it once serves for all, converted or not."""
    part = {"type": "array", "items": INTEGER, "minItems": 20}
    shared = {"$ref": "#/$defs/part"}
    alternatives = [{"properties": {"a": shared, "b": {"const": number}}} for number in (1, 2)]
    schema: dict[str, Any] = {"anyOf": alternatives, "$defs": {"part": part}}
    numbers = [str(number) for number in range(30)]
    assert conform({"a": numbers, "b": 2}, schema) == {"a": list(range(30)), "b": 2}
    assert str(conform({"a": ["x"] * 30, "b": 2}, schema)) == 'a[0]: expected an integer, got a string ("x")'


def test_how_many_checks_all_values_may_take() -> None:
    """Those of a reply: those before count, and those within one count with it."""
    check = Check({"items": {"anyOf": [INTEGER, {"type": "null"}]}})
    values = [None] * 7_000
    assert [check.conform(values) for _ in range(2)] == [values] * 2
    assert isinstance(check.conform(values), Mismatch)
    assert isinstance(conform([None] * 32_000, {"items": {"anyOf": [INTEGER]}}), Mismatch)
    within = Check({"items": {"anyOf": [INTEGER, {"type": "null"}]}})
    assert within.conform([None] * 10_000) == [None] * 10_000
    assert isinstance(within.conform([None] * 10_000, is_within=True), Mismatch)

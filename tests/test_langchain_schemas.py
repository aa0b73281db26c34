"""Schemas that LangChain's conversion would cut: told and checked whole, or refused at once."""

import datetime as dt
import enum
import functools
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType, NotRequired, Required, TypedDict

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.tools import BaseTool, InjectedToolArg, StructuredTool, Tool, tool
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter
from pydantic.v1 import BaseModel as BaseModelV1
from serving import Serve, listed_tools
from typing_extensions import ReadOnly

from dynaspark_core.server import call
from langchain_dynaspark import ChatDynaspark

METHODS = ["json_schema", "function_calling"]


class Node(BaseModel):
    """A node."""

    name: str
    children: list["Node"] = []


class One(BaseModel):
    x: int


class Two(BaseModel):
    y: str


OBJECT: dict[str, Any] = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
NODE, EITHER = Node.model_json_schema(), TypeAdapter(One | Two).json_schema()
GOOD, BAD = {"x": 1}, {"x": "many"}
NODES, WRONG_NODES = {"name": "a", "children": [{"name": "b"}]}, {"name": "a", "children": [{"title": "b"}]}

TOPS: dict[str, tuple[dict[str, Any], Any, Any]] = {
    "$ref of a recursive class": ({"title": "T", **NODE}, NODES, WRONG_NODES),
    "$ref, its own title": (NODE, NODES, WRONG_NODES),
    "$ref and $defs": ({"title": "T", "$ref": "#/$defs/X", "$defs": {"X": OBJECT}}, GOOD, BAD),
    "$ref and definitions": ({"title": "T", "$ref": "#/definitions/X", "definitions": {"X": OBJECT}}, GOOD, BAD),
    "anyOf of references": ({"title": "T", **EITHER}, {"y": "z"}, {"z": 1}),
    "anyOf": ({"title": "T", "anyOf": [OBJECT, {"type": "null"}]}, GOOD, BAD),
    "oneOf": ({"title": "T", "oneOf": [OBJECT, {"type": "string"}]}, GOOD, BAD),
    "allOf": ({"title": "T", "allOf": [OBJECT, {"required": ["x"]}]}, GOOD, BAD),
    "enum of objects": ({"title": "T", "enum": [GOOD, {"x": 2}]}, GOOD, {"x": 3}),
    "const": ({"title": "T", "const": GOOD}, GOOD, {"x": 3}),
    "map": ({"title": "T", "type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}, {"a": "many"}),
    "patternProperties": ({"title": "T", "patternProperties": {"^x": {"type": "integer"}}}, GOOD, BAD),
    "Google's types": (
        {"name": "T", "parameters": {"type": "OBJECT", "properties": {"x": {"type": "INTEGER"}}, "required": ["x"]}},
        GOOD,
        {"y": 1},
    ),
    "only required": ({"title": "T", "type": "object", "required": ["x"]}, GOOD, {"y": 1}),
    "OpenAI's, $ref": ({"type": "json_schema", "json_schema": {"name": "T", "schema": NODE}}, NODES, WRONG_NODES),
    "OpenAI's, anyOf": ({"type": "json_schema", "json_schema": {"name": "T", "schema": EITHER}}, {"x": 1}, {"z": 1}),
    "name and schema": ({"name": "T", "schema": NODE}, NODES, WRONG_NODES),
    "name and parameters": ({"name": "T", "parameters": NODE}, NODES, WRONG_NODES),
    "name and input_schema": ({"name": "T", "input_schema": EITHER}, {"x": 1}, {"z": 1}),
}


def said(value: Any, method: str, name: str = "T") -> str:
    return json.dumps(value) if method == "json_schema" else call(name, **value)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("schema", "good", "bad"), TOPS.values(), ids=TOPS)
def test_a_schema_of_any_top_is_checked(
    served: Serve, schema: dict[str, Any], good: Any, bad: Any, method: str
) -> None:
    name = "Node" if schema is NODE else "T"
    model, _ = served(said(good, method, name), said(bad, method, name), max_repairs=0)
    chain = model.with_structured_output(schema, method=method)
    assert chain.invoke("Which?") == good
    with pytest.raises(OutputParserException):
        chain.invoke("Which?")


TOOL_TOPS = {name: each for name, each in TOPS.items() if not name.startswith("OpenAI's")}


@pytest.mark.parametrize("choice", ["auto", "any"])
@pytest.mark.parametrize(("schema", "good", "_bad"), TOOL_TOPS.values(), ids=TOOL_TOPS)
def test_a_tool_of_any_top_is_shown_and_called(
    served: Serve, schema: dict[str, Any], good: Any, _bad: Any, choice: str
) -> None:
    name = "Node" if schema is NODE else "T"
    model, script = served(call(name, **good), max_repairs=0)
    bound = model.bind_tools([schema], tool_choice=choice)
    assert [made["args"] for made in bound.invoke("Which?").tool_calls] == [good]
    (shown,) = listed_tools(script.asked[0].prompt)
    assert shown["name"] == name
    members = {"children", "name"} if good is NODES else {"additionalProperties"} if "a" in good else {"x"}
    assert all(f'"{member}' in json.dumps(shown["parameters"]).replace("^", "") for member in members)


ENUM = {"title": "E", "enum": ["a", "b"]}


@pytest.mark.parametrize(
    "schema",
    [
        ENUM,
        {"title": "E", "const": 3},
        {"title": "E", "type": ["string", "null"]},
        {"title": "E", "anyOf": [{"type": "string"}, {"type": "null"}]},
        {"title": "E", "oneOf": [{"const": "a"}, {"enum": [1, 2]}]},
        {"title": "E", "$ref": "#/$defs/E", "$defs": {"E": {"enum": ["a"]}}},
        {"title": "E", "type": "array", "items": {"type": "integer"}},
        {"name": "E", "parameters": {"type": "string"}},
        RootModel[list[int]],
        RootModel[int | str],
    ],
)
def test_values_that_are_no_objects_are_no_arguments(schema: Any) -> None:
    with pytest.raises(ValueError, match=r"an object|no object"):
        ChatDynaspark().bind_tools([schema])
    with pytest.raises(ValueError, match="needs a schema of objects"):
        ChatDynaspark().with_structured_output(schema, method="function_calling")


def test_values_that_are_no_objects_can_be_answers(served: Serve) -> None:
    model, _ = served('"a"', '"c"', max_repairs=0)
    chain = model.with_structured_output(ENUM)
    assert chain.invoke("Which?") == "a"  # type: ignore[comparison-overlap]
    with pytest.raises(OutputParserException):
        chain.invoke("Which?")


class Pair(BaseModel):
    left: "Pair | None" = None
    value: int = 0


class Two1(BaseModel):
    first: "list[Two2]"


class Two2(BaseModel):
    back: Two1 | None = None


class Holder(BaseModel):
    root: Node
    one: One


class Tree(RootModel[dict[str, "Tree"]]):
    pass


class NodeV1(BaseModelV1):
    name: str
    children: "list[NodeV1]" = []


NodeV1.update_forward_refs()


@dataclass
class Data:
    name: str
    children: "list[Data]"


def grow(tree: Node, one: One) -> str:
    """Grow it.

    Args:
        tree: the one to grow
        one: another
    """
    return f"{tree}{one}"


@tool
def plant(tree: Node, secret: Annotated[str, InjectedToolArg]) -> str:
    """Plant it."""
    return f"{tree}{secret}"


DATA = {"name": "a", "children": [{"name": "b", "children": []}]}
BAD_TREE = {"tree": WRONG_NODES, "one": GOOD}
RECURSIVE: dict[str, tuple[Any, str, Any, Any]] = {
    "class": (Node, "Node", NODES, WRONG_NODES),
    "through a union": (Pair, "Pair", {"left": {"value": 1}}, {"left": {"value": "many"}}),
    "through another class": (Two1, "Two1", {"first": [{"back": {"first": []}}]}, {"first": [{"back": {"first": 3}}]}),
    "within a class": (Holder, "Holder", {"root": NODES, "one": GOOD}, {"root": WRONG_NODES, "one": GOOD}),
    "map of itself": (Tree, "Tree", {"a": {"b": {}}}, {"a": {"b": 3}}),
    "pydantic v1": (NodeV1, "NodeV1", NODES, WRONG_NODES),
    "dataclass": (Data, "Data", DATA, {"name": "a", "children": [{"name": "b", "children": 3}]}),
    "function": (grow, "grow", {"tree": NODES, "one": GOOD}, BAD_TREE),
    "tool": (plant, "plant", {"tree": NODES}, {"tree": WRONG_NODES}),
    "args_schema, a class": (
        StructuredTool.from_function(lambda **_: "", name="t", description="d", args_schema=Holder),
        "t",
        {"root": NODES, "one": GOOD},
        {"root": WRONG_NODES, "one": GOOD},
    ),
    "args_schema, a dictionary": (
        StructuredTool.from_function(lambda **_: "", name="t", description="d", args_schema=NODE),
        "t",
        NODES,
        WRONG_NODES,
    ),
    "$ref to the root": (
        {"title": "t", "type": "object", "properties": {"a": {"$ref": "#"}}, "additionalProperties": False},
        "t",
        {"a": {"a": {}}},
        {"a": {"b": 1}},
    ),
}


@pytest.mark.parametrize("choice", ["auto", "any"])
@pytest.mark.parametrize("case", RECURSIVE.values(), ids=RECURSIVE)
def test_recursion_is_shown_and_checked(served: Serve, case: tuple[Any, str, Any, Any], choice: str) -> None:
    given, name, good, bad = case
    model, script = served(call(name, **good))
    assert [made["args"] for made in model.bind_tools([given], tool_choice=choice).invoke("x").tool_calls] == [good]
    (shown,) = [line["parameters"] for line in listed_tools(script.asked[0].prompt)]
    assert "$ref" in json.dumps(shown)
    assert "secret" not in script.asked[0].prompt
    for method in METHODS:
        wrong, _ = served(said(bad, method, name), max_repairs=0)
        with pytest.raises(OutputParserException):
            wrong.with_structured_output(given, method=method).invoke("x")


def test_what_is_not_recursive_is_told_as_before(served: Serve) -> None:
    model, script = served("x")

    def order(one: One, two: One | None = None) -> str:
        """Order."""
        return f"{one}{two}"

    model.bind_tools([order]).invoke("x")
    assert "$ref" not in script.asked[0].prompt
    assert '- order: Order. Arguments: {"one": {"x": integer}' in script.asked[0].prompt


class Item(TypedDict):
    what: NotRequired[str]


class Order(TypedDict):
    """An order.

    Args:
        size: how large
    """

    size: int
    colour: NotRequired[Annotated[str, ..., "which colour"]]
    note: Annotated[NotRequired[str], "none", "a note"]
    gift: ReadOnly[bool | None]
    place: Annotated[str, None, "where"]
    items: list[Item]
    code: Annotated[str, Field(pattern="^a")]
    parts: "dict[str, Order]"


class Some(TypedDict, total=False):
    a: Required[int]
    b: "Some0 | None"


class Some0(TypedDict):
    c: tuple[int, str]


Keys = TypedDict("Keys", {"json": int, "_id": int, "a-b": int, "copy": int})
ORDER: dict[str, Any] = {"size": 1, "gift": None, "items": [{}], "code": "a", "parts": {}}
TYPED: list[tuple[Any, Any, Any]] = [
    (Order, ORDER, {**ORDER, "parts": {"x": {"size": 1}}}),
    (Order, {**ORDER, "parts": {"x": ORDER}, "note": "n", "colour": "red"}, {**ORDER, "colour": []}),
    (Order, {**ORDER, "items": [{"what": "w"}]}, {**ORDER, "items": [{"what": []}]}),
    (Order, {**ORDER, "gift": True}, {**ORDER, "code": "b"}),
    (Order, ORDER, {name: value for name, value in ORDER.items() if name != "gift"}),
    (Some, {"a": 1}, {"b": None}),
    (Some, {"a": 1, "b": {"c": [1, "x"]}}, {"a": 1, "b": {"c": [1]}}),
    (Keys, {"json": 1, "_id": 2, "a-b": 3, "copy": 4}, {"json": 1}),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("kind", "good", "bad"), TYPED)
def test_a_typed_dict_means_what_it_means_in_python(served: Serve, kind: Any, good: Any, bad: Any, method: str) -> None:
    model, _ = served(*(said(value, method, kind.__name__) for value in (good, bad)), max_repairs=0)
    chain = model.with_structured_output(kind, method=method)
    assert chain.invoke("x") == good
    with pytest.raises(OutputParserException):
        chain.invoke("x")


def test_a_typed_dict_is_described_by_its_own_words(served: Serve) -> None:
    model, script = served("x", "x")
    model.bind_tools([Order]).invoke("x")
    (shown,) = listed_tools(script.asked[0].prompt)
    assert shown["description"] == "An order."
    members = shown["parameters"]["properties"]
    about = {name: each["description"] for name, each in members.items() if "description" in each}
    assert about == {"size": "how large", "colour": "which colour", "note": "a note", "place": "where"}
    assert {name: each["default"] for name, each in members.items() if "default" in each} == {"note": "none"}
    model.bind_tools([Some]).invoke("x")
    assert "new empty dictionary" not in script.asked[1].prompt


class Plain:
    def __init__(self, a: int) -> None:
        self.a = a

    def __call__(self, b: int) -> int:
        return self.a + b


class Odd(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    plain: Plain


class Described(TypedDict):
    a: Annotated[int, ..., 5]


class Unresolved(TypedDict):
    a: "Nobody"  # type: ignore[name-defined]  # noqa: F821  # nobody has defined it


class OfPlain(TypedDict):
    plain: Plain


class Annotations:
    name: str
    age: int = 3


class Inherited(Annotations):
    KIND: ClassVar[str] = "x"


class Maker(StructuredTool):
    pass


NO_TOOLS: list[tuple[Any, str]] = [
    (Plain, "give a function, a tool, a pydantic class"),
    (Plain(1), "give a function, a tool, a pydantic class"),
    (functools.partial(grow, one=One(x=1)), "give a function, a tool, a pydantic class"),
    (max, "give a function, a tool"),
    (NewType("Amount", int), "give a function, a tool"),
    ([1], "give a function, a tool"),
    ("grow", "give a function, a tool"),
    (Odd, "give a function, a tool.*Odd"),
    (BaseModel, "give a function, a tool"),
    (Annotations, "only annotated: make it a pydantic class or a dataclass"),
    (Inherited, "only annotated"),
    (Maker, "a class of tools: give one of them"),
    (Described, "description of 'a' is of type int"),
    (Unresolved, "name 'Nobody' is not defined"),
    (OfPlain, "OfPlain"),
    ({"type": {"type": "string"}}, "is of type"),
    ({"title": {"type": "string"}}, "has a name"),
    ({"name": "x", "parameters": [1]}, "no JSON Schema"),
    ({"type": "array", "items": {}}, "a tool takes an object"),
    ({"type": "mcp", "server_url": "x"}, "tools of your own"),
]


@pytest.mark.parametrize(("given", "shown"), NO_TOOLS)
def test_what_is_no_tool_says_what_can_be_given(given: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=rf"(?s)tools\[0\].*{shown}"):
        ChatDynaspark().bind_tools([given])


class Colour(enum.Enum):
    RED = "red"


class Named(str, enum.Enum):  # noqa: UP042  # as it is written for older Pythons
    RED = "red"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "kind",
    [
        Colour,
        Named,
        enum.IntEnum("Size", "S M"),
        enum.Flag("Right", "READ WRITE"),
        enum.StrEnum("Word", "A B"),
        bytes,
        tuple,
        complex,
        dt.date,
        Literal["a", "b"],
        list[Node],
        Node | One,
    ],
)
def test_a_kind_without_named_fields_goes_into_a_class(kind: Any, method: str) -> None:
    with pytest.raises(ValueError, match="has no named fields: make it a field of a class"):
        ChatDynaspark().with_structured_output(kind, method=method)
    with pytest.raises(ValueError, match="has no named fields: make it a field of a class"):
        ChatDynaspark().bind_tools([kind])


class Tuple(NamedTuple):
    x: int


class Painted(BaseModel):
    colour: Colour


@pytest.mark.parametrize("kind", [make_dataclass("One", [("x", int)]), Tuple, type("Late", (One,), {})])
def test_classes_with_named_fields_are_taken_however_they_were_made(served: Serve, kind: type) -> None:
    model, _ = served(call(kind.__name__, x=1))
    assert [made["args"] for made in model.bind_tools([kind]).invoke("x").tool_calls] == [GOOD]


def test_an_enum_in_a_field_is_taken(served: Serve) -> None:
    model, _ = served('{"colour": "red"}')
    assert model.with_structured_output(Painted).invoke("x") == Painted(colour=Colour.RED)


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"type": "regex", "regex": "a+"}, "of type 'regex'; give a JSON Schema with a title"),
        ({"type": "grammar"}, "'json_object' and 'text'"),
        ({"type": "json"}, "'json_schema' with a schema"),
        ({"type": ["a"]}, "without a title"),
        ({"type": "array", "items": {}}, "of type 'array' without a title: add one"),
        ({"type": "string"}, "without a title"),
        ({"type": ["object", "null"]}, "without a title"),
        ({"type": "object", "properties": {}}, "title"),
        ({"anyOf": [OBJECT]}, "title"),
        ({"$ref": "#/$defs/A", "$defs": {"A": OBJECT}}, "title"),
    ],
)
def test_what_is_no_form_of_an_answer_says_which_there_are(form: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=shown) as of_answer:
        ChatDynaspark().bind_tools([], response_format=form)
    with pytest.raises(ValueError, match=shown) as of_schema:
        ChatDynaspark().with_structured_output(form)
    assert "tools of your own" not in f"{of_answer.value} {of_schema.value}"


class Ping:
    """Ping the server."""

    TIMEOUT: ClassVar[int] = 3


@pytest.mark.parametrize("kind", [Ping, type("Ping", (BaseModel,), {}), make_dataclass("Ping", [])])
def test_a_class_without_members_is_a_tool_without_arguments(served: Serve, kind: Any) -> None:
    model, _ = served(call("Ping"))
    assert [made["args"] for made in model.bind_tools([kind]).invoke("x").tool_calls] == [{}]


GRAMMAR = {"type": "grammar", "syntax": "regex", "definition": "a+"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (
            Tool(
                "f", lambda text: text, "d", metadata={"type": "custom_tool", "format": GRAMMAR}
            ),  # as langchain_openai's
            '{"__arg1": string (in this format: {',
        ),
        ({"type": "custom", "name": "f", "description": "d", "format": {"type": "text"}}, '{"__arg1": string}'),
        ({"type": "custom", "custom": {"name": "f", "description": "d"}}, '{"__arg1": string}'),
    ],
)
def test_a_tool_of_free_text_has_langchains_argument_for_it(served: Serve, given: Any, shown: str) -> None:
    model, script = served(call("f", __arg1="aa"))
    message = model.bind_tools([given]).invoke("x")
    assert f"- f: d. Arguments: {shown}" in script.asked[0].prompt
    assert [made["args"] for made in message.tool_calls] == [{"__arg1": "aa"}]
    if isinstance(given, BaseTool):
        assert given.invoke(message.tool_calls[0]).content == "aa"


ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.mark.parametrize(
    "given",
    [
        {"name": "f", "description": "d", "inputSchema": ARGUMENTS},
        {"name": "f", "title": "The F", "description": "d", "inputSchema": ARGUMENTS, "annotations": {}},
        {"type": "function", "name": "f", "description": "d", "inputSchema": ARGUMENTS},
        {"type": "function", "function": {"name": "f", "description": "d", "inputSchema": ARGUMENTS}},
        {"type": "function", "function": {"name": "f", "description": "d", "input_schema": ARGUMENTS}},
        {"type": "custom", "name": "f", "description": "d", "input_schema": ARGUMENTS},
        {"name": "f", "description": "d", "schema": ARGUMENTS},
        {"name": "f", "description": "d", "inputSchema": ARGUMENTS, "outputSchema": OBJECT},
        {"name": "f", "description": "d", "parameters": None, "inputSchema": ARGUMENTS},
        {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": ARGUMENTS}}},
    ],
)
def test_the_schema_of_a_tool_is_found_by_any_name(served: Serve, given: dict[str, Any]) -> None:
    model, script = served("x", "x")
    for strict in (None, False):
        model.bind_tools([given], strict=strict).invoke("x")
        assert '- f: d. Arguments: {"city": string}' in script.asked[-1].prompt


@pytest.mark.parametrize("strict", [None, False, True])
@pytest.mark.parametrize(
    "given",
    [
        {"type": "function", "function": {"name": "x", "description": "d"}},
        {"type": "function", "name": "x", "description": "d"},
        {"name": "x", "description": "d"},
        {"name": "x", "description": "d", "parameters": {}},
        {"name": "x", "description": "d", "parameters": None},
        {"name": "x", "description": "d", "input_schema": {"type": "object", "properties": {}}},
        {"title": "x", "description": "d"},
        {"title": "x", "description": "d", "type": "object", "properties": {}},
    ],
)
def test_a_tool_without_arguments_may_be_strict(served: Serve, given: dict[str, Any], strict: bool | None) -> None:
    model, _ = served(call("x"))
    assert [made["args"] for made in model.bind_tools([given], strict=strict).invoke("x").tool_calls] == [{}]


@pytest.mark.parametrize("said", [False, [], {}, "yes"])
def test_a_tool_that_says_otherwise_is_not_strict(said: Any) -> None:
    given = {"name": "x", "strict": said, "parameters": ARGUMENTS}
    with pytest.raises(ValueError, match=rf"tools\[0\] says strict={re.escape(str(said))},"):
        ChatDynaspark().bind_tools([given], strict=True)


class Scores(BaseModel):
    scores: dict[str, int]


class Free(BaseModel):
    scores: dict[str, Any]


class Deep(BaseModel):
    scores: list[dict[str, dict[str, int]]]


class Either(BaseModel):
    scores: dict[str, int] | None


class OfClasses(BaseModel):
    scores: dict[str, One]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class OfPatterns(BaseModel):
    scores: dict[Annotated[str, Field(pattern="^a")], int]


class Bare(BaseModel):
    scores: dict  # type: ignore[type-arg]


def rate(scores: dict[str, int]) -> str:
    """Rate."""
    return str(scores)


MAPS: list[tuple[Any, Any]] = [
    (Scores, {"scores": {"a": 1}}),
    (Free, {"scores": {"a": [1]}}),
    (Deep, {"scores": [{"a": {"b": 1}}]}),
    (Either, {"scores": {"a": 1}}),
    (OfClasses, {"scores": {"a": {"x": 1}}}),
    (Open, {"a": 1}),
    (OfPatterns, {"scores": {"a": 1}}),
    (Bare, {"scores": {"a": 1}}),
    (rate, {"scores": {"a": 1}}),
    ({"title": "t", "type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
    ({"title": "t", "type": "object", "properties": {"scores": {"type": "object"}}}, {"scores": {"a": 1}}),
    ({"title": "t", "type": "object", "required": ["a"]}, {"a": 1}),
]


@pytest.mark.parametrize("method", [*METHODS, "json_mode"])
@pytest.mark.parametrize(("kind", "value"), MAPS)
def test_a_map_may_be_strict(served: Serve, kind: Any, value: Any, method: str) -> None:
    name = kind["title"] if isinstance(kind, dict) else kind.__name__
    model, _ = served(said(value, method if method in METHODS else "json_schema", name), max_repairs=0)
    found: Any = model.with_structured_output(kind, strict=True, method=method).invoke("x")
    assert (found.model_dump() if isinstance(found, BaseModel) else found) == value


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (One, {"x": 1, "y": 2}),
        (Scores, {"scores": {"a": 1}, "y": 2}),
        (Scores, {"scores": {"a": "many"}}),
        (OfClasses, {"scores": {"a": {"x": 1, "y": 2}}}),
        (Holder, {"root": {"name": "a", "children": []}, "one": {"x": 1, "y": 2}}),
        (Node, {"name": "a", "children": [{"name": "b", "children": [], "y": 2}]}),
        (Node, {"name": "a"}),
        ({"title": "Node", **NODE}, {"name": "a", "children": [], "y": 2}),
        ({"title": "T", **EITHER}, {"x": 1, "z": 2}),
        ({"title": "T", "allOf": [OBJECT]}, {"x": 1, "z": 2}),
    ],
)
def test_what_is_strict_takes_no_other_members(served: Serve, kind: Any, wrong: Any, method: str) -> None:
    name = kind["title"] if isinstance(kind, dict) else kind.__name__
    model, _ = served(said(wrong, method, name), max_repairs=0)
    wanted = kind.model_json_schema() if isinstance(kind, type) and issubclass(kind, BaseModel) else kind
    with pytest.raises(OutputParserException):
        model.with_structured_output(wanted, strict=True, method=method).invoke("x")


@pytest.mark.parametrize("method", [*METHODS, "json_mode"])
@pytest.mark.parametrize("schema", [One, Node, Data, {"title": "One", **OBJECT}, {"title": "Node", **NODE}])
def test_every_chain_can_be_pickled(served: Serve, schema: Any, method: str) -> None:
    good: Callable[[str], Any] = {"One": GOOD, "Node": NODES, "Data": DATA}.__getitem__
    name = schema["title"] if isinstance(schema, dict) else schema.__name__
    model, _ = served(lambda _: said(good(name), method if method in METHODS else "json_schema", name))
    chain = model.with_structured_output(schema, method=method)
    copy = pickle.loads(pickle.dumps(chain))
    assert copy.invoke("x") == chain.invoke("x")

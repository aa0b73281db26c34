"""`with_structured_output` and `response_format`: a value of the schema, or an error that says what the model wrote."""

import json
from collections.abc import Callable
from datetime import date
from functools import reduce
from operator import add
from typing import Annotated, Any, NotRequired, Self, TypedDict, cast

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelInvalidRequestError, OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_json_schema
from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    create_model,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import Field as FieldV1
from serving import Serve, listed_tools

from dynaspark_core.server import Asked
from langchain_dynaspark import ChatDynaspark


class Person(BaseModel):
    """A person."""

    name: str
    age: int = Field(ge=0)


class PersonV1(BaseModelV1):
    """A person."""

    name: str
    age: int


class PersonDict(TypedDict):
    """A person."""

    name: Annotated[str, ..., "the first name"]
    age: int


SCHEMA = {
    "title": "person",
    "description": "A person.",
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
TOOL = {"type": "function", "function": {"name": "person", "parameters": {k: SCHEMA[k] for k in list(SCHEMA)[2:]}}}
SCHEMAS: dict[str, Any] = {
    "pydantic": Person,
    "pydantic v1": PersonV1,
    "TypedDict": PersonDict,
    "JSON Schema": SCHEMA,
    "OpenAI tool": TOOL,
}
METHODS = ["json_schema", "function_calling", "json_mode"]
ADA: dict[str, Any] = {"name": "Ada", "age": 36}
PROSE = "I do not know her."


def answer(value: object) -> Callable[[Asked], str]:
    """Writes the value in the form that the prompt asks for."""

    def write(asked: Asked) -> str:
        tools = listed_tools(asked.prompt)
        if not tools:
            return f"Here you are:\n```json\n{json.dumps(value, ensure_ascii=False)}\n```"
        call = {"name": tools[0]["name"], "arguments": value}
        return f"<tool_call>\n{json.dumps(call, ensure_ascii=False)}\n</tool_call>"

    return write


class Watching(BaseCallbackHandler):
    def __init__(self) -> None:
        self.options: list[Any] = []

    def on_chat_model_start(self, *_: Any, options: Any = None, **__: Any) -> None:
        self.options.append(options)


@pytest.mark.parametrize("strict", [None, False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
async def test_every_schema_with_every_method(served: Serve, schema: Any, method: str, strict: bool | None) -> None:
    model, script = served(answer(ADA))
    chain = model.with_structured_output(schema, method=method, strict=strict)
    values = [chain.invoke("Who?"), await chain.ainvoke("Who?"), *chain.stream("Who?")]
    values += [value async for value in chain.astream("Who?")]
    expected = schema(**ADA) if isinstance(schema, type) and schema is not PersonDict else ADA
    assert values == [expected] * 4
    assert len(script.asked) == 4
    is_strict = "additionalProperties" in script.asked[0].prompt
    assert is_strict == bool(strict and method != "json_mode")


@pytest.mark.parametrize("method", METHODS)
async def test_one_run_is_seen_and_its_schema(served: Serve, method: str) -> None:
    model, script = served(PROSE, answer(ADA), PROSE, answer(ADA))
    chain = model.with_structured_output(Person, method=method)
    watching = Watching()
    assert chain.invoke("Who?", {"callbacks": [watching]}) == Person(**ADA)
    assert await chain.ainvoke("Who?", {"callbacks": [watching]}) == Person(**ADA)
    assert len(script.asked) == 4  # each was repaired once, within its run
    form = {"kwargs": {"method": method, "strict": None}, "schema": convert_to_json_schema(Person)}
    assert [options["ls_structured_output_format"] for options in watching.options] == [form, form]


class Tree(TypedDict):
    children: "NotRequired[list[Tree]]"


@pytest.mark.parametrize(
    "schema",
    [
        {"title": "Maybe", "type": ["object", "null"], "properties": {"x": {"type": "integer"}}},
        {"title": "Any", "description": "Anything.", "anyOf": [{"type": "object"}, {"type": "array"}]},
        {"name": "Named", "inputSchema": {"type": "object"}},
        {"type": "json_schema", "json_schema": {"name": "Wrapped", "schema": {"type": ["object", "null"]}}},
        Tree,
    ],
)
def test_the_schema_that_a_run_shows_is_the_one_that_is_asked_for(served: Serve, schema: Any) -> None:
    """Where LangChain's conversion of it raises, too."""
    model, script = served("{}")
    watching = Watching()
    chain: Any = model.with_structured_output(schema)
    assert chain.invoke("Who?", {"callbacks": [watching]}) == {}
    shown = watching.options[0]["ls_structured_output_format"]["schema"]
    assert shown == chain.first.kwargs["response_format"]["json_schema"]["schema"]
    assert len(script.asked) == 1


BROKEN = {
    "prose": lambda _: PROSE,
    "wrong type": answer({"name": "Ada", "age": "young"}),
    "missing": answer({"name": "Ada"}),
    "below the limit": answer({"name": "Ada", "age": -1}),
    "cut": lambda asked: answer(ADA)(asked)[:-30],
}


@pytest.mark.parametrize("written", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Person, convert_to_json_schema(Person)], ids=["pydantic", "JSON Schema"])
def test_no_value_is_an_error_with_what_was_written_never_none(
    served: Serve, schema: Any, method: str, written: Any
) -> None:
    model, script = served(written)
    chain = model.with_structured_output(schema, method=method)
    with pytest.raises(OutputParserException) as caught:
        chain.invoke("Who?")
    assert len(script.asked) <= 2
    assert caught.value.llm_output
    with pytest.raises(OutputParserException):
        list(chain.stream("Who?"))


class Invoice(BaseModel):
    """An invoice."""

    number: str | None = None
    total: float | None = None


BILL: dict[str, Any] = {"number": "A-7", "total": 12.5}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda value: {"Invoice": value},
        lambda value: {"data": value},
        lambda value: {"name": "Invoice", "arguments": value},
        lambda value: {"name": "Invoice", "parameters": json.dumps(value)},
        lambda value: {"the_invoice": value},
    ],
    ids=["title", "data", "call", "JSON text", "another name"],
)
@pytest.mark.parametrize("method", METHODS)
async def test_a_wrapper_is_not_the_value(served: Serve, method: str, wrap: Callable[[Any], Any]) -> None:
    """All fields are optional, so that every object is one of defaults for pydantic."""
    model, script = served(answer(wrap(BILL)))
    chain = model.with_structured_output(Invoice, method=method)
    values = [chain.invoke("?"), *chain.stream("?"), *[value async for value in chain.astream("?")]]
    assert values == [Invoice(**BILL)] * 3
    assert len(script.asked) == 3


@pytest.mark.parametrize("schema", [Invoice, convert_to_json_schema(Invoice)], ids=["pydantic", "JSON Schema"])
@pytest.mark.parametrize(
    "wrong",
    [{"Number": "A-7", "total": 1}, {"x": 1}, {"data": BILL, "result": {"total": 0}}],
    ids=["case", "none", "two"],
)
@pytest.mark.parametrize("method", METHODS)
def test_an_object_without_known_keys_is_asked_for_again(served: Serve, method: str, wrong: Any, schema: Any) -> None:
    model, script = served(answer(wrong))
    with pytest.raises(OutputParserException):
        model.with_structured_output(schema, method=method).invoke("?")
    assert len(script.asked) == (1 if method == "json_mode" else 2)  # in JSON mode the model is not shown the schema


@pytest.mark.parametrize("method", METHODS)
def test_classes_nested_too_deep_are_an_error_before_anything_is_sent(served: Serve, method: str) -> None:
    kind: type[BaseModel] = Person
    for level in range(800):
        kind = create_model(f"Level{level}", inner=(kind, ...))
    model, script = served(PROSE)
    with pytest.raises(ModelInvalidRequestError, match="nested too deep"):
        model.with_structured_output(kind, method=method).invoke("Who?")
    assert not script.asked


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("opener", ["[", '{"a":'])
def test_a_reply_nested_too_deep_is_an_error(served: Serve, method: str, opener: str) -> None:
    model, _ = served(lambda _: opener * 3_000)
    chain = model.with_structured_output(Person, method=method)
    for ask in (chain.invoke, lambda question: list(chain.stream(question))):
        with pytest.raises(OutputParserException):
            ask("Who?")


class City(BaseModel):
    """A city."""

    name: str


WRONG_CALLS = [
    {"name": "City", "arguments": {"city": "Oslo"}},
    {"name": "City", "arguments": {}},
    {"name": "City", "input": "Oslo"},
    {"name": "City", "fields": {"name": "Oslo"}},
]


@pytest.mark.parametrize("written", WRONG_CALLS, ids=["arguments", "none", "text", "fields"])
@pytest.mark.parametrize("method", METHODS)
def test_the_name_of_a_wrapper_is_never_the_value(served: Serve, method: str, written: Any) -> None:
    model, _ = served(answer(written))
    chain = model.with_structured_output(City, method=method)
    for ask in (chain.invoke, lambda question: list(chain.stream(question))):
        with pytest.raises(OutputParserException):
            ask("Where?")


@pytest.mark.parametrize("method", METHODS)
def test_an_answer_in_prose_is_quoted(served: Serve, method: str) -> None:
    model, _ = served(PROSE)
    with pytest.raises(OutputParserException, match=f"wrote: '{PROSE}'"):
        model.with_structured_output(Person, method=method).invoke("Who?")


@pytest.mark.parametrize("method", METHODS)
def test_include_raw_gives_both_or_the_error(served: Serve, method: str) -> None:
    model, _ = served(answer(ADA), PROSE, PROSE)
    chain = model.with_structured_output(Person, method=method, include_raw=True)
    assert chain.get_output_jsonschema()["type"] == "object"
    found: Any = chain.invoke("Who?")
    assert (found["parsed"], found["parsing_error"], type(found["raw"])) == (Person(**ADA), None, AIMessage)
    failed: Any = chain.invoke("Who?")
    assert (failed["parsed"], failed["raw"].content) == (None, PROSE)
    assert isinstance(failed["parsing_error"], OutputParserException)
    assert failed["parsing_error"].llm_output == PROSE


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("method", METHODS)
async def test_a_stream_with_raw_adds_up_to_both_or_the_error(served: Serve, method: str, is_async: bool) -> None:
    model, _ = served(answer(ADA), PROSE, PROSE)
    chain: Any = model.with_structured_output(Person, method=method, include_raw=True)

    async def streamed() -> dict[str, Any]:
        pieces = [piece async for piece in chain.astream("Who?")] if is_async else list(chain.stream("Who?"))
        assert list(pieces[0]) == ["raw"]
        return cast("dict[str, Any]", reduce(add, pieces))

    found = await streamed()
    assert (found["parsed"], found["parsing_error"]) == (Person(**ADA), None)
    failed = await streamed()
    assert (failed["parsed"], failed["raw"].text) == (None, PROSE)
    assert failed["parsing_error"].llm_output == PROSE


NOT_ONE_VALUE = {
    "a key twice": '{"name": "Ada", "name": "Bo", "age": 36}',
    "a list of two": '[{"name": "Ada", "age": 36}, {"name": "Bo", "age": 4}]',
    "two fences": '```json\n{"name": "Ada", "age": 36}\n```\n```json\n{"name": "Bo", "age": 4}\n```',
    "two options": 'Oder:\n{"name": "Ada", "age": 36}\nOder:\n{"name": "Bo", "age": 4}',
    "a form": 'Das weiß ich nicht. Es könnte so aussehen:\n```json\n{"name": "Ada", "age": 36}\n```',
    "a form, e.g.": 'There is not enough information. An answer would be e.g.\n\n{"name": "Ada", "age": 36}',
}


@pytest.mark.parametrize("written", NOT_ONE_VALUE.values(), ids=NOT_ONE_VALUE)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("schema", [Person, convert_to_json_schema(Person)], ids=["pydantic", "JSON Schema"])
def test_what_is_not_one_value_is_an_error(served: Serve, schema: Any, method: str, written: str) -> None:
    model, _ = served(lambda _: written)
    chain = model.with_structured_output(schema, method=method)
    for ask in (chain.invoke, lambda question: list(chain.stream(question))):
        with pytest.raises(OutputParserException):
            ask("Who?")


def test_the_arguments_of_a_function_are_an_object(served: Serve) -> None:
    model, script = served(lambda _: "[1]")
    with pytest.raises(ModelInvalidRequestError, match="needs a schema of objects, not of type 'array'"):
        model.with_structured_output(RootModel[list[int]], method="function_calling").invoke("?")
    assert not script.asked


@pytest.mark.parametrize("method", METHODS)
def test_a_number_too_large_is_an_error(served: Serve, method: str) -> None:
    model, _ = served(lambda _: '{"degrees": 1e400}')
    schema = {"title": "weather", "type": "object", "properties": {"degrees": {"type": "number"}}}
    with pytest.raises(OutputParserException):
        model.with_structured_output(schema, method=method).invoke("Where?")


class Strictly(BaseModel):
    model_config = ConfigDict(strict=True)

    born: date
    names: tuple[str, ...]


@pytest.mark.parametrize("method", METHODS)
def test_a_strict_class_takes_what_json_can_say(served: Serve, method: str) -> None:
    model, _ = served(answer({"born": "1815-12-10", "names": ["Ada", "Ærø"]}))
    value = model.with_structured_output(Strictly, method=method).invoke("Who?")
    assert value == Strictly(born=date(1815, 12, 10), names=("Ada", "Ærø"))


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Address(Camel):
    street_name: str | None = None
    zip_code: str | None = None


class Customer(Camel):
    first_name: str
    homes: list[Address] = []
    email: str | None = Field(default=None, validation_alias=AliasChoices("mail", "eMail"))
    tags: Annotated[list[str], BeforeValidator(lambda tags: tags if isinstance(tags, list) else tags.split(","))] = []

    @model_validator(mode="after")
    def _sort(self) -> Self:
        self.tags = sorted(self.tags)
        return self


class CustomerV1(BaseModelV1):
    first_name: str = FieldV1(alias="firstName")

    class Config:
        allow_population_by_field_name = True


AT_HOME = Customer(first_name="Ada", homes=[Address(street_name="Main")])
TAKEN: dict[str, tuple[dict[str, Any], object]] = {
    "names": ({"first_name": "Ada", "homes": [{"street_name": "Main"}]}, AT_HOME),
    "names within": ({"firstName": "Ada", "homes": [{"street_name": "Main"}]}, AT_HOME),
    "another alias": ({"firstName": "Ada", "eMail": "a@b.c"}, Customer(firstName="Ada", eMail="a@b.c")),  # type: ignore[call-arg]
    "another alias alone": ({"eMail": "a@b.c", "first_name": "Ada"}, Customer(firstName="Ada", eMail="a@b.c")),  # type: ignore[call-arg]
    "names of v1": ({"first_name": "Ada"}, CustomerV1(firstName="Ada")),
    "a validator": ({"firstName": "Ada", "tags": "a,b"}, Customer(first_name="Ada", tags=["a", "b"])),
}


@pytest.mark.parametrize(("written", "value"), TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("method", METHODS)
def test_a_class_takes_what_its_schema_does_not(served: Serve, method: str, written: object, value: object) -> None:
    model, _ = served(answer(written))
    assert model.with_structured_output(type(value), method=method).invoke("Who?") == value


PASSED_OVER: list[tuple[Any, str]] = [
    ({"first_name": "Ada", "homes": [{"street": "Main"}]}, "first_name: must be written firstName"),
    ({"first_name": "Ada", "home": "Main"}, "has none of the keys"),
    ({"first_name": "Ada", "tags": 5}, "first_name: must be written firstName"),
    ({"firstName": "Ada", "tags": 5}, "tags: expected an array"),
    ({"firstName": "Ada", "tags": "a,b", "homes": [{"street": "Main"}]}, "tags: expected an array"),
]


@pytest.mark.parametrize(("written", "shown"), PASSED_OVER)
@pytest.mark.parametrize("method", METHODS)
def test_a_class_that_would_pass_over_a_key_is_an_error(served: Serve, method: str, written: Any, shown: str) -> None:
    model, _ = served(answer(written))
    with pytest.raises(OutputParserException, match=f"no value of the schema: {shown}"):
        model.with_structured_output(Customer, method=method).invoke("Who?")


def test_a_class_of_a_list_takes_what_its_schema_does_not(served: Serve) -> None:
    split = BeforeValidator(lambda each: each.split(",") if isinstance(each, str) else each)
    model, _ = served(answer(["a,b", ["c"]]))
    rows = model.with_structured_output(RootModel[list[Annotated[list[str], split]]]).invoke("Which?")
    assert rows.model_dump() == [["a", "b"], ["c"]]  # type: ignore[union-attr]  # the class says so


def test_a_value_that_is_no_object_by_schema(served: Serve) -> None:
    model, _ = served(answer([1, 2]))
    numbers = {"title": "numbers", "type": "array", "items": {"type": "integer"}}
    assert model.with_structured_output(numbers).invoke("Which?") == [1, 2]  # type: ignore[comparison-overlap]
    with pytest.raises(ValueError, match="array"):
        model.with_structured_output(numbers, method="function_calling")


def test_json_mode_needs_no_schema(served: Serve) -> None:
    model, script = served(answer(ADA))
    assert model.with_structured_output(method="json_mode").invoke("Ada is 36.") == ADA
    assert '{"type": "object"}' in script.asked[0].prompt


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ({"schema": Person, "method": "guessing"}, "guessing"),
        ({"schema": None}, "schema"),
        ({"schema": {"type": "object", "properties": {}}}, "title"),
        ({"schema": Person, "stricct": True}, "stricct"),
    ],
)
def test_what_cannot_be_asked_for_is_named(arguments: dict[str, Any], shown: str) -> None:
    with pytest.raises(ValueError, match=shown) as caught:
        ChatDynaspark().with_structured_output(**arguments)
    assert isinstance(caught.value, ModelInvalidRequestError)


FORMS: list[Any] = [
    {"type": "json_object"},
    {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA, "strict": True}},
    {"type": "json_schema", "name": "person", "schema": SCHEMA},
    SCHEMA,
    Person,
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("written", ["```json\n{}\n```", "Sure! {} Anything else?", "{}"])
async def test_a_response_format_leaves_json_and_nothing_else(served: Serve, form: Any, written: str) -> None:
    model, script = served(lambda _: written.replace("{}", json.dumps({"name": "爱", "age": 36})))
    bound = model.bind(response_format=form)
    streamed = [chunk async for chunk in bound.astream("Who?")]
    texts = [bound.invoke("Who?").content, (await bound.ainvoke("Who?")).content]
    texts += ["".join(str(chunk.content) for chunk in streamed)]
    assert texts == ['{"name": "爱", "age": 36}'] * 3
    assert "Form of the answer" in script.asked[0].prompt


def test_a_response_format_of_text_asks_for_nothing(served: Serve) -> None:
    model, script = served(PROSE)
    assert model.bind(response_format={"type": "text"}).invoke("Who?").content == PROSE
    assert script.asked[0].prompt == "Who?"


@pytest.mark.parametrize("form", [{"type": "json_schema"}, {"type": "xml"}, 3])
def test_an_unknown_response_format_is_an_error(form: Any) -> None:
    with pytest.raises(ValueError, match="response_format"):
        ChatDynaspark().bind_tools([], response_format=form)


def test_tools_and_a_response_format_together_give_a_call_or_a_value(served: Serve) -> None:
    model, script = served(answer({"name": "Ada"}), "```json\n" + json.dumps(ADA) + "\n```", PROSE, PROSE)
    find = {"name": "find", "parameters": {"type": "object", "properties": {"name": {"type": "string"}}}}
    bound = model.bind_tools([find], response_format=Person)
    assert [call["args"] for call in bound.invoke("Who?").tool_calls] == [{"name": "Ada"}]
    assert json.loads(str(bound.invoke("Who?").content)) == ADA
    assert bound.invoke("Who?").content == PROSE
    assert len(script.asked) == 4


CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@pytest.mark.parametrize(
    "wrapped",
    [
        {"type": "json_schema", "json_schema": {"name": "City", "strict": True, "schema": CITY}},
        {"type": "json_schema", "name": "City", "schema": {"type": "object", "properties": {"name": {}}}},
        {"type": "json_schema", "json_schema": {"schema": {"title": "City", "type": "object"}}},
    ],
)
@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_a_schema_may_come_as_openai_writes_it(served: Serve, wrapped: dict[str, Any], method: str) -> None:
    name = wrapped.get("json_schema", wrapped).get("name", "City")
    call = f'<tool_call>{{"name": "{name}", "arguments": {{"name": "Oslo"}}}}</tool_call>'
    model, _ = served('{"name": "Oslo"}' if method == "json_schema" else call)
    assert model.with_structured_output(wrapped, method=method).invoke("x") == {"name": "Oslo"}


BO: dict[str, Any] = {"name": "Bo", "age": 3}
AL: dict[str, Any] = {"name": "Al", "age": 4}
FENCED = f"```json\n{json.dumps(BO)}\n```"
IN_A_CALL = "<tool_call>\n{}\n</tool_call>"


def called(value: object) -> str:
    return IN_A_CALL.format(json.dumps({"name": "Person", "arguments": value}))


NEIGHBOURS = [
    f"{FENCED}\nA year later it would be {json.dumps(AL)}.",
    f"Here you are:\n{FENCED}\nA year later it would be {json.dumps(AL)}.",
    f"{json.dumps(BO)}\nA year later it would be {json.dumps(AL)}.",
    f"{FENCED}\nUnlike {json.dumps(AL)}, she is real.",
    f"Not {json.dumps(AL)}.\n{FENCED}",
    f"{FENCED}\nI hope this helps.",
    f"{FENCED}\n{FENCED}",
    f"{json.dumps(BO)}\n{json.dumps(BO)}",
    f"{json.dumps(AL)}\nNo, that is wrong. Correct is:\n{json.dumps(BO)}",
    f"```json\n{json.dumps(AL)}\n```\nSorry, it should have been:\n{FENCED}",
    f"Her data are {json.dumps(BO)}, as far as I know.",
    f"{called(BO)}\n{called(BO)}",
    f"{called(BO)}\nA year later it would be {json.dumps(AL)}.",
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("written", NEIGHBOURS)
async def test_a_value_in_passing_gives_way_to_the_answer(served: Serve, method: str, written: str) -> None:
    model, script = served(lambda _: written)
    chain = model.with_structured_output(Person, method=method)
    assert [chain.invoke("Who?"), *chain.stream("Who?"), await chain.ainvoke("Who?")] == [Person(**BO)] * 3
    assert len(script.asked) == 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "written",
    [
        f"{json.dumps(AL)}\n{json.dumps(BO)}",
        f"{json.dumps(AL)}\nand\n{json.dumps(BO)}",
        f"```json\n{json.dumps(AL)}\n```\nAlso:\n{FENCED}",
        f"{called(AL)}\n{called(BO)}",
        f"I cannot tell. A person would look like {json.dumps(BO)}.",
        f"It might be like this, I do not know: {json.dumps(BO)}?",
    ],
)
def test_values_of_equal_standing_are_asked_for_again(served: Serve, method: str, written: str) -> None:
    model, script = served(written, answer(ADA), *[written] * 4)
    chain = model.with_structured_output(Person, method=method)
    assert chain.invoke("Who?") == Person(**ADA)
    assert len(script.asked) == 2
    for ask in (chain.invoke, lambda question: list(chain.stream(question))):
        with pytest.raises(OutputParserException):
            ask("Who?")
    assert len(script.asked) == 6

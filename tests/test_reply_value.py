"""One JSON value of a schema, out of whatever stands around it."""

import json
from collections.abc import Callable
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


INVOICE: dict[str, Any] = {
    "title": "Invoice",
    "type": "object",
    "properties": {"number": {"type": "string"}, "total": {"type": "number"}, "paid": {"type": "boolean"}},
}
"""All is optional: whatever object is held against it fits by JSON Schema."""
BILL = {"number": "A-7", "total": 12.5}
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "its title": lambda value: {"Invoice": value},
    "its title in another case": lambda value: {"invoice": value},
    "data": lambda value: {"data": value},
    "result": lambda value: {"result": value},
    "another name": lambda value: {"the_invoice": value},
    "arguments": lambda value: {"arguments": value},
    "parameters": lambda value: {"parameters": value},
    "input": lambda value: {"input": value},
    "a call": lambda value: {"name": "Invoice", "arguments": value},
    "a call with parameters": lambda value: {"name": "Invoice", "parameters": value},
    "a call with an id": lambda value: {"id": "call_1", "name": "Invoice", "arguments": value},
    "a call with JSON text": lambda value: {"name": "Invoice", "arguments": json.dumps(value)},
    "OpenAI's function": lambda value: {
        "type": "function",
        "function": {"name": "Invoice", "arguments": json.dumps(value)},
    },
    "OpenAI's calls": lambda value: {"tool_calls": [{"function": {"name": "Invoice", "arguments": json.dumps(value)}}]},
    "Gemini's call": lambda value: {"functionCall": {"name": "Invoice", "args": value}},
    "a status beside it": lambda value: {"status": "ok", "data": value},
    "its title beside others": lambda value: {"note": "as asked", "Invoice": value},
    "two of them": lambda value: {"response": {"Invoice": value}},
    "the form of a schema": lambda value: {"type": "object", "properties": value},
}
FRAMES: dict[str, Callable[[str], str]] = {
    "alone": lambda text: text,
    "fenced": lambda text: f"Here it is:\n```json\n{text}\n```",
    "tagged": lambda text: f"<tool_call>\n{text}\n</tool_call>",
    "tagged on its line": lambda text: f"<tool_call>{text}</tool_call>",
    "announced": lambda text: f"Here it is: {text}",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_a_wrapper_is_not_the_value(wrap: Callable[[Any], Any], frame: Callable[[str], str]) -> None:
    assert read_object(frame(json.dumps(wrap(BILL))), INVOICE) == BILL


CITY: dict[str, Any] = {
    "title": "City",
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
}
LAX_CITY = {**CITY, "required": []}
CALL: dict[str, Any] = {
    "title": "Call",
    "type": "object",
    "properties": {"name": {"type": "string"}, "arguments": {"type": "object"}},
    "required": ["name"],
}
TREE: dict[str, Any] = {
    "title": "Tree",
    "type": "object",
    "properties": {"name": {"type": "string"}, "data": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
}


@pytest.mark.parametrize(
    ("written", "schema", "value"),
    [
        ({"name": "City", "arguments": {"name": "Oslo"}}, CITY, {"name": "Oslo"}),
        ({"name": "get_city", "parameters": {"name": "Oslo"}}, CITY, {"name": "Oslo"}),
        ({"type": "tool_use", "id": "x", "name": "City", "input": {"name": "Oslo"}}, CITY, {"name": "Oslo"}),
        ({"action": "City", "action_input": '{"name": "Oslo"}'}, CITY, {"name": "Oslo"}),
        ({"name": "City", "arguments": {"City": {"name": "Oslo"}}}, CITY, {"name": "Oslo"}),
        ({"name": "City", "City": {"name": "Oslo"}}, CITY, {"name": "Oslo"}),
        ({"result": {"city": {"name": "Oslo"}}}, CITY, {"name": "Oslo"}),
        ({"name": "City", "arguments": {}}, LAX_CITY, {}),
        ({"name": "City"}, CITY, {"name": "City"}),
        ({"name": "Oslo", "Name": "Rome"}, CITY, {"name": "Oslo", "Name": "Rome"}),
        ({"name": "Oslo", "input": {"lang": "no"}}, CITY, {"name": "Oslo", "input": {"lang": "no"}}),
        ({"name": "Oslo", "arguments": "none"}, CITY, {"name": "Oslo", "arguments": "none"}),
        ({"number": "A-7", "data": {"a": 1}}, INVOICE, {"number": "A-7", "data": {"a": 1}}),
        ({"number": "A-7", "more": {"number": "B"}}, INVOICE, {"number": "A-7", "more": {"number": "B"}}),
        ({"name": "Oslo", "mayor": {"name": "Anna"}}, CITY, {"name": "Oslo", "mayor": {"name": "Anna"}}),
        ({"name": "Oslo", "data": {}}, CITY, {"name": "Oslo", "data": {}}),
        ({"name": "f", "arguments": {"a": 1}}, CALL, {"name": "f", "arguments": {"a": 1}}),
        (
            {"name": "f", "arguments": {"name": "g", "arguments": {}}},
            CALL,
            {"name": "f", "arguments": {"name": "g", "arguments": {}}},
        ),
        ({"Call": {"name": "f", "arguments": {"a": 1}}}, CALL, {"name": "f", "arguments": {"a": 1}}),
        ({"name": "a", "data": {"name": "b", "data": None}}, TREE, {"name": "a", "data": {"name": "b", "data": None}}),
        ({"data": {"name": "b"}}, TREE, {"data": {"name": "b"}}),
        ({"invoices": [BILL]}, {"type": "array", "items": INVOICE}, [BILL]),
        ({"data": {"a": 1}}, {"type": "object"}, {"data": {"a": 1}}),
        ({"data": {"a": 1}}, {"type": "object", "additionalProperties": {"type": "integer"}}, {"a": 1}),
        ({"value": 3}, {"type": "integer"}, 3),
        ({}, INVOICE, {}),
        ({"arguments": {}}, INVOICE, {}),
    ],
)
def test_what_is_a_wrapper(written: Any, schema: dict[str, Any], value: Any) -> None:
    assert read_object(json.dumps(written), schema) == value


@pytest.mark.parametrize(
    ("written", "schema", "message"),
    [
        ({"a": 1, "b": 2}, INVOICE, "has none of the keys of the schema: number, paid, total"),
        ({"error": {"code": 5}}, INVOICE, "has none of the keys"),
        ({"error": "none"}, {"type": "string"}, "expected a string"),
        ({"Number": "A-7", "total": 1}, INVOICE, "Number: must be written number"),
        ({"NUMBER": "A-7"}, INVOICE, "has none of the keys"),
        ({"data": {"Total": 1, "paid": True}}, INVOICE, "has none of the keys"),
        ({"data": BILL, "result": {**BILL, "total": 0}}, INVOICE, "more than one value"),
        ({"tool_calls": [{"arguments": BILL}, {"arguments": {**BILL, "total": 0}}]}, INVOICE, "has none of the keys"),
        ({"city": "Oslo"}, CITY, "has none of the keys"),
        ({"cities": [{"name": "Oslo"}, {"name": "Rome"}]}, CITY, "has none of the keys"),
        ({"name": "City", "arguments": {"city": "Oslo"}}, CITY, "a call, and its arguments do not fit"),
        ({"name": "City", "arguments": {}}, CITY, "a call, and its arguments do not fit"),
        ({"name": "City", "arguments": None}, CITY, "a call, and its arguments do not fit"),
        ({"name": "City", "arguments": [{"name": "Oslo"}]}, CITY, "a call, and its arguments do not fit"),
        ({"name": "City", "input": "Oslo"}, CITY, "a call, and its arguments do not fit"),
        ({"name": "get_city", "arguments": {"city": "Oslo"}}, CITY, "a call, and its arguments do not fit"),
        ({"name": "x", "tool_calls": [{"a": 1}]}, CITY, "a call, and its arguments do not fit"),
        ({"name": "City", "fields": {"name": "Oslo"}}, CITY, "more than one value"),
        ({"name": "City", "properties": {"name": "Oslo"}}, CITY, "more than one value"),
        ({"number": "A-7", "data": {"total": 1}}, INVOICE, "more than one value"),
        ({"name": "Invoice", "arguments": BILL, "number": "X"}, INVOICE, "more than one value"),
        ({"city": "Oslo", "mayor": {"name": "Anna"}}, CITY, "name"),
        ({"name": "Call", "arguments": {"name": "f", "arguments": {}}}, CALL, "more than one value"),
        (INVOICE, INVOICE, "the schema"),
        ({"type": "object", "properties": {"number": {"type": "string"}}}, INVOICE, "the schema"),
    ],
)
def test_what_no_wrapper_explains_is_an_error(written: Any, schema: dict[str, Any], message: str) -> None:
    with pytest.raises(OutputError, match=message):
        read_object(json.dumps(written), schema)


KINDS: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "string": ({"type": "string"}, st.text(alphabet='ab {}"\\', max_size=5)),
    "integer": ({"type": "integer"}, st.integers(-9, 9)),
    "object": ({"type": "object"}, st.dictionaries(st.sampled_from(["name", "a"]), st.integers(0, 3), max_size=2)),
    "null": ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, st.none()),
}
KEYS = ("name", "arguments", "data", "type", "value", "title", "Invoice", "number")


@st.composite
def schemas_and_values(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A class of some fields, all, some or none of them required, and an object of it that is not empty."""
    fields = draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(sorted(KINDS)), min_size=1, max_size=4))
    value = {name: draw(KINDS[kind][1]) for name, kind in fields.items() if draw(st.booleans())}
    name, kind = next(iter(fields.items()))
    value = value or {name: draw(KINDS[kind][1])}
    required = [name for name in value if draw(st.booleans())]
    properties = {name: KINDS[kind][0] for name, kind in fields.items()}
    return {"title": "Invoice", "type": "object", "properties": properties, "required": required}, value


@settings(deadline=None, max_examples=400)
@given(schemas_and_values(), st.lists(st.sampled_from(sorted(WRAPPERS)), max_size=2), st.sampled_from(sorted(FRAMES)))
def test_a_value_in_any_wrapper_is_right_or_an_error(
    case: tuple[dict[str, Any], dict[str, Any]], wrappers: list[str], frame: str
) -> None:
    schema, value = case
    written: Any = value
    for name in wrappers:
        written = WRAPPERS[name](written)
    with suppress(OutputError):
        assert read_object(FRAMES[frame](json.dumps(written)), schema) == value


NAMED_CALLS = sorted(name for name in WRAPPERS if "call" in name or "function" in name)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["name", "type", "title", "number"]), min_size=1, unique=True),
    st.dictionaries(st.sampled_from(["name", "other"]), st.none() | st.integers(), max_size=2),
    st.sampled_from(NAMED_CALLS),
)
def test_a_call_whose_arguments_do_not_fit_is_never_the_value(
    required: list[str], arguments: dict[str, Any], wrapper: str
) -> None:
    properties = {name: {"enum": ["Invoice", "function", "call_1"]} for name in required}
    schema = {"title": "Invoice", "type": "object", "properties": properties, "required": required}
    with pytest.raises(OutputError):
        read_object(json.dumps(WRAPPERS[wrapper](arguments)), schema)


REFUSALS = [
    ("Zum Beispiel ", ", aber ich kenne die Stadt leider nicht."),
    ("Ich kann das nicht sagen. Es könnte so aussehen:\n```json\n", "\n```"),
    ("Par exemple : ", ". Mais je ne peux pas répondre."),
    ("Je ne sais pas. Cela ressemblerait à ", "."),
    ("No puedo responder. Por ejemplo, sería ", "."),
    ("No tengo datos. Un ejemplo:\n", ""),
    ("Non posso rispondere; sarebbe per esempio ", "."),
    ("Não sei. Por exemplo: ", ""),
    ("Ik weet het niet. Bijvoorbeeld ", ""),
    ("К сожалению, я не знаю. Например: ", ""),  # noqa: RUF001 - Cyrillic
    ("我无法回答。例如：", ""),  # noqa: RUF001 - wide forms
    ("わかりません。例えば ", " のようになります。"),
    ("모르겠습니다. 예를 들어 ", ""),
    ("The document does not mention a trip. Expected format:\n```json\n", "\n```"),
    ("There is not enough information. A valid answer would be e.g.\n\n", ""),
    ("The text mentions neither a name nor an age. Sample output:\n", ""),
    ("Cannot comply.\n\n```json\n", "\n```\n(this is only a sample)"),
    ("I was not given any person; please provide one like so: ", ""),
    ("The service returns ", " for Bo. For your question I found nothing."),
    ("Do you mean ", "?"),
    ("Do you mean ", " from the list?"),
    ("Das ist nicht ", "."),
    ("Ce n'est pas ", "."),
    ("Não é ", "."),
    ("Wenn Sie ", " meinen, sagen Sie es."),
    ("您是说 ", " 吗？"),  # noqa: RUF001 - wide forms
    ("Invalid: ", ""),
    ("<example>", "</example>"),
    ("**Wrong:** ", ""),
    ("The page is empty, so nothing can be extracted. (", " was the previous one.)"),
    ("Here is an example of the format:\n```json\n", "\n```\nPlease provide the text."),
    ("I need more information. The output would look like this:\n", ""),
    ("Could you share the text? I will return JSON in this format:\n\n", ""),
    ("Send me the text! Sample output: ", ""),
    ("```json\n", "\n```\n(This is a made-up example, since no text was provided.)"),
    ("Bitte geben Sie den Text an. Beispiel:\n", ""),
    ("Veuillez fournir le texte. Exemple :\n", ""),
    ("请提供文本。示例：\n", ""),  # noqa: RUF001 - wide forms
    (f"It could be {OTHER} or ", "."),
    (f"For example {OTHER} or ", ""),
    (f"It might be {OTHER}, ", ""),
]
"""What stands around a value that is none: in several languages, by several words."""


@pytest.mark.parametrize(("before", "behind"), REFUSALS)
def test_an_example_beside_a_refusal_is_no_value(before: str, behind: str) -> None:
    with pytest.raises(OutputError, match="only in passing"):
        read_object(before + TEXT + behind, PERSON)


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        ("Hier ist das Ergebnis:\n\n```json\n", "\n```\nViel Spaß!"),
        ("Voici la réponse : ", ""),
        ("Aquí está: ", "."),
        ("结果是：", "。"),  # noqa: RUF001 - wide forms
        ("はい、こちらです。\n```\n", "\n```\nご確認ください。"),
        ("Вот ответ: ", "."),
        ("Ich kenne sie nicht, also angenommen:\n", ""),
        ("Hier ist ein Beispiel:\n", ""),
        ("The text does not mention her, so I assume:\n", ""),
        ("Is that right?\n", "\nDo you want more?"),
        ("Here it is: ", ". Do you want more?"),
        ("Sure! ", " Anything else?"),
        ("I could not find her second name, but the person is:\n\n", ""),
        ("Le résultat n'est pas difficile :\n```json\n", "\n```"),
    ],
)
def test_an_answer_in_any_language_is_found(before: str, behind: str) -> None:
    assert read_object(before + TEXT + behind, PERSON) == BO


NUMBERS: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}
FENCED = f"```json\n{TEXT}\n```"


@pytest.mark.parametrize(
    ("reply", "schema", "value"),
    [
        ("The list is [1, 2, 3] (see [4]).", NUMBERS, [1, 2, 3]),
        ("The list is [1, 2, 3], as [4] and [5, 6] show.", NUMBERS, [1, 2, 3]),
        ("It's [1, 2].", NUMBERS, [1, 2]),
        ("numbers = [1, 2]", NUMBERS, [1, 2]),
        ("See [4] and [7].\n\n[1, 2]\n\nAs in [9].", NUMBERS, [1, 2]),
        (f"{FENCED}\nA year later it would be {OTHER}.", PERSON, BO),
        (f"{FENCED}\nOf course {OTHER} is possible as well.", PERSON, BO),
        (f"Not {OTHER}.\n{FENCED}", PERSON, BO),
        (f"{TEXT}\nSomebody else is {OTHER}.", PERSON, BO),
        (f"Instead of `{OTHER}` I give you:\n\n{TEXT}", PERSON, BO),
        (f"The answer is `{TEXT}`.", PERSON, BO),
        (f"Unlike {OTHER}, the answer is {TEXT}.", PERSON, BO),
        (f"{OTHER} is only an example. It is {TEXT}.", PERSON, BO),
        (f"**{TEXT}**", PERSON, BO),
        (f"<example>{OTHER}</example>\n<answer>{TEXT}</answer>", PERSON, BO),
        (f"<answer>{TEXT}</answer>", PERSON, BO),
        (f"Use `{{}}` or `[]` for nothing: {TEXT}", PERSON, BO),
        (f"- [ ] todo\n- [x] done\n{TEXT}", PERSON, BO),
        (f"On [0, 1) it is {TEXT}.", PERSON, BO),
        (f"\\frac{{a}}{{b}} and {{name}} and {{{{x}}}}: {TEXT}", PERSON, BO),
        (f"{OTHER}\nNo, that is wrong. Correct is:\n{TEXT}", PERSON, BO),
        (f"First I took {OTHER}. Wait, it is really {TEXT}.", PERSON, BO),
        (f"{OTHER}\nCorrection:\n{TEXT}\n{TEXT}", PERSON, BO),
        (f"{TEXT}\nOnce more:\n{TEXT}", PERSON, BO),
        ("```json\n{'name': 'Bo', 'age': 3,}\n```\nA year later it would be " + OTHER, PERSON, BO),
        ("According to [3], the numbers are [5, 6].", NUMBERS, [5, 6]),
        ("Footnotes: [1]\nAnswer: [5, 6]", NUMBERS, [5, 6]),
        ("Sources: [1, 2]\nResult → [4, 5]", NUMBERS, [4, 5]),
        ("The result [1, 2] follows from [4].", NUMBERS, [1, 2]),
        ("`[1, 2]`", NUMBERS, [1, 2]),
        (f"'{TEXT}'", PERSON, BO),
        (f"Sure!\n`{TEXT}`\nAnything else?", PERSON, BO),
        (f"{FENCED}\n\nExample of a wrong answer:\n```json\n{OTHER}\n```", PERSON, BO),
        (f"It would look like this:\n```json\n{OTHER}\n```\nThe answer:\n{FENCED}", PERSON, BO),
        (f"Not:\n{OTHER}\nbut:\n{TEXT}", PERSON, BO),
        (f"It looks like this:\n{OTHER}\nThe answer is {TEXT}.", PERSON, BO),
        (f'{TEXT}\n\n{{"note": "see the page"}}', PERSON, BO),
        (f'The answer is {TEXT}. I looked at {{"page": 3}} for it.', PERSON, BO),
        (f"Here is an example of a person:\n{FENCED}", PERSON, BO),
        (f"The answer is {TEXT}.\n\nHere is what not to do:\n```json\n{OTHER}\n```", PERSON, BO),
        (f"Do not answer like this:\n```json\n{OTHER}\n```\nAnswer: {TEXT}", PERSON, BO),
        (f"Result: {TEXT}\n\nNot this one:\n```json\n{OTHER}\n```", PERSON, BO),
        (f"For illustration:\n```json\n{OTHER}\n```\nResult: {TEXT}", PERSON, BO),
        (f"Hypothetically: {OTHER}\n\n{TEXT}", PERSON, BO),
        (f"Illustration: {OTHER}\n{FENCED}", PERSON, BO),
        (f"For example: {OTHER}\n{FENCED}", PERSON, BO),
        (f"Template: {OTHER}\n{TEXT}", PERSON, BO),
        (f"❌ {OTHER}\n✅ {TEXT}", PERSON, BO),
        (f"Imagine {OTHER}.\nThe answer is {TEXT}.", PERSON, BO),
        (f"Here is an example person:\n{FENCED}\nTell me if you need more!", PERSON, BO),
        (f"Here it is: {TEXT}. Please provide more text if you want more.", PERSON, BO),
        (f"The answer is {TEXT}, {TEXT}", PERSON, BO),
        (f"Here is what it could be:\n\n{TEXT}", PERSON, BO),
        (f"I don't know the age, so:\n{TEXT}", PERSON, BO),
        (f"Input, previously {OTHER}\n{TEXT}", PERSON, BO),
        (f"My answer: {TEXT} (not {OTHER})", PERSON, BO),
        (f"First draft:\n{OTHER}\n\nFinal:\n{TEXT}", PERSON, BO),
        (f"{OTHER}\nSorry, on second thought:\n{TEXT}", PERSON, BO),
        (f"{OTHER}\nOops, another try:\n{TEXT}", PERSON, BO),
        (f"{OTHER}\nLet me correct that.\n{TEXT}", PERSON, BO),
        ("Nothing:\n```json\n{}\n```", INVOICE, {}),
        ("{}", INVOICE, {}),
    ],
)
def test_a_value_in_passing_gives_way_to_the_answer(reply: str, schema: dict[str, Any], value: object) -> None:
    assert read_object(reply, schema) == value


@pytest.mark.parametrize(
    ("reply", "schema", "message"),
    [
        ("As shown in [1], I cannot answer.", NUMBERS, "only in passing; the model wrote: 'As shown in"),
        ("I cannot answer, see [1].", NUMBERS, "only in passing"),
        ("[1] Smith, A life, 1990.", NUMBERS, "only in passing"),
        ("> [1]\nsays somebody", NUMBERS, "only in passing"),
        ("In JavaScript `{}` is empty; I have no data.", INVOICE, "only in passing"),
        ("- [ ] todo", {"type": "array"}, "only in passing"),
        ("Call it with {} to get none.", INVOICE, "only in passing"),
        ("The result is {}.", INVOICE, "only in passing"),
        (f"I cannot tell. A person would look like {TEXT}.", PERSON, "only in passing"),
        (f"A person is written `{TEXT}` there", PERSON, "only in passing"),
        (f"For example {TEXT}", PERSON, "only in passing"),
        (f"{TEXT} is only an example.", PERSON, "only in passing"),
        (f"I don't know: {TEXT} is what others say", PERSON, "only in passing"),
        (f'They write "{TEXT}" for that', PERSON, "only in passing"),
        (f"> {TEXT}", PERSON, "only in passing"),
        ("Sources: [1, 2]", NUMBERS, "only in passing"),
        ("Cf. [3]", NUMBERS, "only in passing"),
        ("* [ ] todo", {"type": "array"}, "only in passing"),
        ("`{}`", INVOICE, "only in passing"),
        ("I have no data:\n```json\n{}\n```", INVOICE, "only in passing"),
        (f"I cannot answer. It would look like this:\n{FENCED}", PERSON, "only in passing"),
        (f"For example:\n{TEXT}\nBut I have no information about her.", PERSON, "only in passing"),
        ("The list is [1] or [2].", NUMBERS, "two different values"),
        (f"{OTHER}\nNo changes needed. Another:\n{TEXT}", PERSON, "two different values"),
        (f"{OTHER}\nI am sorry I know no more. The second:\n{TEXT}", PERSON, "two different values"),
        (f"{OTHER}\nFinally, the third person:\n{TEXT}", PERSON, "two different values"),
        (f"{OTHER}\nThere is no third one.\n{TEXT}", PERSON, "two different values"),
        (f"{OTHER}\nActually there is also:\n{TEXT}", PERSON, "two different values"),
        (f"Option 1:\n{OTHER}\nOption 2:\n{TEXT}", PERSON, "two different values"),
        (f"{OTHER} {TEXT}", PERSON, "two different values"),
        (f"{OTHER}, {TEXT}", PERSON, "two different values"),
        (f"{OTHER}\nand\n{TEXT}", PERSON, "two different values"),
        (f"{OTHER}\nand\n{TEXT}\nand\n{OTHER}", PERSON, "two different values"),
        (f"```json\n{OTHER}\n```\nAlso:\n{FENCED}", PERSON, "two different values"),
        (f"{FENCED}\nSorry, it should be {OTHER}.", PERSON, "two different values"),
        (f'{FENCED}\nCorrection:\n```json\n{{"name": "Al"}}\n```', PERSON, "age: is required but missing"),
        (f'{FENCED}\nCorrection:\n```json\n{{"name": "Al", "age": 5*11}}\n```', PERSON, "followed by '\\*'"),
        (f'For example: {OTHER}\nAnswer: {{"name": "Bo", "age": "?"}}', PERSON, "age: expected an integer"),
        (f'Beispiel: {OTHER}\nAntwort: {{"error": "unknown"}}', PERSON, "none of the keys"),
        (f'Example:\n```json\n{OTHER}\n```\nAnswer:\n```json\n{{"name": "Bo", "age": null}}\n```', PERSON, "got null"),
        (f'Example:\n```json\n{OTHER}\n```\nAnswer:\n```json\n{{"error": 1}}\n```', PERSON, "none of the keys"),
        (f'The format is {OTHER}. Here is the answer: {{"name": "Bo"}}', PERSON, "age: is required but missing"),
        (f'{OTHER}\n{{"name": "Bo", "age": null}}', PERSON, "age: expected an integer, got null"),
        (f'{OTHER}\nand\n{{"name": 5}}', PERSON, "age: is required but missing"),
        (f"E.g. {OTHER}", PERSON, "only in passing"),
        (f"They are people, e.g. {OTHER}.", PERSON, "only in passing"),
        ('{"a": oops, "b": {"name": "Bo", "age": 3}}', PERSON, "'oops' is no JSON value"),
        ('{"a": oops, "b": "}", "c":\n{"name": "Bo", "age": 3}\n}', PERSON, "'oops' is no JSON value"),
    ],
)
def test_a_value_in_passing_is_not_the_answer(reply: str, schema: dict[str, Any], message: str) -> None:
    with pytest.raises(OutputError, match=message):
        read_object(reply, schema)


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
        ("", "the reply holds no JSON; it is empty"),
        ("I cannot say.", "the reply holds no JSON; the model wrote: 'I cannot say.'"),
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
        (f"<think>{TEXT}", "no JSON; it is empty"),
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

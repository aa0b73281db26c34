"""How much is read, quoted and looked at: on each side of every limit of the readers of values."""

import json
from typing import Any

import pytest

from dynaspark_core.errors import OutputError
from dynaspark_core.reply.candidates import candidates
from dynaspark_core.reply.lenient_json import LenientReader
from dynaspark_core.reply.partial import PartialObject
from dynaspark_core.reply.presented import Presentation, Standing, corrects
from dynaspark_core.reply.strict_json import Open, is_deep, strict_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.value import read_object

QUOTE: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
A, B = '{"text": "a"}', '{"text": "b"}'


def read(text: str, **options: Any) -> Any:
    reader = LenientReader(text, 0, len(text), **options)
    return reader.value(), reader.position


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("[" * 500 + "]" * 500, "[" * 501 + "]" * 501, "nested more than 500 levels deep"),
        (f"[+{'9' * 299}]", f"[+{'9' * 300}]", "a number has more than 300 digits"),
        (f"[{'1,' * 99_999}]", f"[{'1,' * 100_000}]", "more than 100,000 values to repair"),
        ("[1.5e3]", "[1.5e999]", "a number is too large"),
        ("[-1.5e3]", "[-1.5e999]", "a number is too large"),
        ("[1 ]", "[1x]", "a number is followed by 'x'"),
        ("[true]", "[truer]", "'truer' is no JSON value"),
        ("{a: 1}", "{a 1}", "expected ':' after a key, found '1}'"),
        ("{$a_b-c: 1}", "{-a: 1}", "expected a key, found '-a: 1}'"),
        ("[1]", f"[*{'x' * 20}]", "expected a value, found '*xxxxxxxxxxx'"),
        ("[null]", f"[{'x' * 41}]", f"'{'x' * 40}' is no JSON value"),
        ("[(1, 2)]", "[(1, 2]]", "expected ')', found ']'"),
        ("[1]", "[1 2]", "expected ',' or ']', found '2]'"),
        ('{"a": 1 "b": 2}', "{'a': 1 'b': 2}", "expected ',' or '}', found"),
        ('[{"a": 1} {"a": 2}]', '[[1] {"a": 2}]', "expected ',' or ']', found"),
        ("[`a`]", "[`${a}`]", "a template string is no JSON value"),
        ("['''a''']", "['''a'']", "a string does not end"),
    ],
)  # fmt: skip
def test_the_limits_of_the_tolerant_reader(right: str, wrong: str, message: str) -> None:
    assert read(right)[1] == len(right)
    with pytest.raises(Unreadable) as caught:
        read(wrong)
    assert message in caught.value.located(wrong)


@pytest.mark.parametrize(
    ("text", "is_cut", "in_string", "is_excessive"),
    [
        ("[1", True, False, False),
        ("[1,", True, False, False),
        ("[", True, False, False),
        ('{"a', True, False, False),
        ('{"a"', True, False, False),
        ('{"a":', True, False, False),
        ('{"a": "b', True, True, False),
        ('{"a": """b', True, True, False),
        ("[tru", True, False, False),
        ("[true", True, False, False),
        ("[tr ", False, False, False),
        ("[x]", False, False, False),
        ("[x", False, False, False),
        ("[" * 501, False, False, True),
        (f"[{'9' * 301}]", False, False, True),
        ('{"a": "x "y", "b": "z"}', False, False, False),
    ],
)
def test_an_unreadable_text_says_how_it_is_so(text: str, is_cut: bool, in_string: bool, is_excessive: bool) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert (caught.value.is_cut, caught.value.in_string, caught.value.is_excessive) == (is_cut, in_string, is_excessive)
    with pytest.raises(Unreadable) as closed:
        read(text, is_closed=True)
    assert not closed.value.is_cut


def test_an_error_names_line_and_column() -> None:
    with pytest.raises(Unreadable) as caught:
        read('{"a": 1,\n "b": x}')
    assert caught.value.located('{"a": 1,\n "b": x}') == "'x' is no JSON value at line 2 column 7"
    text = 'one\ntwo {"a": x}'
    with pytest.raises(Unreadable) as caught:
        LenientReader(text, 8, len(text)).value()
    assert caught.value.located(text) == "'x' is no JSON value at line 2 column 11"
    assert caught.value.located(text, 8) == "'x' is no JSON value at line 1 column 7"
    caught.value.source = "x"
    caught.value.position = 0
    assert caught.value.located(text, 8) == "'x' is no JSON value at line 1 column 1"


def test_the_strict_reader_looks_through_windows() -> None:
    for size in (4_080, 4_096, 4_100, 32_760, 32_768, 33_000):
        text = f'["{"x" * size}"] y'
        assert strict_value(text, 0) == (["x" * size], size + 4)
        assert strict_value(text[:-4], 0) == Open(is_hopeless=False)
    assert strict_value("[1, x" + " " * 10, 0) == Open(is_hopeless=False)
    assert strict_value("[1, x" + " " * 12, 0) == Open(is_hopeless=True)
    assert strict_value("[" * 500 + "]" * 500, 0) != Open(is_hopeless=True)
    assert strict_value("[" * 501 + "]" * 501, 0) == Open(is_hopeless=True)
    assert strict_value('{"a":' * 250 + "[" * 251 + "]" * 251 + "}" * 250, 0) == Open(is_hopeless=True)
    assert strict_value(f"[{'[],' * 600}1]", 0) != Open(is_hopeless=True)
    assert strict_value("1e999", 0) == Open(is_hopeless=True)
    assert strict_value("1.5", 0) == (1.5, 3)
    value: Any = 1
    for _ in range(500):
        value = {"a": value}
    assert not is_deep(value)
    assert is_deep([value])


def outcome(text: str, schema: Any = None) -> Any:
    try:
        return read_object(text, QUOTE if schema is None else schema)
    except OutputError as error:
        return str(error)


def test_how_many_values_are_looked_at() -> None:
    assert outcome(f"{A}\n" * 2_000) == {"text": "a"}
    assert "too many JSON values" in outcome(f"{A}\n" * 2_001)
    assert outcome("{a: x}\n" * 1_000 + A) == {"text": "a"}
    assert "too many JSON values" in outcome("{a: x}\n" * 1_001 + A)
    assert outcome("x" * 201).endswith(f"wrote: '{'x' * 200}'")


def test_how_far_the_end_of_a_broken_array_is_looked_for() -> None:
    assert [found.start for found in candidates(f"[1) {'x' * 995}] {A}")] == [0, 1001]
    assert [bool(found.error) for found in candidates(f"x {'[' * 501}{']' * 501}")] == [True]
    near, far = (list(candidates(f"[1) {'x' * size} {A}] {B}")) for size in (10, 1_000))
    assert [bool(found.error) for found in near] == [True, False]
    assert near[1].value == {"text": "b"}
    assert [found.value for found in far if not found.error] == [{"text": "a"}, {"text": "b"}]


REFUSAL = "I cannot answer."


@pytest.mark.parametrize(
    ("before", "behind", "standing"),
    [
        (f"{REFUSAL} ", "", Standing.MENTION),
        (f"{REFUSAL}{' ' * 217} It is ", "", Standing.MENTION),
        (f"{REFUSAL}{' ' * 218} It is ", "", Standing.SENTENCE),
        ("It is ", f" {REFUSAL}", Standing.MENTION),
        ("It is ", f". {' ' * 210} {REFUSAL}", Standing.MENTION),
        ("It is ", f". {' ' * 240} {REFUSAL}", Standing.SENTENCE),
        ("It is ", ".", Standing.SENTENCE),
        ("\n", "\n", Standing.BLOCK),
        ("It would look like this:\n", "\n", Standing.EXAMPLE),
        ("It would look like this:\n", f"\n{REFUSAL}", Standing.MENTION),
        (f"{REFUSAL}\n", "\n", Standing.BLOCK),
        ("> ", "", Standing.MENTION),
        ("Not ", ", but another", Standing.MENTION),
        ("not: this is it, ", "", Standing.SENTENCE),
        ("It is ", " and no example", Standing.MENTION),
        ("It is ", ". This is an example.", Standing.SENTENCE),
        ('They write "', '" there', Standing.MENTION),
        ('The answer is: "', '"', Standing.SENTENCE),
        ("**", "**", Standing.BLOCK),
        ("<answer>", "</answer>", Standing.BLOCK),
        ("<code>", "</code> is it", Standing.MENTION),
    ],
)  # fmt: skip
def test_how_a_value_is_presented(before: str, behind: str, standing: Standing) -> None:
    start = len(before)
    text = f"{before}{A}{behind}"
    assert Presentation(text).of(start, start + len(A), {"text": "a"}) is standing


def test_which_refusal_is_near() -> None:
    text = f"{REFUSAL} {'x' * 500}\n{A}\n{'y' * 500} {REFUSAL} {'z' * 300} {REFUSAL} It is {B}."
    presentation = Presentation(text)
    first, second = text.index(A), text.index(B)
    assert presentation.of_block(first, first + len(A), {}) is Standing.BLOCK
    assert presentation.of(second, second + len(B), {"text": "b"}) is Standing.MENTION


def test_where_a_correction_is_looked_for() -> None:
    assert corrects(f"Correction: {'x' * 500}")
    assert corrects(f"{'x ' * 100} Correction: {'x ' * 500}")
    assert corrects(f"{'x ' * 500} Correction: {'x ' * 100}")
    assert not corrects(f"{'x ' * 200} Correction: {'x ' * 200}")
    assert not corrects(f"Correction: {'x ' * 500} also ")


def test_what_a_stream_has_of_an_object() -> None:
    seen: list[str] = []

    def parse(text: str) -> Any:
        seen.append(text)
        if text.endswith("!"):
            raise ValueError(text)
        return {"text": text[1:]} if len(text) > 1 else {}

    partial = PartialObject(QUOTE, parse)
    assert partial.read("no object") is None
    assert seen == []
    assert partial.read("{") is None
    assert partial.read("{x") == {"text": "x"}
    assert partial.read("{x") is None
    assert partial.read("{x!") is None
    assert partial.read("{" + "x" * 159) == {"text": "x" * 159}
    assert partial.read("{" + "x" * 168) is None
    assert len(seen) == 5
    assert partial.read("{" + "x" * 169) == {"text": "x" * 169}
    for value in ("[1]", "1", "null", '{"other": 1}', '{"name": "x"}', "{}"):
        assert PartialObject({"properties": {"name": {}, "size": {}}}, lambda _: json.loads(value)).read("{") is None  # noqa: B023 - it is called at once
    assert PartialObject({"type": "object"}, lambda _: {"other": 1}).read("{") == {"other": 1}
    assert PartialObject({"properties": {"name": {}, "size": {}}}, lambda _: {"size": 1}).read("{") == {"size": 1}
    assert PartialObject(QUOTE, lambda _: {"text": "a"}).read("Unlike {") is None

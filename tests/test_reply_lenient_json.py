"""The tolerant reader: what it repairs, what it refuses, and that it agrees with the strict one."""

import ast
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dynaspark_core.reply.lenient_json import LenientReader
from dynaspark_core.reply.pythonic import read_python
from dynaspark_core.reply.strict_json import Open, strict_value
from dynaspark_core.reply.unreadable import Unreadable


def read(text: str, *, is_closed: bool = False) -> Any:
    return LenientReader(text, 0, len(text), is_closed=is_closed).value()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**200), 10**200)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@example([{"": "", '"': None}], False)
@given(st.lists(JSON, max_size=3), st.booleans())
def test_strict_json_is_read_as_it_is(value: list[Any], is_ascii: bool) -> None:
    assert read(json.dumps(value, ensure_ascii=is_ascii)) == value


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("{}[]()\"'`,:\\/*# \nab1.-+eE<>“”tnu")), st.booleans())
def test_nothing_but_unreadable_is_raised(text: str, is_closed: bool) -> None:
    with suppress(Unreadable):
        read(text, is_closed=is_closed)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(alphabet="ab", min_size=1, max_size=3), st.integers() | st.booleans() | st.none(), min_size=1
    )
)
def test_python_literals_mean_what_python_says(value: dict[str, Any]) -> None:
    assert read(repr(value)) == ast.literal_eval(repr(value))


@settings(deadline=None)
@example({"a": {"\\_": None}})
@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), JSON, max_size=4))
def test_python_calls_are_read_as_written(arguments: dict[str, Any]) -> None:
    text = f"f({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
    try:
        (call,) = read_python(text, 0, len(text), is_closed=True)
    except Unreadable:
        return  # an odd quote within a string may be refused, but is never misread
    assert call.arguments == arguments


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("{'a': 'It\\'s', b: True, \"c\": None}", {"a": "It's", "b": True, "c": None}),
        ('{"a": 1 /* one */, // two\n "b": [1, 2,] # three\n}', {"a": 1, "b": [1, 2]}),
        ('{"a": "say "hi" now", "b": 2,}', {"a": 'say "hi" now', "b": 2}),
        ('{"a": (1, 2)}', {"a": [1, 2]}),
        ('{"a": +5, "b": .5}', {"a": 5, "b": 0.5}),
        ('{"a": `x`}', {"a": "x"}),
        ('{"a": "\\q\\n",}', {"a": "\\q\n"}),
        ('[{"a": 1} {"a": 2}]', [{"a": 1}, {"a": 2}]),
    ],
)
def test_repairs(text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        # with an escape that JSON does not know: \b and \f stay
        (r"\bfoo\d", r"\bfoo\d"),
        (r"\b\d{4}\b", r"\b\d{4}\b"),
        (r"\frac{1}{2} \alpha", r"\frac{1}{2} \alpha"),
        (r"\beta + \gamma", r"\beta + \gamma"),
        (r"\forall x \in A", r"\forall x \in A"),
        (r"C:\bin\Users", r"C:\bin\Users"),
        (r"C:\fonts\bold\Users", r"C:\fonts\bold\Users"),
        (r"C:\Users\docs", r"C:\Users\docs"),
        (r"C:\users\docs", r"C:\users\docs"),
        (r"C:\xampp\Users", r"C:\xampp\Users"),
        (r"\\server\share", r"\\server\share"),
        (r"see \\server.home\share\docs", r"see \\server.home\share\docs"),
        (r"\\d+ \.", r"\d+ \."),
        (r"\users \u0041", r"\users A"),
        (r"^\w+@\w+\.\w+$", r"^\w+@\w+\.\w+$"),
        # no path: what JSON says
        (r"import re\nre.findall(\"\d+\")", 'import re\nre.findall("\\d+")'),
        (r"a\tb\d", "a\tb\\d"),
        (r"\d\n\\d", "\\d\n\\d"),
        (r"see\nC:\Users\docs", "see\nC:\\Users\\docs"),
        (r"C:\Users is\nmy home", "C:\\Users is\nmy home"),
        (r"path:\n\d", "path:\n\\d"),
        (r"a\rb\s", "a\rb\\s"),
        # valid JSON: left alone
        (r"C:\temp\new folder", "C:\temp\new folder"),
        (r"\bfoo", "\bfoo"),
        (r"\frac", "\frac"),
        (r"\u0041", "A"),
        (r"\ud83d\ude00", "😀"),
        (r"\ud800\udc00", "\U00010000"),
        (r"\udbff\udfff", "\U0010ffff"),
        (r"\ud7ff\udfff", "\ud7ff\udfff"),
        (r"\udc00\udc00", "\udc00\udc00"),
        (r"C:\\new\\Users", r"C:\new\Users"),
        (r"\\\\server\\new", r"\\server\new"),
    ],
)
@pytest.mark.parametrize("quote", ['"', '"""'])
def test_single_backslashes(written: str, value: str, quote: str) -> None:
    assert read("{" + f'"a": {quote}{written}{quote},' + "}") == {"a": value}


@pytest.mark.parametrize(
    "written",
    [
        r"see C:\new\Users",
        r"C:\Users\new",
        r"C:\Users\temp",
        r"C:\Users\reports",
        r"C:\Users\u0041",
        r"d:\new\docs",
        r"(C:\new\docs)",
        r"'C:\new\docs'",
        r"a\nC:\Users C:\new",
        r"\\server\share\new",
        r"see \\server\new\Users",
        r"C:\\Users\new\docs",
    ],
)
@pytest.mark.parametrize("quote", ['"', '"""', "'"])
def test_an_escape_in_a_path_is_ambiguous(written: str, quote: str) -> None:
    if quote in written:
        return
    with pytest.raises(Unreadable, match="may be an escape or part of a path"):
        read("{" + f'"a": {quote}{written}{quote},' + "}")


def test_single_backslashes_in_python() -> None:
    for written, value in [(r"\bfoo\d", r"\bfoo\d"), (r"a\n\d", "a\n\\d"), (r"\x41\n", "A\n"), (r"\bx", "\bx")]:
        text = f"f(a='{written}')"
        (call,) = read_python(text, 0, len(text), is_closed=True)
        assert call.arguments == {"a": value}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 5*11}',
        '{"a": 1,000}',
        '{"a": ...}',
        '{"a": <x>}',
        '{"a": b}',
        '{"a": NaN}',
        '{"a": [1, 2}',
        '{"a": "b" + "c"}',
        '["a" "b"]',
        '{"a": "x" if y else "z"}',
        '{"a": "x".upper(), "b": "y"}',
        '{"a": f"x"}',
        '{"a": 1e999}',
        '{"a": 01}',
        '{"a": `${x}`}',
        '{"a": "x "y", "b": "z"}',
        '{"a": "x"y" z"}',
        '{"a": "5" by 7" wide"}',
        '{"a": "x"y" z", "b": 1}',
        '{"a" "b"}',
        "{,}",
        "{" * 600,
        "[" * 600,
        '{"a": undefined}',
        '{"a": 0x1}',
    ],
)
def test_refusals(text: str) -> None:
    for is_closed in (False, True):
        with pytest.raises(Unreadable):
            read(text, is_closed=is_closed)


@settings(deadline=None)
@given(st.dictionaries(st.text(alphabet="ab"), JSON, min_size=1, max_size=3), st.integers(1, 30))
def test_what_is_cut_is_never_completed(value: dict[str, Any], cut: int) -> None:
    text = json.dumps(value)
    with pytest.raises(Unreadable):
        read(text[: max(1, len(text) - cut)])


def test_one_closer_may_be_missing_before_a_closing_tag() -> None:
    assert read('{"a": {"b": "c"}', is_closed=True) == {"a": {"b": "c"}}
    for text in ('{"a": {"b": "c"', '{"a": 1', '{"a": "b', '{"a": true', '{"a":', '{"a"', "{"):
        with pytest.raises(Unreadable):
            read(text, is_closed=True)


def test_the_strict_reader_says_whether_more_text_could_help() -> None:
    assert strict_value('x {"a": [1]} y', 2) == ({"a": [1]}, 12)
    assert strict_value('{"a": "b\nc', 0) == Open(is_hopeless=False)
    assert strict_value('{"a": x' + " " * 20, 0) == Open(is_hopeless=True)
    assert strict_value('{"a": NaN}', 0) == Open(is_hopeless=True)
    assert strict_value("[" * 5000 + "]" * 5000, 0) == Open(is_hopeless=True)
    assert strict_value('{"a": "' + "b" * 100_000 + '"}', 0) == ({"a": "b" * 100_000}, 100_009)


def test_an_underscore_of_markdown_in_a_key_is_one_and_an_escaped_backslash_stays() -> None:
    text = r"f(a={'x\_y': 1, 'x\\_y': 2})"
    (call,) = read_python(text, 0, len(text), is_closed=True)
    assert call.arguments == {"a": {"x_y": 1, "x\\_y": 2}}

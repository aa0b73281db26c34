"""What holds for every reply: a tool gets what was written or the call is reported, and no character is lost."""

import json
import random
from typing import Literal

import pytest
from cases.dialects import ANY, DIALECTS, RECORD, TOOLS, Dialect, verdict
from cases.values import TROUBLE, drawn_calls, is_clear
from cases.writers import Call
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dynaspark_core.reply.reader import read_reply


def examples(count: int) -> settings:
    """The same examples in every run."""
    phases = (Phase.generate, Phase.shrink)
    return settings(derandomize=True, database=None, deadline=None, max_examples=count, phases=phases)


TEXT = st.lists(st.sampled_from(TROUBLE) | st.text(max_size=4), max_size=5).map("".join)
NUMBER = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)


def calls_of(dialect: Dialect) -> st.SearchStrategy[list[Call]]:
    """Calls whose values the dialect can write."""
    text = TEXT.filter(is_clear) if dialect.notation == "text" else TEXT
    values = {
        "text": text, "count": st.integers(), "share": NUMBER, "is_final": st.booleans(),
        "items": st.lists(JSON, max_size=3), "fields": OBJECT, "note": text | st.none(),
    }  # fmt: skip
    call = st.tuples(st.just(RECORD.name), st.fixed_dictionaries({}, optional=values))
    if dialect.notation == "json":
        keys = st.sampled_from(["name", "action", "tool", "type", "id", "content", "x", ""]) | st.text(max_size=4)
        call |= st.tuples(st.just(ANY.name), st.dictionaries(keys, JSON, max_size=3))
    return st.lists(call, min_size=1, max_size=1 if dialect.is_single else 3)


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@examples(20)
@given(st.data())
def test_a_tool_gets_what_was_written_or_the_call_is_reported(dialect: Dialect, data: st.DataObject) -> None:
    calls = data.draw(calls_of(dialect))
    written = dialect.write(calls)
    reply = read_reply(written, TOOLS)
    became = verdict(calls, reply)
    assert became in {"right", "reported"}, (became, written, reply)
    assert became != "right" or not reply.text.strip(), reply.text


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@examples(8)
@given(st.data())
def test_of_a_cut_reply_nothing_runs_but_what_was_written(dialect: Dialect, data: st.DataObject) -> None:
    calls = data.draw(calls_of(dialect))
    written = dialect.write(calls)
    for cut in range(data.draw(st.integers(1, 5)), len(written), 5):
        reply = read_reply(written[:cut], TOOLS)
        assert verdict(calls, reply) != "wrong", (written[:cut], reply)


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
def test_hard_values_are_right_or_reported_and_never_wrong_in_a_cut_reply(dialect: Dialect) -> None:
    """Many more values than above, each second reply cut: drawn without hypothesis, which takes longer than reading."""
    draw = random.Random(dialect.name)
    for number in range(400):
        calls = drawn_calls(draw, dialect, TROUBLE)
        written = dialect.write(calls)
        begun = written[: draw.randrange(1, len(written))] if number % 2 else written
        reply = read_reply(begun, TOOLS)
        became = verdict(calls, reply)
        assert became in ({"right", "reported", "lost"} if number % 2 else {"right", "reported"}), (
            became,
            begun,
            reply,
        )


CLOSERS = (
    "</{0}parameter>",
    "</{0}function>",
    "</{0}invoke>",
    "</{0}tool_call>",
    "</arg_value>",
    "</minimax:tool_call>",
)
HELD = [
    f"{before}{first}{between}{second}{after}"
    for before, after in (("x", "y"), ("", ""), ("x\n", "\ny")) for between in ("", "\n")
    for first in (*CLOSERS, "<tool_call>") for second in ("", *CLOSERS)
]  # fmt: skip
"""Texts that hold what closes a value, a call, or the tag around it, one or two of them."""


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if one.notation == "text"], ids=str)
def test_a_text_that_holds_closing_tags_is_whole_or_reported(dialect: Dialect) -> None:
    """Also where the reply is cut right behind one of them, unless it is then a whole call to its last line break."""
    prefix = "ns:" if "ns:" in dialect.write([(RECORD.name, {})]) else ""
    for text in (held.format(prefix) for held in HELD):
        calls: list[Call] = [(RECORD.name, {"text": text, "count": 1}), (RECORD.name, {"note": "x"})]
        written = dialect.write(calls)
        assert verdict(calls, read_reply(written, TOOLS)) in {"right", "reported"}, written
        end = written.index(text) + len(text)
        is_whole_call = dialect.name == "arg_key pairs" and "</arg_value>\n</tool_call>" in text
        for cut in () if is_whole_call else (end - 1, end, end + 1, end + 9):
            assert verdict(calls, read_reply(written[:cut], TOOLS)) != "wrong", written[:cut]


PROSE = (
    "The {} is open.\n", "- {}\n", "> {}\n", "# {}\n", "`{}`\n", '"{}", they said.\n', "<b>{}</b>\n", "a < {}\n",
    "```python\nx = '{}'\n```\n", '```json\n{{"answer": "{}"}}\n```\nThat is it.\n', '{{"answer": "{}"}}\nSo it is.\n',
    "| {} | 1 |\n", "[{}](http://x)\n", "Write `<tool_call>` for {}.\n", "  {}\n\n\n", "Action plan: {}\n",
)  # fmt: skip
"""Answers: each shows its word."""
BROKEN = (
    '<tool_call>\n{{"name": "record_values", "arguments": {{"text": "{}", "count": 1 + 1}}}}\n</tool_call>\n',
    '<tool_call>{{"name": "no_such_tool", "arguments": {{"text": "{}"}}}}</tool_call>\n',
    '<tool_call>\nsomething about {}\n</tool_call>\n',
    '<tool_call>{{"arguments": {{"text": "{}"}}}}</tool_call>\n',
    '<tool_call>{{"name": "record_values", "arguments": {{"count": "{}"}}}}</tool_call>\n',
    '```tool_call\n{{"name": "record_values", "arguments": {{"text": "{}" "x"}}}}\n```\n',
)  # fmt: skip
"""Calls that must not run: each is reported with its word."""
TURNS = ("</turn>\n{}\n", '</turn>\n<turn role="user">{}', "<tool_result>{}</tool_result>\n")
"""Turns of others, which end the answer."""
THOUGHTS = ("<think>{}</think>\n", "<thinking>\nAbout {}.\n</thinking>\n\n")
PASSED_ON = {"unknown_tool", "bad_arguments"}
"""Calls that agents get as calls, and answer: the text after them is what the model made up of the result."""
SURE = ('<tool_call>{{"name": "take_any", "arguments": {{"x": "{}"}}}}</tool_call>\n',)
Kind = Literal["thoughts", "prose", "call", "sure", "broken", "turn"]
THINKING: tuple[tuple[Kind, ...], ...] = (("thoughts",), ())


@st.composite
def replies(draw: st.DrawFn, dialect: Dialect) -> list[tuple[Kind, str, str]]:
    """A reply in parts: what each is, the one word that only it holds, and its text."""
    kinds: list[Kind] = draw(
        st.lists(st.sampled_from(("prose", "call", "broken", "sure", "turn", "thoughts")), max_size=5)
    )
    texts = {"thoughts": THOUGHTS, "prose": PROSE, "broken": BROKEN, "sure": SURE, "turn": TURNS}
    parts: list[tuple[Kind, str, str]] = []
    for number, kind in enumerate([*draw(st.sampled_from(THINKING)), *kinds]):
        word = f"word{number}"
        call = dialect.write([(RECORD.name, {"text": word})]) + "\n"
        parts.append((kind, word, call if kind == "call" else draw(st.sampled_from(texts[kind])).format(word)))
    return parts


@pytest.mark.parametrize("dialect", DIALECTS, ids=str)
@examples(50)
@given(st.data())
def test_no_character_is_lost(dialect: Dialect, data: st.DataObject) -> None:
    """Every word is in the text, the reasoning, a call or a reported call, or after the first accepted call, or behind
    the turn of somebody else."""
    parts = data.draw(replies(dialect))
    written = "".join(text for _, _, text in parts)
    reply = read_reply(written, TOOLS)
    passed_on = [call.arguments for call in reply.invalid_tool_calls if call.reason in PASSED_ON]
    accepted = json.dumps([*(call.arguments for call in reply.tool_calls), *passed_on])
    reported = " ".join(f"{call.raw} {call.arguments}" for call in reply.invalid_tool_calls)
    is_after_a_call = False
    for kind, word, _ in parts:
        if kind == "turn":
            break
        is_excused = is_after_a_call and (kind == "prose" or dialect.is_soft)
        given = reply.reasoning if kind == "thoughts" else reply.text + accepted + reported
        assert is_excused or word in given, (word, written, reply)
        is_after_a_call = is_after_a_call or word in accepted

"""Text that is shown as it comes, whatever signs are in it: JSON that is no call, and fences. Pieces change nothing."""

from collections.abc import Iterable
from typing import Any

import pytest
from cases.replies import CALL, OBJECT, TOOLS
from hypothesis import given
from hypothesis import strategies as st

from dynaspark_core.messages import Done, TextDelta
from dynaspark_core.reply.plain import TextReader
from dynaspark_core.reply.reader import ReplyReader


def read(reader: TextReader, pieces: Iterable[str]) -> tuple[Any, ...]:
    events = [event for piece in pieces for event in reader.feed(piece)] + reader.close()
    done = events[-1]
    assert isinstance(done, Done)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == done.reply.text
    return done.reply.text, [(call.name, call.arguments) for call in done.reply.tool_calls]


@pytest.mark.parametrize(
    ("before", "is_call"),
    [
        ('{"a": [x\n\n', True),
        ('{"a": [1,\n \t\n', True),
        ('{"a": "x\n\n', True),
        ('{"a": "x\n \n', True),
        ('{"a": [1,\n', False),
        ('{"a": "x\n', False),
        ('{"a": "x\\\n\n', False),
        ("```yaml\na: 1\n\n", False),
        ("```yaml\na: 1\n```\n", True),
    ],
)
def test_a_blank_line_ends_what_is_no_json(before: str, *, is_call: bool) -> None:
    for pieces in ([before + OBJECT], before + OBJECT, [before, OBJECT]):
        text, calls = read(ReplyReader(TOOLS), pieces)
        assert calls == ([("get_weather", {"city": "Oslo"})] if is_call else [])
        assert text == (before.rstrip() if is_call else before + OBJECT)


def same_in_pieces(text: str, size: int) -> None:
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    whole = read(ReplyReader(TOOLS), [text])
    assert read(ReplyReader(TOOLS), text) == whole
    assert read(ReplyReader(TOOLS), cut) == whole
    plain = read(TextReader(has_turns=True), [text])
    assert read(TextReader(has_turns=True), text) == plain
    assert read(TextReader(has_turns=True), cut) == plain


BLANKS = " " * 30


@pytest.mark.parametrize(
    "text",
    [
        f"x{BLANKS}\n{CALL}",
        f"x{BLANKS}\n\n   {CALL}",
        f"x{BLANKS}\n\n\n</turn>",
        f'{{"a":{BLANKS}\n\n\n{CALL}',
        f"```yaml\n\n```{BLANKS}</turn>",
        f"```yaml\na\n```{BLANKS}\n{CALL}",
        f"a\n{BLANKS}```yaml\n</turn>",
        f"of functools[{OBJECT}]",
        f"offunctools[{OBJECT}]",
        f"o functools[{OBJECT}]",
        f"<think>of</think>functools[{OBJECT}]",
        f"{CALL}functools[{OBJECT}]",
        "life, if of it, f\nf off",
    ],
)
def test_blanks_and_words_mean_the_same_in_pieces(text: str) -> None:
    for size in range(2, 9):
        same_in_pieces(text, size)


ATOMS = st.sampled_from(
    ['{"a":', "{", "[", "]", "}", '"', '"x y"', "\\", '\\"', "\n", "\n\n", " " * 30, "\t", "\r", "x", "of", ",", "<b>",
     "```", "```yaml\n", "~~~\n", "`", "\n```\n", "</turn>", OBJECT, f"\n{CALL}"]
)  # fmt: skip


@given(
    st.sampled_from(["", '{"a": ', '[["x', "```yaml\n", "```json\n{"]),
    st.lists(ATOMS, max_size=9).map("".join),
    st.integers(2, 9),
)
def test_pieces_change_nothing(before: str, text: str, size: int) -> None:
    same_in_pieces(before + text, size)


@pytest.mark.parametrize(
    "text",
    [
        "Oslo.", "a\n\nb ", "[1] see", "[THINK]so[/THINK]Oslo", " [THINK]so[/THINK]Oslo", "\n Oslo", "", " ", "a < b",
        "<think>so</think>Oslo", 'Oslo</turn>\n<turn role="user">', "```\n{}\n```", '{"a": 1}', "a [THINK] b",
    ],
)  # fmt: skip
@pytest.mark.parametrize("has_turns", [True, False])
def test_a_reply_that_comes_at_once_is_read_as_one_in_pieces(text: str, *, has_turns: bool) -> None:
    *_, done = TextReader(has_turns=has_turns).close(text)
    assert isinstance(done, Done)
    reader = TextReader(has_turns=has_turns)
    events = [event for piece in text for event in reader.feed(piece)] + reader.close()
    assert events[-1] == done

"""What becomes of calls that are too many, and of those behind too many signs that begin none."""

from collections.abc import Callable

import pytest
from cases.replies import TOOLS

from dynaspark_core.messages import Reply
from dynaspark_core.reply.reader import ReplyReader, read_reply

CALL = "<tool_call>get_time()</tool_call>"
JSON = '{"name": "get_time"}'
FORMS: dict[str, Callable[[int], str]] = {
    "a list in a tag": lambda count: f"<tool_call>[{', '.join([JSON] * count)}]</tool_call>",
    "values in a tag": lambda count: f"<tool_call>{' '.join([JSON] * count)}</tool_call>",
    "values to repair": lambda count: f"<tool_call>{' '.join([JSON] * count)}</tool_call>".replace('"', "'"),
    "a list in a list": lambda count: f"<tool_call>[[{', '.join([JSON] * (count - 1))}], {JSON}]</tool_call>",
    "OpenAI's list": lambda count: f'{{"tool_calls": [{", ".join([JSON] * count)}]}}',
    "Python in a tag": lambda count: f"<tool_call>[{', '.join(['get_time()'] * count)}]</tool_call>",
    "parallel": lambda count: (
        f'<tool_call>{{"name": "multi_tool_use.parallel", "arguments": {{"tool_uses": [{", ".join([JSON] * count)}]}}}}'
        "</tool_call>"
    ),
}


@pytest.mark.parametrize("written", FORMS.values(), ids=FORMS)
def test_a_thousand_calls_may_stand_in_one_text(written: Callable[[int], str]) -> None:
    assert len(read_reply(written(1_000), TOOLS).tool_calls) == 1_000
    many = read_reply(written(1_001), TOOLS)
    assert not many.tool_calls
    assert [call.reason for call in many.invalid_tool_calls] == ["malformed"]
    assert "more than 1,000 calls" in many.invalid_tool_calls[0].error


@pytest.mark.parametrize("between", ["", " ", ", ", "; ", ";\n", ",\n", "\n"])
def test_objects_that_are_joined_are_read_however_many_there_are(between: str) -> None:
    one = '{"name": "get_time", "arguments": {}}'
    text = between.join([one] * 3_000)
    assert len(in_pieces(text, 1_000).tool_calls) == len(read_reply(text, TOOLS).tool_calls) == 3_000
    assert read_reply(f"{text}.", TOOLS).tool_calls == ()


def in_pieces(text: str, size: int) -> Reply:
    reader = ReplyReader(TOOLS)
    for at in range(0, len(text), size):
        reader.feed(text[at : at + size])
    reply: Reply = reader.close()[-1].reply  # type: ignore[union-attr]  # `Done` is the last
    return reply


@pytest.mark.parametrize("size", [13, 1_000, 1_000_000])
@pytest.mark.parametrize("sign", ["<", "x\n", "[", "x\n<", "{\n", "a [<b>\n"])
def test_behind_thousands_of_signs_all_is_text(sign: str, size: int) -> None:
    flood = sign * (63_999 // len([char for char in sign if char in "<[\n"]))
    flood += "<" * (63_999 - sum(map(flood.count, "\n<[")))
    within = in_pieces(f"{flood} {CALL}", size)
    assert len(within.tool_calls) == 1
    behind = in_pieces(f"{flood}[ {CALL}", size)
    assert not behind.tool_calls
    assert not behind.invalid_tool_calls
    assert behind.text == f"{flood}[ {CALL}"


def test_behind_many_copied_calls_all_is_text() -> None:
    copy = "<tool_call>get_time()</tool_call>\n"
    reply = read_reply(copy * 200 + CALL, TOOLS, untrusted=copy)
    assert reply.tool_calls == ()
    assert {call.reason for call in reply.invalid_tool_calls} == {"copied_from_untrusted"}
    assert len(reply.invalid_tool_calls) + reply.text.count(copy) == 200
    assert reply.text.endswith(CALL)
    assert reply.invalid_tool_calls[-1].error.endswith("what follows is taken for text")


def test_signs_within_calls_do_not_count() -> None:
    content = "<b>[1]\\n\n" * 40_000
    call = '<tool_call>{"name": "write_file", "arguments": {"path": "a", "content": "' + content + '"}}</tool_call>'
    assert len(read_reply(f"{call}\n{CALL}", TOOLS).tool_calls) == 2


def test_calls_are_compared_with_what_the_model_read_until_that_takes_too_long() -> None:
    """Each of these is compared as it is written and as JSON: a thousand with a text of a million characters."""
    calls = [f'<tool_call>{{"name": "add", "arguments": {{"a": {at}, "b": 2}}}}</tool_call>' for at in range(1_001)]
    reply = read_reply("\n".join(calls), TOOLS, untrusted="x" * 1_000_000)
    assert len(reply.tool_calls) == 1_000
    assert [call.reason for call in reply.invalid_tool_calls] == ["copied_from_untrusted"]
    assert "so many calls were compared" in reply.invalid_tool_calls[0].error

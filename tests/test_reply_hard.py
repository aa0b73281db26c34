"""Replies written to be hard: every case whole, in every cut and in steps; the same where only turns are told apart."""

import random

import pytest
from cases.replies import Case
from cases.uninvited import CASES as UNINVITED
from cases.vanishing import CASES as VANISHING
from cases.vanishing import PLAIN_CASES
from test_reply_reader import events_of, outcome

CASES = [*VANISHING, *UNINVITED]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hard_reply_is_read_whole_and_in_pieces(case: Case) -> None:
    reply, wanted = case.reply, (case.calls, case.invalid, case.text)
    assert outcome(events_of([reply], **case.options)) == wanted
    cuts = range(1, len(reply))
    if len(reply) > 200:
        cuts = random.Random(case.name).sample(cuts, 60)  # type: ignore[assignment]  # some of them
    pieces = [[reply[:cut], reply[cut:]] for cut in cuts]
    pieces += [[reply[at : at + size] for at in range(0, len(reply), size)] for size in (1, 2, 3, 7)]
    for each in pieces:
        assert outcome(events_of(each, **case.options)) == wanted, each


@pytest.mark.parametrize("case", PLAIN_CASES, ids=str)
def test_turns_end_an_answer_without_tools_too(case: Case) -> None:
    for size in (1, 2, 3, 7, len(case.reply)):
        pieces = [case.reply[at : at + size] for at in range(0, len(case.reply), size)]
        assert outcome(events_of(pieces, tools=(), has_turns=True)) == ((), (), case.text)


def test_an_answer_to_a_lone_prompt_may_hold_any_turn() -> None:
    text = '<turn role="assistant">Hi</turn>\n<turn role="user">'
    assert outcome(events_of([text], tools=())) == ((), (), text)

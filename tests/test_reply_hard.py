"""Replies written to be hard: every case whole, in every cut and in steps; the same where only turns are told apart."""

import random

import pytest
from cases.replies import Case
from cases.uninvited import CASES as UNINVITED
from cases.vanishing import CASES as VANISHING
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

"""Replies written to be hard: every case whole, in every cut and in steps; the same where only turns are told apart."""

import random

import pytest
from cases.further import CASES as FURTHER
from cases.replies import Case
from cases.signs import signs
from cases.uninvited import CASES as UNINVITED
from cases.vanishing import CASES as VANISHING
from cases.vanishing import PLAIN_CASES
from cases.wordy import CASES as WORDY
from test_reply_reader import events_of, outcome

from dynaspark_core.reply.atoms import Sign

CASES = [*VANISHING, *UNINVITED, *FURTHER, *WORDY]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_hard_reply_is_read_whole_and_in_pieces(case: Case) -> None:
    text, wanted = case.reply, (case.calls, case.invalid, case.text)
    assert outcome(events_of([text], **case.options)) == wanted
    cuts = range(1, len(text))
    if len(text) > 200:
        cuts = random.Random(case.name).sample(cuts, 60)  # type: ignore[assignment]  # some of them
    pieces = [[text[:cut], text[cut:]] for cut in cuts]
    pieces += [[text[at : at + size] for at in range(0, len(text), size)] for size in (1, 2, 3, 7)]
    for each in pieces:
        assert outcome(events_of(each, **case.options)) == wanted, each


@pytest.mark.parametrize("case", [*PLAIN_CASES, Case("blank lines", "Hi\n\n</turn>", text="Hi")], ids=str)
def test_turns_end_an_answer_without_tools_too(case: Case) -> None:
    for size in (1, 2, 3, 7, len(case.reply)):
        pieces = [case.reply[at : at + size] for at in range(0, len(case.reply), size)]
        assert outcome(events_of(pieces, tools=(), has_turns=True)) == ((), (), case.text)


def test_an_answer_to_a_lone_prompt_may_hold_any_turn() -> None:
    text = '<turn role="assistant">Hi</turn>\n<turn role="user">'
    assert outcome(events_of([text], tools=())) == ((), (), text)


@pytest.mark.parametrize(("name", "sign"), [*signs()])
def test_a_sign_matches_its_example_and_may_become_it(name: str, sign: Sign) -> None:
    found = sign.whole.match(sign.example)
    assert found is not None
    assert sign.others
    for other in sign.others:
        assert sign.whole.match(other) is None, other
    for end in range(found.end()):
        assert sign.begun.match(sign.example[:end]) is not None, sign.example[:end]

"""A change of what is read shows here, as lines of a diff: three files of `readings` hold what came of each before.

The replies, values and schemas reach every branch of the reader that mutated replies reach, and stand at the bounds of
its patterns and limits. What comes of one is no rule: the tables of the other tests say why. So a difference is either
a mistake or a decision; where it is a decision, `PYTHONPATH=tests python -m readings` writes the lines anew, and every
line of the diff is looked at in review.
"""

from collections.abc import Iterator
from itertools import islice

import pytest
from readings.rows import FILES, lines_of, read_anew

SHOWN = 5
"""Most differences that are shown; the rest is not read."""
ADVICE = "a mistake, or a decision: then `PYTHONPATH=tests python -m readings`, and look at each line of its diff"


def differences(name: str) -> Iterator[str]:
    """Each line that is read in another way than before."""
    for number, line in enumerate(lines_of(name), start=1):
        for after in read_anew(name, line):
            if after != line:
                yield f"{name}, line {number}\nbefore: {line}\nnow:    {after}"
                break


@pytest.mark.parametrize("name", FILES)
def test_what_is_read_stays(name: str) -> None:
    found = list(islice(differences(name), SHOWN))
    assert not found, "\n\n".join([*found, ADVICE])

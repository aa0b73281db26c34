"""Each bomb is refused or read within counted steps and bounded memory; `bombs` prints what each costs."""

import sys

import pytest

pytest.importorskip("resource", reason="Windows has no such limits")
from bombs import BOMBS, cost_of

ENDS = {"200", "400", "413", "refused", "read"}


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name: str) -> None:
    bomb, cost = BOMBS[name], cost_of(name)
    assert cost.end in ENDS
    assert cost.steps <= bomb.max_steps
    assert cost.mb <= bomb.max_mb

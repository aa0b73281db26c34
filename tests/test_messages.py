"""The one table of what becomes of a call that must not run."""

from typing import get_args

import pytest

from dynaspark_core.messages import FATES, InvalidReason, InvalidToolCall

READ = {"unknown_tool", "bad_arguments"}
"""Reasons of calls that a tool's own error answers best."""


def test_every_reason_has_a_fate() -> None:
    assert set(FATES) == set(get_args(InvalidReason))


@pytest.mark.parametrize("reason", get_args(InvalidReason))
def test_only_a_call_that_was_read_is_passed_on(reason: InvalidReason) -> None:
    for checked in (True, False):
        whole = InvalidToolCall("raw", reason, "1", "f", "error", {})
        assert whole.is_passed_on(checked=checked) is (reason in READ)
        assert not InvalidToolCall("raw", reason, "1", None, "error", {}).is_passed_on(checked=checked)
        assert not InvalidToolCall("raw", reason, "1", "f", "error", None).is_passed_on(checked=checked)


@pytest.mark.parametrize(("reason", "fate"), FATES.items())
def test_a_call_that_is_passed_on_is_asked_for_again_only_where_it_was_named(reason: str, fate: object) -> None:
    call = InvalidToolCall("raw", reason, "1", "f", "error", {})  # type: ignore[arg-type]  # a reason of the table
    assert call.fate == fate
    assert not (call.is_passed_on(checked=True) and call.fate.repair == "always")

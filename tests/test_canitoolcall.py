"""A public set of 469 replies of real models (`canitoolcall`, Apache-2.0), read whole and one character at a time.

It was worked against, so it is a development set and no measure. Not read are Gemma's keys with blanks.
"""

import json
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from dynaspark_core import Reply, ReplyReader, Tool
from dynaspark_core.messages import Done

RIGHT = {
    "qwen3-hermes": 50, "qwen3-xml": 52, "llama": 34, "glm": 50, "mistral": 47, "gpt-oss": 51, "deepseek": 85,
    "kimi": 48, "gemma4": 45,
}  # fmt: skip
"""Replies of a family whose calls come out exactly, or whose broken call is refused."""


def fixtures() -> Iterator[tuple[str, dict[str, Any]]]:
    for family in (resources.files("canitoolcall") / "_data" / "fixtures").iterdir():
        files = [file for file in family.iterdir() if file.name.endswith(".jsonl")] if family.is_dir() else []
        for file in files:
            for line in file.read_text(encoding="utf-8").splitlines():
                yield family.name, json.loads(line)


def read(fixture: dict[str, Any], pieces: list[str]) -> Reply:
    functions = [tool.get("function", tool) for tool in fixture.get("tools") or []]
    tools = [Tool(each["name"], each.get("description", ""), each.get("parameters") or {}) for each in functions]
    reader = ReplyReader(tools)
    for piece in pieces:
        reader.feed(piece)
    done = reader.close()[-1]
    assert isinstance(done, Done)
    return done.reply


def calls(reply: Reply) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, call.arguments) for call in reply.tool_calls]


def wanted(fixture: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The calls that are right; none where the reply is broken."""
    return [(call["name"], call["arguments"]) for call in (fixture.get("expected") or {}).get("tool_calls", [])]


FIXTURES = list(fixtures())


def test_the_set_is_there() -> None:
    assert len(FIXTURES) == 469


@pytest.mark.parametrize("family", sorted({family for family, _ in FIXTURES}))
def test_nothing_wrong_runs_and_pieces_change_nothing(family: str) -> None:
    for fixture in (fixture for name, fixture in FIXTURES if name == family):
        raw = fixture["raw_output"]
        whole, one_by_one = read(fixture, [raw]), read(fixture, list(raw))
        assert (whole.text, calls(whole)) == (one_by_one.text, calls(one_by_one)), fixture["id"]
        assert calls(whole) in ([], wanted(fixture)), fixture["id"]


def test_what_comes_out_right() -> None:
    right = Counter(
        family for family, fixture in FIXTURES if calls(read(fixture, [fixture["raw_output"]])) == wanted(fixture)
    )
    assert {family: right[family] for family in RIGHT} == RIGHT

"""Every code block of `ChatDynaspark`'s docstring and of its page, and the examples, run against a local service."""

import ast
import inspect
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import CodeType
from typing import Any

import pytest

from dynaspark_core.server import Asked, LocalService, Script
from langchain_dynaspark import ChatDynaspark

ROOT = Path(__file__).parent.parent
DOCSTRING = inspect.getdoc(ChatDynaspark) or ""
PAGE = (ROOT / "docs/langchain.md").read_text(encoding="utf-8")
SECTIONS = [
    "Setup",
    "Key init args — completion params",
    "Key init args — client params",
    "Instantiate",
    "Invoke",
    "Stream",
    "Async",
    "Tool calling",
    "Structured output",
    "JSON mode",
    "Image input",
    "Token usage",
    "Response metadata",
]
VALUES = {"name": "Ada", "age": 36, "shop": "CORNER SHOP", "total": 14.7, "city": "Oslo", "place": "library"}


def willing(asked: Asked) -> str:
    """Calls the tool that it is offered, once; gives the members that a schema names; else says hello."""
    tools = re.search(r"^<tools>\n(.*?)\n</tools>$", asked.prompt, re.DOTALL | re.MULTILINE)
    form = re.search(r"^Reply with one JSON value.*\n(\{.*\})$", asked.prompt, re.MULTILINE)
    if tools is not None and "<tool_result" not in asked.prompt.split("# Tools")[0]:
        tool = json.loads(tools[1].splitlines()[0])
        return (
            f"<tool_call>\n{json.dumps({'name': tool['name'], 'arguments': chosen(tool['parameters'])})}\n</tool_call>"
        )
    return json.dumps(chosen(json.loads(form[1]))) if form is not None else "Hello."


def chosen(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: VALUES[name] for name in schema.get("properties", {})}


@pytest.fixture(scope="module")
def script() -> Script:
    return Script(willing)


@pytest.fixture(scope="module", autouse=True)
def _service(script: Script) -> Iterator[None]:
    with LocalService(script) as service, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DYNASPARK_BASE_URL", service.url)
        yield


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "picture.png").write_bytes((ROOT / "examples/receipt.png").read_bytes())
    monkeypatch.chdir(tmp_path)


def blocks(text: str) -> list[str]:
    return [dedent(block) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


async def run(source: str, names: dict[str, Any]) -> None:
    """The block, as a notebook would run it: `await` may stand in it."""
    code: CodeType = compile(source, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(code, names)
    if inspect.isawaitable(result):
        await result


@pytest.mark.parametrize("text", [DOCSTRING, PAGE], ids=["docstring", "page"])
async def test_every_code_block_runs(text: str, script: Script) -> None:
    names: dict[str, Any] = {}
    script.asked.clear()
    for block in blocks(text):
        await run(block, names)
    assert len(blocks(text)) >= 4
    assert any(asked.file for asked in script.asked)
    assert {"gemini-2.0-flash"} == {asked.model for asked in script.asked}


def test_the_docstring_has_langchains_sections_in_their_order() -> None:
    assert re.findall(r"^(\S.*):$", DOCSTRING, re.MULTILINE) == SECTIONS


def test_every_setting_stands_in_the_docstring() -> None:
    own = ChatDynaspark.model_fields.keys() - ChatDynaspark.__mro__[2].model_fields.keys()  # type: ignore[attr-defined]
    assert [name for name in sorted(own) if not re.search(rf"\b{name}\b", DOCSTRING)] == []


def test_the_page_says_what_is_emulated_and_what_is_not_there() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]*) \|", PAGE, re.MULTILINE))
    assert [rows[name] for name in ("Tool calling", "Structured output", "JSON mode")] == ["✅ emulated"] * 3
    assert [rows[name] for name in ("Token-level streaming", "Token usage", "Logprobs")] == ["❌"] * 3
    assert "`init_chat_model` knows only" in PAGE


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("langchain_agent.py", "library is open from nine to five"),
        ("langchain_structured.py", "shop='CORNER SHOP' total=14.7"),
    ],
)
def test_an_example_shows_what_it_says(name: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / name))
    assert shown in capsys.readouterr().out

"""Every code block of `docs/llama_index.md` and of the docstring runs, and the examples do what they say."""

import ast
import inspect
import json
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from llama_index.core import Settings

from dynaspark_core.server import Asked, LocalService, Script
from llama_index_dynaspark import Dynaspark

pytestmark = pytest.mark.filterwarnings(
    # Agents are looked through by `inspect.getmembers`, which touches names that pydantic deprecates.
    "ignore:.*(__fields__|__fields_set__|model_fields|model_computed_fields|model_extra).* attribute"
)
ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/llama_index.md").read_text(encoding="utf-8")
VALUES = {"name": "Ada", "age": 36, "shop": "CORNER SHOP", "total": 14.7, "city": "Oslo", "place": "library"}


def willing(asked: Asked) -> Any:
    """Calls the tool that it is offered, once; gives the members that a schema names; else says what it has."""
    tools = re.search(r"^<tools>\n(.*?)\n</tools>$", asked.prompt, re.DOTALL | re.MULTILINE)
    result = re.search(r"<tool_result[^>]*>\n(.*?)\n</tool_result>", asked.prompt)
    form = re.search(r"^Reply with one JSON value.*\n(\{.*\})$", asked.prompt, re.MULTILINE)
    if tools is not None and result is None:
        tool = json.loads(tools[1].splitlines()[0])
        return (
            f"<tool_call>\n{json.dumps({'name': tool['name'], 'arguments': chosen(tool['parameters'])})}\n</tool_call>"
        )
    if form is not None:
        return json.dumps(chosen(json.loads(form[1])))
    return ["Hello. ", result[1] if result is not None else asked.content_type or ""]


def chosen(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: VALUES[name] for name in schema["properties"]}


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    with LocalService(script := Script(willing)) as service:
        monkeypatch.setenv("DYNASPARK_BASE_URL", service.url)
        yield script
    Settings._llm = None


def blocks(text: str) -> list[str]:
    return [dedent(block) for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


async def test_the_page_runs_from_top_to_bottom(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "picture.png").write_bytes((ROOT / "examples/receipt.png").read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks(PAGE):
        code = compile(block, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            await eval(code, names)
        else:
            exec(code, names)
    said = capsys.readouterr().out
    assert "Sunny in Oslo." in said
    assert "name='Ada' age=36" in said
    assert "image/png" in said


def test_the_docstring_runs(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks(inspect.getdoc(Dynaspark) or "")
    exec(block, {})
    assert "Hello." in capsys.readouterr().out


def test_every_parameter_is_described() -> None:
    known = inspect.signature(Dynaspark.__init__).parameters.keys() - {"self"}
    ours = known - {"callback_manager", "rate_limiter", "messages_to_prompt", "completion_to_prompt", "output_parser"}
    described = set(re.findall(r"\w+", (inspect.getdoc(Dynaspark) or "").split("Examples:")[0]))
    assert ours - {"pydantic_program_mode", "query_wrapper_prompt"} <= described


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("agent", "library is open from nine to five"),
        ("structured", "14.70 at CORNER SHOP"),
        ("image", "image/png"),
    ],
)
def test_an_example_does_what_it_says(
    script: Script, name: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["example"])
    runpy.run_path(str(ROOT / f"examples/llama_index_{name}.py"), run_name="__main__")
    assert said in capsys.readouterr().out

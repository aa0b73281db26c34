"""The documentation: every Python block runs against a local service, and what is listed is all there is.

The site itself is built by `make docs`, which is part of what CI runs: a missing page, link or anchor fails there.
"""

import ast
import asyncio
import importlib.util
import inspect
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pages
import pytest
from langchain_core.language_models import BaseChatModel
from llama_index.core import Settings as LlamaIndexSettings

from dynaspark_core import errors
from dynaspark_core.server import LocalService, Script
from langchain_dynaspark import ChatDynaspark
from langchain_dynaspark.errors import DynasparkPermissionDeniedError, twin
from llama_index_dynaspark import Dynaspark

pytestmark = pytest.mark.filterwarnings(
    # Agents are looked through by `inspect.getmembers`, which touches names that pydantic deprecates.
    "ignore:.*(__fields__|__fields_set__|model_fields|model_computed_fields|model_extra).* attribute"
)
ROOT = Path(__file__).parent.parent
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
LANGCHAIN = inspect.getdoc(ChatDynaspark) or ""
LLAMA_INDEX = inspect.getdoc(Dynaspark) or ""
TEXTS = {name: text for name, text in PAGES.items() if "```python" in text}
DOCSTRINGS = {"ChatDynaspark": LANGCHAIN, "Dynaspark": LLAMA_INDEX}
COMMANDED = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md"), *ROOT.glob("benchmarks/*.md")]
COMMANDS = sorted({line for path in COMMANDED for line in pages.commands(path.read_text(encoding="utf-8"))})
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
INHERITED = {
    "own",  # of a subclass
    "self",
    "callback_manager",
    "completion_to_prompt",
    "messages_to_prompt",
    "output_parser",
    "pydantic_program_mode",
    "query_wrapper_prompt",
    "rate_limiter",
}
"""Parameters of LlamaIndex's own."""
ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not errors.DynasparkError]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """A service that the environment names, in a folder with a picture. What pages set for all is set back."""
    (tmp_path / "picture.png").write_bytes((ROOT / "examples/receipt.png").read_bytes())
    monkeypatch.chdir(tmp_path)
    with LocalService(script := pages.script()) as service:
        monkeypatch.setenv("DYNASPARK_BASE_URL", service.url)
        yield script
    LlamaIndexSettings._llm = None
    logging.getLogger("dynaspark_core").setLevel(logging.NOTSET)


def blocks(text: str, language: str = "python") -> list[str]:
    return [dedent(block) for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]


def run(source: str, names: dict[str, Any]) -> None:
    """The block, as a notebook would run it: `await` may stand in it."""
    code = compile(source, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(eval(code, names))
    else:
        exec(code, names)


@pytest.mark.parametrize("name", TEXTS)
def test_every_program_of_a_page_prints_what_is_below_it(
    name: str, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    programs = pages.programs(TEXTS[name])
    assert len(programs) == TEXTS[name].count("```python")
    for block, output in programs:
        run(dedent(block), names)
        assert capsys.readouterr().out.rstrip() == dedent(output).rstrip()
    assert any(asked.file for asked in script.asked) == ("picture.png" in TEXTS[name])


@pytest.mark.parametrize("name", DOCSTRINGS)
def test_every_block_of_a_docstring_runs(name: str, script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks(DOCSTRINGS[name]):
        run(block, names)
    said = capsys.readouterr().out
    assert any(answer in said for answer in pages.ANSWERS.values())
    assert any(asked.file for asked in script.asked) == ("picture.png" in DOCSTRINGS[name])


def test_the_commands_of_the_pages_have_the_options_that_they_name() -> None:
    asked = [line.split() for line in COMMANDS if "-m dynaspark_core" in line]
    known = {command: options(command) for command in ("ask", "doctor", "serve")}
    assert asked
    assert [words for words in asked if not {word for word in words if word[:2] == "--"} <= known[words[3]]] == []


def options(command: str) -> set[str]:
    said = subprocess.run(
        [sys.executable, "-m", "dynaspark_core", command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    return set(re.findall(r"--[a-z-]+", said))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_can_be_pasted_into_any_shell(line: str) -> None:
    """An interactive zsh takes `#` for a word and brackets for a pattern, unless they are quoted."""
    assert re.search(r"[#*?\[\]]", re.sub(r'"[^"]*"', "", line)) is None


def test_the_files_that_the_pages_name_are_there() -> None:
    named = {name for text in PAGES.values() for name in re.findall(r"`((?:examples|tests)/[\w./]+)`", text)}
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def section(name: str) -> str:
    """What the catalogue says of the error."""
    found = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", PAGES["errors"], re.DOTALL | re.MULTILINE)
    return found[1] if found is not None else ""


def test_every_error_has_its_section_and_there_is_no_other() -> None:
    headings = re.findall(r"^### (.*)$", PAGES["errors"], re.MULTILINE)
    assert sorted(headings) == sorted(kind.__name__ for kind in ERRORS)


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_the_catalogue_says_of_an_error_what_the_code_says(kind: type[errors.DynasparkError]) -> None:
    said = section(kind.__name__)
    builtin = [base.__name__ for base in kind.__bases__ if not issubclass(base, errors.DynasparkError)]
    assert re.search(r"\*\*Retryable:\*\* (yes|no)", said)[1] == ("yes" if kind.is_retryable else "no")  # type: ignore[index]  # None fails, too
    assert [name for name in builtin if f"`{name}`" not in said] == []
    assert [name for name in twins(kind) if f"`{name}`" not in said] == []


def twins(kind: type[errors.DynasparkError]) -> list[str]:
    """The names of the twin in LangChain and of the class of LangChain's that it is; none for a class never raised."""
    found = type(twin(kind("")))
    if found is kind:
        return []
    kinds = [found, DynasparkPermissionDeniedError] if kind is errors.AccessError else [found]
    theirs = [base.__name__ for one in kinds for base in one.__mro__ if base.__module__ == "langchain_core.exceptions"]
    return [*(one.__name__ for one in kinds), next(name for name in theirs if name.startswith(("Model", "Context")))]


def test_the_docstring_has_langchains_sections_in_their_order() -> None:
    assert re.findall(r"^(\S.*):$", LANGCHAIN, re.MULTILINE) == SECTIONS


def test_every_setting_stands_in_the_docstrings() -> None:
    own = ChatDynaspark.model_fields.keys() - BaseChatModel.model_fields.keys()
    assert [name for name in sorted(own) if not re.search(rf"\b{name}\b", LANGCHAIN)] == []
    known = inspect.signature(Dynaspark.__init__).parameters.keys() - INHERITED
    assert known - set(re.findall(r"\w+", LLAMA_INDEX.split("Examples:")[0])) == set()


def test_the_page_says_what_is_emulated_and_what_is_not_there() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]*) \|", PAGES["langchain"], re.MULTILINE))
    assert [rows[name] for name in ("Tool calling", "Structured output", "JSON mode")] == ["✅ emulated"] * 3
    assert [rows[name] for name in ("Token-level streaming", "Token usage", "Logprobs")] == ["❌"] * 3


def test_the_page_of_parameters_is_what_the_docstrings_say() -> None:
    """If this fails: `.venv/bin/python .ci/parameters.py`."""
    spec = importlib.util.spec_from_file_location("parameters", ROOT / ".ci/parameters.py")
    assert spec is not None
    assert spec.loader is not None
    parameters = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(parameters)
    assert parameters.page() == PAGES["parameters"]
    named = set(re.findall(r"^\| `(\w+)`<br>", PAGES["parameters"].split("## `Dynaspark`")[1], re.MULTILINE))
    assert inspect.signature(Dynaspark.__init__).parameters.keys() - INHERITED - named == set()


def test_each_row_of_the_page_on_security_names_a_test_that_exists() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    tests = set(re.findall(r"^(?:async )?def (test_\w+)", sources, re.MULTILINE))
    tables = re.findall(r"^\|.*(?:shown by|the test) \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGES["security"], re.MULTILINE)
    rows = [row for table in tables for row in table.splitlines()]
    named = [re.findall(r"`(test_[^`]*)`", row.rpartition(" | ")[2]) for row in rows]
    assert len(rows) > 15
    assert [row for row, names in zip(rows, named, strict=True) if not names or set(names) - tests] == []

"""The notebooks run from top to bottom in a real kernel, where an event loop runs already."""

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from dynaspark_core.server import LocalService, Pieces, Script, call

FOLDER = Path(__file__).parent.parent / "examples"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
HOURS = "library is open from nine to five, and closed on Sundays."
CALL = call("opening_hours", place="library")
PERSON = '{"name": "Anna", "age": 31}'
END = (PERSON, "It was 14.70.", "Rest.")
ANSWERS = {
    "langchain.ipynb": (
        "Paris.",
        "Rome.",
        "Same.",
        "Same.",
        Pieces("The ", "sea."),
        Pieces("A ", "harbour."),
        CALL,
        "At nine.",
        *END,
    ),
    "llama_index.ipynb": ("Paris.", "Rome.", "A tower.", Pieces("The ", "sea."), Pieces("A ", "harbour."), CALL, *END),
}
SHOWN = {
    "langchain.ipynb": {
        "model": "Paris.\nRome.\n",
        "chain": "['Same.', 'Same.']",
        "streaming": "The sea.\nA harbour.",
        "tools": "[('opening_hours', {'place': 'library'})]\nAt nine.\n",
        "structured": "Person(name='Anna', age=31)",
        "image": "It was 14.70.\n",
        "rag": "Rest.\n",
    },
    "llama_index.ipynb": {
        "model": "Paris.\nRome.\n",
        "chat": "A tower.\n",
        "streaming": "The sea.\nA harbour.",
        "tools": f"{HOURS}\n",
        "structured": "Person(name='Anna', age=31)",
        "image": "It was 14.70.\n",
        "rag": "Rest.\n",
    },
}
REAL = {
    "service": r"http://127[.]0[.]0[.]1:\d+",
    "model": "Paris.*\n.*Rome",
    "streaming": "sea.*\n.*harbour",
    "tools": "nine to|9",
    "structured": r"Person\(name='Anna', age=31\)",
    "image": "14.70",
    "rag": "holidays",
}
"""What the small model shows in both notebooks."""


def run(name: str, folder: Path, **variables: str) -> dict[str, str]:
    """What each cell shows, errors and complaints included, by the cell's id."""
    notebook = nbformat.read(FOLDER / name, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DYNASPARK_")}
    quiet = {"PYTHONWARNINGS": "ignore:IProgress not found", "IPYTHONDIR": str(folder)}  # no widgets here, says tqdm
    client = NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}})
    client.execute(env=environment | quiet | variables)
    return {cell.id: "".join(map(shown, cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"}


def shown(output: Any) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain"))


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name: str, tmp_path: Path) -> None:
    with LocalService(script := Script(*ANSWERS[name])) as service:
        cells = run(name, tmp_path, DYNASPARK_BASE_URL=service.url)
    assert cells.pop("service") == f"http://{script.asked[0].headers['host']}\n"
    assert cells == SHOWN[name]
    assert len(script.asked) == len(ANSWERS[name])
    assert script.asked[-2].file == (FOLDER / "receipt.png").read_bytes()
    assert "periodic holidays" in script.asked[-1].prompt


@pytest.mark.model
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_starts_its_own_service_and_really_runs(name: str, tmp_path: Path) -> None:
    cells = run(name, tmp_path)
    assert {cell: cells[cell] for cell, pattern in REAL.items() if not re.search(pattern, cells[cell])} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_kept_without_outputs_and_names_no_machine(name: str) -> None:
    notebook = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    assert notebook["metadata"] == METADATA
    assert [cell["metadata"] for cell in notebook["cells"] if cell["metadata"]] == []
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"]] == []


def test_both_notebooks_are_tested_and_stand_in_the_table() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[(\w+[.]ipynb)\]\(\1\)", table, re.MULTILINE)) == set(NAMES) == ANSWERS.keys()

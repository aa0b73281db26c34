"""Write `docs/parameters.md`: the parameters of the three constructors, from their docstrings and the settings' table.

    .venv/bin/python .ci/parameters.py

A test compares the page with what this makes.
"""

import inspect
import re
from pathlib import Path
from typing import Any

from dynaspark_core import DynasparkClient
from dynaspark_core.transport.settings import VARIABLES
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

PAGE = Path(__file__).parent.parent / "docs/parameters.md"
INTRODUCTION = """\
# Parameters

Every parameter of the three constructors. All are optional and are given by keyword; `DynasparkClient` and
`Dynaspark` also take the model's name as the first argument. An argument takes precedence over the environment
variable, and that over the default.

This page is made from the docstrings by `.ci/parameters.py`.
"""
SECTION = re.compile(r"^(?:Args|Key init args[^\n]*):\n(.*?)(?=^\S|\Z)", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r"^    (\w[\w,\s]*?): (.*?)(?=^    \w|\Z)", re.DOTALL | re.MULTILINE)
ELSEWHERE = "See `dynaspark_core.DynasparkClient`"


def described(documented: type) -> dict[str, str]:
    """Each parameter with its description in the class's docstring."""
    sections = SECTION.findall(inspect.getdoc(documented) or "")
    entries = [(names, " ".join(text.split())) for section in sections for names, text in ENTRY.findall(section)]
    return {
        name: text for names, text in entries for name in re.findall(r"\w+", names) if not text.startswith(ELSEWHERE)
    }


def table(types: dict[str, Any], descriptions: dict[str, str]) -> str:
    """A row for each parameter that has a description, in the order of the signature."""
    rows = [
        f"| `{name}`<br>`{_type(types[name])}` | {text}{_variable(name, text)} |"
        for name in types
        if (text := descriptions.get(name, "").replace("|", r"\|"))
    ]
    return "\n".join(["| parameter, type | what it is |", "|---|---|", *rows]) + "\n"


def _variable(name: str, text: str) -> str:
    """The environment variable, unless the text names it."""
    variable = f"`{VARIABLES[name]}`" if name in VARIABLES else ""
    return f" Environment: {variable}." if variable and variable not in text else ""


def _type(annotation: object) -> str:
    words = inspect.formatannotation(annotation).replace("collections.abc.", "").replace("pydantic.types.", "")
    words = re.sub(r"Optional\[(.*)\]", r"\1", words.replace("typing.", "")).replace(" | None", "")
    return re.sub(r"^(?:Annotated\[(.*?),.*|Literal\[(.*)\])$", r"\1\2", words).replace("|", r"\|")


def page() -> str:
    """The whole page."""
    client = described(DynasparkClient)
    chat_model = {name: field.annotation for name, field in ChatDynaspark.model_fields.items()}
    parts = [
        "## `DynasparkClient`\n\n" + table(_signature(DynasparkClient), client),
        "## `ChatDynaspark`\n\n" + table(chat_model, client | described(ChatDynaspark)),
        "It also has those of every LangChain chat model, such as `cache`, `callbacks`, `rate_limiter`.\n",
        "## `Dynaspark`\n\n" + table(_signature(Dynaspark), client | described(Dynaspark)),
        "It also has those of every LlamaIndex LLM, such as `callback_manager` and `output_parser`.\n",
    ]
    return "\n".join([INTRODUCTION, *parts])


def _signature(documented: type) -> dict[str, Any]:
    parameters = inspect.signature(documented).parameters
    return {name: parameter.annotation for name, parameter in parameters.items()}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

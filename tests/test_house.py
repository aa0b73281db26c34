"""The drawing in CONTRIBUTING.md, held: the arrows, what a pure module may touch, the sizes. See the last test."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("dynaspark_core", "langchain_dynaspark", "llama_index_dynaspark")
WORLD = {"aiohttp", "asyncio", "multiprocessing", "pathlib", "socket", "ssl", "subprocess", "threading", "time"}
"""What no pure module imports."""
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAX_ENTRIES = 21
"""Entries at the top of the core; a folder is a layer."""


def drawing() -> list[str]:
    return CONTRIBUTING.split("```arrows\n")[1].split("```", maxsplit=1)[0].rstrip("\n").splitlines()


def entries() -> set[str]:
    """What stands at the top of the core."""
    return {path.stem for path in (ROOT / "dynaspark_core").iterdir() if path.suffix in {"", ".py"}} - {"__pycache__"}


def rows(lines: list[str]) -> list[set[str]]:
    """The rooms of the core that the lines name, from the top down; in `a → b`, `b` is a row of its own."""
    drawn: list[set[str]] = []
    for line in lines:
        first, *below = line.split("→")
        drawn += [set(first.split()) & entries(), *(set(part.split()) & entries() for part in below)]
    return [row for row in drawn if row]


BORDER = next(number for number, line in enumerate(drawing()) if line.strip("─ ") == "")
EDGE, PURE = rows(drawing()[:BORDER]), rows(drawing()[BORDER:])
LEVEL = {name: level for level, names in enumerate([*EDGE, *PURE, {"_version"}]) for name in names}
ROOMS = {name for name in LEVEL if (ROOT / "dynaspark_core" / name).is_dir()}
TOP = {name for names in EDGE for name in names}
MAY_NOT = {
    "server": {"client", "transport", "wire", "prompt", "exchange", "repair", "reply", "schema", "content", "images"},
    "langchain_dynaspark": {"aiohttp", "llama_index", "llama_index_dynaspark"},
    "llama_index_dynaspark": {"aiohttp", "langchain_core", "langchain_dynaspark"},
}
"""The service is written from the protocol alone; a framework's package knows no wire and no other framework."""
PAGE_MAY = {"prompt", "reply"}
"""The service's page shows what our own client would send and read."""
PURE_IN_THE_EDGE = {f"dynaspark_core/doctor/{name}.py" for name in ("definition", "judge", "questions", "home", "shop")}
"""What the doctor asks and what is right: values and verdicts."""
MAX_LINES, MAX_BODY_LINES = 250, 40

Sources = dict[str, str]


def sources() -> Sources:
    """Path → text of every module of the packages."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def room(path: str) -> str:
    """`errors` for `dynaspark_core/errors.py`, `images` for all of its package, a framework's package as a whole."""
    package, *rest = Path(path).with_suffix("").parts
    return rest[0] if package == "dynaspark_core" else package


def imports(text: str) -> Iterator[str]:
    """The dotted names that a module imports, also inside functions."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(text: str) -> set[str]:
    return {name.split(".")[1] for name in imports(text) if name.startswith("dynaspark_core.")} & LEVEL.keys()


def wrong_arrows(files: Sources) -> list[str]:
    """Imports of our own that do not go down, and those that a room may not have at all."""
    wrong = []
    for path, text in files.items():
        here = room(path)
        used = rooms_imported(text) | {name.split(".")[0] for name in imports(text)}
        forbidden = MAY_NOT.get(here, set()) - (PAGE_MAY if path.startswith("dynaspark_core/server/page/") else set())
        wrong += [f"{path} may not import {name}" for name in sorted(used & forbidden)]
        if here in LEVEL:
            up = {name for name in rooms_imported(text) if name != here and LEVEL[name] <= LEVEL[here]}
            wrong += [f"{path} imports {name}, which does not stand below it" for name in sorted(up)]
    return wrong


def cycles(files: Sources) -> list[str]:
    """Modules that stand on one level and import each other, in a circle."""
    used = {Path(path).with_suffix("").as_posix().replace("/", "."): _dotted(text) for path, text in files.items()}
    arrows = {name: {other for other in used if other != name and f"{other}." in used[name]} for name in used}
    while leaves := [name for name, used in arrows.items() if not used & arrows.keys()]:
        for name in leaves:
            del arrows[name]
    return sorted(name for name in arrows if not name.endswith("__init__"))


def _dotted(text: str) -> str:
    return " ".join(f"{name}." for name in imports(text))


def impurities(files: Sources) -> list[str]:
    """Pure modules that import something of the world."""
    below = LEVEL.keys() - TOP
    pure = {path: text for path, text in files.items() if room(path) in below or path in PURE_IN_THE_EDGE}
    return [
        f"{path} imports {name}" for path, text in pure.items() for name in imports(text) if name.split(".")[0] in WORLD
    ]


def unplaced(files: Sources) -> list[str]:
    """Modules of the core that the drawing does not know, or that the table of rooms does not name."""
    core = [path for path in files if path.startswith("dynaspark_core/") and not path.endswith("__init__.py")]
    named = set(re.findall(r"`(\w+)`", CONTRIBUTING.split("| room |")[1].split("\n\n", maxsplit=1)[0]))
    return [path for path in core if room(path) not in LEVEL or (Path(path).stem not in named and room(path) in ROOMS)]


def too_large(files: Sources) -> list[str]:
    """Modules and functions over the sizes; a docstring does not count for a function."""
    modules = [f"{path}: {lines} lines" for path, text in files.items() if (lines := text.count("\n")) > MAX_LINES]
    nodes = ((path, node) for path, text in files.items() for node in ast.walk(ast.parse(text)))
    functions = [
        f"{path}: {node.name} has {lines} lines"
        for path, node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (lines := _body(node)) > MAX_BODY_LINES
    ]
    return modules + functions


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def imported_in_part(files: Sources) -> list[str]:
    """Modules that are imported from outside by their own names, of a package that imports them itself, and late.

    One thread holds the module and waits for the package, another the package and waits for the module: `ImportError`.
    """
    whole = {
        room(path)
        for path, text in files.items()
        if re.fullmatch(r"dynaspark_core/\w+/__init__\.py", path)
        and any(f"dynaspark_core.{room(path)}." in ast.unparse(node) for node in ast.parse(text).body[1:]
                if isinstance(node, ast.Import | ast.ImportFrom))
    } - rooms_imported(files["dynaspark_core/__init__.py"])  # fmt: skip
    return [
        f"{path} imports {name} by its own name"
        for path, text in files.items()
        for name in imports(text)
        if name.startswith("dynaspark_core.") and name.count(".") > 2 and name.split(".")[1] in whole - {room(path)}
    ]


CHECKS = [wrong_arrows, cycles, impurities, unplaced, too_large, imported_in_part]


@pytest.mark.parametrize("check", CHECKS)
def test_the_house_is_as_it_is_drawn(check: object) -> None:
    assert check(sources()) == []  # type: ignore[operator]


@pytest.mark.parametrize(
    ("check", "path", "text"),
    [
        (wrong_arrows, "dynaspark_core/errors.py", "from dynaspark_core.messages import Chat"),
        (wrong_arrows, "dynaspark_core/wire/http.py", "def f():\n    from dynaspark_core import client"),
        (wrong_arrows, "dynaspark_core/server/app.py", "from dynaspark_core.wire.http import form"),
        (wrong_arrows, "dynaspark_core/server/page/view.py", "from dynaspark_core.wire.http import form"),
        (wrong_arrows, "langchain_dynaspark/convert.py", "import aiohttp"),
        (wrong_arrows, "llama_index_dynaspark/llm.py", "from langchain_dynaspark import ChatDynaspark"),
        (cycles, "dynaspark_core/reply/signs.py", "from dynaspark_core.reply.reader import read_reply"),
        (impurities, "dynaspark_core/prompt/render.py", "import time"),
        (impurities, "dynaspark_core/images/sheet.py", "from pathlib import Path"),
        (impurities, "dynaspark_core/doctor/judge.py", "import asyncio"),
        (unplaced, "dynaspark_core/utils.py", ""),
        (unplaced, "dynaspark_core/wire/utils.py", ""),
        (too_large, "dynaspark_core/wire/http.py", "x = 1\n" * 251),
        (too_large, "dynaspark_core/wire/http.py", "def f():\n" + "    x = 1\n" * 41),
        (imported_in_part, "dynaspark_core/transport/download.py", "from dynaspark_core.images.sniff import Header"),
        (imported_in_part, "dynaspark_core/schema/__init__.py", "'D.'\nfrom dynaspark_core.schema.check import Check"),
    ],
)
def test_each_check_notices_what_it_is_for(check: object, path: str, text: str) -> None:
    assert check(sources() | {path: text}) != []  # type: ignore[operator]


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "dynaspark_core",
            ["langchain_core", "llama_index", "PIL", "dynaspark_core.server", "openvino_genai", "tenacity"],
        ),
        ("langchain_dynaspark", ["llama_index", "PIL", "dynaspark_core.server", "langchain_core.tools.base"]),
        ("llama_index_dynaspark", ["langchain_core", "dynaspark_core.server"]),
        ("dynaspark_core.server", ["langchain_core", "llama_index", "PIL", "openvino_genai", "rapidocr"]),
    ],
)
def test_importing_one_room_leaves_the_others_alone(module: str, absent: list[str]) -> None:
    script = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_drawing_in_contributing_and_in_the_core_is_the_same() -> None:
    """The box of arrows stands in both; a change of one is a change of the other."""
    core = ast.get_docstring(ast.parse((ROOT / "dynaspark_core/__init__.py").read_text(encoding="utf-8"))) or ""
    assert [line.strip() for line in core.split("\n\n")[1].splitlines()] == [line.strip() for line in drawing()]


def test_all_that_is_drawn_is_there_and_the_core_is_easy_to_enter() -> None:
    assert entries() == {*LEVEL, "__init__"}
    assert len(entries()) <= MAX_ENTRIES


def test_each_drawn_arrow_is_an_import() -> None:
    used: dict[str, set[str]] = {}
    for path, text in sources().items():
        used.setdefault(room(path), set()).update(rooms_imported(text))
    arrows = [pair for line in drawing() for pair in pairwise(line.split("→"))]
    for upper, lower in arrows:
        assert used[upper.split()[-1]] >= {lower.split()[0]}

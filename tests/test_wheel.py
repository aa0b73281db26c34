"""The wheel and the source distribution: what they hold, and that they work away from the source."""

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

import dynaspark_core
import langchain_dynaspark
import llama_index_dynaspark

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("dynaspark_core", "langchain_dynaspark", "llama_index_dynaspark")
FACES = {"langchain_core": {"langchain", "all"}, "llama_index": {"llama-index", "all"}}
"""The frameworks, and the extras that may bring them."""

SMOKE = """
import asyncio, sys
from importlib.util import find_spec
from pathlib import Path

source, target = sys.argv[1:]
sys.path[:] = [target] * bool(target) + [path for path in sys.path if path and Path(path) != Path(source)]

from dynaspark_core import DynasparkClient
from dynaspark_core.server import LocalService, Pieces, Script

with LocalService(Script(lambda asked: Pieces("Hel", "lo."))) as service:
    assert asyncio.run(DynasparkClient(base_url=service.url).complete("Hi")).text == "Hello."
    if find_spec("langchain_core"):
        from langchain_dynaspark import ChatDynaspark

        assert ChatDynaspark(base_url=service.url).invoke("Hi").text == "Hello."
    if find_spec("llama_index"):
        from llama_index_dynaspark import Dynaspark

        assert Dynaspark(base_url=service.url).complete("Hi").text == "Hello."
    if find_spec("openvino_genai"):
        from dynaspark_core.server.local import packages

        packages.openvino_genai(), packages.rapidocr()
ours = ("dynaspark_core", "langchain_dynaspark", "llama_index_dynaspark")
files = [Path(module.__file__) for name, module in sys.modules.items() if name.split(".")[0] in ours]
assert len(files) > 40 and not any(file.is_relative_to(source) for file in files), files
print(*[name for name in ("langchain_core", "llama_index") if find_spec(name)])
"""


def run(*command: str | Path, folder: Path = ROOT, code: int = 0) -> str:
    """What the command wrote; it must end with the code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DYNASPARK_", "PYTHON"))}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def build(source: Path, target: Path, kind: str) -> Path:
    """The file that the build back end makes of the source; nothing is fetched."""
    run(sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", target, folder=source)
    (file,) = target.glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])
    return file


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def sources(*folders: str) -> set[str]:
    """Every file of these folders, without those that git ignores, as the builder does."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file())
    return {file.relative_to(ROOT).as_posix() for file in files if "__pycache__" not in file.parts} - ignored()


def ignored() -> set[str]:
    """What git ignores; nothing in an unpacked source distribution, which has none of it."""
    if not (ROOT / ".git").exists():
        return set()
    command = ["git", "ls-files", "--others", "--ignored", "--exclude-standard"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines())


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert archive.read("dynaspark_core/wire/http.py") == (ROOT / "dynaspark_core/wire/http.py").read_bytes()
    assert names == sources(*PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= names


def test_all_versions_agree(wheel: Path, sdist: Path, metadata: Message) -> None:
    version = PROJECT["version"]
    assert {package.__version__ for package in (dynaspark_core, langchain_dynaspark, llama_index_dynaspark)} == {
        version
    }
    assert metadata["Version"] == version
    assert (wheel.name, sdist.name) == (f"dynaspark_llm-{version}-py3-none-any.whl", f"dynaspark_llm-{version}.tar.gz")
    assert re.search(
        rf"^## \[?{re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )


def test_the_metadata_says_what_the_project_says(wheel: Path, metadata: Message) -> None:
    assert metadata["Name"] == PROJECT["name"]
    assert metadata["Requires-Python"] == PROJECT["requires-python"]
    assert metadata["License-Expression"] == PROJECT["license"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    page = str(metadata.get_payload())
    assert page.startswith("# dynaspark-llm")
    assert [target for target in re.findall(r"\]\(([^)]*)\)", page) if not target.startswith("https://")] == []
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in archive.namelist())


def test_the_source_distribution_is_enough_to_test_and_to_build(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    names = {file.relative_to(unpacked).as_posix() for file in unpacked.rglob("*") if file.is_file()}
    assert sources(*PACKAGES, "tests", "examples", "benchmarks", "docs") <= names
    assert {"Makefile", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"} <= names
    assert [name for name in names if name.endswith(".pyc")] == []
    again = build(unpacked, tmp_path / "again", "wheel")
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_works_away_from_the_source(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", "--no-index", "--target", target, wheel)
    said = run(sys.executable, "-W", "error", "-c", SMOKE, ROOT, target, folder=tmp_path)
    assert said.split() == ["langchain_core", "llama_index"]


# An empty environment for each extra, from the package index: `make wheel-test`


@pytest.fixture(params=["", *PROJECT["optional-dependencies"]], ids=lambda extra: extra or "none")
def environment(request: pytest.FixtureRequest, wheel: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The extra, and the interpreter of a new environment that has the wheel with it; removed afterwards (1 GB)."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    requirement = f"{wheel}[{request.param}]" if request.param else str(wheel)
    run(python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", requirement)
    yield request.param, python
    shutil.rmtree(tmp_path / "venv")


@pytest.mark.wheel
def test_an_extra_brings_what_it_needs_and_no_other_framework(environment: tuple[str, Path], tmp_path: Path) -> None:
    extra, python = environment
    run(python, "-m", "pip", "--disable-pip-version-check", "check")
    said = run(python, "-c", SMOKE, ROOT, "", folder=tmp_path)
    assert set(said.split()) <= {face for face, extras in FACES.items() if extra in extras}
    assert extra not in {"langchain", "llama-index", "all"} or said.split()
    if extra not in {"local", "all"}:
        served = run(python, "-m", "dynaspark_core", "serve", folder=tmp_path, code=1)
        assert 'pip install "dynaspark-llm[local]"' in served

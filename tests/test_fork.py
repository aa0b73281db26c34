"""Who forks the project has its checks at once: the files are well formed and call what there is.

They cannot be run here, as their first lines say.
"""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FILES = sorted([*ROOT.glob(".github/**/*.yml"), ROOT / ".pre-commit-config.yaml"])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_first_line_says_that_it_was_not_run(file: Path) -> None:
    first, *_ = file.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# ")
    assert "could not be" in first
    assert yaml.safe_load(file.read_text(encoding="utf-8"))


def test_the_workflow_runs_every_python_that_is_declared_and_only_what_there_is() -> None:
    jobs = loaded(".github/workflows/checks.yml")["jobs"]
    declared = [line.rpartition(" ")[2] for line in PROJECT["project"]["classifiers"] if ":: 3." in line]
    assert jobs["linux"]["strategy"]["matrix"]["python"] == declared
    assert [step["run"] for step in jobs["linux"]["steps"] if "run" in step] == [".ci/run"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    commands = [step["run"] for step in jobs["other-systems"]["steps"] if "run" in step]
    assert 'install --editable ".[all]" --group test' in commands[1]
    assert {"all"} <= PROJECT["project"]["optional-dependencies"].keys()
    assert {"test"} <= PROJECT["dependency-groups"].keys()


def test_the_hooks_call_the_tools_of_make_check() -> None:
    (repo,) = loaded(".pre-commit-config.yaml")["repos"]
    commands = [hook["entry"].split()[0] for hook in repo["hooks"]]
    assert commands == [".venv/bin/ruff", ".venv/bin/ruff", ".venv/bin/mypy"]
    installed = [line.partition(">")[0] for line in PROJECT["dependency-groups"]["check"]]
    assert {"mypy", "ruff"} <= set(installed)


def test_a_report_asks_for_the_doctors_table_and_the_preview() -> None:
    fields = {field.get("id"): str(field["attributes"]) for field in loaded(".github/ISSUE_TEMPLATE/bug.yml")["body"]}
    assert "python -m dynaspark_core doctor" in fields["doctor"]
    assert "preview(messages, tools=tools)" in fields["preview"]


def test_no_file_of_the_project_names_the_host_of_a_package_registry() -> None:
    hosts = [f"{name}.org" for name in ("pypi", "pythonhosted")] + ["npmjs" + ".com"]
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    texts = [ROOT / name for name in listed.split("\0") if name.endswith((".py", ".md", ".toml", ".yml", ".yaml"))]
    assert [file.name for file in texts if any(host in file.read_text(encoding="utf-8") for host in hosts)] == []


@pytest.mark.parametrize("command", ["doctor", "serve", "ask"])
def test_the_commands_that_the_forms_name_exist(command: str) -> None:
    subprocess.run([sys.executable, "-m", "dynaspark_core", command, "--help"], capture_output=True, check=True)

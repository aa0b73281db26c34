"""A hook of mkdocs: examples and benchmarks become pages; a link to a file outside the site becomes its name."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PAGES = {
    "CONTRIBUTING.md": "architecture.md",
    "benchmarks/LOOPS.md": "loops.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/README.md": "examples.md",
}
"""File of the repository → the page of the site that shows it, for those outside `docs`."""
PICTURES = ("benchmarks/plot.png",)
PROGRAM = re.compile(r"^\[(\w+\.py)\]\(\.\./examples/\1\)$", re.MULTILINE)
"""A line that is only the link to an example: the site shows the program in its place."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages and pictures that are not in `docs`."""
    for source, page in PAGES.items():
        if page != "architecture.md":
            files.append(File.generated(config, page, content=_text(source)))
    for picture in PICTURES:
        files.append(File.generated(config, Path(picture).name, abs_src_path=str(ROOT / picture)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page with links that are right in the site."""
    markdown = PROGRAM.sub(lambda link: _program(ROOT / "examples" / link[1]), markdown)
    here = next((Path(source).parent for source, name in PAGES.items() if name == page.file.src_uri), Path())
    return LINK.sub(lambda link: _link(link, here), markdown)


def _text(source: str) -> str:
    """The file; the examples are followed by the programs that they list."""
    text = (ROOT / source).read_text(encoding="utf-8")
    if source != "examples/README.md":
        return text
    text = re.sub(r"\((\w+)\.py\)", r"(#\1py)", text)
    programs = sorted((ROOT / "examples").glob("*.py"))
    return text + "".join(f"\n## {path.name}\n\n{_program(path)}\n" for path in programs)


def _program(path: Path) -> str:
    return f"```python\n{path.read_text(encoding='utf-8')}```"


def _link(link: re.Match[str], here: Path) -> str:
    picture, words, target, anchor = link[1], link[2], link[3], link[4] or ""
    if "://" in target or (ROOT / "docs" / target).exists() or target in PAGES.values():
        return link[0]
    file = (ROOT / here / target).resolve()
    if not file.exists():
        return link[0]  # mkdocs reports it
    name = file.relative_to(ROOT).as_posix()
    if name in PICTURES:
        return f"{picture}[{words}]({file.name})"
    name = PAGES.get(name, name.removeprefix("docs/") if name.startswith("docs/") else "")
    return f"{picture}[{words}]({name}{anchor})" if name else words

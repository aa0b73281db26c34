"""The picture of `README.md`: what a call costs beside peers, and how cost grows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import Table
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from summary import AGENT, OURS, calls, costs, growth

RIVAL, BLUE, LINE = "#b8bec6", "#3f51b5", "#333333"
LINEAR = 8


def plot(tables: Sequence[Table], file: Path) -> None:
    """Write the picture as a PNG."""
    figure = Figure(figsize=(9, 9), layout="constrained")
    langchain, llama_index, agent, grown = figure.subplots(4, 1, height_ratios=(4, 3, 4, 5))
    _bars(langchain, calls(tables, "ainvoke"), "One call in LangChain: milliseconds of processor time")
    _bars(llama_index, calls(tables, "achat"), "One call in LlamaIndex: milliseconds of processor time")
    _bars(agent, costs(tables, AGENT), "A turn of an agent in LangChain: milliseconds of processor time")
    _bars(grown, growth(tables), "Eight times as much costs … times as much (line: linear, 8)")
    grown.axvline(LINEAR, color=LINE, linewidth=2)
    figure.savefig(file, dpi=110)


def _bars(axes: Axes, figures: Mapping[str, float], title: str) -> None:
    """A bar for each figure; those of this package in blue."""
    for index, (what, figure) in enumerate(figures.items()):
        is_ours = what in OURS.values() or "in L" not in title
        axes.barh(index, figure, color=BLUE if is_ours else RIVAL, height=0.7)
        axes.text(figure, index, f" {figure:.2g} ", va="center", fontsize=12)
    axes.set_yticks(range(len(figures)), list(figures), fontsize=12)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_title(title, fontsize=13, loc="left")
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.xaxis.set_visible(False)

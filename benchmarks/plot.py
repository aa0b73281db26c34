"""The results as one picture: a call beside its floors and peers, how far each goal is away, growth."""

from collections.abc import Sequence
from pathlib import Path

from harness import US, Table
from matplotlib.axes import Axes
from matplotlib.figure import Figure

GREY, OURS, RIVAL, GOAL = "#b8bec6", "#1f6fb2", "#d98841", "#333333"
FLOORS = {"transport", "framework", "Y"}
RATIO = "8n / n"
LINEAR = 8


def plot(tables: Sequence[Table], file: Path) -> None:
    """Writes the picture as a PNG."""
    figure = Figure(figsize=(15, 13))
    (call, chat), (goals, growth) = figure.subplots(2, 2, height_ratios=(1, 1.7))
    _bars(call, tables, "One call: ainvoke")
    _bars(chat, tables, "One call: achat")
    _goals(goals, tables)
    _growth(growth, tables)
    figure.tight_layout()
    figure.savefig(file, dpi=100)


def _bars(axes: Axes, tables: Sequence[Table], title: str) -> None:
    """CPU time of one call, a bar each."""
    rows = next((table.rows for table in tables if table.title == title), ())
    ours = title.rpartition(" ")[2]
    for index, row in enumerate(rows):
        colour = GREY if row.what in FLOORS else OURS if row.what == ours else RIVAL
        axes.barh(index, row.figures[US], color=colour)
        axes.text(row.figures[US], index, f" {row.figures[US]:,.0f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [row.what for row in rows])
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set_xlabel("µs of CPU time")
    axes.set_title(f"{title} (grey: floors, orange: peers)", fontsize=11)


def _goals(axes: Axes, tables: Sequence[Table]) -> None:
    """Each figure relative to Y beside its goal."""
    found = [
        (table.title, row.figures["÷ Y"], row.goals["÷ Y"][1])
        for table in tables
        for row in table.rows
        if "÷ Y" in row.goals and "÷ Y" in row.figures
    ]
    for index, (_, figure, limit) in enumerate(found):
        axes.barh(index, figure, color=OURS, height=0.7)
        axes.plot([limit, limit], [index - 0.45, index + 0.45], color=GOAL, linewidth=2)
        axes.text(max(figure, limit), index, f" {figure:.2f}", va="center", fontsize=8)
    axes.set_yticks(range(len(found)), [title for title, _, _ in found], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.axvline(1, color=GREY, linewidth=1, zorder=0)
    axes.set_xlabel("cost over Y: an empty model of the framework and a raw post")
    axes.set_title("Relative to Y (black line: the goal)", fontsize=11)


def _growth(axes: Axes, tables: Sequence[Table]) -> None:
    """How often the cost at n goes into that at 8n; of the many ways of reading the one that grows most."""
    found = [(row.what, row.figures[RATIO]) for table in tables if "Growth" in table.title for row in table.rows]
    reading = [row for table in tables if "Reading" in table.title for row in table.rows if RATIO in row.figures]
    if reading:
        worst = max(reading, key=lambda row: row.figures[RATIO])
        found.append((f"reading replies, the worst of {len(reading)}: {worst.what.strip('`')}", worst.figures[RATIO]))
    for index, (_, ratio) in enumerate(found):
        axes.barh(index, ratio, color=OURS, height=0.7)
        axes.text(max(ratio, LINEAR) if ratio > LINEAR - 1 else ratio, index, f" {ratio:.1f}", va="center", fontsize=8)
    axes.axvline(LINEAR, color=GOAL, linewidth=2)
    axes.set_yticks(range(len(found)), [what for what, _ in found], fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set_xlabel("cost at 8n over that at n (quadratic: 64)")
    axes.set_title("Growth (black line: linear)", fontsize=11)

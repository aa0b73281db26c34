"""What the figures say to somebody who has never seen them: three sentences, and the few numbers of the picture."""

from collections.abc import Sequence

from harness import US, Row, Table

FLOORS = {"transport", "framework", "Y"}
RATIO = "8n / n"
OURS = {"ainvoke": "ChatDynaspark", "achat": "Dynaspark"}
"""Our row of "One call" → the class that it measures."""
GROWTH = {
    "a long conversation": "Growth of a prompt",
    "a long answer": "Growth of a stream",
    "a large picture": "Growth of a picture",
    "reading a reply, even a hostile one": "Reading a reply",
}
"""What grows → how the titles of its tables begin."""


def calls(tables: Sequence[Table], way: str) -> dict[str, float]:
    """Milliseconds of processor time of one call: ours, then each peer's. Empty if it was not measured."""
    rows = next((table.rows for table in tables if table.title == f"One call: {way}"), ())
    return {OURS.get(row.what, row.what): row.figures[US] / 1000 for row in rows if row.what not in FLOORS}


def growth(tables: Sequence[Table]) -> dict[str, float]:
    """What eight times as much costs, for each thing that grows: the worst of its rows."""
    found = {what: [row for table in _named(tables, title) for row in _grown(table)] for what, title in GROWTH.items()}
    return {what: max(row.figures[RATIO] for row in rows) for what, rows in found.items() if rows}


def _named(tables: Sequence[Table], title: str) -> list[Table]:
    return [table for table in tables if table.title.startswith(title)]


def _grown(table: Table) -> list[Row]:
    return [row for row in table.rows if RATIO in row.figures]


def sentences(tables: Sequence[Table]) -> str:
    """Three sentences, as a list; only those whose figures were measured."""
    lines = []
    for framework, way in (("LangChain", "ainvoke"), ("LlamaIndex", "achat")):
        if costs := calls(tables, way):
            ours, *peers = costs.values()
            lines.append(
                f"* **{framework}:** one call costs your program {ours:.2g} ms of processor time. The same call "
                f"through {framework}'s own integrations of other services costs "
                f"{min(peers):.2g} to {max(peers):.2g} ms."
            )
    if ratios := growth(tables):
        worst = max(ratios, key=lambda what: ratios[what])
        lines.append(
            f"* **Growth:** a conversation, answer or picture that is eight times as large costs at most "
            f"{ratios[worst]:.2g} times as much ({worst}); quadratic growth would be 64 times."
        )
    return "\n".join(lines)

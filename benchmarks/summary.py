"""What the figures say to somebody who has never seen them: four sentences, and the few numbers of the picture."""

from collections.abc import Sequence

from harness import US, Row, Table

FLOORS = {"transport", "framework", "Y"}
RATIO = "8n / n"
OURS = {"ainvoke": "ChatDynaspark", "achat": "Dynaspark"}
"""Our row of a table → the class that it measures."""
AGENT = "An agent of 40 turns: ainvoke"
GROWTH = {
    "a long conversation": "Growth of a prompt",
    "a long run of an agent": "Growth of an agent",
    "a long answer": "Growth of a stream",
    "a large picture": "Growth of a picture",
    "reading a reply, even a hostile one": "Reading a reply",
}
"""What grows → how the titles of its tables begin."""


def calls(tables: Sequence[Table], way: str) -> dict[str, float]:
    """Milliseconds of processor time of one call: ours, then each peer's. Empty if it was not measured."""
    return costs(tables, f"One call: {way}")


def costs(tables: Sequence[Table], title: str) -> dict[str, float]:
    """Milliseconds in the table of this title: ours, then each peer's. Empty if it was not measured."""
    rows = next((table.rows for table in tables if table.title == title), ())
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
    """Four sentences, as a list; only those whose figures were measured."""
    lines = []
    for framework, way in (("LangChain", "ainvoke"), ("LlamaIndex", "achat")):
        if found := calls(tables, way):
            ours, *peers = found.values()
            lines.append(
                f"* **{framework}:** one call costs your program {ours:.2g} ms of processor time. The same call "
                f"through {framework}'s own integrations of other services costs "
                f"{min(peers):.2g} to {max(peers):.2g} ms."
            )
    if found := costs(tables, AGENT):
        ours, *peers = found.values()
        lines.append(
            f"* **Agents:** one turn of a loop of 40, with results of 2 kB and pictures, costs {ours:.2g} ms; "
            f"with the others {min(peers):.2g} to {max(peers):.2g} ms."
        )
    if ratios := growth(tables):
        worst = max(ratios, key=lambda what: ratios[what])
        lines.append(
            f"* **Growth:** a conversation, answer or picture that is eight times as large costs at most "
            f"{ratios[worst]:.2g} times as much ({worst}); quadratic growth would be 64 times."
        )
    return "\n".join(lines)

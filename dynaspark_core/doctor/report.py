"""What the doctor found: rows of text, and the whole as a table for people or as JSON."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from dynaspark_core._version import __version__

NOT_ASKED = "not asked"
MAX_DETAIL_CHARACTERS = 70
"""A single detail up to here is on the row's own line; others have a line each."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step: what was looked at, in a few words what was found, and details, each a sentence.

    `right` of `asked` questions were answered right, where the step has several; `repairs` are the requests that asked
    for a broken answer once more.
    """

    step: str
    result: str
    details: Sequence[str] = ()
    right: int | None = None
    asked: int | None = None
    repairs: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The rows, and what they are about: the service's address without user and password, its model, the route asked.

    `requests` were sent, of at most `most`. `route` is empty where no route answered.
    """

    base_url: str
    model: str
    route: str
    requests: int
    most: int
    rows: Sequence[Row]

    def as_json(self) -> str:
        """All of it, and what asked, as one JSON document."""
        return json.dumps({"asked_with": asked_with(), **asdict(self)}, ensure_ascii=False, indent=2)


def asked_with() -> str:
    """The versions that asked."""
    return f"dynaspark-llm {__version__}, Python {platform.python_version()}, {platform.system()}"


def lines(row: Row) -> str:
    """The row as it is in the table."""
    repairs = f"{row.repairs} {'repair' if row.repairs == 1 else 'repairs'}" if row.repairs else ""
    details = list(row.details)
    beside = details.pop() if len(details) == 1 and len(details[0]) <= MAX_DETAIL_CHARACTERS else ""
    first = f"{row.step:<24}{row.result:<22}  {'; '.join(filter(None, (repairs, beside)))}".rstrip()
    return "\n".join([first, *(f"    {detail}" for detail in details)])

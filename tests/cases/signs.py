"""Every sign of the reader: a pattern with an example of what it matches."""

import importlib
import pkgutil
from collections.abc import Iterator

from dynaspark_core import reply
from dynaspark_core.reply import thoughts, vendors
from dynaspark_core.reply.atoms import Sign


def signs() -> Iterator[tuple[str, Sign]]:
    """Every sign of the reader, by where it is."""
    for module in pkgutil.iter_modules(reply.__path__):
        found = vars(importlib.import_module(f"{reply.__name__}.{module.name}"))
        yield from ((f"{module.name}.{name}", sign) for name, sign in found.items() if isinstance(sign, Sign))
    yield from ((f"row {index}", row.opener) for index, row in enumerate(vendors.ROWS))
    yield from ((f"thoughts {index}", sign) for index, pair in enumerate(thoughts.THOUGHTS) for sign in pair)

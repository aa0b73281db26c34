"""The names of tools, and what is taken for one of them: exactly, then undecorated; never by likeness."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

_NAMESPACE = re.compile(
    r"(?:(?:functions?|tools?|default_api|api|multi_tool_use|namespace|actions?|mcp|call)(?:\.|::?|/))+"
)
_INDEX = re.compile(r":\d{1,4}\Z")
_DECORATION = " \t\r\n*`\"'“”‘’<>"  # noqa: RUF001 - markdown and quotes around a name


def plain_name(name: str) -> str:
    """The name without blanks, parentheses, markdown and namespace."""
    name = name.strip(_DECORATION).removesuffix("()").removesuffix(".call").strip(_DECORATION).replace("\\_", "_")
    return _INDEX.sub("", _NAMESPACE.sub("", name, count=1) if _NAMESPACE.match(name) else name)


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")


class Names:
    """The names of tools, and what is taken for one of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    @cached_property
    def _folded(self) -> Mapping[str, str | None]:
        """The folded name → the name that alone has this form, or None."""
        found: dict[str, str | None] = {}
        for name in self._names:
            folded = _folded(name)
            found[folded] = None if folded in found else name
        return found

    def find(self, written: str) -> str | None:
        """The tool's name, or None: exactly, then undecorated, then the only one that differs in case, - and _."""
        if written in self._names:
            return written
        plain = plain_name(written)
        return plain if plain in self._names else self._folded.get(_folded(plain))

"""Where the references of a schema lead: within its root alone. Nothing is fetched."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote

MAX_HOPS = 1_000
"""Most references that lead to one another."""
_DATA = frozenset({"const", "default", "enum", "examples"})
"""Keywords that hold values, not schemas."""


class References:
    """The references within one root: JSON pointers (`#/$defs/City`) and anchors (`#city`)."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def target(self, reference: object) -> Any:
        """The schema that the reference names; True, which allows everything, if it leads nowhere.

        A schema that is only a reference itself is passed through.
        """
        for _ in range(MAX_HOPS):
            node = self._node(reference) if isinstance(reference, str) else True
            if not isinstance(node, Mapping) or node.keys() != {"$ref"}:
                return node
            reference = node["$ref"]
        return True

    def _node(self, reference: str) -> Any:
        if not reference.startswith("#"):
            return True
        if reference[1:2] not in {"", "/"}:
            return self._anchors.get(unquote(reference[1:]), True)
        node: Any = self._root
        for step in filter(None, unquote(reference[1:]).split("/")):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and int(name[:6]) < len(node):
                node = node[int(name[:6])]
            elif isinstance(node, Mapping) and name in node:
                node = node[name]
            else:
                return True
        return node

    @cached_property
    def _anchors(self) -> Mapping[str, Any]:
        """The schemas with an `$anchor`; not those of another document, which has an `$id`."""
        found: dict[str, Any] = {}
        waiting: list[Any] = [self._root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, list | tuple):
                waiting += node
            elif isinstance(node, Mapping) and (node is self._root or not isinstance(node.get("$id"), str)):
                if isinstance(node.get("$anchor"), str):
                    found.setdefault(node["$anchor"], node)
                waiting += [part for keyword, part in node.items() if keyword not in _DATA]
        return found

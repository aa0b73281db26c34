"""What a check of a value gives: a fit or a mismatch; and what a rule asks of the checker."""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dynaspark_core.messages.making import QuicklyMade
from dynaspark_core.schema.scalars import EnumIndex, json_excerpt

_PLAIN_NAME = re.compile(r"[\w$-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class Mismatch(QuicklyMade):
    """Why a value does not fit: `path` leads to the wrong part (`days[2].city`, empty for the whole value)."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class UnknownKey(Mismatch):
    """An object whose keys say that it is not the value itself: none of them is listed, or one is in another case."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Fit(QuicklyMade):
    """The value that fits, and whether it was converted for it."""

    value: Any
    is_coerced: bool = False


Result = Fit | Mismatch


class Checker(Protocol):
    """Checks a value inside another one."""

    def enter(self, value: Any, schema: Any, path: str) -> Result:
        """The value of a member or an item as its schema has it."""

    def fit(self, value: Any, schema: Any, path: str) -> Result:
        """The value as a part of its schema has it."""

    def target(self, reference: object) -> Any:
        """The schema that a reference names."""

    def takes(self, value: Any, schema: Any) -> bool:
        """Whether the schema asks for no more than a type, and the value has it."""

    def enum(self, schema: Mapping[str, Any], keyword: str) -> EnumIndex:
        """The values that a schema's `enum` or `const` allows."""

    def identity(self, value: Any) -> Hashable:
        """What two values have in common if they are equal in JSON."""

    def names(self, schema: Mapping[str, Any]) -> tuple[frozenset[str], Mapping[str, str]]:
        """The keys that a schema lists, and those without case and punctuation → as listed."""


def join_path(path: str, name: str) -> str:
    """The path of a member, from that of its object."""
    if not _PLAIN_NAME.match(name):
        return f"{path}[{json_excerpt(name)}]"
    return f"{path}.{name}" if path else name


Rule = Callable[[Checker, Any, Mapping[str, Any], str], Result]
"""A checker, a value, its schema and its path → the value as the rule's keywords have it, or what is wrong."""

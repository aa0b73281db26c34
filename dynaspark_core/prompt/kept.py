"""What is made of tools and schemas, kept by content: every call of an agent brings the same ones.

A schema is an object that its owner may change, so what identifies it is a copy of all that is in it, as bytes.
"""

import marshal
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")
MAX_KEPT = 64
"""Most results of one function that are kept: for sets of tools, or schemas of answers."""


def kept(write: Callable[[*Arguments], T]) -> Callable[[*Arguments], T]:
    """The function, whose result for equal arguments is made once.

    Arguments that hold other objects than Python's own, or are nested too deep or in themselves, are handled each time.
    """

    @lru_cache(maxsize=MAX_KEPT)
    def written(content: bytes) -> T:
        arguments = marshal.loads(content)  # noqa: S302  # `found` has written it
        if _holds_bytes(arguments):
            raise _BytesError
        return write(*arguments)

    @wraps(write)
    def found(*arguments: *Arguments) -> T:
        try:
            content = marshal.dumps(arguments)  # type: ignore[arg-type]  # what it cannot write raises
        except ValueError:
            return write(*arguments)
        try:
            return written(content)
        except _BytesError:
            return write(*arguments)

    return found


class _BytesError(Exception):
    """The content has bytes in it, as which `marshal` writes NumPy's values, too."""


def _holds_bytes(value: object) -> bool:
    """Whether a value that was read from its content holds bytes; what stands in many places is looked at once."""
    left, seen = [value], set[int]()
    for each in left:  # it grows
        if isinstance(each, bytes):
            return True
        if isinstance(each, dict | list | tuple | set | frozenset) and id(each) not in seen:
            seen.add(id(each))
            left += [*each, *each.values()] if isinstance(each, dict) else each
    return False

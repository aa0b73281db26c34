"""Counts what reading costs, in steps; no clock is read, so that a test may look at it.

`dynaspark_core.reply` and `.schema` are imported a second time, as `counted_core`, with their source rewritten. A turn
of a loop, a call, an element of a comprehension and a pattern's look at a character (`pattern_steps`) are a step each.
What C does to a text in one go (a slice, a join, a decoder) is a step for each 16 characters. So a text that is copied
or searched again for each piece shows as what it is.
"""

import ast
import importlib
import json
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import Any

from counted_source import CORE, COUNTED, Rewriter
from pattern_steps import Look, first, plan_of

BULK = 16
RECURSION = 2_000
"""Each call of the copy takes two frames."""


class TooManySteps(BaseException):
    """The limit is reached. No reader catches it."""


class Steps:
    """The counter. The copy calls it; each method that takes a value returns it."""

    def __init__(self) -> None:
        self.count = 0
        self.limit = sys.maxsize

    def add(self, steps: int = 1) -> None:
        self.count += steps
        if self.count > self.limit:
            raise TooManySteps

    def bulk(self, characters: int) -> None:
        """Characters that C copies or looks through, many in the time of one step."""
        self.add((characters + BULK - 1) // BULK)

    def sized(self, value: Any) -> Any:
        """A text or a collection that was made."""
        if isinstance(value, Sized):
            self.bulk(len(value))
        return value

    def copied(self, value: Any) -> None:
        """What an attribute has after `+=`: a text is copied, a list grows where it is."""
        if isinstance(value, str):
            self.bulk(len(value))

    def each(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.add()
            yield value

    def holds(self, item: Any, container: Any) -> bool:
        """`item in container`."""
        if isinstance(container, list | tuple):
            self.add(len(container))
        else:
            self.bulk(len(container) if isinstance(container, str) else 1)
        return item in container

    def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """The call's result; what C does in it costs as much as it touches."""
        self.add()
        owner = getattr(function, "__self__", None)
        name = getattr(function, "__name__", "")
        if isinstance(owner, json.JSONDecoder):
            return self._decoded(function, *arguments)
        result = function(*arguments, **named)
        if isinstance(owner, re.Pattern) and name == "finditer":
            return self._found(owner, result, *arguments)
        if isinstance(owner, re.Pattern):
            self._look(function, *(arguments[1:] if name in {"sub", "subn"} else arguments))
        elif isinstance(owner, str):
            self.bulk(_worked(owner, name, result, *arguments))
        elif isinstance(owner, list) and name in {"insert", "remove", "index", "count", "copy", "sort"}:
            self.add(len(owner))
        elif function in WHOLE and arguments and isinstance(arguments[0], Sized):
            self.add(len(arguments[0]))
        elif function is json.dumps:
            self.bulk(len(result))
        return result

    def _look(self, search: Callable[..., Any], text: str, start: int = 0, end: int = sys.maxsize) -> None:
        """The characters at which a pattern's method looks that makes one match or all of them."""
        pattern: re.Pattern[str] = search.__self__  # type: ignore[attr-defined]  # it is a method of one
        end = min(end, len(text))
        if search.__name__ in {"match", "fullmatch"}:
            Look(text, end, self.add).match(plan_of(pattern), start)
            return
        matches = self._found(pattern, pattern.finditer(text, start, end), text, start, end)
        deque(islice(matches, 1 if search.__name__ == "search" else None), maxlen=0)

    def _found(
        self,
        pattern: re.Pattern[str],
        matches: Iterable[re.Match[str]],
        text: str,
        start: int = 0,
        end: int = sys.maxsize,
    ) -> Iterator[re.Match[str]]:
        """The matches, each counted when it is asked for; between them a match is tried where one may begin."""
        end = min(end, len(text))
        look, candidates = Look(text, end, self.add), first(pattern)
        for found in chain(matches, (None,)):
            until = end if found is None else found.start()
            self.add(max(0, until - start))
            places = range(start, until + 1) if candidates is None else _starts(candidates, text, start, until)
            for place in places:
                look.match(plan_of(pattern), place)
            if found is not None:
                yield found
                start = max(found.end(), start + 1)

    def _decoded(self, function: Callable[..., Any], text: str, start: int = 0) -> Any:
        try:
            value, end = function(text, start)
        except json.JSONDecodeError as error:
            self.bulk(max(0, error.pos - start))
            raise
        self.bulk(end - start)
        return value, end


WHOLE = (sorted, sum, any, all, max, min, list, tuple, set, frozenset, dict, int, float, str, repr, hash, json.loads)
"""What looks at all of its argument."""


def _starts(pattern: re.Pattern[str], text: str, start: int, until: int) -> Iterator[int]:
    """Where a match may begin."""
    return (found.start() for found in pattern.finditer(text, start, min(len(text), until + 1)))


def _worked(text: str, name: str, result: Any, *arguments: Any) -> int:
    """Characters that a text's method looked at or copied."""
    if name in {"startswith", "endswith"} or result is text:
        return 1
    if name in {"find", "rfind", "index", "rindex", "count"}:
        start = arguments[1] if len(arguments) > 1 else 0
        end = min(arguments[2], len(text)) if len(arguments) > 2 else len(text)
        is_all = name == "count" or result < 0
        return max(1, end - start if is_all else end - result if name[0] == "r" else result - start)
    return max(len(text), len(result) if isinstance(result, str) else 0)


class _Copies(MetaPathFinder, Loader):
    """Imports the rewritten copies."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] != COUNTED:
            return None
        original = find_spec(name.replace(COUNTED, CORE, 1))
        is_package = original is not None and original.submodule_search_locations is not None
        return spec_from_loader(name, self, origin=original.origin if original else None, is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        assert spec is not None
        if spec.name == COUNTED or spec.origin is None:
            return
        tree = Rewriter().visit(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
        vars(module)["__steps__"] = STEPS
        code = compile(ast.fix_missing_locations(tree), f"counted {spec.origin}", "exec")
        exec(code, vars(module))  # our own source, rewritten


STEPS = Steps()


def counted(name: str) -> Any:
    """The copy of a module: `reply.reader` for `dynaspark_core.reply.reader`."""
    if not any(isinstance(finder, _Copies) for finder in sys.meta_path):
        sys.meta_path.append(_Copies())
    return importlib.import_module(f"{COUNTED}.{name}")


def steps_of(work: Callable[[], object], limit: int = sys.maxsize) -> int:
    """The steps that the work takes in the copies, or `limit` where it takes more."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION))
    STEPS.count, STEPS.limit = 0, limit
    try:
        work()
    except TooManySteps:
        return limit
    finally:
        STEPS.limit = sys.maxsize
        sys.setrecursionlimit(before)
    return STEPS.count

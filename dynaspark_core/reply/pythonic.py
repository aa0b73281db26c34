"""Calls written as Python: `[f(a=1), g(b="x")]`, `print(default_api.f(a=1))`, `result = f(a=1)`.

Nothing is evaluated: arguments are literals by keyword, everything else is refused. A single positional object stands
for the keywords.
"""

import re
from typing import Any

from dynaspark_core.reply.lenient_json import LenientReader
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.written import MAX_CALLS, TOO_MANY_CALLS, RawCall, open_parallel

_NAME = re.compile(r"[A-Za-z_][\w.\-/]{0,127}")
_CALLEE = re.compile(r"[A-Za-z_][\w.\-/]{0,127}\s*\(")
_ASSIGNED = re.compile(r"([A-Za-z_]\w{0,63})\s*=\s*(?=[A-Za-z_][\w.\-/]{0,127}\s*\()")
_KEYWORD = re.compile(r"([A-Za-z_]\w{0,127})\s*=(?!=)\s*")
_RAW_STRING = re.compile(
    r"""[rR](?:"{3}((?:[^\\"]|\\.|"(?!""))*+)"{3}|'{3}((?:[^\\']|\\.|'(?!''))*+)'{3}"""
    r"""|"((?:[^\\\n"]|\\.)*+)"|'((?:[^\\\n']|\\.)*+)')""",
    re.DOTALL,
)
_PRINT = re.compile(r"print\s*\(\s*")
_STATEMENT = re.compile(r"(?:[A-Za-z_]\w{0,63}\s*=\s*)?[A-Za-z_][\w.\-/]{0,127}\s*\(|[)\]}]")
_PRINTED = re.compile(r"print\s*\(\s*([A-Za-z_]\w{0,63})(?:\[[^\]\n]*\])?\s*\)")


def read_python(text: str, start: int, end: int, *, is_closed: bool) -> list[RawCall]:
    """The calls between `start` and `end`, if there is nothing else. Raises `Unreadable`."""
    calls = _PythonCalls(text, start, end, is_closed=is_closed).read()
    return [inner for call in calls for inner in open_parallel(call)]


class _PythonCalls:
    """The calls between `start` and `end`; `is_closed` says that a closing tag follows `end`."""

    def __init__(self, text: str, start: int, end: int, *, is_closed: bool) -> None:
        self._reader = LenientReader(text, start, end, is_closed=is_closed, is_python=True)
        self._is_closed = is_closed
        self._results: set[str] = set()

    def read(self) -> list[RawCall]:
        """The calls, if there is nothing else. Raises `Unreadable`."""
        reader = self._reader
        is_list = reader.peek() == "["
        reader.position += is_list
        calls: list[RawCall] = []
        while (char := reader.peek()) and char != "]":
            if not self._is_print_of_result():
                calls.append(self._statement())
            if len(calls) > MAX_CALLS:
                raise Unreadable(reader.position, TOO_MANY_CALLS, is_excessive=True)
            if reader.peek() in {",", ";"} and reader.peek():
                reader.position += 1
            elif not (is_list or self._is_closed or self._match(_STATEMENT)):
                break
        if is_list:
            self._expect("]")
        if reader.peek() and (self._is_closed or not self._is_new_line()):
            raise reader.refuse("expected nothing after the calls")
        return calls

    def _is_new_line(self) -> bool:
        """Whether what follows the calls stands on a line of its own: then it is prose, not the rest of a term."""
        text, position = self._reader.text, self._reader.position
        return text[text.rfind("\n", 0, position) : position].isspace()  # nothing where there is no line break

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self._reader.peek()
        return pattern.match(self._reader.text, self._reader.position, self._reader.end)

    def _skip(self, found: re.Match[str] | None) -> bool:
        if found is not None:
            self._reader.position = found.end()
        return found is not None

    def _expect(self, char: str) -> None:
        if self._reader.peek() != char:
            raise self._reader.refuse(f"expected {char!r}")
        self._reader.position += 1

    def _is_print_of_result(self) -> bool:
        """Skips `print(x)`, where x is the result of a call before."""
        found = self._match(_PRINTED)
        return found is not None and found[1] in self._results and self._skip(found)

    def _statement(self) -> RawCall:
        assigned = self._match(_ASSIGNED)
        if assigned is not None:
            self._results.add(assigned[1])
            self._reader.position = assigned.end()
        start = self._reader.position
        is_printed = False
        found = self._match(_PRINT)
        if found is not None and _CALLEE.match(self._reader.text, found.end(), self._reader.end):
            is_printed = self._skip(found)
        call = self._call()
        if is_printed:
            self._expect(")")
        raw = self._reader.text[start : self._reader.position]
        return RawCall(raw, call[0], call[1], source=call[1] or None)

    def _call(self) -> tuple[str, dict[str, Any]]:
        name = self._match(_NAME)
        if name is None:
            raise self._reader.refuse("expected a call")
        self._reader.position = name.end()
        self._expect("(")
        arguments = self._object() if self._reader.peek() == "{" else self._keywords()
        self._expect(")")
        return name[0], arguments

    def _object(self) -> dict[str, Any]:
        value = self._reader.value("argument")
        if not isinstance(value, dict):
            raise self._reader.refuse("expected an object")
        if self._reader.peek() == ",":
            self._reader.position += 1
        return value

    def _value(self) -> Any:
        """A literal; a raw string is what is written between its quotes."""
        raw = self._match(_RAW_STRING)
        if raw is None:
            return self._reader.value("argument")
        self._reader.position = raw.end()
        return next(text for text in raw.groups() if text is not None)

    def _keywords(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        while (char := self._reader.peek()) and char != ")":
            keyword = self._match(_KEYWORD)
            if keyword is None:
                raise self._reader.refuse("expected an argument by keyword")
            if keyword[1] in arguments:
                raise Unreadable(self._reader.position, f"{keyword[1]} is given twice")
            self._reader.position = keyword.end()
            arguments[keyword[1]] = self._value()
            if self._reader.peek() != ",":
                break
            self._reader.position += 1
        return arguments

"""Calls written as XML: `<function=f><parameter=x>…</parameter></function>` and its kin, with any namespace.

A parameter's text is raw, with whatever markup it holds; the tool's schema says what it means (see `arguments`).
A value ends at its own closing tag. Where that is missing, it ends at the function's, and what could be either is
refused.
"""

import re
from typing import Any

from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.written import RawCall

_NS = r"[|｜\s]{0,3}(?:DSML[|｜]\s?|[A-Za-z][\w.\-]{0,23}:)?"  # noqa: RUF001 - DeepSeek's full-width bar
_NAMED = r"""(?:\s*=\s*|\s+name\s*=\s*)["']?([^"'<>\n]{1,128}?)["']?\s*"""
_PART = r"(?:parameter|param|argument|arg)"
FUNCTION = re.compile(rf"<{_NS}(?:function|invoke){_NAMED}(?:/?)>")
_CLOSE_FUNCTION = rf"<\s*\\?/{_NS}(?:function|invoke|tool_call)s?\s*>"
_FUNCTION_ENDS = re.compile(_CLOSE_FUNCTION)
_PARAMETER = re.compile(rf"<{_NS}{_PART}{_NAMED}(?:\s[^<>\n]{{0,100}})?>")
_CLOSE = rf"<\s*\\?/{_NS}{_PART}\s*>"
_VALUE_ENDS = re.compile(rf"{_CLOSE}\s*(?=<{_NS}{_PART}\b|{_CLOSE_FUNCTION}|\Z)")
_NEXT_FUNCTION = re.compile(rf"<{_NS}(?:function|invoke){_NAMED}>\s*<{_NS}{_PART}{_NAMED}")
_LINE_OF_PARAMETER = re.compile(rf"\n[ \t]*<{_NS}{_PART}{_NAMED}>")
_MISSING = re.compile(rf"\s*(?={_CLOSE_FUNCTION})|\n[ \t]*(?=<{_NS}{_PART}{_NAMED}>)")
_ELEMENTS = re.compile(rf"<{_NS}invoke\s*>\s*<tool_name>\s*([\w.\-/:]{{1,128}})\s*</tool_name>\s*<parameters>")
_ELEMENT = re.compile(r"\s*<([A-Za-z_][\w\-]{0,127})>")
_ELEMENTS_END = re.compile(rf"\s*</parameters>\s*{_CLOSE_FUNCTION}")
_PAIR = re.compile(r"\s*<arg_key>\s*([^<>]{1,128}?)\s*</arg_key>\s*<arg_value>")
_PAIR_ENDS = re.compile(r"</arg_value>\s*(?=<arg_key>|\Z)")
_PAIR_BEGINS = re.compile(r"<arg_key>[^<>]{1,128}</arg_key>\s*<arg_value>")
_PAIRED_NAME = re.compile(r"\s*([\w.\-]{1,128})\s*(?=<arg_key>)")


class Texts(dict[str, Any]):
    """Arguments as raw text by name: the schema says what each of them is."""

    def give(self, name: str, text: str, position: int) -> None:
        """Set an argument. Raises `Unreadable` if it is there already."""
        if name in self:
            raise Unreadable(position, f"{name} is given twice")
        self[name] = text


def is_xml(text: str, start: int, end: int) -> bool:
    """Whether a body of this kind begins at `start`."""
    return any(pattern.match(text, start, end) for pattern in (FUNCTION, _ELEMENTS, _PAIRED_NAME))


def read_xml(text: str, start: int, end: int, *, is_closed: bool, may_miss: bool = False) -> list[RawCall]:
    """The calls between `start` and `end`. With `may_miss`, a value may lack its closing tag. Raises `Unreadable`."""
    paired = _PAIRED_NAME.match(text, start, end)
    if paired is not None:
        return [_pairs(text, start, paired, end, is_closed=is_closed)]
    calls: list[RawCall] = []
    position = start
    while (function := FUNCTION.match(text, position, end) or _ELEMENTS.match(text, position, end)) is not None:
        read = _arguments if function.re is FUNCTION else _elements
        arguments, position = read(text, function, end, is_closed=is_closed, may_miss=may_miss)
        calls.append(RawCall(text[function.start() : position].strip(), function[1].strip(), arguments, arguments))
        position = _after_blanks(text, position, end)
    if position < end and (is_closed or not calls or text[position] == "<"):
        raise Unreadable(position, "expected <function=…>")
    return calls


def _after_blanks(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position


def _arguments(
    text: str, function: re.Match[str], end: int, *, is_closed: bool, may_miss: bool
) -> tuple[dict[str, Any], int]:
    """The arguments of a function, by parameter or as one JSON object, and where the function ends."""
    position = _after_blanks(text, function.end(), end)
    if text[position : position + 1] != "{":
        return _parameters(text, position, end, is_closed=is_closed, may_miss=may_miss)
    value, position = lenient_value(text, position, end, is_closed=is_closed)
    if not isinstance(value, dict):
        raise Unreadable(position, "expected an object")
    closing = _FUNCTION_ENDS.match(text, _after_blanks(text, position, end), end)
    return value, closing.end() if closing is not None else position


def _parameters(text: str, start: int, end: int, *, is_closed: bool, may_miss: bool) -> tuple[Texts, int]:
    found, position = Texts(), _after_blanks(text, start, end)
    while (parameter := _PARAMETER.match(text, position, end)) is not None:
        value, position = _value(text, parameter.end(), end, is_closed=is_closed, may_miss=may_miss)
        found.give(parameter[1].strip(), value, parameter.start())
        position = _after_blanks(text, position, end)
    closing = _FUNCTION_ENDS.match(text, position, end)
    if closing is not None:
        return found, closing.end()
    if position < end or not is_closed:
        why = "the function does not end" if position >= end else "expected <parameter=…> or </function>"
        raise Unreadable(position, why, is_cut=position >= end)
    return found, end


def _value(text: str, start: int, end: int, *, is_closed: bool, may_miss: bool) -> tuple[str, int]:
    """A parameter's text and where it ends: at its closing tag; without one, at the next tag of the function."""
    ends = _VALUE_ENDS.search(text, start, end)
    limit = ends.start() if ends is not None else end
    is_over = _LINE_OF_PARAMETER.search(text, start, limit) or _NEXT_FUNCTION.search(text, start, limit)
    if ends is not None and is_over is None:
        return _trimmed(text[start : ends.start()]), ends.end()
    missing = _MISSING.search(text, start, limit) if may_miss else None
    if missing is None:
        raise Unreadable(start, "a parameter does not end", is_cut=not is_closed, in_string=True)
    return _trimmed(text[start : missing.start()]), missing.end()


def _elements(text: str, function: re.Match[str], end: int, *, is_closed: bool, may_miss: bool) -> tuple[Texts, int]:
    """The arguments of a function as elements by their names, and where it ends."""
    found, position = Texts(), function.end()
    while (element := _ELEMENT.match(text, position, end)) is not None:
        close = text.find(f"</{element[1]}>", element.end(), end)
        if close < 0:
            raise Unreadable(position, "a parameter does not end", is_cut=not is_closed, in_string=not may_miss)
        found.give(element[1], _trimmed(text[element.end() : close]), element.start())
        position = close + len(element[1]) + 3
    closing = _ELEMENTS_END.match(text, position, end)
    if closing is None:
        raise Unreadable(position, "expected </parameters>", is_cut=position >= end and not is_closed)
    return found, closing.end()


def _trimmed(value: str) -> str:
    """The value; on lines of its own, without the line breaks that set it off from its tags."""
    inner = value.removeprefix("\r").removeprefix("\n")
    return inner.removesuffix("\n").removesuffix("\r") if len(inner) < len(value) else value


def _pairs(text: str, start: int, name: re.Match[str], end: int, *, is_closed: bool) -> RawCall:
    found, position = Texts(), name.end()
    while (pair := _PAIR.match(text, position, end)) is not None:
        ends = _PAIR_ENDS.search(text, pair.end(), end)
        if ends is None or _PAIR_BEGINS.search(text, pair.end(), ends.start()) is not None:
            raise Unreadable(pair.end(), "an argument does not end", is_cut=not is_closed, in_string=ends is None)
        found.give(pair[1], text[pair.end() : ends.start()], ends.start())
        position = ends.end()
    if _after_blanks(text, position, end) < end or not is_closed:
        raise Unreadable(position, "expected <arg_key> or the closing tag", is_cut=not is_closed)
    return RawCall(text[start:end].strip(), name[1], found, found)

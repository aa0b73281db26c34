"""Calls written as XML: `<function=f><parameter=x>…</parameter></function>` and its kin.

A parameter's text is raw, with whatever markup it holds; what it means is said by the tool's schema (see `judge`).
"""

import re
from typing import Any

from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.written import RawCall

_NAMED = r"""(?:\s*=\s*|\s+name\s*=\s*)["']?([^"'<>\n]{1,128}?)["']?\s*"""
FUNCTION = re.compile(rf"<\s*(?:function|invoke){_NAMED}(/?)>")
_PARAMETER = re.compile(rf"<\s*(?:parameter|param|argument|arg){_NAMED}(?:\s[^<>\n]{{0,100}})?>")
_CLOSE_FUNCTION = r"<\s*\\?/\s*(?:function|invoke|tool_call)s?\s*>"
_FUNCTION_ENDS = re.compile(_CLOSE_FUNCTION)
_CLOSE = r"<\s*\\?/\s*(?:parameter|param|argument|arg)\s*>"
_VALUE_ENDS = re.compile(rf"{_CLOSE}\s*(?=<\s*(?:parameter|param|argument|arg)\b|{_CLOSE_FUNCTION}|\Z)")
_NEXT = re.compile(
    rf"\n[ \t]*+(?=<\s*(?:(?:parameter|param|argument|arg){_NAMED}>\s*\n|\\?/\s*(?:function|invoke)\s*>))"
)
_PAIR = re.compile(r"\s*<arg_key>\s*([^<>]{1,128}?)\s*</arg_key>\s*<arg_value>")
_PAIR_ENDS = re.compile(r"</arg_value>\s*(?=<arg_key>|\Z)")
_PAIRED_NAME = re.compile(r"\s*([\w.\-]{1,128})\s*(?=<arg_key>)")


class Texts(dict[str, Any]):
    """Arguments as raw text by name: the schema says what each of them is."""


def is_xml(text: str, start: int, end: int) -> bool:
    """Whether a body of this kind begins at `start`."""
    return any(pattern.match(text, start, end) for pattern in (FUNCTION, _PAIRED_NAME))


def read_xml(text: str, start: int, end: int, *, is_closed: bool) -> list[RawCall]:
    """The calls between `start` and `end`. Raises `Unreadable`."""
    paired = _PAIRED_NAME.match(text, start, end)
    if paired is not None:
        return [_pairs(text, start, paired, end, is_closed=is_closed)]
    calls: list[RawCall] = []
    position = start
    while (function := FUNCTION.match(text, position, end)) is not None:
        arguments, position = _arguments(text, function, end, is_closed=is_closed)
        calls.append(RawCall(text[function.start() : position].strip(), function[1].strip(), arguments, arguments))
        position = _after_blanks(text, position, end)
    if position < end and (is_closed or not calls or text[position] == "<"):
        raise Unreadable(position, "expected <function=…>")
    return calls


def _after_blanks(text: str, position: int, end: int) -> int:
    while position < end and text[position].isspace():
        position += 1
    return position


def _arguments(text: str, function: re.Match[str], end: int, *, is_closed: bool) -> tuple[dict[str, Any], int]:
    """The arguments of a function, by parameter or as one JSON object, and where the function ends."""
    position = _after_blanks(text, function.end(), end)
    if text[position : position + 1] != "{":
        return _parameters(text, position, end, is_closed=is_closed)
    value, position = lenient_value(text, position, end, is_closed=True)
    closing = _FUNCTION_ENDS.match(text, _after_blanks(text, position, end), end)
    if closing is None or not isinstance(value, dict):
        raise Unreadable(position, "expected </function>", is_cut=position >= end and not is_closed)
    return value, closing.end()


def _parameters(text: str, start: int, end: int, *, is_closed: bool) -> tuple[Texts, int]:
    found, position = Texts(), _after_blanks(text, start, end)
    while (parameter := _PARAMETER.match(text, position, end)) is not None:
        value, position = _value(text, parameter.end(), end, is_closed=is_closed)
        found[parameter[1].strip()] = value
        position = _after_blanks(text, position, end)
    closing = _FUNCTION_ENDS.match(text, position, end)
    if closing is not None:
        return found, closing.end()
    if position < end or not is_closed:
        why = "the function does not end" if position >= end else "expected <parameter=…> or </function>"
        raise Unreadable(position, why, is_cut=position >= end)
    return found, end


def _value(text: str, start: int, end: int, *, is_closed: bool) -> tuple[str, int]:
    """A parameter's text and where it ends: at its closing tag, else at the next tag of the function."""
    ends = _VALUE_ENDS.search(text, start, end) if text.rfind("</", start, end) >= 0 else None
    after = _NEXT.search(text, start, ends.start() if ends is not None else end)
    if after is not None and not text[start : after.start()].rstrip().endswith("</parameter>"):
        return _trimmed(text[start : after.start()]), after.end()
    if ends is None:
        raise Unreadable(start, "a parameter does not end", is_cut=not is_closed, in_string=True)
    return _trimmed(text[start : ends.start()]), ends.end()


def _trimmed(value: str) -> str:
    """The value without the one line break after its opening and before its closing tag."""
    value = value.removeprefix("\r").removeprefix("\n")
    return value[:-1].removesuffix("\r") if value.endswith("\n") else value


def _pairs(text: str, start: int, name: re.Match[str], end: int, *, is_closed: bool) -> RawCall:
    found, position = Texts(), name.end()
    while (pair := _PAIR.match(text, position, end)) is not None:
        ends = _PAIR_ENDS.search(text, pair.end(), end)
        if ends is None:
            raise Unreadable(pair.end(), "an argument does not end", is_cut=not is_closed, in_string=True)
        found[pair[1]] = text[pair.end() : ends.start()]
        position = ends.end()
    if _after_blanks(text, position, end) < end or not is_closed:
        raise Unreadable(position, "expected <arg_key> or the closing tag", is_cut=not is_closed)
    return RawCall(text[start:end].strip(), name[1], found, found)

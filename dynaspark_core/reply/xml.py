"""Calls written as XML: `<function=f><parameter=x>…</parameter></function>` and its kin, with any namespace.

A value is raw text and may hold any tag, its own closing tag too. So it ends only where the call can go on: at its
closing tag, if the next value or the closing tag of the call follows at once. Tags are those of the call only if they
are written as its first ones, with the same namespace. Where two readings are left, the call is refused.
"""

# ruff: noqa: RUF001 - DeepSeek's full-width bar

import re
from typing import Any

from dynaspark_core.reply.atoms import Atom, Sign, chars, either, group, maybe, once, run, seq, word, words
from dynaspark_core.reply.signs import NAMESPACE
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.unreadable import Unreadable
from dynaspark_core.reply.written import RawCall

_BLANKS = run(r"\s", 0, 24)
_QUOTE = chars("[\"']", 0, 1)


def label(*names: str) -> Atom:
    """One of these names of a tag, with any namespace."""
    return seq(chars(r"[|｜\s]", 0, 3), maybe(NAMESPACE), words(*names))


def _named(style: str, name: str) -> Atom:
    equals = seq(_BLANKS, word("="), _BLANKS)
    return seq(group(style, either(equals, seq(chars(r"\s", 1, 9), word("name"), equals))), _QUOTE,
               group(name, chars("[^\"'<>\\n]", 1, 128)), _QUOTE)  # fmt: skip


FUNCTION_LABEL = label("function", "invoke")
WRAPPER_LABEL = label("tool_calls", "tool_call", "function_calls", "function_call", "toolcall", "calls")
CALL = once(seq(word("<"), group("call", FUNCTION_LABEL), maybe(_named("calling", "called")), _BLANKS, maybe(word("/")),
                word(">")))  # fmt: skip
_PARAMETER = label("parameter", "param", "argument", "arg")
_VALUE = either(
    seq(word("<"), group("value", _PARAMETER), _named("style", "key"),
        maybe(seq(run(r"\s", 1, 25), run("[^<>\\n]", 0, 100))), word(">")),
    seq(word("<arg_key>"), _BLANKS, group("pair", chars("[^<>]", 1, 128)), word("</arg_key>"), _BLANKS,
        word("<arg_value>")),
    seq(word("<tool_name>"), _BLANKS, group("tool", chars(r"[\w.\-/:]", 1, 128)), _BLANKS, word("</tool_name>"),
        _BLANKS, word("<parameters>")),
)  # fmt: skip
_NAME = chars(r"[\w.\-]", 1, 128)
_END = seq(word("<"), chars(r"\s", 0, 4), maybe(word("\\")), word("/"), group("end", either(_PARAMETER, FUNCTION_LABEL,
           WRAPPER_LABEL, words("arg_value", "parameters"))), chars(r"\s", 0, 4), word(">"))  # fmt: skip
HEAD = Sign(
    seq(_BLANKS, either(CALL, group("name", _NAME)), _BLANKS, _VALUE),
    "<function=f>\n<parameter=x>", "<function=f></function>", "the <arg_key>",
)  # fmt: skip
"""How a call begins: its opening tag or its name, and the opening tag of its first value."""
END = Sign(_END, "</parameter>", "<parameter>", "</b>")
TAGS = re.compile(
    rf"{CALL.whole}|{_VALUE.whole}|{_END.whole}|<(?P<wrapper>{WRAPPER_LABEL.whole})>\s{{0,24}}{_NAME.whole}(?=\s*+<arg_key>)"
)
"""The tags that a call is made of."""
_FUNCTION = re.compile(rf"{CALL.whole}\s*+(?=\{{|<\s{{0,4}}\\?/|\Z)")
WRAPPER = re.compile(WRAPPER_LABEL.whole)
_CLOSING = re.compile(rf"\s*+{_END.whole}")
_SPACE = re.compile(r"\s*+")
_LINE_CHARACTERS = 200  # how far back a line is looked for
_ELEMENT = re.compile(r"\s*+<(?P<key>[A-Za-z_][\w\-]{0,127})>(?P<text>.*?)</(?P=key)>", re.DOTALL)


class Texts(dict[str, Any]):
    """Arguments as raw text by name: the schema says what each of them is."""

    def give(self, name: str, text: str, position: int) -> None:
        """Set an argument. Raises `Unreadable` if it is there already."""
        if name in self:
            raise Unreadable(position, f"{name} is given twice")
        self[name] = text


def name_of(tag: str) -> str:
    """A tag's name with its namespace, without blanks."""
    return "".join(tag.split())


class OpenCall:
    """A call that has begun with a `HEAD`: `take` its tags one after the other until one ends it.

    `wrapper` is the name of the tag around it, `names` are those of its closing tags. `end` is -1 until it ends.
    """

    def __init__(self, head: re.Match[str], wrapper: str = "") -> None:
        self.start, self.body, self.end = head.start(), head.end(), -1
        self.tool = (head["called"] or head["tool"] or head["name"] or "").strip()
        self._own = name_of(head["call"]) if head["call"] is not None else wrapper
        self._closing = "arg_value" if head["pair"] else "parameters" if head["tool"] else name_of(head["value"])
        self.names = frozenset({self._own, self._closing, wrapper} - {""})
        self._style, self._is_pair = _style(head), head["pair"] is not None
        self._keys, self._starts, self._ends = [_key(head)], [head.end()], list[int]()
        self._gaps = {"\n" in head[0]}
        self._last: re.Match[str] | None = None
        self._depth = 0
        self._problem = ""

    def take(self, tag: re.Match[str]) -> bool:
        """Take the next tag. Returns whether the call ends there."""
        last, self._last = self._last, tag
        gap = tag.string[last.end() if last is not None else self._starts[0] : tag.start()]
        if last is not None and (not gap or gap.isspace()):
            is_after_value = _closes(last, self._closing)
            if is_after_value and _closes(tag, self._own):
                self._depth -= 1
                if self._depth < 0:
                    self._gaps.add("\n" in gap)
                    self._ends.append(last.start())
                    self.end = tag.start() if self._is_pair else tag.end()
                return self.end >= 0
            if is_after_value and not self._depth and _style(tag) == self._style:
                self._next_value(last, tag)
                return False
            opened = last["call"] or last["wrapper"]
            if opened is not None and name_of(opened) == self._own and _key(tag):
                self._depth += 1
                return False
        if not self._depth:
            self._note_doubt(last, tag, gap)
        return False

    def close(self, end: int) -> None:
        """End the call where the text of its wrapper ends, at the closing tag of its last value."""
        last = self._last
        is_over = last is not None and _closes(last, self._closing) and not last.string[last.end() : end].strip()
        if last is not None and is_over and self._is_pair and not self._depth:
            self._ends.append(last.start())
            self.end = end

    def read(self, text: str) -> RawCall:
        """The call, once it has ended. Raises `Unreadable`."""
        values = [text[start:end] for start, end in zip(self._starts, self._ends, strict=True)]
        if not self._problem and (len(self._gaps) > 1 or _is_uneven(values)):
            self._problem = "the values are set off from their tags in two ways"
        if self._problem:
            raise Unreadable(self.start, self._problem)
        found = _elements(text, self._starts[0], self._ends[0]) if self._closing == "parameters" else Texts()
        if self._closing != "parameters":
            for key, value, start in zip(self._keys, values, self._starts, strict=True):
                found.give(key.strip(), value if self._is_pair else _trimmed(value), start)
        return RawCall(text[self.start : self.end].strip(), self.tool or None, found, found)

    def _next_value(self, last: re.Match[str], tag: re.Match[str]) -> None:
        self._ends.append(last.start())
        self._keys.append(_key(tag))
        self._starts.append(tag.end())
        self._gaps.add("\n" in tag.string[last.end() : tag.start()])

    def _note_doubt(self, last: re.Match[str] | None, tag: re.Match[str], gap: str) -> None:
        """Note what is text in a value only if nothing is missing and nothing was ended too early."""
        if _style(tag) == self._style and gap.rstrip(" \t").endswith("\n"):
            self._problem = "a value begins within another"
        elif last is not None and _closes(last, self._closing) and self._ends and not self._is_in_line(last, gap):
            self._problem = "a closing tag ends nothing"

    def _is_in_line(self, tag: re.Match[str], behind: str) -> bool:
        """Whether a closing tag is inside a line of a value that has lines of its own, so that it is text."""
        text, start = tag.string, self._starts[-1]
        before = text[max(start, tag.start() - _LINE_CHARACTERS) : tag.start()].rpartition("\n")[2]
        is_inside = bool(before.strip() and behind.partition("\n")[0].strip())
        return is_inside and text.startswith(("\n", "\r\n"), start)


def _closes(tag: re.Match[str], name: str) -> bool:
    """Whether it is the closing tag of this name."""
    return tag["end"] is not None and name_of(tag["end"]) == name


def _key(tag: re.Match[str]) -> str:
    """The name of the value that a tag opens, or nothing."""
    return tag["key"] or tag["pair"] or tag["tool"] or ""


def _style(tag: re.Match[str]) -> tuple[str, bool] | None:
    """How the tag of a value is written; None for any other tag."""
    if tag["value"] is not None:
        return name_of(tag["value"]), "name" in tag["style"]
    return ("pair" if tag["pair"] else "tool", False) if _key(tag) else None


def _is_uneven(values: list[str]) -> bool:
    """Whether one value alone has lines of its own, and another begins one but ends within it."""
    own_lines = {value.endswith("\n") for value in values if value.startswith(("\n", "\r\n"))}
    return len(own_lines) > 1


def _elements(text: str, start: int, end: int) -> Texts:
    """The values of elements that have the names of the arguments. Raises `Unreadable`."""
    found, position = Texts(), start
    while (element := _ELEMENT.match(text, position, end)) is not None:
        found.give(element["key"], _trimmed(element["text"]), element.start())
        position = element.end()
    if text[position:end].strip():
        raise Unreadable(position, "expected </parameters>")
    return found


def _trimmed(value: str) -> str:
    """The value; on lines of its own, without the line breaks that set it off from its tags."""
    inner = value.removeprefix("\r").removeprefix("\n")
    return inner.removesuffix("\n").removesuffix("\r") if len(inner) < len(value) else value


def is_xml(text: str, start: int, end: int) -> bool:
    """Whether a body of this kind begins at `start`."""
    return any(sign.match(text, start, end) for sign in (HEAD.whole, _FUNCTION))


def read_xml(text: str, start: int, end: int, *, is_closed: bool) -> list[RawCall]:
    """The calls between `start` and `end`. Raises `Unreadable`."""
    calls: list[RawCall] = []
    position = start
    while position < end:
        position = _SPACE.match(text, position, end).end()  # type: ignore[union-attr]  # it matches ""
        if (head := HEAD.whole.match(text, position, end)) is not None:
            call = OpenCall(head)
            if not any(map(call.take, TAGS.finditer(text, head.end(), end))) and is_closed:
                call.close(end)
            if call.end < 0:
                raise Unreadable(position, "a value or the call does not end", is_cut=not is_closed)
            calls.append(call.read(text))
            position = call.end
        elif (function := _FUNCTION.match(text, position, end)) is not None:
            calls.append(_function(text, function, end, is_closed=is_closed))
            position = function.start() + len(calls[-1].raw)
        else:
            break
    if position < end and (is_closed or not calls or text[position] == "<"):
        raise Unreadable(position, "expected <function=…>")
    return calls


def _function(text: str, function: re.Match[str], end: int, *, is_closed: bool) -> RawCall:
    """A function whose arguments are a JSON object, or that has none. Raises `Unreadable`."""
    arguments: Any = {}
    position = function.end()
    if text[position : position + 1] == "{":
        arguments, position = lenient_value(text, position, end, is_closed=is_closed)
    if not isinstance(arguments, dict):
        raise Unreadable(position, "expected an object")
    closing = _CLOSING.match(text, position, end)
    if closing is not None and name_of(closing["end"]) == name_of(function["call"]):
        position = closing.end()
    elif not arguments and not is_closed:
        raise Unreadable(position, "the function does not end", is_cut=True)
    return RawCall(text[function.start() : position], (function["called"] or "").strip() or None, arguments, arguments)

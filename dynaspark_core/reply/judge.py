"""A call as it was written → a call that may run, or one that must not and why.

Names are matched exactly, then without decoration, then by case and dashes alone; never by likeness. Arguments are held
against the tool's schema.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from secrets import token_hex
from typing import Any

from dynaspark_core.messages import InvalidReason, InvalidToolCall, Tool, ToolCall, offered
from dynaspark_core.reply.lenient_json import Unreadable
from dynaspark_core.reply.strict_json import lenient_value
from dynaspark_core.reply.wrapped import fit_value
from dynaspark_core.reply.written import RawCall, compact_json, is_schema_echo
from dynaspark_core.reply.xml import Texts
from dynaspark_core.schema import Mismatch, conform

_NAMESPACE = re.compile(r"(?:(?:functions?|tools?|default_api|api|multi_tool_use|namespace|actions?|mcp)(?:\.|::?|/))+")
_INDEX = re.compile(r":\d{1,4}\Z")
_DECORATION = " \t\r\n*`\"'“”‘’<>"  # noqa: RUF001 - markdown and quotes around a name
_NAME_IN_RAW = re.compile(r"""["']?name["']?\s*[:=]\s*["']([^"'\n]{1,128})|([A-Za-z_][\w.\-]{0,127})\s*[({>]""")
_SQUEEZED = re.compile(r"[\s\\]+")


def new_id() -> str:
    """A random id: `call_` and 24 hexadecimal digits."""
    return f"call_{token_hex(12)}"


def plain_name(name: str) -> str:
    """The name without blanks, parentheses, markdown and namespace."""
    name = name.strip(_DECORATION).removesuffix("()").strip(_DECORATION).replace("\\_", "_")
    return _INDEX.sub("", _NAMESPACE.sub("", name, count=1) if _NAMESPACE.match(name) else name)


def _folded(name: str) -> str:
    return name.casefold().replace("-", "_")


class Names:
    """The names of tools, and what is taken for one of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._folded: dict[str, str | None] = {}
        for name in self._names:
            folded = _folded(name)
            self._folded[folded] = None if folded in self._folded else name

    def find(self, written: str) -> str | None:
        """The tool's name, or None: exactly, then undecorated, then the only one that differs in case, - and _."""
        if written in self._names:
            return written
        plain = plain_name(written)
        return plain if plain in self._names else self._folded.get(_folded(plain))


class Judge:
    """Says of each call whether it may run. One for each reply: it counts the calls.

    `untrusted` are texts from elsewhere, tool results above all: a call that stands in one of them was copied.
    """

    def __init__(
        self, tools: Sequence[Tool], tool_choice: str, *, parallel: bool = True, untrusted: str | Sequence[str] = ()
    ) -> None:
        self._tools = {tool.name: tool for tool in offered(tools, tool_choice)}
        self._all = Names(tool.name for tool in tools)
        self.names = Names(self._tools)
        self.only = tool_choice if tool_choice in self._tools and tool_choice not in {"auto", "required"} else None
        self._parallel = parallel
        self._untrusted = (untrusted,) if isinstance(untrusted, str) else tuple(untrusted)
        self._squeezed: str | None = None
        self._count = 0

    def judge(self, call: RawCall) -> ToolCall | InvalidToolCall:
        """The call if it may run; it then counts as made."""
        verdict = self.check(call)
        if isinstance(verdict, ToolCall):
            self._count += 1
            if self._count > 1 and not self._parallel:
                return self._invalid(call, "not_allowed", "only one call at a time is allowed", verdict.arguments)
        return verdict

    def restart(self, count: int) -> None:
        """Count only `count` of the calls so far."""
        self._count = count

    @property
    def own_arguments(self) -> frozenset[str]:
        """The argument names of the one tool that must be called: an object of these alone is a call of it."""
        properties = self._tools[self.only].parameters.get("properties") if self.only is not None else None
        return frozenset(properties) if isinstance(properties, Mapping) else frozenset()

    def would_accept(self, calls: Sequence[RawCall]) -> bool:
        """Whether there are calls and all of them could run, or would be refused for another reason than their form."""
        verdicts = [self.check(call) for call in calls]
        return bool(verdicts) and all(
            isinstance(verdict, ToolCall) or verdict.reason == "copied_from_untrusted" for verdict in verdicts
        )

    def name_in(self, raw: str) -> str | None:
        """The name of a known tool that unreadable text seems to call."""
        found = _NAME_IN_RAW.search(raw)
        return self._all.find(found[1] or found[2]) if found is not None else None

    def check(self, call: RawCall) -> ToolCall | InvalidToolCall:
        """The verdict on a call; it is not counted."""
        if call.reason == "missing_name" and self.only is not None:
            call = RawCall(call.raw, self.only, call.arguments, call.source)
        if call.reason is not None or call.name is None:
            return self._invalid(call, call.reason or "missing_name", call.error or "a call needs a name")
        arguments = self._arguments(call)
        if isinstance(arguments, InvalidToolCall):
            return arguments
        name = self.names.find(call.name)
        if name is None:
            return self._without_tool(call, arguments)
        return self._with_tool(call, self._tools[name], arguments)

    def _arguments(self, call: RawCall) -> dict[str, Any] | InvalidToolCall:
        """The arguments as an object; they may have been written as JSON text, or left out."""
        given = call.arguments
        if given is None or given == "":
            return {}
        if isinstance(given, str):
            text = given.strip()
            try:
                given, end = lenient_value(text, 0, len(text))
            except Unreadable as error:
                reason: InvalidReason = "truncated" if error.is_cut else "malformed"
                return self._invalid(call, reason, f"arguments: {error.located(text)}")
            if text[end:].strip():
                return self._invalid(call, "malformed", "arguments: there is text after the object")
        if not isinstance(given, dict):
            return self._invalid(call, "bad_arguments", '"arguments" must be a JSON object')
        return given

    def _without_tool(self, call: RawCall, arguments: dict[str, Any]) -> InvalidToolCall:
        known = self._all.find(call.name or "")
        if known is not None:
            return self._invalid(call, "not_allowed", f"{known} may not be called now", arguments)
        error = f"there is no tool of this name; there are: {', '.join(list(self._tools)[:50])}"
        return self._invalid(call, "unknown_tool", error, arguments)

    def _with_tool(self, call: RawCall, tool: Tool, arguments: dict[str, Any]) -> ToolCall | InvalidToolCall:
        if is_schema_echo(arguments, tool.parameters.get("properties")):
            return self._invalid(call, "schema_echo", "the arguments are the schema, not values for it")
        values = from_texts(arguments, tool.parameters) if isinstance(arguments, Texts) else arguments
        fitted = fit_value(values, tool.parameters, name=tool.name)
        if isinstance(fitted, Mismatch):
            return self._invalid(call, "bad_arguments", str(fitted), values, tool.name)
        if self._is_copied(call):
            error = "this call stands word for word in a text from elsewhere"
            return self._invalid(call, "copied_from_untrusted", error, values, tool.name)
        return ToolCall(tool.name, fitted, new_id())

    def _is_copied(self, call: RawCall) -> bool:
        if not self._untrusted or not call.source:
            return False
        if self._squeezed is None:
            self._squeezed = "\n".join(_SQUEEZED.sub("", text) for text in self._untrusted)
        forms = {_SQUEEZED.sub("", call.raw)}
        if call.raw.lstrip().startswith(("{", "[")):
            forms.add(_SQUEEZED.sub("", compact_json(call.source)))
        return any(form and form in self._squeezed for form in forms)

    def _invalid(
        self,
        call: RawCall,
        reason: InvalidReason,
        error: str,
        arguments: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> InvalidToolCall:
        known = name or (plain_name(call.name) if call.name is not None else None)
        return InvalidToolCall(call.raw, reason, new_id(), known or None, error, arguments)


def from_texts(texts: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that were written as raw text, each as its schema has it: text for a string, else the JSON it says."""
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return {name: _from_text(text, known[name], schema) if name in known else text for name, text in texts.items()}


def _from_text(text: str, part: Any, root: Mapping[str, Any]) -> Any:
    if not isinstance(part, Mapping):
        return text
    whole = {key: root[key] for key in ("$defs", "definitions") if key in root} | dict(part)
    stripped = text.strip()
    if stripped == "null" and conform(None, whole) is None:
        return None
    if conform(text, whole) == text:
        return text
    try:
        value, end = lenient_value(stripped, 0, len(stripped))
    except Unreadable:
        return stripped
    return value if end == len(stripped) else stripped

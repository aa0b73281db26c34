"""A call as it was written → a call that may run, or one that must not and why.

`names` and `arguments` say which tool and which arguments are meant; here the arguments are held against the schema.
"""

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from dynaspark_core.messages import InvalidReason, InvalidToolCall, Tool, ToolCall, offered
from dynaspark_core.reply.arguments import Parameters, Refused, as_object
from dynaspark_core.reply.names import Names, plain_name
from dynaspark_core.reply.written import RawCall, beside_arguments, compact_json, echo_in, new_id
from dynaspark_core.reply.xml import Texts
from dynaspark_core.schema import Mismatch, is_flat_fit

_NAME_IN_RAW = re.compile(
    r"""["']?name["']?\s*[:=]\s*["']([^"'\n]{1,128})|(?<![A-Za-z_])([A-Za-z_][\w.\-]{0,127}+)\s*+[({>]"""
)

_ESCAPES = re.compile(r"(?<!\\)(?:\\++u[0-9A-Fa-f]{4})+")
_BREAKS = re.compile(r"(?<!\\)\\++[nrt]")
"""Characters, and blanks, as JSON and Python write them: `\\u00e9` and `\\n`; also in a text within a text."""

MAX_COMPARED = 2_000_000_000
"""Most characters that the calls of a reply are compared with: a thousand calls with a megabyte, in half a second."""


def _has_its_keys(values: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether all that is required is there, and nothing that the schema does not list."""
    required, properties = schema.get("required"), schema.get("properties")
    is_whole = not isinstance(required, list) or set(map(str, required)) <= values.keys()
    return is_whole and (not isinstance(properties, Mapping) or values.keys() <= properties.keys())


def _squeezed(text: str) -> str:
    """The text without all that changes from one encoding to another: escapes, blanks, backslashes, quotation marks."""
    if "\\" in text:
        text = _BREAKS.sub("", _ESCAPES.sub(_characters, text))
    text = html.unescape(html.unescape(text))  # HTML may show HTML
    return "".join(text.split()).replace("\\", "").replace('"', "").replace("'", "")


def _characters(escapes: re.Match[str]) -> str:
    codes = "".join(code[:4] for code in escapes[0].split("u")[1:])
    return bytes.fromhex(codes).decode("utf-16-be", "replace")


@dataclass(frozen=True, slots=True)
class _Raw:
    """The text in which calls were written; those of one list share it."""

    text: str
    is_json: bool
    is_copied: bool


class Judge:
    """Says of each call whether it may run. One for each reply: it counts the calls.

    `untrusted` are texts from elsewhere, tool results above all: a call that stands in one of them was copied.
    """

    def __init__(
        self, tools: Sequence[Tool], tool_choice: str, *, parallel: bool = True, untrusted: str | Iterable[str] = ()
    ) -> None:
        self._tools = {tool.name: tool for tool in offered(tools, tool_choice)}
        self._written = tools
        self.names = Names(self._tools)
        self.only = tool_choice if tool_choice in self._tools and tool_choice not in {"auto", "required"} else None
        self.must_call = tool_choice not in {"auto", "none"}
        if self.only is None and self.must_call and len(self._tools) == 1:
            self.only = next(iter(self._tools))
        self._parallel = parallel
        self._untrusted = (untrusted,) if isinstance(untrusted, str) else tuple(untrusted)
        self._squeezed: str | None = None
        self._raw: _Raw | None = None
        self._compared = 0
        self._parameters: dict[str, Parameters] = {}
        self._held: dict[int, tuple[RawCall, ToolCall | InvalidToolCall]] = {}
        self._count = 0

    @cached_property
    def _all(self) -> Names:
        """The names of all tools, those too that may not be called now."""
        return Names(tool.name for tool in self._written)

    @cached_property
    def _unknown(self) -> str:
        """What is said of a call of another name; one text for all of them."""
        return f"there is no tool of this name; there are: {', '.join(list(self._tools)[:50])}"

    def judge(self, call: RawCall) -> ToolCall | InvalidToolCall:
        """The call if it may run; it then counts as made."""
        held = self._held.pop(id(call), None)
        verdict = held[1] if held is not None else self.check(call)
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
        """Whether there are calls and all of them could run, or would be refused for another reason than their form.

        The verdicts are kept until they are asked for.
        """
        verdicts = [self.check(call) for call in calls]
        if not all(isinstance(verdict, ToolCall) or verdict.reason == "copied_from_untrusted" for verdict in verdicts):
            return False
        self._held |= {id(call): (call, verdict) for call, verdict in zip(calls, verdicts, strict=True)}
        return bool(verdicts)

    def takes_nothing(self, name: str) -> bool:
        """Whether this is the name of a tool without parameters."""
        found = self.names.find(name)
        schema = self._tools[found].parameters if found is not None else None
        if schema is None or schema.get("properties") or schema.get("additionalProperties"):
            return False
        return not schema or "properties" in schema

    def takes(self, name: str, key: str) -> bool:
        """Whether the tool of this name lists such a parameter."""
        found = self.names.find(name)
        return found is not None and key in (self._tools[found].parameters.get("properties") or ())

    def name_in(self, raw: str) -> str | None:
        """The name of a known tool that unreadable text seems to call."""
        found = _NAME_IN_RAW.search(raw)
        return self._all.find(found[1] or found[2]) if found is not None else None

    def check(self, call: RawCall) -> ToolCall | InvalidToolCall:
        """The verdict on a call; it is not counted."""
        call = self._named(call)
        if call.reason is not None or call.name is None:
            return self._invalid(call, call.reason or "missing_name", call.error or "a call needs a name")
        name = self.names.find(call.name)
        try:
            if name is not None:
                return self._with_tool(call, self._tools[name])
            return self._without_tool(call, as_object(call.arguments, {}))
        except Refused as refused:
            return self._invalid(call, refused.reason, refused.error)

    def _named(self, call: RawCall) -> RawCall:
        """The call under the name that it means: of the one tool to call, or the single key around its arguments."""
        source = call.source
        if self.only is not None and isinstance(source, dict) and call.reason != "schema_echo":
            tool = self._tools[self.only]
            properties = tool.parameters.get("properties")
            is_own = isinstance(properties, Mapping) and bool(source) and source.keys() <= properties.keys()
            if is_own and self._parameters_of(tool).take(source):
                return RawCall(call.raw, self.only, source, source)
        if call.reason != "missing_name":
            return call
        if isinstance(call.arguments, dict) and len(call.arguments) == 1:
            key, inner = next(iter(call.arguments.items()))
            if self.names.find(key) is not None and isinstance(inner, dict):
                return RawCall(call.raw, key, inner, source)
        return RawCall(call.raw, self.only, call.arguments, source) if self.only is not None else call

    def _without_tool(self, call: RawCall, arguments: dict[str, Any]) -> InvalidToolCall:
        known = self._all.find(call.name or "")
        if known is not None:
            return self._invalid(call, "not_allowed", f"{known} may not be called now", arguments)
        return self._invalid(call, "unknown_tool", self._unknown, arguments)

    def _with_tool(self, call: RawCall, tool: Tool) -> ToolCall | InvalidToolCall:
        schema = tool.parameters
        values = call.arguments
        is_fit = is_flat_fit(values, schema)
        if not is_fit:
            values = self._values(call, tool)
        if error := echo_in(values, schema.get("properties")):
            return self._invalid(call, "schema_echo", error)
        beside = call.beside and beside_arguments(call, values, schema.get("properties") or {})
        if beside:
            return self._invalid(call, "malformed", f'{", ".join(sorted(beside))}: written beside "arguments"')
        fitted = values if is_fit else self._parameters_of(tool).fit(values)
        if isinstance(fitted, Mismatch):
            refused = self._invalid(call, "bad_arguments", str(fitted), values, tool.name)
            return replace(refused, is_wrong_value=_has_its_keys(values, schema))
        if not isinstance(fitted, dict):
            return self._invalid(call, "malformed", '"arguments" must be a JSON object', values, tool.name)
        if error := self._copied(call):
            return self._invalid(call, "copied_from_untrusted", error, values, tool.name)
        return ToolCall(tool.name, fitted, new_id())

    def _values(self, call: RawCall, tool: Tool) -> dict[str, Any]:
        """The object of arguments that was written. Raises `Refused`."""
        given, parameters = call.arguments, self._parameters_of(tool)
        if isinstance(given, Texts):
            return parameters.from_texts(given)
        return parameters.unwrapped(as_object(given, tool.parameters if call.has_arguments else {}))

    def _parameters_of(self, tool: Tool) -> Parameters:
        if tool.name not in self._parameters:
            self._parameters[tool.name] = Parameters(tool, self.names)
        return self._parameters[tool.name]

    def _copied(self, call: RawCall) -> str:
        """Why the call counts as copied, or nothing. A name alone is no call: it may be shared with any text."""
        if not self._untrusted:
            return ""
        if self._raw is None or self._raw.text is not call.raw:
            squeezed = _squeezed(call.raw)
            self._raw = _Raw(call.raw, squeezed.startswith(("{", "[")), self._is_read(squeezed))
        is_copied = self._raw.is_copied
        if not is_copied and call.source and self._raw.is_json:
            is_copied = self._is_read(_squeezed(compact_json(call.source)))
        if self._compared > MAX_COMPARED:
            return "so many calls were compared with the texts that the model read that this one is not"
        return "this call was copied word for word from a text that the model read" if is_copied else ""

    def _is_read(self, form: str) -> bool:
        """Whether it stands in a text that the model read; not looked up once the others took too long."""
        if self._squeezed is None:
            self._squeezed = "\n".join(_squeezed(text) for text in self._untrusted)
        self._compared += len(self._squeezed)
        return bool(form) and not form.isidentifier() and self._compared <= MAX_COMPARED and form in self._squeezed

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

"""The values that all parts share, frozen: a `Chat` is the question, events and a `Reply` are the answer.

Only values and look-ups. Every framework's messages are turned into these first, and every answer is made of these.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from dynaspark_core.messages.making import QuicklyMade, maker

Role = Literal["system", "user", "assistant", "tool"]
Policy = Literal["sheet", "last", "error"]  # what becomes of several images, where one file can be sent
FinishReason = Literal["stop", "tool_calls", "length", "malformed_tool_call"]
InvalidReason = Literal["malformed", "truncated", "unknown_tool", "bad_arguments", "missing_name", "schema_echo",
                        "not_allowed", "copied_from_untrusted"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call that must not run.

    `text_after`: what becomes of text that follows it, which the model may have made up. `repair`: when the model is
    asked for it again (`named`: where `tool_choice` names one tool). `if_checked` and `if_unchecked`: what a framework
    gets that checks arguments before it runs a tool (LangChain), or does not: the call, a record of it, or a sentence.
    """

    text_after: Literal["shown", "dropped"]
    repair: Literal["always", "named", "never"]
    if_checked: Literal["pass on", "report"]
    if_unchecked: Literal["pass on", "tell"]


FATES: Mapping[InvalidReason, Fate] = {
    "malformed": Fate("shown", "always", "report", "tell"),
    "truncated": Fate("shown", "always", "report", "tell"),
    "missing_name": Fate("shown", "always", "report", "tell"),
    "schema_echo": Fate("dropped", "always", "report", "tell"),
    "bad_arguments": Fate("dropped", "named", "pass on", "pass on"),
    "unknown_tool": Fate("dropped", "never", "pass on", "pass on"),
    "not_allowed": Fate("dropped", "never", "report", "tell"),
    "copied_from_untrusted": Fate("shown", "never", "report", "tell"),
}
"""The model is asked again for what it can write better. Of a call that was read, the error of a tool says more."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image ready for the form's one `file` field: its bytes, a file name and a content type found in the bytes."""

    data: bytes = field(repr=False)
    name: str
    content_type: str


@dataclass(frozen=True, slots=True)
class ImageRef:
    """An image as the caller gave it, not loaded yet.

    `kind` says what `source` is: `bytes`; `base64` text; a `url` (http, https or `data:`); or a `path` that the
    programmer named. `name` is the caller's file name, if there was one.
    """

    kind: Literal["bytes", "base64", "url", "path"]
    source: bytes | str = field(repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file in the prompt, under its name: its `text`, or the `path` that is read when the question is sent."""

    name: str
    text: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        heading = f"{self.name}:\n" if self.name else ""
        return f"\n{heading}{self.text or ''}\n"


Part = str | Image | ImageRef | TextFile


@dataclass(frozen=True, slots=True)
class Tool(QuicklyMade):
    """A tool that the model may call; `parameters` is the JSON Schema of its arguments object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall(QuicklyMade):
    """A whole, checked call. Also an event: a stream yields it when the call is complete, never in pieces."""

    name: str
    arguments: dict[str, Any]
    id: str


@dataclass(frozen=True, slots=True)
class InvalidToolCall(QuicklyMade):
    """A call that the model wrote and that must not run: its `raw` text, the reason, what was wrong. Also an event."""

    raw: str
    reason: InvalidReason
    id: str
    name: str | None = None
    error: str = ""
    arguments: dict[str, Any] | None = None  # None where they could not be read
    is_wrong_value: bool = False  # of `bad_arguments`: nothing is missing or unknown, but a value does not fit

    @property
    def fate(self) -> Fate:
        return FATES[self.reason]

    def is_passed_on(self, *, checked: bool) -> bool:
        """Whether a framework gets it as a call; `checked` says that it checks arguments before it runs a tool."""
        fate = self.fate.if_checked if checked else "tell" if self.is_wrong_value else self.fate.if_unchecked
        return fate == "pass on" and bool(self.name) and self.arguments is not None


@dataclass(frozen=True, slots=True)
class Message(QuicklyMade):
    """One turn. `name` is the speaker's name, or the tool's for role `tool`; `status` says how that tool ended."""

    role: Role
    content: tuple[Part, ...] = ()
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    invalid_tool_calls: tuple[InvalidToolCall, ...] = ()
    tool_call_id: str | None = None
    status: Literal["ok", "error"] = "ok"

    @property
    def text(self) -> str:
        """The text parts and the texts of files, joined as `parts` separates them."""
        if len(self.content) == 1 and isinstance(self.content[0], str):
            return self.content[0]
        return "".join(str(part) for part in self.parts() if isinstance(part, str | TextFile))

    def parts(self) -> Iterator[Part]:
        """The content; texts side by side with a line break between them, but in an assistant's turn, which is one."""
        before: Part = "\n"
        for part in (part for part in self.content if part != ""):
            if self.role != "assistant" and isinstance(before, str) and isinstance(part, str):
                yield "" if before.endswith("\n") or part.startswith("\n") else "\n"
            yield part
            before = part


@dataclass(frozen=True, slots=True)
class Chat(QuicklyMade):
    """One question: a history, the model's name, and what the answer may be.

    `tool_choice` is `auto`, `none`, `required` (the model must make a call) or the name of the one tool to call.
    `stop` cuts the answer at the first of these strings. `response_schema` asks for one JSON value of that schema.
    `checks_arguments`: whoever runs the tools checks their arguments first, so calls with wrong ones can be passed on.
    """

    messages: tuple[Message, ...]
    model: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    parallel_tool_calls: bool = True
    stop: tuple[str, ...] = ()
    response_schema: Mapping[str, Any] | None = None
    checks_arguments: bool = True

    def offered(self) -> tuple[Tool, ...]:
        """The tools that may be called now."""
        return offered(self.tools, self.tool_choice)

    def images(self) -> list[Image | ImageRef]:
        """Every image of the history, in the order of the text."""
        return [part for message in self.messages for part in message.content if not isinstance(part, str | TextFile)]

    def untrusted_texts(self) -> tuple[str, ...]:
        """The texts that neither the user nor the model wrote: the results of tools."""
        return tuple(text for message in self.messages if message.role == "tool" and (text := message.text))


def offered(tools: Sequence[Tool], tool_choice: str) -> tuple[Tool, ...]:
    """The tools that may be called: none, all, or the one that `tool_choice` names."""
    is_any = tool_choice in {"auto", "required"}
    return tuple(tools if is_any else [tool for tool in tools if tool.name == tool_choice != "none"])


@dataclass(frozen=True, slots=True)
class Usage(QuicklyMade):
    """Token counts as the service reported them, or an estimate that says so."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Reply(QuicklyMade):
    """One answer: `text` without any call syntax, the calls, and what the service reported.

    `model` and `usage` are None unless the service reported them. `repairs` counts the extra requests for a broken
    answer. `reasoning` is what was written between `<think>` and `</think>` or similar tags; it is never sent back.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    invalid_tool_calls: tuple[InvalidToolCall, ...] = ()
    finish_reason: FinishReason = "stop"
    model: str | None = None
    usage: Usage | None = None
    repairs: int = 0
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the schema that was asked for, and the reply that held it; None where the reply is a call."""

    value: Any
    reply: Reply


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of every stream: the whole reply. Its text and reasoning are what the deltas add up to."""

    reply: Reply


Event = TextDelta | ReasoningDelta | ToolCall | InvalidToolCall | Done
new_message, new_call, new_tool = maker(Message), maker(ToolCall), maker(Tool)  # of which a call may bring many
new_chat, new_reply, new_usage = maker(Chat), maker(Reply), maker(Usage)  # of which every call brings one

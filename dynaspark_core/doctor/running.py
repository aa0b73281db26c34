"""One tool loop while it runs: the client asks, the tools answer and note their calls, until the last text."""

import functools
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ValidationError, create_model

from dynaspark_core.client import DynasparkClient
from dynaspark_core.doctor.definition import Function, Loop, PastCall, ToolFailure
from dynaspark_core.doctor.judge import Made
from dynaspark_core.messages import Chat, Image, Message, Reply, Tool, ToolCall


@dataclass(slots=True)
class Run:
    """`turns` are the model's replies as an agent gets them: a reply that was asked for again counts once."""

    loop: Loop
    made: list[Made] = field(default_factory=list)
    turns: int = 0

    async def converse(self, client: DynasparkClient, most: int | None = None) -> str:
        """The last text: of the first reply without a call, or of reply number `most`. Its calls are run, too."""
        messages, tools = list(_beginning(self.loop)), tuple(offered_by(self.loop))
        while True:
            reply = await client.complete(Chat(tuple(messages), tools=tools))
            self.turns += 1
            calls = tuple(_calls(reply))
            messages.append(Message("assistant", (reply.text,) if reply.text else (), tool_calls=calls))
            messages += [self._result(call) for call in calls]
            if not calls or self.turns == most:
                return reply.text

    def run(self, function: Function, arguments: Mapping[str, Any]) -> str:
        """What the tool says. Raises `ToolFailure` where it fails, also for arguments that do not fit."""
        try:
            given = arguments_of(function).model_validate(arguments)
        except ValidationError as exc:
            reasons = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in exc.errors())
            raise ToolFailure(f"The arguments are not valid: {reasons}") from exc
        self.made.append(Made(function.__name__, given.model_dump()))
        is_first = sum(call.name == function.__name__ for call in self.made) == 1
        if is_first and function.__name__ in self.loop.failures:
            raise ToolFailure(self.loop.failures[function.__name__])
        return function(**{name: getattr(given, name) for name in type(given).model_fields})

    def _result(self, call: ToolCall) -> Message:
        """The tool's answer to the call, in the words of LangChain's agents where there is no such tool."""
        functions = {function.__name__: function for function in self.loop.tools}
        if call.name not in functions:
            return _told(call, f"{call.name} is not a valid tool, try one of [{', '.join(functions)}].", "error")
        try:
            return _told(call, self.run(functions[call.name], call.arguments), "ok")
        except ToolFailure as exc:
            return _told(call, str(exc), "error")


@functools.cache
def arguments_of(function: Function) -> type[BaseModel]:
    """The tool's arguments as a model."""
    fields: dict[str, Any] = {
        name: (each.annotation, ... if each.default is each.empty else each.default)
        for name, each in inspect.signature(function).parameters.items()
    }
    return create_model(function.__name__, **fields)


def offered_by(loop: Loop) -> Iterator[Tool]:
    """The loop's tools, as a chat has them."""
    for function in loop.tools:
        yield Tool(function.__name__, str(function.__doc__), arguments_of(function).model_json_schema())


def _beginning(loop: Loop) -> Iterator[Message]:
    """The conversation up to the question."""
    if loop.system:
        yield Message("system", (loop.system,))
    for number, entry in enumerate(loop.history):
        if isinstance(entry, PastCall):
            name, identity = entry.function.__name__, f"past{number}"
            yield Message("assistant", tool_calls=(ToolCall(name, dict(entry.arguments), identity),))
            yield Message("tool", (entry.result,), name, tool_call_id=identity)
        else:
            yield Message(entry.role, (entry.text,))
    image = (Image(loop.image(), "picture.png", "image/png"),) if loop.image else ()
    yield Message("user", (loop.question, *image))


def _calls(reply: Reply) -> Iterator[ToolCall]:
    """The calls that an agent of a framework runs: also those whose name or arguments its tools refuse."""
    yield from reply.tool_calls
    for call in reply.invalid_tool_calls:
        if call.is_passed_on(checked=True):
            yield ToolCall(call.name or "", call.arguments or {}, call.id)


def _told(call: ToolCall, text: str, status: Literal["ok", "error"]) -> Message:
    return Message("tool", (text,), call.name, tool_call_id=call.id, status=status)

"""One loop while it runs: its tools note their calls, and the engine notes the model's steps."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from loops.definition import Function, Loop, ToolFailure
from loops.judge import Made

MAX_REQUESTS = 8
"""Requests that a loop may make, repairs included: the longest right one makes four."""
MAX_REPEATS = 3
"""A loop that makes one call this often is ended."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request: the prompt as it was sent, the reply as the model wrote it, and what it cost."""

    prompt: str
    reply: str
    prompt_tokens: int
    reply_tokens: int
    seconds: float


@dataclass(slots=True)
class Session:
    """`turns` are the model's replies as the agent got them: a reply that was asked for again counts once."""

    loop: Loop
    steps: list[Step] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    turns: int = 0

    @property
    def is_stuck(self) -> bool:
        """Whether no more requests are answered."""
        return len(self.steps) >= MAX_REQUESTS or any(self.made.count(call) >= MAX_REPEATS for call in self.made)

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

    def tool(self, function: Function) -> Callable[..., str]:
        """The tool as a function of keyword arguments, which notes its calls."""

        @functools.wraps(function)
        def noted(**arguments: Any) -> str:
            return self.run(function, arguments)

        return noted


@functools.cache
def arguments_of(function: Function) -> type[BaseModel]:
    """The tool's arguments as a model."""
    fields: dict[str, Any] = {
        name: (each.annotation, ... if each.default is each.empty else each.default)
        for name, each in inspect.signature(function).parameters.items()
    }
    return create_model(function.__name__, **fields)

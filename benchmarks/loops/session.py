"""One loop while it runs: its tools note their calls, and the engine notes the model's steps."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dynaspark_core.doctor.definition import Function
from dynaspark_core.doctor.running import Run

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
class Session(Run):
    """A run with what its requests cost."""

    steps: list[Step] = field(default_factory=list)

    @property
    def is_stuck(self) -> bool:
        """Whether no more requests are answered."""
        return len(self.steps) >= MAX_REQUESTS or any(self.made.count(call) >= MAX_REPEATS for call in self.made)

    def tool(self, function: Function) -> Callable[..., str]:
        """The tool as a function of keyword arguments, which notes its calls."""

        @functools.wraps(function)
        def noted(**arguments: Any) -> str:
            return self.run(function, arguments)

        return noted

"""A prompt read back as turns: the markers that our prompts carry, as `prompt.render` writes them. Pure text.

A prompt that does not have that form is one user turn: anybody may post any text to the service.
"""

import re
from dataclasses import dataclass

_FIRST, _OPEN = re.compile(r'(?:# Tools\n.*?\n)?(?=<turn role=")', re.DOTALL), '<turn role="assistant">'
_TURN = re.compile(r'<turn role="(system|user|assistant|tool)"(?: name="([^"]*)")?>(.*?)</turn>', re.DOTALL)
_ESCAPED = re.compile(r"&lt;(?=/?(?:tool_call|tool_result|tools|turn))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn: `role` is system, user, assistant or tool."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns so far, the `opening` that lists the tools, and the `closing` that comes after the turns."""

    turns: tuple[Turn, ...]
    opening: str = ""
    closing: str = ""


def read_conversation(prompt: str) -> Conversation:
    """The conversation that the prompt holds."""
    body = prompt.rstrip()
    opening = _FIRST.match(body)
    if opening is None or not body.endswith(_OPEN):
        return Conversation((Turn("user", prompt),))
    found = list(_TURN.finditer(body, opening.end()))
    end = found[-1].end() if found else opening.end()
    turns = tuple(_turn(*match.groups()) for match in found)
    return Conversation(turns, opening[0].strip(), body[end : -len(_OPEN)].strip())


def _turn(role: str, name: str | None, text: str) -> Turn:
    """The turn; a speaker's name is written before the text.

    What the caller wrote comes back as written. Turns of the assistant and of tools hold live markers of calls and
    results, so there the escaped ones stay escaped.
    """
    if role in {"system", "user"}:
        text = _ESCAPED.sub("<", text)
    return Turn(role, f"{name}: {text}" if name else text.strip("\n") if role == "tool" else text)

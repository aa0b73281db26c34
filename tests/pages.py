"""The documentation's programs: its blocks with the output that it shows, and the service that answers them."""

import json
import re
from typing import Any

from serving import listed_tools

from dynaspark_core.server import Asked, Script, call

RESULT = re.compile(r"<tool_result[^>]*>\n(.*?)\n</tool_result>", re.DOTALL)
SCHEMA = re.compile(r"^Reply with one JSON value.*\n(\{.*\})$", re.MULTILINE)
QUESTION = re.compile(r'<turn role="user">(.*?)</turn>', re.DOTALL)
BLOCK = re.compile(r"^( *)```python\n(.*?)^\1```$(?:\n\n\1```text\n(.*?)^\1```$)?", re.DOTALL | re.MULTILINE)
VALUES = {"age": 36, "city": "Oslo", "euros": 14.7, "name": "Ada"}
"""What the model writes for a member of a call or an object; `Anna` and 31, or `London`, where the question says so."""
ANSWERS = {
    "16.17 dollars": "The total is 16.17 dollars.",
    "Sunny in Oslo.": "It is sunny in Oslo.",
    "snow": "It snows in Oslo.",
    "Why is the sky blue?": "Air scatters blue light the most.",
    "capital of France": "Paris.",
    "capital of Norway": "Oslo.",
    "Is water wet?": "Yes.",
    "What is this?": "A receipt of the Corner Cafe.",
    "When does the library open?": "At nine.",
    "My name is Ada.": "Nice to meet you.",
    "What is my name?": "Your name is Ada.",
    "Write about the sea.": "The sea is wide, deep and old.",
    "Shorten this": "The sea is wide.",
    "about the sea": "The sea is wide.",
    "Name a colour.": "Blue.",
    "Hello": "Hello.",
    "Hi": "Hello.",
}
"""Words of a tool's result or a question → the answer. The first that is found counts."""


def answer(asked: Asked) -> Any:
    """A call of the offered tool, once; the object that is asked for; otherwise the answer to the question."""
    if (tools := listed_tools(asked.prompt)) and not RESULT.search(asked.prompt):
        return call(tools[0]["name"], **members(tools[0]["parameters"], asked.prompt))
    if form := SCHEMA.search(asked.prompt):
        return json.dumps(members(json.loads(form[1]), asked.prompt))
    said = (RESULT.findall(asked.prompt) or QUESTION.findall(asked.prompt) or [asked.prompt])[-1]
    if visitor := re.search(r"visitor \d", said):
        return f"Hello, {visitor[0]}!"
    if sum_ := re.search(r"What is (\d) \+ \1\?", said):
        return str(2 * int(sum_[1]))
    if found := [text for words, text in ANSWERS.items() if words in said]:
        return found[0]
    raise LookupError(f"no answer to {said}")


def members(schema: dict[str, Any], prompt: str) -> dict[str, Any]:
    named = {"name": "Anna", "age": 31} if "Anna" in prompt else {"city": "London"} if "London" in prompt else {}
    values = VALUES | named
    return {name: values[name] for name in schema.get("properties", {})}


def script() -> Script:
    """A service that knows what the pages ask; another question is an error."""
    return Script(answer)


def programs(text: str) -> list[tuple[str, str]]:
    """Each Python block with the output that is shown below it, which is empty if there is none."""
    return [(block, output) for _, block, output in BLOCK.findall(text)]


def commands(text: str) -> list[str]:
    """The lines of all `sh` blocks."""
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]

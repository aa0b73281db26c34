"""What tests share: a picture, and models of both frameworks with a service of their own."""

import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

from dynaspark_core.server import LocalService, Script
from langchain_dynaspark import ChatDynaspark
from llama_index_dynaspark import Dynaspark

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
"""A picture of one white pixel."""
Serve = Callable[..., tuple[ChatDynaspark, Script]]
"""What the fixture `served` is: answers, and settings of the model → the model and its service's script."""


MEMBER = re.compile(r'"([^"]+)": (\[[^\]]*\]|[^,(}]+)(?:\(([^)]*)\))?')
"""A member of a signature: its name, its type, and the notes on it."""


def listed_tools(prompt: str) -> list[dict[str, Any]]:
    """The tools that a prompt lists, as a model reads them: from JSON lines, or from signatures of simple types."""
    section = re.search(r"^# Tools\n(.*?)\nTo call a function", prompt, re.DOTALL)
    lines = [line.removeprefix("- ") for line in section[1].splitlines()[1:]] if section else []
    return [json.loads(line) if line[0] == "{" else _from_signature(line) for line in lines if line[0] != "<"]


def _from_signature(line: str) -> dict[str, Any]:
    head, _, signature = line.partition(" Arguments: ")
    name, _, description = head.partition(": ")
    members = {name: (kind.strip(), notes) for name, kind, notes in MEMBER.findall(signature)}
    properties = {name: _schema(kind) for name, (kind, _) in members.items()}
    required = [name for name, (_, notes) in members.items() if "optional" not in notes]
    parameters = {"type": "object", "properties": properties, "required": required}
    return {"name": name.removesuffix("."), "description": description, "parameters": parameters}


def _schema(kind: str) -> dict[str, Any]:
    if kind.startswith("["):
        return {"type": "array", "items": {"type": kind[1:].split(",", maxsplit=1)[0]}}
    return {"enum": [json.loads(each) for each in kind.split(" | ")]} if kind.startswith('"') else {"type": kind}


class Says(Script):
    """Gives the answers in `lines`, which a test may change."""

    def __init__(self) -> None:
        self.lines: deque[Any] = deque()
        super().__init__(lambda _: self.lines.popleft())


@asynccontextmanager
async def listening_app(app: web.Application) -> AsyncIterator[str]:
    """The URL of an application that runs on this machine inside this block; at its end, requests are cut off."""
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def dynaspark(answer: Any) -> Iterator[tuple[Dynaspark, Script]]:
    """LlamaIndex's model, and the script of its service, for this answer."""
    script = Script(answer)
    with LocalService(script) as service:
        yield Dynaspark(base_url=service.url, max_retries=0), script


WRITTEN = (
    "Oslo.",
    "<think>Hm.</think>Oslo.",
    'So: <tool_call>{"name": "add", "arguments": {"a": [1, {"b": null}]}}</tool_call>',
    '<tool_call>{"name": "nobody", "arguments": {}}</tool_call>',
    '<tool_call>{"name": "add", "arguments": </tool_call>',
)
"""Replies of each kind: text, reasoning, a call, one of an unknown tool, a broken one."""
ADD = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {"a": {}}}}}

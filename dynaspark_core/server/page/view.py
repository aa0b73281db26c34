"""The page as text: its template filled in, its headers, and how a question with a tool is written and read. Pure.

Everything that is filled in is escaped. The Content-Security-Policy names the page's one style and one script by their
hashes, and nothing else may load or run.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Chat, Image, Message, Reply, Tool
from dynaspark_core.prompt.render import render
from dynaspark_core.reply.reader import read_reply
from dynaspark_core.server.engines import Asked, RefusedError

_SLOT = re.compile(r"\{\{(\w+)\}\}")
_INLINE = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)

_SCHEMAS = ("parameters", "input_schema", "inputSchema")
"""Where a tool has its schema: OpenAI's, Anthropic's and MCP's form."""


@cache
def _template() -> str:
    return files(__package__).joinpath("page.html").read_text(encoding="utf-8")


@cache
def headers() -> Mapping[str, str]:
    """The headers of the page."""
    inline = {kind: hashlib.sha256(text.encode()).digest() for kind, text in _INLINE.findall(_template())}
    hashes = {kind: f"'sha256-{base64.b64encode(digest).decode()}'" for kind, digest in inline.items()}
    policy = (
        f"default-src 'none'; style-src {hashes['style']}; script-src {hashes['script']}; img-src blob: data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
    }


def fill(texts: Mapping[str, str], hidden: Mapping[str, bool]) -> str:
    """The page with these texts in it, escaped, and these parts hidden; a text that is not given is empty."""

    def filled(slot: re.Match[str]) -> str:
        part = slot[1].removesuffix("_hidden")
        if part != slot[1]:
            return "hidden" if hidden.get(part, True) else ""
        return html.escape(texts.get(slot[1], ""))

    return _SLOT.sub(filled, _template())


def with_tool(asked: Asked, written: str) -> tuple[Asked, tuple[Tool, ...]]:
    """The question as a client with this tool would ask it, and the tool. Raises `RefusedError` for no tool."""
    if not written.strip():
        return asked, ()
    try:
        value = json.loads(written)
        inner = value.get("function", value)
        schema = next((inner[name] for name in _SCHEMAS if inner.get(name)), {"type": "object"})
        tool = Tool(inner["name"], inner.get("description") or "", schema)
        image = Image(asked.file, asked.file_name or "image", asked.content_type or "") if asked.file else None
        parts = (asked.prompt,) if image is None else (image, asked.prompt)
        prompt = render(Chat((Message("user", parts),), tools=(tool,)))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, ConfigError) as exc:
        raise RefusedError(400, f"the tool is no JSON object with name and parameters: {exc}") from exc
    if not tool.name:
        raise RefusedError(400, "the tool is no JSON object with name and parameters: its name is empty")
    return replace(asked, prompt=prompt), (tool,)


def read_calls(text: str, tools: tuple[Tool, ...]) -> str:
    """What our reader makes of the answer, as indented JSON; "" where no tool was offered."""
    return json.dumps(_calls(read_reply(text, tools)), indent=2, ensure_ascii=False) if tools else ""


def _calls(reply: Reply) -> dict[str, object]:
    return {
        "calls": [{"name": call.name, "arguments": call.arguments} for call in reply.tool_calls],
        "refused": [{"reason": call.reason, "error": call.error, "raw": call.raw} for call in reply.invalid_tool_calls],
        "text": reply.text,
        **({"reasoning": reply.reasoning} if reply.reasoning else {}),
    }

"""MCP results as LlamaIndex's blocks: without it `McpToolSpec` gives a picture to the model as base64 text.

    tools = await McpToolSpec(BlocksClient(BasicMCPClient("server"))).to_tool_list_async()

It needs no package of MCP: it reads what the client's `call_tool` gives, in the names of `mcp` 1 and of 2.
"""

import base64
import json
from typing import Any

from llama_index.core.base.llms.types import AudioBlock, DocumentBlock, ImageBlock, TextBlock

Block = TextBlock | ImageBlock | AudioBlock | DocumentBlock


class BlocksClient:
    """An MCP client or session for `McpToolSpec`, whose `call_tool` and `read_resource` give blocks.

    Everything else is the client's. A result that the server marks as an error is raised as `ValueError` with its text,
    as tools of LlamaIndex do.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        if name == "_client" or name.startswith("__"):  # asked of a copy that is being made
            raise AttributeError(name)
        return getattr(self._client, name)

    async def call_tool(self, *args: Any, **kwargs: Any) -> list[Block]:
        """The blocks of the tool's result, in order; where there are none, its structured content as JSON."""
        result = await self._client.call_tool(*args, **kwargs)
        blocks = [_block(item) for item in result.content]
        if _fact(result, "is_error", "isError"):
            texts = [block.text for block in blocks if isinstance(block, TextBlock)]
            raise ValueError("\n".join(texts) or "the tool failed and did not say why")
        value = _fact(result, "structured_content", "structuredContent")
        return blocks or ([] if value is None else [TextBlock(text=json.dumps(value, ensure_ascii=False))])

    async def read_resource(self, *args: Any, **kwargs: Any) -> list[Block]:
        """The blocks of a resource, which `McpToolSpec` makes a tool with `include_resources`."""
        result = await self._client.read_resource(*args, **kwargs)
        return [_resource(each) for each in result.contents]


def _fact(item: Any, name: str, name_in_mcp_1: str) -> Any:
    found = getattr(item, name, None)
    return getattr(item, name_in_mcp_1, None) if found is None else found


def _mime_type(item: Any) -> str | None:
    found: str | None = _fact(item, "mime_type", "mimeType")
    return found


def _block(item: Any) -> Block:
    """One content item of MCP (2025-06-18: text, image, audio, resource_link, resource) as a block."""
    kind = getattr(item, "type", "")
    if kind == "text":
        return TextBlock(text=item.text)
    if kind == "image":
        return ImageBlock(image=base64.b64decode(item.data), image_mimetype=_mime_type(item))
    if kind == "audio":
        return AudioBlock(audio=base64.b64decode(item.data), format=(_mime_type(item) or "").rpartition("/")[2])
    if kind == "resource_link":
        return DocumentBlock(url=str(item.uri), title=item.name, document_mimetype=_mime_type(item))
    if kind == "resource":
        return _resource(item.resource)
    return TextBlock(text=str(item))


def _resource(resource: Any) -> Block:
    text = getattr(resource, "text", None)
    if text is not None:
        return TextBlock(text=text)
    data, kind, title = (
        base64.b64decode(resource.blob),
        _mime_type(resource) or "",
        str(resource.uri).rpartition("/")[2],
    )
    if kind.startswith("image/"):
        return ImageBlock(image=data, image_mimetype=kind)
    encoded = base64.b64encode(data)  # a document of one word looks like base64, and would be decoded
    return DocumentBlock(data=encoded, title=title, document_mimetype=kind or None)

"""Results of tools in a user's content, as providers write them → Anthropic's block. `blocks` reads what is in it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dynaspark_core.content.image_refs import Block


def result_block(block: Block) -> Block | None:
    """The `tool_result` block that this one means, also within LangChain's `non_standard`; None for any other."""
    kind = block.get("type")
    if kind == "non_standard":
        value = block.get("value")
        return result_block(value) if isinstance(value, Mapping) and value.get("type") != kind else None
    if kind == "tool_result":
        return block
    if kind in _OUTPUTS:
        return _of_openai(block)
    key = next((key for key in _WRAPPED if isinstance(block.get(key), Mapping)), None) if kind in _KINDS else None
    return None if key is None else _WRAPPED[key](block[key])


def _result(call_id: object, content: Any, *, is_error: bool = False, name: object = None) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, "is_error": is_error, "name": name}


def _of_openai(block: Block) -> Block:
    return _result(block.get("call_id"), block.get("output"))


def _of_bedrock(block: Block) -> Block:
    return _result(block.get("toolUseId"), block.get("content"), is_error=block.get("status") == "error")


def _of_google(block: Block) -> Block:
    response, parts = block.get("response"), block.get("parts")
    told = [{"json": response}] if response is not None else []
    media = list(parts) if isinstance(parts, Sequence) and not isinstance(parts, str) else []
    is_error = isinstance(response, Mapping) and response.keys() == {"error"}
    return _result(block.get("id"), told + media, is_error=is_error, name=block.get("name"))


_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_WRAPPED: Mapping[str, Callable[[Block], Block]] = {
    "toolResult": _of_bedrock,
    "functionResponse": _of_google,
    "function_response": _of_google,
}
"""The only key of a block → what reads its value."""
_KINDS = (None, *_WRAPPED)

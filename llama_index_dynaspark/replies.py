"""Our reply and events → LlamaIndex's responses. `messages.FATES` says what becomes of refused calls.

LlamaIndex has no place for invalid calls. A call that could be read goes on to the agent, whose error the model can
use; of any other the text says that it was not made, so that nothing is lost and nothing runs that was not meant.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from dynaspark_core import Chat, Done, InvalidToolCall, ReasoningDelta, Reply, TextDelta, ToolCall, Usage
from dynaspark_core.errors import ToolCallError
from dynaspark_core.messages import Event
from dynaspark_core.messages.making import model_maker
from dynaspark_core.prompt.markers import escape

Call = ToolCall | InvalidToolCall


_block = model_maker(TextBlock(text=" "), "text")
_message = model_maker(
    ChatMessage(role=MessageRole.ASSISTANT, blocks=[], additional_kwargs={}), "blocks", "additional_kwargs"
)
_piece = model_maker(
    ChatResponse(message=ChatMessage(), delta="", additional_kwargs={}), "message", "delta", "additional_kwargs"
)
_whole = model_maker(
    ChatResponse(message=ChatMessage(), raw={}, additional_kwargs={}), "message", "raw", "additional_kwargs"
)
_completion = model_maker(
    CompletionResponse(text=" ", additional_kwargs={}, raw={}), "text", "additional_kwargs", "raw"
)


class Responses:
    """The responses to one chat: `feed` every event of its answer. Texts are cumulative, messages are never shared."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._text = self._reasoning = ""
        self._calls: list[Call] = []

    def feed(self, event: Event) -> ChatResponse | None:
        """What this event shows, if anything. Raises `ToolCallError` if a call was required and none can run."""
        if isinstance(event, TextDelta):
            self._text += event.text
            return self._so_far(event.text)
        if isinstance(event, ReasoningDelta):
            self._reasoning += event.text
            return self._so_far("", thinking_delta=event.text)
        if isinstance(event, ToolCall):
            self._calls.append(event)
            return self._so_far("")
        return self._last(event.reply) if isinstance(event, Done) else None

    def _last(self, reply: Reply) -> ChatResponse:
        last = response(self._chat, reply)
        last.delta = (last.message.content or "").removeprefix(self._text)
        if rest := reply.reasoning.removeprefix(self._reasoning):
            last.additional_kwargs["thinking_delta"] = rest
        return last

    def _so_far(self, delta: str, **thinking: str) -> ChatResponse:
        return _piece(message(self._text, self._calls, self._reasoning), delta, thinking)


def response(chat: Chat, reply: Reply) -> ChatResponse:
    """The whole reply."""
    text, calls = _said(chat, reply)
    counts = _usage(reply.usage)
    return _whole(message(text, calls, reply.reasoning), _raw(reply, counts), {**counts})


def completion(chat: Chat, reply: Reply) -> CompletionResponse:
    """The whole reply of a completion, as LlamaIndex makes it of the response to a chat."""
    text, calls = _said(chat, reply)
    counts = _usage(reply.usage)
    known = {**_known_calls(calls), **counts} if calls else {**counts}
    return _completion(text, known, _raw(reply, counts))


def _said(chat: Chat, reply: Reply) -> tuple[str, list[Call]]:
    """The text, with what was not made, and the calls. Raises `ToolCallError` for a required call that did not come."""
    calls = _running(chat, reply)
    unmade = _unmade(chat, reply, calls) if reply.invalid_tool_calls else ""
    if not calls and chat.tools and chat.tool_choice not in {"auto", "none"}:
        raise ToolCallError(
            f"a tool call was required, but none of the model's calls can run: {unmade}",
            text=reply.text,
        )
    if reply.finish_reason == "malformed_tool_call":  # the text says already that they were not made, and why
        unmade = "\n".join(f"[It was written: {escape(call.raw)}]" for call in reply.invalid_tool_calls if call.raw)
    return f"{reply.text}\n\n{unmade}" if reply.text and unmade else reply.text or unmade, calls


def message(text: str, calls: Sequence[Call] = (), reasoning: str = "") -> ChatMessage:
    """The assistant's message; calls as blocks, and as dictionaries where LlamaIndex still looks for them."""
    thoughts = [ThinkingBlock(content=reasoning)] if reasoning else []
    if not calls:
        return _message([*thoughts, _block(text)], {})
    blocks = [
        ToolCallBlock(tool_call_id=call.id, tool_name=call.name or "", tool_kwargs=dict(call.arguments or {}))
        for call in calls
    ]
    texts = [_block(text)] if text else []
    return _message([*thoughts, *texts, *blocks], _known_calls(calls))


def _known_calls(calls: Sequence[Call]) -> dict[str, Any]:
    return {"tool_calls": [_as_openai(call) for call in calls]}


def _as_openai(call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments, ensure_ascii=False)}
    return {"id": call.id, "type": "function", "function": function}


def _running(chat: Chat, reply: Reply) -> list[Call]:
    """The calls that go on: those that may run, then those that were read and whose error the model can use."""
    calls: list[Call] = [*reply.tool_calls]
    if reply.invalid_tool_calls:
        calls += [call for call in reply.invalid_tool_calls if call.is_passed_on(checked=False)]
    return calls if chat.parallel_tool_calls else calls[:1]


def _unmade(chat: Chat, reply: Reply, calls: Sequence[Call]) -> str:
    """What the text says of calls that do not go on; nothing of those beyond the one that was allowed."""
    is_single = bool(calls) and not chat.parallel_tool_calls
    lost = [call for call in reply.invalid_tool_calls if call not in calls and not is_single]
    return "\n".join(
        f"[A call{f' of {call.name}' if call.name else ''} was not made ({call.reason}: {call.error}). "
        f"It was written: {escape(call.raw)}]"
        for call in lost
    )


def _raw(reply: Reply, counts: dict[str, Any]) -> dict[str, Any]:
    """The reply as a dictionary that JSON can hold, with every call that did not run."""
    raw: dict[str, Any] = {"response": reply.text, "model": reply.model, "usage": counts}
    if reply.reasoning:
        raw["reasoning"] = reply.reasoning
    if reply.repairs:
        raw["repairs"] = reply.repairs
    if reply.finish_reason == "malformed_tool_call":
        raw["finish_reason"] = reply.finish_reason
    if reply.invalid_tool_calls:
        raw["invalid_tool_calls"] = [asdict(call) for call in reply.invalid_tool_calls]
    return raw


def _usage(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    counts = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    return {**counts, "estimated": True} if usage.estimated else counts

"""Our reply and our events → LangChain's messages and chunks. A call is one whole chunk: LangChain completes half ones.

Calls of unknown tools and calls with wrong arguments are passed on in `tool_calls`: LangChain's tool node answers them
with an error that the model can use, while agents end on a message that has `invalid_tool_calls` only.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from dynaspark_core import Done, Event, InvalidToolCall, ReasoningDelta, Reply, TextDelta, ToolCall, Usage
from dynaspark_core.messages.making import model_maker

PROVIDER = "dynaspark"
NO_JSON = "<tool_call>\n"


_whole = AIMessage(content=" ")
_piece = AIMessageChunk(content=" ")
_text = type(_piece.text)
"""LangChain's kind of text, that of a message."""
_message_of = model_maker(
    _whole, "content", "additional_kwargs", "response_metadata", "usage_metadata", "tool_calls", "invalid_tool_calls"
)
_generation_of = model_maker(ChatGeneration(message=_whole), "text", "message")
_result_of = model_maker(ChatResult(generations=[]), "generations")
_text_message = model_maker(_piece, "content")
_text_chunk = model_maker(ChatGenerationChunk(message=_piece), "text", "message")


def result(reply: Reply, model: str) -> ChatResult:
    """The whole reply as one message; `model` is the name that went out."""
    made = message(reply, model)
    return _result_of([_generation_of(_text(reply.text), made)])


def message(reply: Reply, model: str) -> AIMessage:
    """The whole reply as one message; `model` is the name that went out."""
    calls = (*reply.tool_calls, *_passed_on(reply))
    return _message_of(
        reply.text,
        _thought(reply.reasoning) if reply.reasoning else {},
        _metadata(reply, model),
        _usage(reply.usage),
        [tool_call(name=call.name, args=call.arguments, id=call.id) for call in calls],
        [invalid_tool_call(**_written(call), error=call.error or call.reason) for call in _refused(reply)],
    )


class Chunks:
    """The events of one reply, as chunks that add up to its message. Every content block has its own index."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._index = 0
        """Of the next block: LangChain numbers text and reasoning anew where one follows the other."""
        self._kind = ""

    def of(self, event: Event) -> list[ChatGenerationChunk]:
        """The chunks for the next event; none for a call that must not run, which `Done` brings again."""
        if isinstance(event, TextDelta):
            self._begin("text")
            text = event.text
            return [_text_chunk(_text(text), _text_message(text))]
        return [ChatGenerationChunk(message=message) for message in self._messages(event)]

    def _messages(self, event: Event) -> Iterator[AIMessageChunk]:
        if isinstance(event, ReasoningDelta):
            self._begin("reasoning")
            yield AIMessageChunk(content="", additional_kwargs=_thought(event.text))
        elif isinstance(event, ToolCall):
            yield AIMessageChunk(content="", tool_call_chunks=[self._whole(event)])
        elif isinstance(event, Done):
            yield from self._end(event.reply)

    def _begin(self, kind: str) -> None:
        if kind != self._kind:
            self._kind = kind
            self._index += 1

    def _end(self, reply: Reply) -> Iterator[AIMessageChunk]:
        """The calls that are left, in a chunk before the last: in the last one, LangChain's events pass over them."""
        left = [self._whole(call) for call in _passed_on(reply)]
        left += [self._chunk(**_written(call)) for call in _refused(reply)]
        if left:
            yield AIMessageChunk(content="", tool_call_chunks=left)
        yield AIMessageChunk(
            content="",
            chunk_position="last",
            response_metadata=_metadata(reply, self._model),
            usage_metadata=_usage(reply.usage),
        )

    def _whole(self, call: ToolCall) -> ToolCallChunk:
        return self._chunk(call.name, json.dumps(call.arguments, ensure_ascii=False), call.id)

    def _chunk(self, name: str | None, args: str, id: str) -> ToolCallChunk:  # noqa: A002  # LangChain's names
        self._index += 1
        return tool_call_chunk(name=name, args=args, id=id, index=self._index - 1)


def events(reply: Reply) -> Iterator[Event]:
    """The events of a reply that came as a whole."""
    if reply.reasoning:
        yield ReasoningDelta(reply.reasoning)
    if reply.text:
        yield TextDelta(reply.text)
    yield from reply.tool_calls
    yield Done(reply)


def _thought(text: str) -> dict[str, str]:
    """Reasoning where LangChain looks for it to make its `reasoning` block."""
    return {"reasoning_content": text}


def _passed_on(reply: Reply) -> Sequence[ToolCall]:
    if not reply.invalid_tool_calls:
        return ()
    passed_on = [call for call in reply.invalid_tool_calls if call.is_passed_on(checked=True)]
    return [ToolCall(call.name or "", call.arguments or {}, call.id) for call in passed_on]


def _refused(reply: Reply) -> Sequence[InvalidToolCall]:
    return reply.invalid_tool_calls and [
        call for call in reply.invalid_tool_calls if not call.is_passed_on(checked=True)
    ]


def _written(call: InvalidToolCall) -> dict[str, Any]:
    return {"name": call.name, "args": marked(call.raw), "id": call.id}


def marked(raw: str) -> str:
    """The text of a call that must not run, behind a mark with which no JSON begins.

    LangChain completes cut JSON in chunks to arguments, and then the call would run.
    """
    return f"{NO_JSON}{raw}"


def _metadata(reply: Reply, model: str) -> dict[str, Any]:
    has_calls = bool(reply.tool_calls or _passed_on(reply))
    metadata: dict[str, Any] = {
        "model_name": reply.model or model,
        "model_provider": PROVIDER,
        "finish_reason": "tool_calls" if has_calls else reply.finish_reason,
    }
    if reply.repairs:
        metadata["repairs"] = reply.repairs
    return metadata


def _usage(usage: Usage | None) -> UsageMetadata | None:
    """What the service counted; nothing for our own estimate."""
    if usage is None or usage.estimated:
        return None
    return UsageMetadata(
        input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, total_tokens=usage.total_tokens
    )

"""A service that costs next to nothing: constant answers in Dynaspark's, OpenAI's, Anthropic's and Ollama's form.

`python benchmarks/service.py` prints its port and ends when its standard input does. It reads a request only as far as
it needs to know where it ends, so that a measured client is what takes the time. It speaks no more HTTP than that.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from functools import cache

ANSWER = "The quick brown fox jumps over the lazy dog, and then it rests for a while in the shade of an old tree."
CALL = '<tool_call>\n{"name": "get_weather_0", "arguments": {"city": "Oslo"}}\n</tool_call>'
PIECE = "a few words "
DELAY = 0.1
"""Seconds that `/slow` takes."""
GAP = 0.001
"""Seconds between two pieces of a stream: long enough that each is read by itself."""
MODEL = "gpt-4o-mini"
USAGE = {"prompt_tokens": 12, "completion_tokens": 24, "total_tokens": 36}
MAX_KEPT_BYTES = 65536

Response = tuple[str, list[bytes]]
"""A content type and the body's pieces."""


def _dynaspark(text: str) -> Response:
    return "application/json", [json.dumps({"response": text, "model": "gemini-1.5-flash", "usage": USAGE}).encode()]


def _json_pieces(count: int) -> Response:
    return "application/json", [b'{"response": "', *([PIECE.encode()] * count), b'"}']


def _sse(lines: Iterator[object]) -> list[bytes]:
    return [f"data: {line if isinstance(line, str) else json.dumps(line)}\n\n".encode() for line in lines]


def _events(count: int) -> Response:
    def lines() -> Iterator[object]:
        yield from ({"response": PIECE} for _ in range(count))
        yield "[DONE]"

    return "text/event-stream", _sse(lines())


def _openai(count: int) -> Response:
    known = {"id": "c", "created": 1, "model": MODEL}
    if not count:
        choice = {"index": 0, "message": {"role": "assistant", "content": ANSWER}, "finish_reason": "stop"}
        whole = known | {"object": "chat.completion", "choices": [choice], "usage": USAGE}
        return "application/json", [json.dumps(whole).encode()]

    def lines() -> Iterator[object]:
        for index in range(count):
            delta = {"content": PIECE} | ({} if index else {"role": "assistant"})
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            yield known | {"object": "chat.completion.chunk", "choices": [choice]}
        ended = {"index": 0, "delta": {}, "finish_reason": "stop"}
        yield known | {"object": "chat.completion.chunk", "choices": [ended]}
        yield "[DONE]"

    return "text/event-stream", _sse(lines())


def _anthropic(count: int) -> Response:
    usage = {"input_tokens": 12, "output_tokens": 24}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "any", "stop_sequence": None}
    if not count:
        content = [{"type": "text", "text": ANSWER}]
        whole = message | {"content": content, "stop_reason": "end_turn", "usage": usage}
        return "application/json", [json.dumps(whole).encode()]
    begun: dict[str, object] = message | {"content": [], "stop_reason": None, "usage": usage}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": PIECE}}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *([delta] * count),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 24}},
        {"type": "message_stop"},
    ]
    return "text/event-stream", [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def _ollama(count: int) -> Response:
    known = {"model": "m", "created_at": "2024-01-01T00:00:00Z"}
    counts = {"total_duration": 1, "prompt_eval_count": 12, "eval_count": 24, "done_reason": "stop", "done": True}
    if not count:
        whole = known | {"message": {"role": "assistant", "content": ANSWER}} | counts
        return "application/json", [json.dumps(whole).encode()]
    piece = known | {"message": {"role": "assistant", "content": PIECE}, "done": False}
    last = known | {"message": {"role": "assistant", "content": ""}} | counts
    return "application/x-ndjson", [json.dumps(line).encode() + b"\n" for line in [*([piece] * count), last]]


def _openai_call() -> Response:
    function = {"name": "get_weather_0", "arguments": '{"city": "Oslo"}'}
    message = {"role": "assistant", "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    whole = {"id": "c", "created": 1, "model": MODEL, "object": "chat.completion", "choices": [choice], "usage": USAGE}
    return "application/json", [json.dumps(whole).encode()]


def _anthropic_call() -> Response:
    content = [{"type": "tool_use", "id": "call_1", "name": "get_weather_0", "input": {"city": "Oslo"}}]
    message = {"id": "m", "type": "message", "role": "assistant", "model": "any", "stop_sequence": None}
    ended = {"content": content, "stop_reason": "tool_use", "usage": {"input_tokens": 12, "output_tokens": 24}}
    return "application/json", [json.dumps({**message, **ended}).encode()]


def _ollama_call() -> Response:
    function = {"name": "get_weather_0", "arguments": {"city": "Oslo"}}
    message = {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}
    counts = {"prompt_eval_count": 12, "eval_count": 24, "done_reason": "stop", "done": True}
    line = {"model": "m", "created_at": "2024-01-01T00:00:00Z", "message": message} | counts
    return "application/x-ndjson", [json.dumps(line).encode() + b"\n"]


CALLS: dict[str, Callable[[], Response]] = {
    "generate_response": lambda: _dynaspark(CALL),
    "chat/completions": _openai_call,
    "v1/messages": _anthropic_call,
    "api/chat": _ollama_call,
}
"""Answers that are a call of a tool, where the path says `agent`."""
PATHS: dict[str, Callable[[int], Response]] = {
    "generate_response": lambda _: _dynaspark(ANSWER),
    "json": _json_pieces,
    "events": _events,
    "long": lambda count: _dynaspark("The quick brown fox. " * (count // 21)),
    "chat/completions": _openai,
    "v1/messages": _anthropic,
    "api/chat": _ollama,
}
"""Answers by the end of the path; what stands before it may say `slow`, `agent`, how many pieces: `/200/json`."""
PEERS = {"chat/completions", "v1/messages", "api/chat"}


def _streams(body: bytes) -> bool:
    return b'"stream":true' in body or b'"stream": true' in body


@cache
def answer(path: str, *, is_stream: bool) -> tuple[list[bytes], float]:
    """What goes out, in pieces, for a path and its kind of request, and the seconds before the first."""
    name = next(name for name in PATHS if path.endswith(name))
    words = path.removesuffix(name).split("/")
    count = next((int(word) for word in words if word.isdigit()), 0)
    kind, pieces = CALLS[name]() if "agent" in words else PATHS[name](count if is_stream or name not in PEERS else 0)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n"
    delay = DELAY if "slow" in words else 0
    if len(pieces) == 1:
        return [f"{head}Content-Length: {len(pieces[0])}\r\n\r\n".encode() + pieces[0]], delay
    chunks = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    chunks[-1] += b"0\r\n\r\n"
    return [f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), *chunks], delay


class Connection(asyncio.Protocol):
    """One connection: finds where a request ends and writes its answer, piece by piece if it has several."""

    opened = received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # it is TCP
        Connection.opened += 1
        self._transport = transport
        self._head = b""
        self._body: list[bytes] = []
        self._left = 0
        self._loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        if not self._left:
            head, end, rest = (self._head + data).partition(b"\r\n\r\n")
            self._head = head + end
            if not end:
                return
            self._left, data = self._length(head), rest
        self._left -= len(data)
        Connection.received += len(data)
        if sum(map(len, self._body)) < MAX_KEPT_BYTES:
            self._body.append(data)
        if not self._left:
            self._answer()

    @staticmethod
    def _length(head: bytes) -> int:
        _, _, rest = head.lower().partition(b"content-length:")
        return int(rest.partition(b"\r\n")[0] or 0)

    def _answer(self) -> None:
        path = self._head.split(b" ", 2)[1].partition(b"?")[0].decode()
        body = b"".join(self._body)
        self._head, self._body = b"", []
        if path in {"/opened", "/received"}:
            text = str(getattr(Connection, path[1:])).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            return
        pieces, delay = answer(path, is_stream=_streams(body))
        if len(pieces) == 1 and not delay:
            self._transport.write(pieces[0])
        else:
            self._loop.call_later(delay, self._write, iter(pieces))

    def _write(self, pieces: Iterator[bytes]) -> None:
        if (piece := next(pieces, None)) is not None and not self._transport.is_closing():
            self._transport.write(piece)
            self._loop.call_later(GAP, self._write, pieces)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())

"""The public chat-completions format: the body of a request, and readers of what comes back. Pure: bytes and values.

A reader takes bytes by `feed` and gives the text in them, however they were cut; `close` gives what is left, and raises
where the answer has no end. A model's reasoning, where an endpoint sends it apart from the answer, is not the answer.
"""

import json
from typing import Final

import pybase64

from dynaspark_core.errors import printable
from dynaspark_core.messages import Usage
from dynaspark_core.server.engines import Asked

MAX_LINE_BYTES: Final = 1 << 20
"""Longest line of a stream, in bytes: one piece of text with its frame."""
MAX_DOCUMENT_BYTES: Final = 16 << 20
"""Longest answer in one document, in bytes."""
_SPOKEN = ("text", "refusal")
"""The types of a content's parts that are the answer, and the names of their text; others are a model's reasoning."""


class UpstreamError(Exception):
    """What came is no chat completion, or says that there will be none; `status` is the HTTP status it stands for."""

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.status = status


def request_body(asked: Asked, model: str, *, counts: bool) -> bytes:
    """The JSON body that asks the model: one user message, the file as an image in it; the answer in pieces.

    With `counts` the token counts are asked for, too; a few endpoints refuse the field for it.
    """
    content: object = asked.prompt
    if asked.file is not None:
        url = f"data:{asked.content_type};base64,{pybase64.b64encode(asked.file).decode()}"
        content = [{"type": "text", "text": asked.prompt}, {"type": "image_url", "image_url": {"url": url}}]
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": True}
    options = {"stream_options": {"include_usage": True}} if counts else {}
    return json.dumps(body | options, ensure_ascii=False).encode()


class Reader:
    """What is common to both readers: `model`, `usage` and `finish_reason` as the answer told them so far.

    `has_begun` says whether anything of the answer was there, `is_finished` that nothing more of it comes.
    """

    def __init__(self) -> None:
        self.model, self.finish_reason = "", ""
        self.usage: Usage | None = None
        self.has_begun = self.is_finished = False
        self._held = bytearray()

    def feed(self, block: bytes) -> str:
        """The text that is complete with this block. Raises `UpstreamError`."""
        raise NotImplementedError

    def close(self) -> str:
        """The rest of the text, after the last block. Raises `UpstreamError`."""
        raise NotImplementedError

    def _take(self, chunk: object, part: str) -> str:
        """The text of one object; `part` is where its first choice has it."""
        if not isinstance(chunk, dict):
            raise UpstreamError("answered JSON that is no chat completion")
        if chunk.get("error"):
            raise UpstreamError(f"failed: {_message(chunk)}", _code(chunk["error"]))
        choices = chunk.get("choices")
        if not isinstance(choices, list) and "usage" not in chunk:
            raise UpstreamError(f"answered JSON that is no chat completion: {printable(_message(chunk))}", _code(chunk))
        self.has_begun = True
        self.model = _text(chunk.get("model")) or self.model
        self.usage = _usage(chunk.get("usage")) or self.usage
        choice = _fields(choices[0] if isinstance(choices, list) and choices else None)
        self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        return _content_text(_fields(choice.get(part)))

    def _hold(self, block: bytes, limit: int) -> None:
        self._held += block
        if len(self._held) > limit:
            raise UpstreamError(f"sent more than {limit} bytes without an end")


class Events(Reader):
    """Reads server-sent events, one `data:` line each, up to `[DONE]`."""

    def feed(self, block: bytes) -> str:
        begun, newline, rest = block.rpartition(b"\n")
        if not newline:
            self._hold(block, MAX_LINE_BYTES)
            return ""
        lines = bytes(self._held + begun).split(b"\n")
        self._held.clear()
        self._hold(rest, MAX_LINE_BYTES)
        return "".join(self._line(line) for line in lines)

    def close(self) -> str:
        text = self._line(bytes(self._held))
        if not self.has_begun or not (self.is_finished or self.finish_reason):
            raise UpstreamError("ended its answer early")
        return text

    def _line(self, line: bytes) -> str:
        name, _, value = line.strip().partition(b":")
        if name != b"data" or self.is_finished:
            return ""
        self.is_finished = value.strip() == b"[DONE]"
        return "" if self.is_finished else self._take(_parsed(value), "delta")


class Document(Reader):
    """Reads one JSON document, for endpoints that do not stream."""

    def feed(self, block: bytes) -> str:
        self._hold(block, MAX_DOCUMENT_BYTES)
        return ""

    def close(self) -> str:
        text = self._take(_parsed(bytes(self._held)), "message")
        if not self.finish_reason:
            raise UpstreamError("answered JSON that is no chat completion")
        return text


_READERS = {"text/event-stream": Events, "application/json": Document}


def reader_for(content_type: str) -> Reader:
    """A new reader of this content type. Raises `UpstreamError` for one that no chat completion has."""
    if content_type not in _READERS:
        raise UpstreamError(f"answered {printable(content_type)} instead of a chat completion")
    return _READERS[content_type]()


def error_message(body: bytes) -> str:
    """The message of an error's body, in whichever shape; at most 1,000 printable characters."""
    try:
        return printable(_message(json.loads(body)))
    except (ValueError, RecursionError):
        text = body.decode(errors="replace").strip()
        return "an HTML page" if text.startswith("<") else printable(text)


def _message(value: object) -> str:
    """The innermost text of `{"error": {"message": "…"}}`, `{"error": "…"}`, `{"detail": [{"msg": "…"}]}` and so on."""
    while not isinstance(value, str):
        inner = _fields(value[0] if isinstance(value, list) and value else value)
        found = next((inner[name] for name in ("error", "message", "detail", "msg") if inner.get(name)), None)
        if found is None:
            return json.dumps(value, ensure_ascii=False)
        value = found
    return value


def _code(error: object) -> int:
    """The HTTP status in an error that came inside a stream; 502 if it has none."""
    code = _fields(error).get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 502


def _parsed(value: bytes) -> object:
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError) as exc:
        raise UpstreamError("sent something that is not JSON where its answer should be") from exc
    return parsed


def _fields(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _content_text(message: dict[str, object]) -> str:
    """The text of a message or a piece of one: its content, whole or in parts, or the refusal instead."""
    content = message.get("content")
    whole = {"type": "text", "text": content or message.get("refusal")}
    parts = map(_fields, content if isinstance(content, list) else [whole])
    return "".join(_text(part.get(kind)) for part in parts for kind in _SPOKEN if part.get("type") == kind)


def _text(value: object) -> str:
    """The text, without halves of characters; "" for anything else."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _usage(value: object) -> Usage | None:
    match value:
        case {"prompt_tokens": int(prompt), "completion_tokens": int(completion), "total_tokens": int(total)}:
            return Usage(prompt, completion, total)
        case _:
            return None

"""The public chat-completions format: the body of a request, and readers of what comes back. Pure: bytes and values.

A reader takes bytes by `feed` and gives the text in them, however they were cut; `close` gives what is left, and raises
where the answer has no end. A model's reasoning, where an endpoint sends it apart from the answer, is not the answer.
"""

import codecs
import json
from collections.abc import Mapping
from typing import Final

import pybase64

from dynaspark_core.errors import printable
from dynaspark_core.messages import Usage
from dynaspark_core.server.engines import Asked
from dynaspark_core.server.local import phrasing
from dynaspark_core.server.local.request_kind import FreeText
from dynaspark_core.server.local.turns import Turn, read_conversation

MAX_LINE_BYTES: Final = 1 << 20
"""Longest line of a stream, in bytes: one piece of text with its frame."""
MAX_DOCUMENT_BYTES: Final = 16 << 20
"""Longest answer in one document, in bytes."""
_MARK = codecs.BOM_UTF8
"""May lead a stream."""
_SPOKEN = ("text", "refusal")
"""The types of a content's parts that are the answer, and the names of their text; others are a model's reasoning."""


class UpstreamError(Exception):
    """What came is no chat completion, or says that there will be none; `status` is the HTTP status it stands for."""

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.status = status


def request_body(asked: Asked, model: str, options: Mapping[str, object], *, has_roles: bool) -> bytes:
    """The JSON body that asks the model, with these `options` beside the messages; the answer in pieces.

    The prompt is one user message, and the file an image in it. With `has_roles` the prompt's turns are messages of
    their own; results of tools, and the rules for the answer at the end, are the user's.
    """
    turns: tuple[Turn, ...] = (Turn("user", asked.prompt),)
    if has_roles:
        turns = phrasing.phrase(read_conversation(asked.prompt), FreeText(), "").messages
    messages: list[dict[str, object]] = [{"role": turn.role, "content": turn.text} for turn in turns]
    if asked.file is not None:
        url = f"data:{asked.content_type};base64,{pybase64.b64encode(asked.file).decode()}"
        text = {"type": "text", "text": turns[-1].text}
        messages[-1]["content"] = [text, {"type": "image_url", "image_url": {"url": url}}]
    if asked.system:
        messages.insert(0, {"role": "system", "content": asked.system})
    body = {"model": model, "messages": messages, "stream": True, **options, **asked.sampling}
    if asked.wants_json:
        body["response_format"] = {"type": "json_object"}
    return json.dumps(body, ensure_ascii=False).encode()


def model_names(body: bytes) -> tuple[str, ...]:
    """The names in an endpoint's list of models. Raises `UpstreamError`."""
    entries = _fields(_parsed(body)).get("data")
    if not isinstance(entries, list):
        raise UpstreamError("did not answer with a list of models")
    return tuple(filter(None, (_text(_fields(entry).get("id")) for entry in entries)))


class Reader:
    """What is common to both readers: `model`, `usage` and `finish_reason` as the answer told them so far.

    `has_begun` says whether anything of the answer was there, `is_finished` that nothing more of it comes.
    """

    def __init__(self) -> None:
        self.model, self.finish_reason = "", ""
        self.usage: Usage | None = None
        self.has_begun = self.is_finished = False
        self._held = bytearray()
        self._half = ""

    def feed(self, block: bytes) -> str:
        """The text that is complete with this block. Raises `UpstreamError`."""
        raise NotImplementedError

    def close(self) -> str:
        """The rest of the text, after the last block. Raises `UpstreamError`."""
        raise NotImplementedError

    def _take(self, chunk: object, part: str) -> str:
        """The text of one object; `part` is where its first choice has it."""
        if not isinstance(chunk, dict):
            raise UpstreamError("answered JSON that is not a completion")
        if chunk.get("error"):
            raise UpstreamError(f"failed: {_message(chunk)}", _code(chunk["error"]))
        choices = chunk.get("choices")
        if not isinstance(choices, list) and "usage" not in chunk:
            raise UpstreamError(f"answered JSON that is not a completion: {printable(_message(chunk))}", _code(chunk))
        self.has_begun = True
        self.model = _text(chunk.get("model")) or self.model
        self.usage = _usage(chunk.get("usage")) or self.usage
        choice = _fields(choices[0] if isinstance(choices, list) and choices else None)
        self.finish_reason = _text(choice.get("finish_reason")) or self.finish_reason
        return self._joined(_content_text(_fields(choice.get(part))))

    def _joined(self, text: str) -> str:
        """The text, after the half of a character that an earlier piece ended with; a half at its end is held."""
        text, self._half = self._half + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _rest(self) -> str:
        """What is held of a text that ends with half of a character."""
        return "\ufffd" if self._half else ""

    def _hold(self, block: bytes, limit: int) -> None:
        self._held += block
        if len(self._held) > limit:
            raise UpstreamError(f"sent more than {limit} bytes without ending its answer")


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
        return text + self._rest()

    def _line(self, line: bytes) -> str:
        name, _, value = line.strip().removeprefix(_MARK).partition(b":")
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
            raise UpstreamError("answered JSON that is not a completion")
        return text + self._rest()


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
    texts = [part.get(kind) for part in parts for kind in _SPOKEN if part.get("type") == kind]
    return "".join(text for text in texts if isinstance(text, str))


def _text(value: object) -> str:
    """The text, without halves of characters; "" for anything else."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _usage(value: object) -> Usage | None:
    match value:
        case {"prompt_tokens": int(prompt), "completion_tokens": int(completion), "total_tokens": int(total)}:
            return Usage(prompt, completion, total)
        case _:
            return None

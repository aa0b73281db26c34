"""One question and its answer, without I/O: a chat → the form to post; the answer's bytes → events and the reply.

The edge posts `form`. For the answer of each attempt it takes a `reader`, feeds it the body's bytes and closes it.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dynaspark_core.errors import ConfigError, DynasparkError
from dynaspark_core.messages import (
    Chat,
    Done,
    Event,
    Image,
    Message,
    ReasoningDelta,
    Reply,
    TextDelta,
    TextFile,
    Usage,
    new_usage,
)
from dynaspark_core.prompt.markers import escape
from dynaspark_core.prompt.render import estimate_tokens, has_turns, render
from dynaspark_core.reply.plain import TextReader
from dynaspark_core.reply.stops import Stops
from dynaspark_core.wire import http
from dynaspark_core.wire.decoders import Decoder, decoder
from dynaspark_core.wire.query import query as query_parameters

TOKENS_OF_AN_IMAGE = 258
"""What Google counts for an image of up to 384 by 384 pixels; larger ones cost more, so an estimate is a low one."""


def prompt_of(chat: Chat, **images: Any) -> str:
    """The text that `prompt.render` makes. Raises `ConfigError` that names the call whose arguments JSON cannot say."""
    try:
        return render(chat, **images)
    except ConfigError:
        raise
    except ValueError as exc:  # a value within itself, a number of thousands of digits
        raise ConfigError(f"{_unwritable(chat)} cannot be written as JSON: {exc}") from exc


def _unwritable(chat: Chat) -> str:
    for index, message in enumerate(chat.messages):
        for call in message.tool_calls:
            try:
                json.dumps(call.arguments, default=str)
            except ValueError:
                return f"messages[{index}]: the arguments of the call of {call.name!r}"
            except (TypeError, RecursionError):  # which the prompt knows how to write
                continue
    return "a value of the chat"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a call sends: the text, the model's name and the one file, if there is one. Printed, it is text and facts.

    `query` holds the parameters of the query API where `route` is `api`: the text is one of them, the key and what
    else is secret are not.
    """

    prompt: str
    model: str
    file: Image | None = None
    query: Mapping[str, str] | None = None

    def __str__(self) -> str:
        file = "no file"
        if self.file is not None:
            file = f"file {self.file.name}, {self.file.content_type}, {len(self.file.data):,} bytes"
        return f"{self.prompt}\n[model {self.model}; {len(self.prompt):,} characters; {file}]"


class Exchange:
    """A chat for the model of this name; the chat's own may be an alias.

    `image` is the one file; `numbers`, `remarks` and `hidden` are what `prompt.render` takes. With `query`, parameters
    of the caller's, the question goes to the query API as `self.query`.

    Raises `ConfigError` for a chat without messages, or with nothing to send in them.
    """

    def __init__(
        self,
        chat: Chat,
        model: str,
        image: Image | None = None,
        *,
        numbers: Sequence[int] = (),
        remarks: Sequence[str] = (),
        hidden: Collection[int] = (),
        query: Mapping[str, str] | None = None,
    ) -> None:
        if not chat.messages:
            raise ConfigError("messages is empty: give at least one")
        system, chat = ("", chat) if query is None else _without_system(chat)
        self.prompt = prompt_of(chat, image_numbers=numbers, image_remarks=remarks, hidden=hidden)
        if not self.prompt.strip() or not (chat.messages[-1].content or any(map(_says_something, chat.messages))):
            raise ConfigError("the prompt is empty: there is no text and no image to send")
        self.form = http.form(self.prompt, model, image)
        self.query = None
        if query is not None:
            wants_json = chat.response_schema is not None
            self.query = query_parameters(self.prompt, model, system, query, wants_json=wants_json)
        self._chat, self._model, self._image = chat, model, image

    @property
    def prompt_tokens(self) -> int:
        """The estimate of what is sent, for an answer that reports no usage."""
        return estimate_tokens(self.prompt) + (TOKENS_OF_AN_IMAGE if self._image is not None else 0)

    @property
    def preview(self) -> Preview:
        """What is sent."""
        return Preview(self.prompt, self._model, self._image, self.query)

    def reader(self, headers: Mapping[str, str], now: float) -> "AnswerReader":
        """The reader of one attempt's answer: a 2xx response with these headers, which began at Unix time `now`."""
        return AnswerReader(
            decoder(headers.get("Content-Type", ""), lambda error: http.body_error(error, headers, now)),
            _reply_reader(self._chat),
            self,
            Stops(self._chat.stop) if self._chat.stop and any(self._chat.stop) else None,
        )


class AnswerReader:
    """Reads the answer of one attempt: `feed` it the body's bytes as they arrive, then `close` it."""

    is_finished = False
    """The body itself said that nothing follows."""

    def __init__(self, decoder: Decoder, reply: TextReader, asked: Exchange, stops: Stops | None) -> None:
        self._decoder = decoder
        self._reply = reply
        self._asked = asked
        self._stops = stops
        self._texts: list[str] = []
        self._shown: list[str] = []
        self._reasoning: list[str] = []

    @property
    def text(self) -> str:
        """What has arrived of the model's text, as it was written."""
        return "".join(self._texts)

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes bring."""
        text = self._decoded(data)
        self.is_finished = self._decoder.is_finished
        if not text:
            return []
        events = self._reply.feed(text)
        return events if self._stops is None else self._cut(events, self._stops)

    def close(self, data: bytes = b"") -> list[Event]:
        """The events of the last bytes; `Done` is the last of all. Raises if the answer is not whole, or is none."""
        text = self._decoded(data) + self._decoded(None) if data else self._decoded(None)
        decoder = self._decoder
        events = self._reply.close(text, decoder.model, decoder.usage or self._estimated())
        return events if self._stops is None else self._cut(events, self._stops)

    def _decoded(self, data: bytes | None) -> str:
        try:
            text = self._decoder.close() if data is None else self._decoder.feed(data)
        except DynasparkError as error:
            error.text = self.text + error.text
            raise
        self._texts.append(text)
        return text

    def _cut(self, events: Iterable[Event], stops: Stops) -> list[Event]:
        """The events up to a stop sequence, of which there is none in reasoning; `Done` with what was shown."""
        shown: list[Event] = []
        for event in events:
            if isinstance(event, TextDelta):
                self._show(stops.feed(event.text), shown)
                continue
            if not isinstance(event, ReasoningDelta):
                self._show(stops.close(), shown)
            if not stops.is_over:
                self._reasoning += [event.text] if isinstance(event, ReasoningDelta) else []
                shown.append(event)
            elif isinstance(event, Done):
                text, reasoning = "".join(self._shown), "".join(self._reasoning)
                shown.append(Done(Reply(text, model=event.reply.model, usage=event.reply.usage, reasoning=reasoning)))
        return shown

    def _show(self, text: str, shown: list[Event]) -> None:
        if text:
            self._shown.append(text)
            shown.append(TextDelta(text))

    def _estimated(self) -> Usage:
        """What is said of an answer that reports no usage."""
        asked, answered = self._asked.prompt_tokens, estimate_tokens(self.text)
        return new_usage(asked, answered, asked + answered, estimated=True)


def reply_in(events: Sequence[Event]) -> Reply:
    """The whole reply, with which the events of an answer end."""
    done = events[-1]
    assert isinstance(done, Done)  # noqa: S101  # see above
    return done.reply


def _says_something(message: Message) -> bool:
    return bool(message.content or message.tool_calls or message.invalid_tool_calls)


def _without_system(chat: Chat) -> tuple[str, Chat]:
    """The leading system text, which has a field of its own in the query API, and the chat without it."""
    first, *rest = chat.messages
    if first.role != "system" or not rest or not all(isinstance(part, str) for part in first.content):
        return "", chat
    chat = replace(chat, messages=tuple(rest))
    return escape(first.text) if has_turns(chat) else first.text, chat


def _reply_reader(chat: Chat) -> TextReader:
    if not chat.tools or not chat.offered():
        return TextReader(has_turns=has_turns(chat))
    from dynaspark_core.reply.reader import ReplyReader  # noqa: PLC0415  # see `reply`: only tools need its patterns

    return ReplyReader(
        chat.tools,
        chat.tool_choice,
        parallel_tool_calls=chat.parallel_tool_calls,
        untrusted=_untrusted(chat),
    )


def _untrusted(chat: Chat) -> Iterator[str]:
    """What neither the user nor the model wrote, looked for once a sign of a call is read: results, files and records.

    Where a call must come, files do not count: it may well be made of what is in them.
    """
    yield from chat.untrusted_texts()
    if chat.tool_choice == "auto":
        parts = (part for message in chat.messages if message.role != "tool" for part in message.content)
        yield from (part.text for part in parts if isinstance(part, TextFile) and part.text)

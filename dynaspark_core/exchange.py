"""One question and its answer, without I/O: a chat → the form to post; the answer's bytes → events and the reply.

The edge posts `form`, tells `start` what kind of body came, feeds it the bytes and closes it. An attempt that failed is
forgotten by the next `start`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dynaspark_core.errors import ConfigError, DynasparkError
from dynaspark_core.messages import Chat, Done, Event, Image, Reply, TextDelta, Usage, offered
from dynaspark_core.prompt.render import estimate_tokens, render
from dynaspark_core.reply.stops import Stops
from dynaspark_core.wire import http
from dynaspark_core.wire.decoders import Decoder, decoder

if TYPE_CHECKING:
    from dynaspark_core.reply.reader import ReplyReader

NO_MORE_TURNS = ("</turn>", "<turn role=")
"""Where a model that was given turns starts to write the turns of others, its answer has ended. (With tools the reader
knows.)"""


TOKENS_OF_AN_IMAGE = 258
"""What Google counts for an image of up to 384 by 384 pixels; larger ones cost more, so an estimate is a low one."""


class Exchange:
    """`image` is the one file; `numbers` and `remarks` say of each image of the chat what `prompt.render` says.

    Raises `ConfigError` for a chat without messages, or with nothing to send in them.
    """

    def __init__(
        self,
        chat: Chat,
        image: Image | None = None,
        numbers: Sequence[int | None] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        if not chat.messages:
            raise ConfigError("messages is empty: give at least one")
        self.prompt = render(chat, image_numbers=numbers, image_remarks=remarks)
        if not self.prompt.strip():
            raise ConfigError("the prompt is empty: there is no text and no image to send")
        self.form = http.form(self.prompt, chat.model, image)
        self._chat = chat
        self._has_image = image is not None
        self._has_tools = bool(chat.tools) and bool(offered(chat.tools, chat.tool_choice))
        ends_with_turns = not self._has_tools and self.prompt.startswith("<turn ")
        self._stop = (*chat.stop, *(NO_MORE_TURNS if ends_with_turns else ()))
        self._decoder: Decoder | None = None
        self._texts: list[str] = []

    def start(self, header: Mapping[str, str], now: float) -> None:
        """A 2xx answer begins, at Unix time `now`; forgets what an earlier attempt had read."""
        self._decoder = decoder(header.get("Content-Type", ""), partial(http.body_error, header=header, now=now))
        self._reader = _reader(self._chat) if self._has_tools else None
        self._stops = Stops(self._stop) if self._stop else None
        self._texts.clear()
        self._shown: list[str] = []

    @property
    def text(self) -> str:
        """What has arrived of the model's text, as it was written."""
        return "".join(self._texts)

    @property
    def is_finished(self) -> bool:
        """The body itself said that nothing follows."""
        return self._decoder is not None and self._decoder.is_finished

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes bring."""
        return self._told(self._events(self._read(data)))

    def close(self) -> list[Event]:
        """The last events; `Done` is the last of all. Raises if the answer is not whole, or is none."""
        rest = self._events(self._read(None))
        return self._told([*rest, *(self._reader.close() if self._reader else [Done(Reply(""))])])

    def _events(self, text: str) -> list[Event]:
        if self._reader is not None:
            return self._reader.feed(text)
        return [TextDelta(text)] if text else []

    def _read(self, data: bytes | None) -> str:
        assert self._decoder is not None  # noqa: S101  # `start` comes first
        try:
            text = self._decoder.close() if data is None else self._decoder.feed(data)
        except DynasparkError as error:
            error.text = self.text + error.text
            raise
        self._texts.append(text)
        return text

    def _told(self, events: Iterable[Event]) -> list[Event]:
        """The events that are given out: until a stop sequence, `Done` with what was shown."""
        until = events if self._stops is None else self._cut(events, self._stops)
        return [self._one(event) for event in until]

    def _one(self, event: Event) -> Event:
        if isinstance(event, TextDelta):
            self._shown.append(event.text)
        return self._finished(event) if isinstance(event, Done) else event

    def _cut(self, events: Iterable[Event], stops: Stops) -> Iterator[Event]:
        for event in events:
            if isinstance(event, TextDelta):
                yield from _delta(stops.feed(event.text))
                continue
            yield from _delta(stops.close())
            if isinstance(event, Done) or not stops.is_over:
                yield event

    def _finished(self, done: Done) -> Done:
        assert self._decoder is not None  # noqa: S101  # `start` comes first
        is_cut = self._stops is not None and self._stops.is_over
        return Done(
            Reply(
                text="".join(self._shown),
                tool_calls=() if is_cut else done.reply.tool_calls,
                invalid_tool_calls=() if is_cut else done.reply.invalid_tool_calls,
                finish_reason="stop" if is_cut else done.reply.finish_reason,
                model=self._decoder.model,
                usage=self._decoder.usage or self._estimate(),
            )
        )

    def _estimate(self) -> Usage:
        asked = estimate_tokens(self.prompt) + (TOKENS_OF_AN_IMAGE if self._has_image else 0)
        answered = estimate_tokens(self.text)
        return Usage(asked, answered, asked + answered, estimated=True)


def _reader(chat: Chat) -> "ReplyReader":
    from dynaspark_core.reply.reader import ReplyReader  # noqa: PLC0415  # see `reply`

    return ReplyReader(
        chat.tools,
        chat.tool_choice,
        parallel_tool_calls=chat.parallel_tool_calls,
        untrusted=chat.untrusted_texts(),
    )


def _delta(text: str) -> Iterator[Event]:
    if text:
        yield TextDelta(text)

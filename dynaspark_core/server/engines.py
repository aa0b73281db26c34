"""What an engine is: it gets an `Asked` and returns an `Answer`. Only values and the protocol of engines are here."""

import re
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, runtime_checkable

from dynaspark_core.errors import ConfigError
from dynaspark_core.messages import Usage


class Pieces(tuple[str, ...]):
    """One answer that is sent in these pieces, each in a chunk of its own: `Pieces("Hel", "lo.")`.

    Raises `ConfigError` for a piece that is no text.
    """

    __slots__ = ()

    def __new__(cls, *pieces: str) -> Self:
        for piece in pieces:
            if not isinstance(piece, str):
                raise ConfigError(f'pieces are texts, as in Pieces("Hel", "lo."), not {type(piece).__name__}')
        return super().__new__(cls, pieces)


_BREAKS = re.compile(r"[\r\n\0]")
Text = str | Pieces | Iterator[str] | AsyncIterable[str | Usage]
Body = bytes | Iterable[bytes] | AsyncIterable[bytes] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire, by the form or by the query API.

    `prompt` is the form's `user_input`, `model` its `ai_model` ("" when it was not sent). `file` holds the bytes of the
    one file, with its `file_name` and `content_type`; without a file all three are None. `fields` are the form's text
    fields in the order sent, `headers` the request's headers with lower-case names, `query` the address's parameters.

    Only the query API has `system`, a text of its own; `sampling`, the numbers of `temperature`, `top_p`,
    `presence_penalty`, `frequency_penalty` and `seed` that were sent; and `wants_json`.
    """

    prompt: str
    model: str = ""
    file_name: str | None = None
    content_type: str | None = None
    file: bytes | None = field(default=None, repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    system: str = ""
    sampling: Mapping[str, float | int] = field(default_factory=dict)
    wants_json: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back.

    `text` is the answer, whole or in pieces. A str is sent as one JSON document with its length. `Pieces`, an iterator
    and an asynchronous iterator are sent in chunks, as they come. An asynchronous iterator may yield a `Usage` too: the
    token counts that it really counted. `model` names what answered, if it is not what was asked for; `metadata` is
    added to the JSON document when it is not empty.

    With a `status` of 400 or more the `text` is the message of a JSON error body. `body` replaces the whole document: a
    mapping is sent as JSON, bytes go out as they are, under `content_type`. With `cut` the connection is closed before
    the body has ended, as a failing host would. `headers` take precedence over the service's own. Raises
    `ConfigError` for any other text, a list for example, and for a body, status or header that cannot be sent.
    """

    text: Text = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    content_type: str = "application/json"
    model: str | None = None
    usage: Usage | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    cut: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.text, str | Pieces | Iterator | AsyncIterable):
            raise ConfigError(
                f"an answer is text, Pieces, an iterator of pieces or an Answer, not {type(self.text).__name__}: "
                'two answers are Script("a", "b"), one answer in two pieces is Script(Pieces("a", "b"))'
            )
        if isinstance(self.body, str):
            raise ConfigError("an answer's body is bytes, pieces of bytes or a mapping, not str: encode it")
        if not isinstance(self.status, int) or not 200 <= self.status <= 999:
            raise ConfigError(f"an answer's status is {self.status!r}; it must be a whole number from 200 to 999")
        for name, value in self.headers.items():
            if not isinstance(value, str) or _BREAKS.search(value):
                raise ConfigError(f"an answer's header {name!r} is {value!r}; it must be text on one line")


class RefusedError(Exception):
    """A request that is not answered: its HTTP `status`, why, and `headers` or `details` that belong to it.

    `code` is what the error's body has as its code; by default the status.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code or status
        self.status, self.message = status, message
        self.headers, self.details = dict(headers or {}), dict(details or {})


@runtime_checkable
class ListsModels(Protocol):
    """An engine that knows which models it has; others need not."""

    async def models(self) -> Sequence[str]:
        """The names that may be asked for. May raise `RefusedError`."""
        ...


class Engine(Protocol):
    """What the service asks for its answers.

    An engine never blocks the loop: whatever computes runs in a thread. A generator that it gives is closed when the
    client has gone. Raise `RefusedError` for a request that it cannot take; any other exception becomes a 500.
    """

    async def answer(self, asked: Asked) -> Answer:
        """The answer to one request; called again for every request, also while another is being answered."""
        ...

    async def close(self) -> None:
        """Release whatever the engine holds. Called once, when the service has stopped."""
        ...

"""What an engine is: it gets an `Asked` and gives back an `Answer`. Only values and the protocol stand here."""

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dynaspark_core.messages import Usage

Pieces = str | Iterable[str] | AsyncIterable[str | Usage]
Body = bytes | Iterable[bytes] | AsyncIterable[bytes] | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came over the wire.

    `prompt` is the form's `user_input`, `model` its `ai_model` ("" when it was not sent). `file` holds the bytes of the
    one file, with its `file_name` and `content_type`, else all three are None. `fields` are the form's text fields in
    the order sent, `headers` the request's headers with lower-case names, `query` the address's parameters.
    """

    prompt: str
    model: str = ""
    file_name: str | None = None
    content_type: str | None = None
    file: bytes | None = field(default=None, repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back.

    `text` is the answer, whole or in pieces. A str leaves as one JSON document with its length; pieces leave as they
    come, in chunks. An asynchronous iterator may give a `Usage` too: the token counts that it really counted. `model`
    names what answered, if it is not what was asked for; `metadata` is added to the JSON document when it is not empty.

    With a `status` of 400 or more the `text` is the message of a JSON error body. `body` replaces the whole document: a
    mapping is sent as JSON, bytes go out as they are, under `content_type`. With `cut` the connection is closed before
    the body has ended, as a failing host would. `headers` win over the service's own.
    """

    text: Pieces = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body | None = None
    content_type: str = "application/json"
    model: str | None = None
    usage: Usage | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    cut: bool = False


class RefusedError(Exception):
    """A request that is not answered: its HTTP `status`, why, and `headers` or `details` that belong to it."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.headers, self.details = dict(headers or {}), dict(details or {})


class Engine(Protocol):
    """What stands behind the service.

    An engine never blocks the loop: whatever computes runs in a thread. A generator that it gives is closed when the
    client has gone. Raise `RefusedError` for a request that it cannot take; any other exception becomes a 500.
    """

    async def answer(self, asked: Asked) -> Answer:
        """The answer to one request; called again for every request, also while another is being answered."""
        ...

    async def close(self) -> None:
        """Nothing; whatever the engine holds is given back. Called once, when the service has stopped."""
        ...

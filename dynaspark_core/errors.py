"""Every error, split by cause. Each carries its data as attributes, keeps its cause, and pickles.

    DynasparkError                 is_retryable = False, retry_after = None
    ├─ ConfigError(ValueError)               nothing was sent
    ├─ TransportError                        no whole answer; retryable
    │  ├─ ConnectError(ConnectionError)      RequestTimeoutError(TimeoutError)
    │  └─ StreamBrokenError                  .text: what had arrived
    ├─ StatusError                           .status .body .retry_after
    │  ├─ RejectedError 400 413 414 415 422  AccessError 401 403      NotFoundError 404
    │  │  └─ PromptTooLongError              more tokens than the model takes
    │  └─ RateLimitError 429                 ServerError 5xx          (both retryable)
    ├─ ReplyError                            2xx that is not a reply
    │  └─ WakingUpError                      an HTML page: the host is starting; retryable
    ├─ ToolCallError, OutputError(ValueError) .text: what the model wrote
    └─ ImageError                            ForbiddenImageError(PermissionError)  UnreadableImageError(ValueError)

A message holds at most 1,000 printable characters. Whoever raises keeps keys, passwords and pages out of it.
"""

MAX_MESSAGE_CHARACTERS = 1000


def printable(text: str) -> str:
    """The text on one line, without control codes, at most `MAX_MESSAGE_CHARACTERS` characters."""
    clean = "".join(char if char.isprintable() else " " for char in text[: 4 * MAX_MESSAGE_CHARACTERS])
    clean = " ".join(clean.split())
    return clean if len(clean) <= MAX_MESSAGE_CHARACTERS else clean[: MAX_MESSAGE_CHARACTERS - 1] + "…"


class DynasparkError(Exception):
    """The root: `except DynasparkError` catches all that this project raises.

    `is_retryable` says whether the same request may succeed later, `retry_after` after how many seconds, if known.
    `text` is what had arrived of the answer, or what the model wrote. Of an answer that was read and cannot be used,
    `reasoning` is what `text` has not.
    """

    is_retryable: bool = False
    retry_after: float | None = None
    text: str = ""
    reasoning: str = ""

    def __init__(self, message: str = "", *, text: str = "") -> None:
        super().__init__(printable(message))
        if text:
            self.text = text


class ConfigError(DynasparkError, ValueError):
    """A setting or an input cannot be used; nothing was sent."""


class TransportError(DynasparkError):
    """The answer did not arrive whole."""

    is_retryable = True

    def __init__(self, message: str = "", *, is_retryable: bool = True, text: str = "") -> None:
        super().__init__(message, text=text)
        self.is_retryable = is_retryable


class ConnectError(TransportError, ConnectionError):
    """No connection to the service, its proxy, or the storage that counts requests."""


class RequestTimeoutError(TransportError, TimeoutError):
    """The attempt took longer than `timeout` seconds, or no slot of `max_concurrency` was released for it.

    `text` is what had arrived.
    """


class StreamBrokenError(TransportError):
    """The answer ended early; `text` is what had arrived of it."""


class StatusError(DynasparkError):
    """The service refused or failed: its HTTP `status`, its `body` (text, cut to 4,096 characters), `retry_after`."""

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        body: str = "",
        retry_after: float | None = None,
        text: str = "",
    ) -> None:
        super().__init__(message, text=text)
        self.status, self.body, self.retry_after = status, body, retry_after


class RejectedError(StatusError):
    """400, 413, 414, 415, 422: the request as it is will never succeed."""


class PromptTooLongError(RejectedError):
    """400, 413, 422 for a prompt with more tokens than the model's context window holds; not for a large file."""


class AccessError(StatusError):
    """401, 403: the key is missing or wrong; or it, this host, page or network may not do this."""


class NotFoundError(StatusError):
    """404: `base_url` or `path` is not that of the service."""


class RateLimitError(StatusError):
    """429: too many requests; `retry_after` is the wait in seconds that the service asked for, if it did.

    Also raised when nothing was sent, because a limit does not allow it yet: then `status` is 0.
    """

    is_retryable = True


class ServerError(StatusError):
    """5xx: the service or the host in front of it failed."""

    is_retryable = True


class ReplyError(DynasparkError):
    """A 2xx answer that is not a reply; `text` is what had been read of it as text of the model."""


class WakingUpError(ReplyError):
    """An HTML page instead of an answer: the host is starting the service."""

    is_retryable = True


class ToolCallError(DynasparkError, ValueError):
    """A call was required, and the model made none that can run; `text` is what the model wrote."""


class OutputError(DynasparkError, ValueError):
    """The answer holds no object of the schema asked for; `text` is what the model wrote."""


class ImageError(DynasparkError):
    """An image cannot be sent; nothing was sent."""


class ForbiddenImageError(ImageError, PermissionError):
    """An address or a path that may not be read."""


class UnreadableImageError(ImageError, ValueError):
    """The bytes are not an image that the service takes."""

"""Each of our errors as a twin that is LangChain's too, so that its retry middleware and fallbacks know it.

A twin inherits both: `except dynaspark_core.errors.RateLimitError` and `except ModelRateLimitError` catch the same.
"""

import json
from dataclasses import dataclass
from typing import Any

from langchain_core import exceptions as theirs

from dynaspark_core import errors as ours


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """What LangChain's tracers read of a refused request; it holds no key and no request."""

    status_code: int
    text: str

    def json(self) -> Any:
        """The body, where it is JSON; otherwise `ValueError`, and the tracer takes `text`."""
        return json.loads(self.text)


class _Answered:
    """Adds `response`, which LangChain puts into its traces."""

    status: int
    body: str

    @property
    def response(self) -> ErrorResponse:
        return ErrorResponse(self.status, self.body)


class DynasparkInvalidRequestError(ours.ConfigError, theirs.ModelInvalidRequestError):
    """A setting or an input cannot be sent."""


class DynasparkImageError(ours.ImageError, theirs.ModelInvalidRequestError):
    """An image cannot be sent."""


class DynasparkForbiddenImageError(ours.ForbiddenImageError, theirs.ModelInvalidRequestError):
    """Policy: this address or path may not be read."""


class DynasparkUnreadableImageError(ours.UnreadableImageError, theirs.ModelInvalidRequestError):
    """The bytes are not an image that the service takes."""


class DynasparkConnectionError(ours.ConnectError, theirs.ModelConnectionError):
    """No connection to the service."""


class DynasparkTimeoutError(ours.RequestTimeoutError, theirs.ModelTimeoutError):
    """The attempt took longer than `timeout`."""


class DynasparkStreamBrokenError(ours.StreamBrokenError, theirs.ModelConnectionError):
    """The answer ended early; `text` is what had arrived."""


class DynasparkStatusError(_Answered, ours.StatusError, theirs.ModelAPIError):
    """The service refused or failed in another way."""


class DynasparkRejectedError(_Answered, ours.RejectedError, theirs.ModelInvalidRequestError):
    """400, 413, 415, 422."""


class DynasparkPromptTooLongError(_Answered, ours.PromptTooLongError, theirs.ContextOverflowError):
    """The prompt has more tokens than the model takes; summarization middleware acts on it."""


class DynasparkAuthenticationError(_Answered, ours.AccessError, theirs.ModelAuthenticationError):
    """401."""


class DynasparkPermissionDeniedError(_Answered, ours.AccessError, theirs.ModelPermissionDeniedError):
    """403."""


class DynasparkNotFoundError(_Answered, ours.NotFoundError, theirs.ModelNotFoundError):
    """404."""


class DynasparkRateLimitError(_Answered, ours.RateLimitError, theirs.ModelRateLimitError):
    """429; `retry_after` in seconds, if the service said so."""


class DynasparkServerError(_Answered, ours.ServerError, theirs.ModelAPIError):
    """5xx."""


class DynasparkReplyError(ours.ReplyError, theirs.ModelAPIError):
    """A 2xx answer that is not a reply."""


class DynasparkWakingUpError(ours.WakingUpError, theirs.ModelAPIError):
    """An HTML page: the host is starting the service."""


class DynasparkToolCallError(ours.ToolCallError, theirs.ModelAPIError):
    """A required call did not come."""


class DynasparkOutputError(ours.OutputError, theirs.ModelAPIError):
    """The answer holds no object of the schema asked for."""


TWINS: dict[type[ours.DynasparkError], type[ours.DynasparkError]] = {
    ours.ConfigError: DynasparkInvalidRequestError,
    ours.ImageError: DynasparkImageError,
    ours.ForbiddenImageError: DynasparkForbiddenImageError,
    ours.UnreadableImageError: DynasparkUnreadableImageError,
    ours.ConnectError: DynasparkConnectionError,
    ours.RequestTimeoutError: DynasparkTimeoutError,
    ours.StreamBrokenError: DynasparkStreamBrokenError,
    ours.StatusError: DynasparkStatusError,
    ours.RejectedError: DynasparkRejectedError,
    ours.PromptTooLongError: DynasparkPromptTooLongError,
    ours.AccessError: DynasparkAuthenticationError,
    ours.NotFoundError: DynasparkNotFoundError,
    ours.RateLimitError: DynasparkRateLimitError,
    ours.ServerError: DynasparkServerError,
    ours.ReplyError: DynasparkReplyError,
    ours.WakingUpError: DynasparkWakingUpError,
    ours.ToolCallError: DynasparkToolCallError,
    ours.OutputError: DynasparkOutputError,
}


def twin(error: ours.DynasparkError) -> ours.DynasparkError:
    """An error with the same message and attributes, of a class that is LangChain's too."""
    kind: type[Any] = TWINS.get(type(error), type(error))
    if kind is DynasparkAuthenticationError and vars(error).get("status") == 403:
        kind = DynasparkPermissionDeniedError
    result: ours.DynasparkError = kind(*error.args)
    vars(result).update(vars(error))
    result.is_retryable = error.is_retryable
    return result


class langchain_errors:  # noqa: N801  # used after `with`, as the functions of contextlib
    """Raises the twin of each of our errors, from it."""

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ours.DynasparkError):
            raise twin(error) from error

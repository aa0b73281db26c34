"""What is sent and what a status means: form, headers, status → error. No I/O.

The body's way back to text is `decoders`. Source of every field and header: the public clients of the service.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dynaspark_core._version import __version__
from dynaspark_core.errors import (
    AccessError,
    ConfigError,
    NotFoundError,
    PromptTooLongError,
    RateLimitError,
    RejectedError,
    ServerError,
    StatusError,
)
from dynaspark_core.messages import Image
from dynaspark_core.messages.making import QuicklyMade, maker
from dynaspark_core.wire.pacing import is_quota_spent, requested_wait

MAX_ERROR_CHARACTERS = 4096
USER_AGENT = f"dynaspark-llm/{__version__} (Python; aiohttp)"


@dataclass(frozen=True, slots=True)
class Form(QuicklyMade):
    """A multipart/form-data body: `pieces` in order, the image's own bytes among them, not copied; `size` in bytes."""

    content_type: str
    pieces: tuple[bytes, ...] = field(repr=False)
    size: int


_form_of = maker(Form)
_boundaries = Random()  # noqa: S311  # only the service sees what this one gives, so no text can guess the next


def form(prompt: str, model: str, image: Image | None = None) -> Form:
    """The form post: `user_input`, `ai_model` and, with an image, `file`.

    Raises `ConfigError` for text that UTF-8 cannot hold.
    """
    boundary = f"{_boundaries.getrandbits(128):032x}"
    try:
        text = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="user_input"\r\n\r\n{prompt}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="ai_model"\r\n\r\n{model}\r\n--{boundary}'
        ).encode()
    except UnicodeEncodeError:
        encoded("user_input", prompt)
        encoded("ai_model", model)
        raise
    content_type = f"multipart/form-data; boundary={boundary}"
    if image is None:
        text += b"--\r\n"
        return _form_of(content_type, (text,), len(text))
    name = image.name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    head += f"Content-Type: {image.content_type}\r\n\r\n"
    pieces = (text + head.encode(errors="replace"), image.data, f"\r\n--{boundary}--\r\n".encode())
    return Form(content_type, pieces, sum(map(len, pieces)))


def encoded(name: str, value: str) -> bytes:
    """The value of a field as UTF-8. Raises `ConfigError` for text that UTF-8 cannot hold."""
    try:
        return value.encode()
    except UnicodeEncodeError as exc:
        raise ConfigError(
            f"{name} holds {value[exc.start]!r} at character {exc.start}, which is not text (a lone surrogate)"
        ) from exc


def headers(origin: str) -> dict[str, str]:
    """The headers of every request to this service; a caller's own replace them."""
    return {
        "Accept": "*/*",
        "Accept-Language": "en-US,en;q=0.9",
        "Origin": origin,
        "Referer": f"{origin}/",
        "User-Agent": USER_AGENT,
        "X-Requested-With": "XMLHttpRequest",
    }


_BY_STATUS: dict[int, type[StatusError]] = {
    **dict.fromkeys((400, 413, 414, 415, 422), RejectedError),
    **dict.fromkeys((401, 403), AccessError),
    404: NotFoundError,
    429: RateLimitError,
}
PROMPT_TOO_LONG = "context_length_exceeded"
"""The code of this error, as OpenAI has it and the local service."""
_BY_CODE: dict[str, int] = {
    PROMPT_TOO_LONG: 400,
    "rate_limit": 429,
    "quota": 429,
    "too_many": 429,
    "key": 401,
    "auth": 401,
    "param": 400,
}
_ADVICE = {
    401: "set api_key or DYNASPARK_API_KEY",
    403: "if it is about the key, set api_key or DYNASPARK_API_KEY",
    404: "check base_url and path",
    405: "check base_url, path and route",
    414: "the prompt is too long for a URL: use route='form'",
}


def status_error(status: int, header: Mapping[str, str], body: bytes, now: float) -> StatusError:
    """The error for an answer that is not 2xx; `header` is case-insensitive, `now` the Unix time in seconds."""
    text = body[:MAX_ERROR_CHARACTERS].decode(errors="replace")
    return _status_error(status, header, text, _envelope(text), now)


def body_error(error: object, header: Mapping[str, str], now: float) -> StatusError:
    """The error for a 2xx answer with an `error` field; its code or a reset time tells the class."""
    return _status_error(_status_of(error), header, json.dumps({"error": error}, default=str), error, now)


def _status_error(status: int, header: Mapping[str, str], body: str, error: object, now: float) -> StatusError:
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else StatusError)
    if kind is RejectedError and _is_too_long(error, body):
        kind = PromptTooLongError
    details = error.get("details") if isinstance(error, dict) else None
    reset_time = details.get("reset_time") if isinstance(details, dict) else None
    may_pass = status in {408, 429} or status >= 500
    wait = requested_wait(header, reset_time, now, is_spent=is_quota_spent(header, status)) if may_pass else None
    result = kind(
        _sentence(status, header, body, error, wait),
        status=status,
        body=body[:MAX_ERROR_CHARACTERS],
        retry_after=wait,
    )
    result.is_retryable = kind.is_retryable or status == 408
    return result


_TOO_LONG = re.compile(
    r"context[ _](?:length|window|size|limit)|too many (?:input |prompt )?tokens|token (?:limit|count)"
    r"|\b(?:prompt|input|request|messages)\b[^.]{0,80}(?:\d|exceed|long|maximum|limit)[^.]{0,80}\btokens\b",
    re.IGNORECASE,
)
"""How services say it, for example "maximum context length is 8192 tokens", "prompt is too long: 205000 tokens"."""


def _is_too_long(error: object, body: str) -> bool:
    """Whether an error's code or text says that the prompt has too many tokens."""
    details: Any = error if isinstance(error, dict) else {}
    said = str(details.get("message") or error or body)
    return details.get("code") == PROMPT_TOO_LONG or _TOO_LONG.search(said) is not None


def _envelope(text: str) -> object:
    """The `error` value of a documented error body; None for any other body."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return answer.get("error") if isinstance(answer, dict) else None


def _sentence(status: int, header: Mapping[str, str], body: str, error: object, wait: float | None) -> str:
    """What happened. What the service wrote comes last: it may have been cut within a secret, see `errors`."""
    message = error.get("message") if isinstance(error, dict) else error
    said = message if isinstance(message, str) and message else _excerpt(body)
    if 300 <= status < 400 and "Location" in header:
        said = f"a redirect to {_host(header.get('Location', ''))}, which is not followed: set base_url to it"
    advice = f" ({_ADVICE[status]})" if status in _ADVICE else ""
    if status >= 500 and said == _PAGE:
        advice = " (its host is waking up or down: try again in a minute)"
    if "SSL certificate was sent" in body:  # nginx's page where a client certificate is demanded
        advice = " (it asks for a client certificate: set client_cert)"
    asked = f" (it asks to wait {math.ceil(wait)} s)" if wait else ""
    return f"the service answered {status}{advice}{asked}: {said}"


_PAGE = "an HTML page"


def _excerpt(body: str) -> str:
    start = body.lstrip()[:300]
    return _PAGE if start.startswith("<") else start or "nothing"


def _host(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}" if host else "another path"


def _status_of(error: object) -> int:
    details: Any = error if isinstance(error, dict) else {}
    code = details.get("code")
    if type(code) is int and 400 <= code < 600:
        return code
    words = f"{code or ''}".lower().replace(" ", "_").replace("-", "_")
    if re.fullmatch(r"[45]\d\d", words, re.ASCII):
        return int(words)
    if isinstance(details.get("details"), dict) and details["details"].get("reset_time"):
        return 429
    return next((status for part, status in _BY_CODE.items() if part in words), 200)

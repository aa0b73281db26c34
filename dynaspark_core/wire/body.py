"""What every answer has in common: strict UTF-8 under a cap, a strict JSON object, what it says of itself. No I/O."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from dynaspark_core.errors import DynasparkError, ReplyError, StreamBrokenError
from dynaspark_core.messages import Usage, new_usage

PAGE = "an HTML page came instead of an answer: the host is waking up, or base_url is not the service's"
MAX_ANSWER_BYTES = 8 * 1024 * 1024
"""Of one answer, decompressed. The models give at most 8,192 tokens, about 32 kB."""

ErrorOf = Callable[[object], DynasparkError]
"""Turns the value of an answer's `error` field into the error to raise."""

_SURROGATE = re.compile("[\ud800-\udfff]")


class Utf8:
    """Strict, incremental UTF-8, or a charset of one byte a character. It counts bytes against the cap.

    The text before a wrong byte is returned first.
    """

    def __init__(self, charset: str = "utf-8") -> None:
        self._charset = charset
        self._count = 0
        self._half = b""
        self._has_begun = False
        self._wrong: ReplyError | None = None

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text of these bytes. Raises `ReplyError` at the next call after a wrong byte."""
        if self._wrong is not None:
            raise self._wrong
        self._count += len(data)
        if self._count > MAX_ANSWER_BYTES:
            raise ReplyError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
        data, self._half = self._half + data, b""
        try:
            text = data.decode(self._charset)
        except UnicodeDecodeError as exc:
            if final:
                raise StreamBrokenError("the answer ended inside a character") from exc
            text = data[: exc.start].decode(self._charset)
            self._stop(data, exc)
        return text if self._has_begun else self._begin(text)

    def _stop(self, data: bytes, exc: UnicodeDecodeError) -> None:
        """Keep what begins a character at the end of the data; any other wrong byte is told of at the next call."""
        if exc.reason == "unexpected end of data":
            self._half = data[exc.start :]
        else:
            self._wrong = ReplyError(f"the answer is not {self._charset.upper()}: {exc.reason}")
            self._wrong.__cause__ = exc

    def _begin(self, text: str) -> str:
        """The first text, without the mark that may lead it."""
        self._has_begun = bool(text)
        return text.removeprefix("\ufeff")


def join_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates, which no UTF-8 can carry, as U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


STRICT = json.JSONDecoder(parse_constant=_refuse)
"""Of its values NaN is none. It raises `ValueError` for anything else, and `RecursionError`."""


def strict_object(text: str) -> dict[str, Any]:
    """The JSON object that the text is; raises `ReplyError` for anything else, NaN and too deep nesting included."""
    if not text.strip():
        raise ReplyError("the answer is empty")
    try:
        answer = STRICT.decode(text)
    except (ValueError, RecursionError) as exc:
        raise ReplyError(f"the answer is not JSON ({exc}): {text[:200]}") from exc
    if not isinstance(answer, dict):
        raise ReplyError(f"the answer is not a JSON object: {text[:200]}")
    return answer


def model_and_usage(answer: Mapping[str, Any]) -> tuple[str | None, Usage | None]:
    """The `model` and `usage` of a richer answer; None for what is missing or not of the documented shape."""
    model, usage = answer.get("model"), answer.get("usage")
    return model if isinstance(model, str) and model else None, _usage(usage) if isinstance(usage, dict) else None


def _usage(usage: Mapping[str, Any]) -> Usage | None:
    asked, answered, total = usage.get("prompt_tokens"), usage.get("completion_tokens"), usage.get("total_tokens")
    if not (type(asked) is type(answered) is type(total) is int):
        return None
    return new_usage(asked, answered, total) if asked >= 0 <= answered and total >= 0 else None
